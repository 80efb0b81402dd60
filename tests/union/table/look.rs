//! Looking, hiding, attributes and copy-up.

use super::Row;

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
];
