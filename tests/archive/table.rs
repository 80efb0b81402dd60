//! What layers mean. Each row was asked of a real Docker (20.10, overlay2): what it shows is in
//! `seen-on-docker.txt`, which the tests of `docker.rs` hold against it again.

use super::build::{Item, device, fifo, file, folder, hardlink, symlink, tar};
use super::forms::{attributes, formats};

/// How it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Docker's tree is ours.
    Same,
    /// Refused, there and here, and here in these words.
    Refused(&'static str),
    /// Refused here only, in these words; why is in `store/archive/unpack.rs`.
    OursRefuses(&'static str),
    /// Another tree here: only a row of `unpack.rs` excuses it.
    Differs,
    /// Refused there; here the tree is that of another row.
    OnlyHere(&'static str),
}

/// One row: a name, layers, and how it ends.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) layers: Vec<Vec<u8>>,
    pub(crate) end: End,
}

fn base() -> Vec<Item> {
    vec![
        folder("d/").mode(0o750).owner(5, 5),
        file("d/low", "x"),
        file("f", "x"),
        symlink("s", "d"),
        folder("top/").mode(0o711).owner(9, 0),
        file("top/a", "x"),
        folder("top/sub/").mode(0o701),
        file("top/sub/z", "x"),
    ]
}

/// A row of one layer.
pub(crate) fn one(name: &'static str, items: &[Item], end: End) -> Row {
    let layers = vec![tar(items)];
    Row { name, layers, end }
}

/// A row of a layer on the usual one.
pub(crate) fn over(name: &'static str, items: &[Item], end: End) -> Row {
    let layers = vec![tar(&base()), tar(items)];
    Row { name, layers, end }
}

pub(crate) fn rows() -> Vec<Row> {
    [links(), names(), whiteouts(), attributes(), formats()]
        .into_iter()
        .flatten()
        .collect()
}

const TWICE: End = End::Refused("its path comes a second time");
const NOT_THERE: &str = "which is not there";

#[expect(clippy::too_many_lines, reason = "a table")]
fn links() -> Vec<Row> {
    use End::{OursRefuses, Refused, Same};
    let through = OursRefuses("it lies below `s`, a symbolic link");
    vec![
        one("hard link", &[file("a", "x"), hardlink("b", "a")], Same),
        one(
            "hard link to nothing",
            &[hardlink("b", "a")],
            Refused(NOT_THERE),
        ),
        one(
            "hard link to what comes later",
            &[hardlink("b", "a"), file("a", "x")],
            Refused(NOT_THERE),
        ),
        over(
            "hard link to a lower file",
            &[hardlink("b", "f")],
            Refused(NOT_THERE),
        ),
        one(
            "hard link to a symlink",
            &[symlink("s", "/etc/passwd"), hardlink("b", "s")],
            Same,
        ),
        one(
            "hard link to a directory",
            &[folder("d/"), hardlink("b", "d")],
            Refused("a directory"),
        ),
        one(
            "hard link to itself",
            &[file("a", "x"), hardlink("a", "a")],
            Refused(""),
        ),
        one(
            "hard link, absolute",
            &[file("a", "x"), hardlink("b", "/a")],
            Same,
        ),
        one(
            "hard link out of the top",
            &[hardlink("b", "../../../../../../../../../etc/passwd")],
            Refused(NOT_THERE),
        ),
        one(
            "hard link with dots",
            &[folder("d/"), file("a", "x"), hardlink("b", "d/../a")],
            Same,
        ),
        one(
            "hard link through a symlink out of the top",
            &[symlink("s", "/etc"), hardlink("b", "s/passwd")],
            Refused(NOT_THERE),
        ),
        one(
            "hard link through a symlink",
            &[
                folder("d/"),
                file("d/a", "x"),
                symlink("s", "d"),
                hardlink("b", "s/a"),
            ],
            OursRefuses(NOT_THERE),
        ),
        one(
            "hard links to a pipe and a device",
            &[
                fifo("p"),
                hardlink("q", "p"),
                device("c", (1, 3)),
                hardlink("e", "c"),
            ],
            Same,
        ),
        one(
            "hard link with other attributes",
            &[file("a", "x"), hardlink("b", "a").mode(0o600).owner(7, 0)],
            Same,
        ),
        one(
            "below a symlink",
            &[folder("d/"), symlink("s", "d"), file("s/x", "x")],
            through,
        ),
        one(
            "below an absolute symlink",
            &[folder("d/"), symlink("s", "/d"), file("s/x", "x")],
            through,
        ),
        one(
            "below a symlink out of the top",
            &[symlink("s", "../../../../../../tmp"), file("s/x", "x")],
            Refused("it lies below `s`, a symbolic link"),
        ),
        one(
            "below a dangling symlink",
            &[symlink("s", "nope"), file("s/x", "x")],
            Refused("it lies below `s`, a symbolic link"),
        ),
        over("below a lower symlink", &[file("s/x", "x")], Same),
        one(
            "below a file",
            &[file("a", "x"), file("a/x", "x")],
            Refused("below `a`, a file"),
        ),
        over("below a lower file", &[file("f/x", "x")], Same),
        one(
            "below a pipe",
            &[fifo("a"), file("a/x", "x")],
            Refused("below `a`, a file"),
        ),
        one(
            "symlinks anywhere",
            &[symlink("l", "/etc/passwd"), symlink("m", "../../x")],
            Same,
        ),
        one(
            "symlink to nothing",
            &[symlink("l", "")],
            Refused("it links to nothing"),
        ),
    ]
}

fn names() -> Vec<Row> {
    use End::{Refused, Same};
    vec![
        one("absolute", &[file("/abs/x", "x")], Same),
        one("dots at the front", &[file("../x", "x")], Same),
        one("dots out of the top", &[file("a/../../x", "x")], Same),
        one("dots inside", &[folder("a/"), file("a/../b", "x")], Same),
        one(
            "top as ./",
            &[folder("./").mode(0o711).owner(4, 0), file("./x", "x")],
            Same,
        ),
        one(
            "top as .",
            &[folder(".").mode(0o711).owner(4, 0), file("x", "x")],
            Same,
        ),
        one(
            "top as /",
            &[folder("/").mode(0o711).owner(4, 0), file("x", "x")],
            Same,
        ),
        one("top as a file", &[file(".", "x")], Same),
        one("doubled slash", &[file("a//b", "x")], Same),
        one("implied parents", &[file("a/b/c", "x")], Same),
        over(
            "implied parents over lower ones",
            &[file("d/n", "x"), file("top/sub/n", "x")],
            Same,
        ),
        one("255 bytes", &[file([b'n'; 255], "x")], Same),
        one(
            "256 bytes",
            &[file([b'n'; 256], "x")],
            Refused("limit of 255 bytes of a name"),
        ),
        one(
            "5000 bytes of path",
            &[file(vec![[b'p'; 99]; 50].join(&b'/'), "x")],
            Refused("limit of 4096 bytes of a path"),
        ),
        one("not UTF-8", &[file(b"n\xff", "x")], Same),
        one("newline", &[file("a\nb", "x")], Same),
        one("file twice", &[file("a", "x"), file("a", "y")], TWICE),
        one(
            "file, then directory",
            &[file("a", "x"), folder("a/")],
            TWICE,
        ),
        one(
            "directory, then file",
            &[folder("a/"), file("a", "x")],
            TWICE,
        ),
        one(
            "directory twice",
            &[folder("a/"), folder("a/").mode(0o700)],
            TWICE,
        ),
        one(
            "symlink, then directory",
            &[symlink("a", "d"), folder("a/")],
            TWICE,
        ),
        one(
            "implied, then named",
            &[file("a/x", "x"), folder("a/").mode(0o700)],
            Same,
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn whiteouts() -> Vec<Row> {
    use End::{OursRefuses, Refused, Same};
    let no_name = Refused("a whiteout of no name");
    vec![
        over("whiteout", &[file(".wh.f", "")], Same),
        over("whiteout of nothing", &[file(".wh.nope", "")], Same),
        over("whiteout of a directory", &[file(".wh.top", "")], Same),
        over("whiteout in a directory", &[file("top/.wh.a", "")], Same),
        over("whiteout further down", &[file("top/sub/.wh.z", "")], Same),
        one(
            "whiteout in the lowest layer",
            &[file(".wh.x", ""), file("y", "x")],
            Same,
        ),
        over(
            "opaque top",
            &[file(".wh..wh..opq", ""), file("n", "x")],
            Same,
        ),
        over(
            "opaque",
            &[
                folder("top/"),
                file("top/.wh..wh..opq", ""),
                file("top/n", "x"),
            ],
            Same,
        ),
        over("opaque, implied", &[file("top/.wh..wh..opq", "")], Same),
        over(
            "opaque after its files",
            &[
                folder("top/"),
                file("top/n", "x"),
                file("top/.wh..wh..opq", ""),
            ],
            Same,
        ),
        over(
            "file, then its whiteout",
            &[file("f", "x"), file(".wh.f", "")],
            TWICE,
        ),
        over(
            "whiteout, then file",
            &[file(".wh.f", ""), file("f", "new")],
            Same,
        ),
        over(
            "whiteout, then directory",
            &[file(".wh.top", ""), folder("top/"), file("top/n", "x")],
            Same,
        ),
        over(
            "whiteout, then symlink",
            &[file(".wh.f", ""), symlink("f", "d")],
            Same,
        ),
        over(
            "whiteout twice",
            &[file(".wh.f", ""), file("./.wh.f", "")],
            TWICE,
        ),
        over("whiteout of .", &[file(".wh..", "")], no_name),
        over("whiteout of ..", &[file("top/.wh...", "")], no_name),
        over("whiteout of no name", &[file(".wh.", "")], no_name),
        over("whiteout that is a directory", &[folder(".wh.f/")], Same),
        over(
            "whiteout that is a symlink",
            &[symlink(".wh.f", "/etc")],
            Same,
        ),
        over("whiteout with content", &[file(".wh.f", "hello")], Same),
        over(
            "whiteout that is a hard link",
            &[file("a", "x"), hardlink(".wh.f", "a")],
            Same,
        ),
        over("device 0:0", &[device("f", (0, 0))], Same),
        over(
            "below a whiteout",
            &[file(".wh.top", ""), file("top/n", "x")],
            Refused("a file"),
        ),
        over(
            "hard link to a whiteout",
            &[file(".wh.f", ""), hardlink("h", "f")],
            OursRefuses(NOT_THERE),
        ),
        over(
            "below a .wh. name",
            &[file(".wh.top/x", "x")],
            OursRefuses("it lies below a whiteout"),
        ),
        over(
            "what AUFS kept",
            &[
                folder(".wh..wh.plnk/"),
                file(".wh..wh.plnk/1.2", "x"),
                file(".wh..wh.aufs", ""),
            ],
            End::Differs,
        ),
        over(
            "opaque below a symlink",
            &[symlink("s", "d"), file("s/.wh..wh..opq", "")],
            Refused("it lies below `s`, a symbolic link"),
        ),
    ]
}
