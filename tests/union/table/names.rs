//! Renames, links, removal, permissions and times.

use super::Row;

pub(crate) const ROWS: &[Row] = &[
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
