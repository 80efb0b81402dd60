//! Rows of the comparison. Numbers are those of the behaviour catalogue.

/// Name, and script.
pub(crate) type Row = (&'static str, &'static str);

/// With the options that Docker mounts with.
pub(crate) const ROWS: &[Row] = &[
    // Lookup and stacking.
    (
        "1 upper hides lower",
        "0 file f low; u file f up; read f; list /",
    ),
    (
        "2 directories merge",
        "1 file d/a 1; 0 file d/b 2; u file d/c 3; list d",
    ),
    (
        "3 upper file over lower dir",
        "0 file d/x 1; u file d up; list d; stat d; read d/x",
    ),
    (
        "4 upper dir over lower file",
        "0 file d 1; u dir d; list d; rmdir d; list /",
    ),
    (
        "5 a file ends the merge",
        "2 file d/c 1; 1 file d f; 0 file d/a 1; list d; stat d/c",
    ),
    (
        "6 topmost lower wins",
        "2 file f 2; 1 file f 1; 0 file f 0; read f",
    ),
    (
        "7 mode from the topmost",
        "1 file d/x 1; 1 chmod d 700; 0 dir d 711; stat d",
    ),
    (
        "8 upper symlink hides lower dir",
        "0 file d/a 1; 0 file e/b 1; u symlink e d; stat d; readlink d",
    ),
    (
        "11 AUFS names are names",
        "0 file foo x; create .wh.foo; list /; mkdir .wh.d; list /; read foo",
    ),
    (
        "12 raw .wh. in a layer",
        "1 file foo x; 0 file .wh.foo -; list /; read foo",
    ),
    (
        "13 raw opaque marker",
        "1 file d/low x; 0 file d/top x; 0 file d/.wh..wh..opq -; list d",
    ),
    (
        "stat through a file",
        "0 file f x; stat f/x; create f/x; mkdir f/x; unlink f/x; rmdir f/x",
    ),
    (
        "missing parents",
        "0 dir d; create x/y; mkdir x/y; unlink x/y; rename x/y d/z; rename d x/y",
    ),
    // Whiteouts.
    (
        "19 whiteout in upper",
        "0 file f x; u whiteout f; stat f; list /",
    ),
    (
        "20 whiteout in a lower",
        "1 file f x; 0 whiteout f; stat f; list /",
    ),
    (
        "21 re-added above a whiteout",
        "2 file f 2; 1 whiteout f; 0 file f 0; read f",
    ),
    (
        "22 whiteout in the lowest",
        "0 whiteout f; 0 file g x; stat f; list /",
    ),
    (
        "23 whiteout in a pure lower dir",
        "0 whiteout d/f; 0 file d/g x; stat d/f",
    ),
    (
        "26 whiteout of a dir",
        "1 file d/e/f x; 0 whiteout d; stat d; stat d/e; mkdir d; list d",
    ),
    (
        "27 28 mknod 0:0",
        "0 file g x; char f 0 0; char g 0 0; stat f",
    ),
    (
        "29 unlink lower",
        "0 file f x; unlink f; stat f; list /; unlink f",
    ),
    ("31 unlink upper-only", "create f; unlink f; list /"),
    (
        "32 unlink upper over lower",
        "0 file f x; u file f y; unlink f; stat f",
    ),
    (
        "33 unlink new in merged dir",
        "0 file d/x x; create d/n; unlink d/n; list d",
    ),
    (
        "34 create over whiteout",
        "0 file f old; unlink f; create f 640; read f; write f new; read f; remount; read f",
    ),
    (
        "35 remake a directory",
        "0 file d/z x; unlink d/z; rmdir d; mkdir d; list d; remount; list d; stat d/z",
    ),
    (
        "36 remake over a lower whiteout",
        "1 file d/z x; 0 whiteout d; mkdir d; list d; remount; list d",
    ),
    (
        "37 38 new dirs",
        "0 file d/z x; mkdir d/n; mkdir n; create d/n/f; list d/n",
    ),
    (
        "39 symlink over whiteout",
        "0 file f x; unlink f; symlink t f; readlink f",
    ),
    (
        "40 link over whiteout",
        "0 file f x; 0 file g y; unlink f; link g f; read f; stat g",
    ),
    (
        "41 fifo over whiteout",
        "0 file f x; unlink f; fifo f 644; stat f",
    ),
    (
        "41 socket, device over whiteout",
        "0 file f x; unlink f; sock f 644; stat f; unlink f; char f 1 3; stat f",
    ),
    (
        "42 rename over whiteout",
        "0 file f F; 0 file g G; unlink f; rename g f; read f; list /; remount; list /",
    ),
    (
        "42 rename over whiteout in another directory",
        "0 file a/f F; 0 file b/g G; unlink b/g; rename a/f b/g; list a; stat a/f; list b; remount; list a; create a/f; list a",
    ),
    (
        "42 rename new dir over whiteout in another directory",
        "0 file a/x F; 0 file b/g G; unlink b/g; mkdir a/d; create a/d/e; rename a/d b/g; list a; list b/g; remount; list b/g",
    ),
    (
        "43 xattr whiteouts",
        "1 file d/f x; 1 file d/k x; 0 file d/f -; 0 mark d/f whiteout y; 0 mark d opaque x; stat d/f; list d; create d/f; read d/f",
    ),
    (
        "44 remove and create thrice",
        "0 file f 0; unlink f; create f; unlink f; create f; unlink f; create f; write f 2; remount; read f",
    ),
    (
        "45 RENAME_WHITEOUT",
        "0 file f x; rename f g whiteout; list /",
    ),
    (
        "whiteouts in a removed directory",
        "0 file d/a 1; 0 file d/b 2; unlink d/a; unlink d/b; rmdir d; list /; mkdir d; create d/a; list d",
    ),
    (
        "many whiteouts",
        "0 file a 1; 0 file b 1; 0 file c 1; unlink a; unlink b; unlink c; create b; unlink b; list /; mkdir a; rmdir a; create c; write c x; list /",
    ),
    // Opaque.
    (
        "46 opaque in upper",
        "0 file d/z x; u file d/a x; u mark d opaque y; list d; stat d/z; create d/z; unlink d/z",
    ),
    (
        "47 opaque in the middle",
        "2 file d/c x; 1 file d/b x; 1 mark d opaque y; 0 file d/a x; list d; stat d/c",
    ),
    (
        "48 opaque cuts children",
        "2 file d/e/c x; 1 file d/e/b x; 1 mark d opaque y; 0 file d/e/a x; list d/e; stat d/e/c",
    ),
    (
        "49 opaque x does not hide",
        "1 file d/z x; 0 file d/a x; 0 mark d opaque x; list d",
    ),
    (
        "52 opaque is not copied up",
        "1 file d/z x; 0 file d/a x; 0 mark d opaque y; chmod d 700; list d; create d/n; remount; list d",
    ),
    // Extended attributes.
    (
        "54 55 private names",
        "0 file f x; 0 mark f zz 1; getx f trusted.overlay.zz; setx f trusted.overlay.zz 2; getx f trusted.overlay.zz; stat f; rmx f trusted.overlay.zz; stat f",
    ),
    (
        "55 opaque by a program",
        "0 file d/a x; setx d trusted.overlay.opaque y; list d; remount; list d; getx d trusted.overlay.opaque",
    ),
    (
        "56 not private",
        "0 file f x; setx f trusted.overlayfoo 1; stat f",
    ),
    (
        "57 user.overlay",
        "0 file f x; setx f user.overlay.zz 1; stat f; getx f user.overlay.zz",
    ),
    (
        "59 copy-up keeps xattrs",
        "0 file f x; 0 setx f user.a 1; 0 setx f trusted.t 2; write f y; stat f",
    ),
    (
        "60 capability kept",
        "0 file f x; 0 setx f security.capability x:0100000200040000000000000000000000000000; chmod f 755; stat f",
    ),
    (
        "60 capability lost on write",
        "0 file f x; 0 setx f security.capability x:0100000200040000000000000000000000000000; write f y; stat f",
    ),
    (
        "60 capability lost on chown",
        "0 file f x; 0 setx f security.capability x:0100000200040000000000000000000000000000; chown f 5 5; stat f",
    ),
    (
        "60 capability lost on truncate",
        "0 file f x; 0 setx f security.capability x:0100000200040000000000000000000000000000; trunc f 0; stat f",
    ),
    (
        "62 remove from lower",
        "0 file f x; 0 setx f user.a 1; rmx f user.b; rmx f user.a; stat f",
    ),
    (
        "63 user xattr on a symlink",
        "0 symlink t l; setx l user.a 1; rmx l user.a; getx l user.a; stat l",
    ),
    (
        "63 user xattr on a fifo",
        "0 fifo p 644; setx p user.a 1; stat p",
    ),
    (
        "63 trusted xattr on links and pipes",
        "0 symlink t l; 0 fifo p 644; setx l trusted.a 1; setx p trusted.a 1; stat l; readlink l; stat p; chmod p 600; stat p; rmx l trusted.a; stat l; link l m; chown l 3 4; stat m",
    ),
    (
        "64 merged dir xattrs",
        "0 dir d; 0 setx d user.low 1; u dir d; u setx d user.up 1; stat d",
    ),
    (
        "65 flags",
        "0 file f x; setx f user.a 1 replace; setx f user.a 1 create; setx f user.a 2 create; setx f user.a 3 replace; stat f",
    ),
    (
        "66 ACL kept",
        "0 file f x; 0 setx f system.posix_acl_access x:0200000001000600ffffffff020007000500000004000400ffffffff10000700ffffffff20000400ffffffff; stat f; append f y; stat f; chmod f 640; stat f",
    ),
    (
        "66 ACL set and removed",
        "0 file f x; setx f system.posix_acl_access x:0200000001000600ffffffff020007000500000004000400ffffffff10000700ffffffff20000400ffffffff; stat f; setx f system.posix_acl_access x:0200000001000700ffffffff04000500ffffffff20000500ffffffff; stat f",
    ),
    (
        "67 default ACL",
        "0 dir d; 0 setx d system.posix_acl_default x:0200000001000700ffffffff020007000500000004000500ffffffff10000700ffffffff20000500ffffffff; create d/f; mkdir d/e; create d/e/g 600; fifo d/p; symlink x d/l; stat d/f; stat d/e; stat d/e/g; stat d/l",
    ),
    (
        "67 default ACL over a whiteout",
        "0 file d/f x; 0 file d/e x; 0 setx d system.posix_acl_default x:0200000001000700ffffffff020007000500000004000500ffffffff10000700ffffffff20000500ffffffff; unlink d/f; unlink d/e; create d/f; mkdir d/e",
    ),
    (
        "67 default ACL beside a copy-up",
        "0 file d/f x; setx d system.posix_acl_default x:0200000001000600ffffffff02000600e803000004000400ffffffff10000600ffffffff20000400ffffffff; append d/f y; stat d/f",
    ),
    (
        "67 default ACL on a file",
        "0 file f x; setx f system.posix_acl_default x:0200000001000700ffffffff04000500ffffffff20000500ffffffff; stat f",
    ),
    // Copy-up.
    (
        "69 reading copies nothing",
        "0 file f abc; read f; open h f r; hread h; list /",
    ),
    (
        "70 open for writing copies",
        "0 file d/f abc; openw d/f; read d/f",
    ),
    ("75 append", "0 file f abc; append f d; read f"),
    (
        "76 truncate",
        "0 file f abcdef; trunc f 3; read f; trunc f 5; read f",
    ),
    (
        "77 chmod keeps times",
        "0 file f abc 644; 0 times f 1000000005 2000; chmod f 611; atime f; stat f",
    ),
    (
        "77 directory times",
        "0 file d/e/f abc; 0 times d 1 2; 0 times d/e 3 4; chmod d/e/f 600; stat d; stat d/e",
    ),
    ("78 set-ID kept", "0 file f x 6755; chown f 0 0; stat f"),
    (
        "78 set-ID kept by copy-up",
        "0 file f x 6755; setx f user.a 1; stat f",
    ),
    (
        "79 owner kept",
        "0 file f x; 0 chown f 1234 5678; append f y; stat f",
    ),
    (
        "80 parents' mode and owner",
        "0 file d/e/f x; 0 chmod d 700; 0 chown d 7 8; 0 chmod d/e 1730; write d/e/f y; stat d; stat d/e",
    ),
    (
        "82 dir copy-up",
        "0 file d/a x; chmod d 750; list d; stat d",
    ),
    (
        "83 sparse",
        "0 sparse s 9000000 5000000; append s x; stat s",
    ),
    (
        "83 sparse truncate",
        "0 sparse s 9000000 5000000; trunc s 5000003; stat s",
    ),
    ("85 truncating open", "0 file f abc; otrunc f z; read f"),
    (
        "86 89 earlier handle",
        "0 file f AAAA; open r f r; hread r; write f BBBBBB; hread r; hstat r",
    ),
    (
        "90 chown a symlink",
        "0 symlink tgt l; chown l 3 4; stat l; readlink l",
    ),
    (
        "90 chown there and back",
        "0 symlink tgt l; chown l 3 4; chown l 0 0; stat l; rename l m; readlink m",
    ),
    (
        "91 symlink times",
        "0 symlink tgt l; 0 times l 5 6; chown l 0 0; stat l",
    ),
    (
        "95 chmod device and fifo",
        "0 char c 1 3; 0 fifo p 644; chmod c 600; chmod p 600; chown p 3 4; stat c; stat p",
    ),
    ("chmod a symlink", "0 symlink x l; chmod l 600; stat l"),
    (
        "102 lower hard links break",
        "0 file a x; 0 link a b; stat a; same a b; write a y; stat a; stat b; same a b; read b",
    ),
    (
        "103 105 inode numbers",
        "0 file d/f x; remember f d/f; remember d d; write d/f y; is f d/f; is d d; rename d/f d/g; is f d/g",
    ),
    (
        "106 inode number of a new file",
        "create f; remember f f; rename f g; is f g; link g h; is f h; same g h",
    ),
    (
        "105 dir number over remount",
        "0 file d/f x; remember d d; write d/f y; remount; is d d",
    ),
    // Rename.
    (
        "112 rename lower file",
        "0 file f F; rename f g; read g; list /; remount; list /",
    ),
    (
        "113 rename over lower file",
        "0 file f F; 0 file g G; rename f g; read g; list /",
    ),
    ("114 rename upper-only", "create f; rename f g; list /"),
    (
        "rename over upper file",
        "0 file f F; create g; rename f g; read g; list /",
    ),
    (
        "rename symlinks",
        "0 symlink x l; rename l m; readlink m; list /",
    ),
    (
        "115 rename lower dir",
        "0 file d/f x; rename d e; list /; stat e",
    ),
    ("116 rename empty lower dir", "0 dir d; rename d e; list /"),
    (
        "117 rename merged dir",
        "0 file d/f x; create d/g; rename d e; list /",
    ),
    (
        "118 rename pure-upper dir",
        "mkdir d; create d/f; rename d e; list e; stat d",
    ),
    (
        "119 rename upper dir over empty lower",
        "0 dir e; mkdir d; create d/f; rename d e; list e; remount; list e",
    ),
    (
        "120 over non-empty",
        "0 file e/x x; mkdir d; create d/f; rename d e; list e",
    ),
    (
        "121 over emptied",
        "0 file e/x x; unlink e/x; mkdir d; create d/f; rename d e; list e; remount; list e",
    ),
    (
        "122 onto a whiteout",
        "0 file e/z x; unlink e/z; rmdir e; mkdir d; create d/f; rename d e; list e; remount; list e; stat e/z",
    ),
    (
        "123 types",
        "0 dir d; 0 file f x; mkdir u; rename u f; rename f d; rename f u; rename f u/x; list u",
    ),
    (
        "124 into itself",
        "mkdir d; mkdir d/e; rename d d/x; rename d d/e/x; rename d/e d; rename d d",
    ),
    (
        "125 no replace",
        "0 file f F; 0 file g G; rename f g noreplace; rename f h noreplace; list /",
    ),
    (
        "126 no replace onto whiteout",
        "0 file f F; 0 file g G; unlink g; rename f g noreplace; list /; read g",
    ),
    (
        "127 exchange lower files",
        "0 file f F; 0 file g G; rename f g exchange; read f; read g",
    ),
    (
        "129 exchange lower dirs",
        "0 file d/a 1; 0 file e/b 1; rename d e exchange; list d",
    ),
    (
        "130 exchange dir and file",
        "0 file f F; mkdir d; create d/x; rename d f exchange; stat f; stat d; list f; remount; list f",
    ),
    (
        "130 exchange pure dirs in merged parents",
        "0 file p/x 1; 0 file q/x 1; mkdir p/d; create p/d/a; mkdir q/d; create q/d/b; rename p/d q/d exchange; list p/d; list q/d; remount; list p/d",
    ),
    (
        "131 exchange with missing",
        "0 file f F; rename f g exchange; rename g f exchange",
    ),
    (
        "exchange with ancestor",
        "mkdir d; mkdir d/e; rename d d/e exchange; rename d/e d exchange",
    ),
    (
        "133 rename between hard links",
        "create f; link f g; rename f g; list /",
    ),
    (
        "133 lower hard links",
        "0 file f x; 0 link f g; rename f g; list /; stat g",
    ),
    (
        "134 rename, then write",
        "0 file f x; open h f rw; rename f g; hwrite h 0 BB; read g; hread h",
    ),
    (
        "135 parent renamed",
        "mkdir d; create d/f; open h d/f rw; rename d e; hwrite h 0 X; read e/f; create e/g; list e",
    ),
    (
        "rename into opaque, out of merged",
        "0 file d/f F; mkdir n; rename d/f n/f; list d; list n; rename n/f d/f; list d; remount; list d",
    ),
    (
        "rename over a file in a lower",
        "1 file f 1; 0 file f 0; create g; rename g f; read f; unlink f; list /",
    ),
    (
        "rename to the same name",
        "0 file f x; rename f f; read f; 0 dir d; rename d d",
    ),
    (
        "rename file over emptied dir",
        "0 file d/x 1; create f; rename f d; rename d f",
    ),
    // Hard links and unlink.
    (
        "139 link lower file",
        "0 file f x; link f g; stat f; stat g; same f g",
    ),
    (
        "140 write through second link",
        "0 file f old; link f g; write g new; read f",
    ),
    (
        "141 142 link errors",
        "0 dir d; 0 file f x; 0 file g x; link d e; link f g; link f f; link f d; link nope x",
    ),
    (
        "143 link a symlink",
        "0 symlink x l; link l m; stat m; readlink m",
    ),
    (
        "144 nlink after unlink",
        "create f; link f g; unlink f; stat g",
    ),
    (
        "145 lower pair, unlink one",
        "0 file f x; 0 link f g; unlink f; stat g",
    ),
    (
        "147 directory links",
        "0 dir d/e; 0 dir d/g; stat d; u dir d; u dir d/u; stat d; mkdir n; mkdir n/m; stat n",
    ),
    (
        "147 merged of two lowers",
        "1 dir d/e; 0 dir d/g; stat d; stat /",
    ),
    (
        "148 link a deleted file",
        "create f; open h f rw; unlink f; hlink h g; list /",
    ),
    (
        "148 link a deleted file into a lower directory, which stays there",
        "0 dir d; create f; open h f rw; unlink f; hlink h d/g; list d; tmpfile h / 640; hlink h d/t; unlink d/t; 0 dir e; hlink h e/t; list e",
    ),
    (
        "a directory comes over one that is not empty: what was marked stays so",
        "0 dir d; mkdir d/c; create d/c/f; mkdir n; rename n d/c; list d/c; unlink d/c/f; rename n d/c; list d",
    ),
    (
        "a directory comes over an opaque one with a whiteout",
        "0 file d/x X; u dir d; u mark d opaque y; u whiteout d/x; mkdir n; rename n d; list d; rmdir d",
    ),
    (
        "a special file is removed with its directory, which leaves no place for its copy",
        "0 dir d; 0 fifo d/p 644; 0 symlink t d/l; pin p d/p; pin l d/l; unlink d/p; unlink d/l; rmdir d; pchown p 5; pchown l 5",
    ),
    (
        "a removed directory has a whiteout in its place, or nothing at all",
        "0 dir d; 0 dir d/e; pin h d/e; rmdir d/e; pchown h 5; rmdir d; pchown h 5; 0 dir a; 0 dir a/b; 0 dir a/b/c; pin i a/b/c; rmdir a/b/c; rmdir a/b; rmdir a; pchown i 5",
    ),
    (
        "a removed file that is open for reading has a whiteout in its place, or nothing at all",
        "0 file d/f F; open h d/f r; unlink d/f; hchmod h 600; hread h; rmdir d; hchmod h 600; hread h; 0 file g G; 0 file k K; open i g r; rename k g; hchmod i 600; hread i; list /",
    ),
    (
        "150 unlinked but open",
        "create f; open h f rw; hwrite h 0 AAA; unlink f; hwrite h 0 BBB; hread h; htrunc h 2; hread h; hchmod h 600; hstat h",
    ),
    (
        "150 unlinked lower, open",
        "0 file f abc; open h f r; unlink f; hread h; hstat h",
    ),
    (
        "150 replaced, open",
        "0 file f abc; open h f rw; create g; rename g f; hwrite h 0 X; hread h; read f; hstat h",
    ),
    (
        "151 nameless files",
        "0 dir d; tmpfile h d 640; hwrite h 0 abc; hlink h d/f; read d/f; hstat h; stat d/f",
    ),
    (
        "151 nameless over a whiteout",
        "0 file f x; unlink f; tmpfile h / 640; hwrite h 0 abc; hlink h f; read f; hlink h f",
    ),
    ("152 rmdir empty lower", "0 dir d; rmdir d; list /; stat d"),
    (
        "153 rmdir non-empty",
        "0 file d/f x; create d/g; rmdir d; unlink d/f; rmdir d; unlink d/g; rmdir d; list /",
    ),
    (
        "156 wrong types",
        "0 dir d; 0 file f x; unlink d; rmdir f; unlink nope; rmdir nope; rmdir f/x",
    ),
    (
        "157 rm -rf",
        "0 file d/a 1; 0 file d/e/b 1; unlink d/a; unlink d/e/b; rmdir d/e; rmdir d; list /",
    ),
    (
        "rmdir upper dir with whiteouts, opaque",
        "0 file d/z x; unlink d/z; rmdir d; mkdir d; create d/z; unlink d/z; rmdir d; list /",
    ),
    // Errors and flags.
    (
        "160 exclusive",
        "0 file f x; create f; unlink f; create f; create f",
    ),
    (
        "161 types",
        "0 dir d; 0 symlink d l; write d x; read d; readlink d; trunc d 0",
    ),
    // Permissions.
    (
        "169 new file's owner",
        "0 dir d 777; as 65534 65534 create d/f; as 65534 65534 mkdir d/e; stat d/f; stat d/e",
    ),
    (
        "170 over whiteout",
        "0 dir d 777; 0 file d/f x; unlink d/f; as 65534 65534 create d/f; as 65534 65534 symlink x d/l; as 65534 65534 fifo d/p; stat d/f",
    ),
    (
        "172 set-group-ID parent",
        "0 dir d; 0 chown d 0 777; 0 chmod d 2755; create d/f; mkdir d/e; symlink x d/l; create d/g 2755; mkdir d/h 7777; stat d/f; stat d/e; stat d/l",
    ),
    (
        "173 over whiteout",
        "0 dir d; 0 file d/e x; 0 file d/f x; 0 chown d 0 777; 0 chmod d 2755; unlink d/e; unlink d/f; mkdir d/e; create d/f; stat d/e; stat d/f",
    ),
    (
        "173 foreign group",
        "0 dir d; 0 chown d 0 777; 0 chmod d 2777; as 65534 65534 create d/f 2755; as 65534 65534 create d/g 2745; as 65534 65534 mkdir d/e; stat d/f",
    ),
    (
        "174 umask",
        "create f 666; mkdir d 777; fifo p 666; create g 6777; stat f",
    ),
    (
        "175 set-ID cleared on write",
        "0 file f x 4777; as 65534 65534 write f y; stat f; 0 file g x 2767; as 65534 65534 write g y; stat g; 0 file h x 6777; write h y; stat h",
    ),
    (
        "175 set-ID on allocation",
        "0 file a x 6777; 0 file b x 6777; 0 file c x 6777; 0 file d x 6777; 0 file e x 6777; as 65534 65534 alloc a grow 0 8192; as 65534 65534 alloc b keep 0 8192; as 65534 65534 alloc c punch 0 1; as 65534 65534 alloc d grow 0 0; alloc e grow 0 8192; stat a; stat b; stat c; stat d; stat e",
    ),
    (
        "capability lost on allocation",
        "0 file f x; 0 setx f security.capability x:0100000200040000000000000000000000000000; alloc f keep 0 4096; stat f",
    ),
    (
        "175 set-ID on truncate",
        "0 file f x 6777; as 65534 65534 trunc f 0; stat f; 0 file g x 6777; as 65534 65534 otrunc g y; stat g",
    ),
    (
        "176 set-ID cleared on chown",
        "0 file f x 6755; chown f 0 1; stat f; 0 file g x 2745; chown g 1 -; stat g; 0 dir d 6755; chown d 1 1; stat d",
    ),
    (
        "176 chmod by owner out of the group",
        "0 file f x 644; 0 chown f 65534 5; as 65534 65534 chmod f 2755; stat f",
    ),
    // Times.
    (
        "187 parent times",
        "0 file d/f x; 0 file d/g x; 0 times d 1 2; write d/f y; stat d; unlink d/g; stat d",
    ),
    (
        "190 191 times",
        "0 file f x; times f 123456789 987654321; atime f; stat f; times f -2 -5; atime f; stat f",
    ),
    (
        "times of a lower directory and link",
        "0 dir d; 0 symlink x l; times d 5 6; times l 7 8; atime l; stat d; stat l",
    ),
    (
        "long way down",
        "0 file a/b/c/d/e/f x; write a/b/c/d/e/f y; mkdir a/b/c/d/e/g; rename a/b/c/d/e/f a/f; list a; list a/b/c/d/e",
    ),
    (
        "three layers",
        "2 file d/x 2; 2 file d/y 2; 1 whiteout d/x; 1 file d/z 1; 0 file d/x 0; u whiteout d/y; list d; unlink d/x; list d; create d/y; rename d/z d/x; list d; remount; list d",
    ),
    (
        "layer type changes",
        "2 dir t; 2 file t/x 1; 1 file t 1; 0 dir t; u dir t; list t; rmdir t; list /; mkdir t; list t",
    ),
];

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
