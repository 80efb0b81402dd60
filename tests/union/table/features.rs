//! Rows of what has to be switched on.

use super::Row;

/// A redirect in a lower layer, which is followed unless it may have been written by anyone.
pub(crate) const FOLLOWED: Row = (
    "137 read a redirect",
    "0 dir e; 0 mark e redirect d; 0 whiteout d; 1 file d/f x; list e; read e/f; stat e; mkdir e/n; read e/f",
);

/// With `redirect_dir=on`.
pub(crate) const REDIRECTS: &[Row] = &[
    FOLLOWED,
    (
        "a merged directory comes over one that is not empty: it is up and has its redirect",
        "0 dir b; 0 dir d; mkdir d/c; mkdir d/c/b; rename b d/c; list d/c; rename b e",
    ),
    (
        "an absolute redirect leads out of an opaque directory",
        "2 file c/f DATA; 1 dir a; 1 mark a opaque y; 1 dir a/b; 1 mark a/b redirect /c; 0 dir x; 0 mark x redirect /a/b; list x; read x/f; create x/g; remount; list x",
    ),
    (
        "37 38 new dirs are opaque",
        "0 file d/z x; mkdir d/n; mkdir n; list d",
    ),
    (
        "115 rename lower dir",
        "0 file d/f x; rename d e; list /; read e/f; remount; read e/f; stat d",
    ),
    (
        "116 rename empty lower dir",
        "0 dir d; rename d e; list /; remount; list /",
    ),
    (
        "117 rename merged dir",
        "0 file d/f x; create d/g; rename d e; list e; remount; list e",
    ),
    (
        "129 exchange lower dirs",
        "0 file d/a 1; 0 file e/b 1; rename d e exchange; list d; list e; remount; list d",
    ),
    (
        "to another parent",
        "0 file a/d/f x; 0 dir b; rename a/d b/e; list a; list b/e; remount; read b/e/f",
    ),
    (
        "and back",
        "0 file a/d/f x; 0 dir b; rename a/d b/e; rename b/e a/d; list a; read a/d/f; remount; read a/d/f",
    ),
    (
        "twice",
        "0 file d/f x; rename d e; rename e g; list /; remount; read g/f",
    ),
    (
        "nested",
        "0 file a/b/c/f x; rename a/b a/x; rename a/x/c c; rename a y; list /; read c/f; remount; read c/f; list y; list y/x",
    ),
    (
        "new dir at the old name",
        "0 file d/f x; rename d e; mkdir d; create d/n; list d; list e; remount; list d; list e",
    ),
    (
        "over an emptied dir",
        "0 file e/x 1; 0 file d/f x; unlink e/x; rename d e; list e; remount; list e",
    ),
    (
        "two layers",
        "1 file d/a 1; 0 file d/b 0; rename d e; list e; unlink e/a; list e; remount; list e",
    ),
    (
        "redirect in a lower",
        "1 file d/a 1; 0 dir e; 0 mark e redirect d; 0 whiteout d; list e; rename e g; list g; remount; list g",
    ),
    (
        "absolute redirect in a lower",
        "1 file p/d/a 1; 0 dir q/e; 0 mark q/e redirect /p/d; list q/e; create q/e/n; remount; list q/e",
    ),
    (
        "absolute redirect past a file",
        "2 file d/a/a z; 1 file d x; 0 dir d/a; rename d/a b; list b; remount; list b",
    ),
    (
        "absolute redirect below an opaque ancestor",
        "1 file p/d/a 1; 1 mark p opaque y; 0 dir q; 0 mark q opaque y; 0 dir q/e; 0 mark q/e redirect /p/d; list q/e",
    ),
];

/// With `metacopy=on`.
pub(crate) const METACOPY: &[Row] = &[
    (
        "a change of attributes leaves the data",
        "0 file f hello; 0 file empty -; chmod f 600; chmod empty 600; setx f user.a 1; chown f 1 2; read f; remount; read f; read empty; list /",
    ),
    (
        "opening for writing fetches them",
        "0 file f hello; 0 file g hello; chmod f 600; openw f; read f; chmod g 600; append g !; read g; remount; read g",
    ),
    (
        "a handle from before follows",
        "0 file f AAAA; open h f r; chmod f 600; hread h; hstat h; open i f r; write f BBBBBB; hread h; hread i; hstat i",
    ),
    (
        "truncation",
        "0 file f hello; 0 file g hello; 0 file h hello; chmod f 600; trunc f 2; read f; chmod g 600; otrunc g x; read g; chmod h 600; trunc h 9; read h; remount; read f; read g; read h",
    ),
    (
        "renamed",
        "0 file f F; 0 file d/g G; 0 dir e; rename f f2; rename f2 f3; rename d/g e/g; rename e/g e/h; read f3; read e/h; remount; read f3; read e/h; rename e/h k; write k K; rename k l; remount; read l",
    ),
    (
        "exchanged",
        "0 file f F; 0 file d/g G; rename f d/g exchange; read f; read d/g; remount; read f; read d/g",
    ),
    (
        "linked",
        "0 file f F; 0 dir d; link f d/g; read d/g; remount; read f; read d/g; write d/g X; read f; remount; read f",
    ),
    (
        "lower hard links",
        "0 file a x; 0 link a b; chmod a 600; rename a c; read c; read b; remount; read c; rename b d; read d; remount; read d",
    ),
    (
        "capability kept when the data come",
        "0 file f x; 0 setx f security.capability x:0100000200040000000000000000000000000000; chmod f 755; openw f; stat f; write f y; stat f",
    ),
    (
        "set-ID bits and the data",
        "0 file f x 6777; setx f user.a 1; as 65534 65534 openw f; stat f; as 65534 65534 write f y; stat f",
    ),
    (
        "sparse",
        "0 sparse s 9000000 5000000; chmod s 600; read s; append s x; read s",
    ),
    (
        "in a renamed directory",
        "0 file d/f F; 0 dir e; chmod d/f 600; rename d e/d2; read e/d2/f; rename e/d2/f top; read top; remount; read top; list e/d2",
    ),
    (
        "unlinked and open",
        "0 file f F; chmod f 600; open h f rw; unlink f; hread h; hwrite h 0 G; hread h; list /; 0 file g G; chmod g 600; open i g r; unlink g; hread i",
    ),
    (
        "deleted and to be linked",
        "0 file f F; chmod f 600; open h f r; unlink f; hlink h g; list /",
    ),
    (
        "relative redirect in a lower",
        "1 file d F; 0 hollow e 1; 0 mark e metacopy; 0 mark e redirect d; 0 whiteout d; read e; stat e; write e G; read e",
    ),
    (
        "absolute redirect in a lower",
        "2 file p/q/d F1234567; 1 dir x; 0 hollow x/e 8; 0 mark x/e metacopy; 0 mark x/e redirect /p/q/d; read x/e; chmod x/e 600; read x/e; rename x/e y; read y; remount; read y; append y Z; remount; read y",
    ),
    (
        "down three layers",
        "3 file a DATA; 2 hollow b 4; 2 mark b metacopy; 2 mark b redirect a; 1 hollow c 4; 1 mark c metacopy; 1 mark c redirect b; 0 hollow d/c 4; 0 mark d/c metacopy; 0 mark d/c redirect /c; read d/c; chmod d/c 600; read d/c; link d/c e; remount; read e",
    ),
    (
        "no data below",
        "1 dir d; 0 hollow f 4; 0 mark f metacopy; 0 hollow d/f 4; 0 mark d/f metacopy; 0 hollow g 4; 0 mark g metacopy; 0 mark g redirect /d; read f; stat f; read d/f; write d/f x; chmod d/f 600; rename f h; read g",
    ),
    (
        "no data below a whiteout in the form of a file",
        "2 file d/f DATA; 1 file d/f -; 1 mark d/f whiteout y; 1 mark d opaque x; 0 hollow d/f 4; 0 mark d/f metacopy; read d/f; stat d/f",
    ),
    (
        "no data below a whiteout or an opaque directory",
        "2 file f DATA; 1 whiteout f; 0 hollow f 4; 0 mark f metacopy; 2 file d/f DATA; 1 file d/x x; 1 mark d opaque y; 0 hollow d/f 4; 0 mark d/f metacopy; read f; read d/f; 2 file e DATA; 1 dir e; 0 hollow e 4; 0 mark e metacopy; read e",
    ),
];

/// Files of the lower layers with several names.
pub(crate) const INDEX: &[Row] = &[
    (
        "102 links stay",
        "0 file a text; 0 dir d; 0 link a b; 0 link a d/c; write b NEW; read a; read d/c; same a b; same a d/c; stat a; stat b; stat d/c; remount; stat a; same b d/c; append a more; stat d/c; list /; list d",
    ),
    (
        "145 unlink one",
        "0 file a x; 0 link a b; unlink a; stat b; remount; stat b; unlink b; list /; create a; stat a",
    ),
    (
        "all that can change",
        "0 file a x; 0 link a b; 0 link a c; remember i a; chmod c 600; stat a; is i a; is i b; unlink b; stat a; setx a user.k v; getx c user.k; rmx c user.k; rmx c user.k; stat c; chown a 1 2; stat c; times c 5 6; stat a; otrunc a y; read c; trunc c 9; read a; alloc a grow 0 100; stat c; remount; is i c; stat a",
    ),
    (
        "what is not there to be removed needs no copy",
        "0 file a x; 0 link a b; rmx a user.k; chmod a 600; rmx b user.k; stat b",
    ),
    (
        "open for reading",
        "0 file a text; 0 link a b; open h a r; write b NEW; hread h; hstat h; unlink a; hstat h; hread h; unlink b; hstat h; hread h; list /",
    ),
    (
        "open for writing, and unlinked",
        "0 file a text; 0 link a b; open h a rw; unlink a; hwrite h 0 1; read b; unlink b; hwrite h 1 22; hread h; hchmod h 640; hstat h; hlink h c; list /",
    ),
    (
        "a new name for an open file",
        "0 file a text; 0 link a b; open h a rw; link b c; unlink a; unlink b; hwrite h 0 zz; hlink h d; stat c; stat d; same c d; unlink c; remount; stat d; unlink d; list /",
    ),
    (
        "changed through the name that is up only",
        "0 file a text; 0 link a b; 0 link a c; open h a rw; stat c; list /; hchmod h 600; hwrite h 0 new; stat b; read c",
    ),
    (
        "rename",
        "0 file a x; 0 link a b; 0 dir d; 0 dir e; rename a d/z; stat b; stat d/z; same b d/z; rename b d/y; list d; list /; remount; stat d/y; rename d/y d/z; list d; rename d/z e/z; remount; same d/y e/z; unlink e/z; stat d/y",
    ),
    (
        "rename to another name of the same file",
        "0 file a x; 0 link a b; rename a b; list /; chmod a 600; rename a b; rename b a; list /; stat a; rename a b exchange; stat b; rename a b noreplace",
    ),
    (
        "rename over",
        "0 file a x; 0 link a b; 0 link a c; 0 file y yy; create x; rename x a; stat b; rename y b; stat c; rename c zz; stat zz; create q; rename q zz; stat zz; remount; list /; read b",
    ),
    (
        "rename over, and open",
        "0 file a x; 0 link a b; 0 file y yy; 0 file z zz; open h a r; rename y a; hstat h; rename z b; hstat h; hread h; list /",
    ),
    (
        "one linked file over another",
        "0 file a x; 0 link a b; 0 file c yy; 0 link c d; rename a c; stat b; stat c; stat d; same b c; rename d b; stat b; stat c; list /; remount; stat b; stat c",
    ),
    (
        "exchange",
        "0 file a x; 0 link a b; 0 file c y; 0 link c d; rename a c exchange; stat a; stat b; stat c; stat d; same a d; same c b; 0 dir e; 0 file e/f z; rename b e/f exchange; stat e/f; remount; same c e/f; rename b c exchange; read b",
    ),
    (
        "link",
        "0 file a x; 0 link a b; 0 dir d; link a n; stat b; stat n; link b d/m; stat n; unlink a; unlink b; stat n; stat d/m; remount; stat n; append n y; read d/m; unlink n; stat d/m; unlink d/m; list /; list d",
    ),
    (
        "link over a whiteout, and to where it was",
        "0 file a x; 0 link a b; 0 file c y; unlink c; link a c; same b c; unlink a; link b a; stat a; link a b; remount; stat c",
    ),
    (
        "in a directory that is not up, or gone",
        "0 dir d/e; 0 file d/e/a x; 0 link d/e/a d/b; 0 link d/b c; write d/e/a y; stat d/b; stat c; unlink d/e/a; rmdir d/e; stat c; unlink d/b; rmdir d; stat c; mkdir d; list d; link c d/b; stat c; remount; stat d/b",
    ),
    (
        "in a directory that moves",
        "0 dir d; 0 file d/a x; 0 link d/a b; rename d e; list /; chmod e/a 600; stat b; remount; same b e/a; unlink e/a; stat b",
    ),
    (
        "a symlink, a pipe and others that are special",
        "0 symlink t s; 0 link s s2; chown s 3 4; stat s2; stat s; same s s2; unlink s2; stat s; remount; stat s; 0 fifo p 644; 0 link p p2; chmod p2 600; stat p; rename p q; stat q; stat p2; 0 char c 1 3; 0 link c c2; unlink c; stat c2; chmod c2 600; stat c2; unlink c2; list /",
    ),
    (
        "several layers",
        "1 file a low; 1 link a b; 1 link a c; 0 file d top; 0 link d e; 0 whiteout b; 0 file c mine; write a new; stat a; stat c; write e y; stat d; remount; stat a; unlink a; unlink d; stat e; list /",
    ),
    (
        "an upper that broke the links",
        "u file a mine; 0 file a low; 0 link a b; 0 link a c; write b new; stat a; stat b; stat c; unlink a; stat c; unlink b; unlink c; list /",
    ),
    (
        "not all names in the union",
        "0 dir x; 0 file x/a t; 0 link x/a b; 0 link x/a c; u dir x; u mark x opaque y; unlink b; stat c; unlink c; list /; remount; list /",
    ),
    (
        "sparse and large",
        "0 sparse s 9000000 5000000; 0 link s t; chmod s 600; read t; append t x; read s; stat s; remount; read t; trunc s 10; read t",
    ),
    (
        "set-ID bits and attributes",
        "0 file f x 6777; setx f user.a 1; 0 link f g; as 65534 65534 write g y; stat f; stat g; setx g user.b 2; getx f user.b; remount; stat f",
    ),
    (
        "removed through a handle of the other name",
        "0 file a text; 0 link a b; open h a r; open i b r; unlink a; unlink b; hread h; hread i; hstat i; create a; write a z; hread h; read a",
    ),
    (
        "nothing changes by looking",
        "0 file a text; 0 link a b; 0 dir d; 0 link a d/c; stat a; read b; list d; same a d/c; open h a r; hread h; remount; list /",
    ),
];
