//! What layers mean. Each row was asked of a real Docker (20.10, overlay2): what it shows is in
//! `seen-on-docker.txt`, which the tests of `docker.rs` hold against it again.

use super::build::{Item, device, fifo, file, folder, hardlink, other, symlink, tar};

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
fn one(name: &'static str, items: &[Item], end: End) -> Row {
    let layers = vec![tar(items)];
    Row { name, layers, end }
}

/// A row of a layer on the usual one.
fn over(name: &'static str, items: &[Item], end: End) -> Row {
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

#[expect(clippy::too_many_lines, reason = "a table")]
fn attributes() -> Vec<Row> {
    use End::{OursRefuses, Refused, Same};
    let mark = OursRefuses("a mark of the file system");
    let xattr = |name: &str| format!("SCHILY.xattr.{name}");
    vec![
        one(
            "set-ID bits",
            &[file("a", "x").mode(0o6755).owner(3, 4)],
            Same,
        ),
        one("sticky directory", &[folder("t/").mode(0o1777)], Same),
        one(
            "set-group-ID directory",
            &[
                folder("t/").mode(0o2755).owner(0, 7),
                file("t/a", "x"),
                folder("t/b/"),
            ],
            Same,
        ),
        one(
            "no permissions",
            &[folder("t/").mode(0), file("t/a", "x").mode(0)],
            Same,
        ),
        one(
            "type bits in the mode",
            &[file("a", "x").mode(0o104_755)],
            Same,
        ),
        one(
            "large owner",
            &[file("a", "x").owner(3_000_000_000, 3_000_000_000)],
            Same,
        ),
        one(
            "owner beyond 32 bits",
            &[file("a", "x").owner(5_000_000_000, 0)],
            OursRefuses("there is no user or group 5000000000"),
        ),
        one(
            "devices",
            &[device("c", (1, 3)).mode(0o666), fifo("p")],
            Same,
        ),
        over(
            "opaque by attribute",
            &[folder("top/").pax(&xattr("trusted.overlay.opaque"), "y")],
            Same,
        ),
        over(
            "redirect",
            &[folder("top/").pax(&xattr("trusted.overlay.redirect"), "/d")],
            mark,
        ),
        one(
            "an attribute nobody knows",
            &[file("a", "x").pax(&xattr("bogus.x"), "1")],
            Same,
        ),
        one(
            "an attribute of a link",
            &[symlink("l", "x").pax(&xattr("user.x"), "1")],
            Same,
        ),
        one(
            "a damaged access list",
            &[file("a", "x").pax(&xattr("system.posix_acl_access"), "junk")],
            Same,
        ),
        one(
            "pax path with a zero byte",
            &[file("a", "x").pax("path", "b\0c")],
            Refused("zero byte"),
        ),
        one(
            "pax path and link",
            &[
                file("a", "x").pax("path", "b"),
                symlink("l", "x").pax("linkpath", "y"),
            ],
            Same,
        ),
        one(
            "pax owner and size",
            &[file("a", "x")
                .pax("uid", "12")
                .pax("gid", "13")
                .pax("size", "1")],
            Same,
        ),
        one(
            "defaults for all",
            &[
                other("g", b'g', super::build::record(b"uid", b"7")),
                file("a", "x"),
            ],
            Same,
        ),
    ]
}

fn formats() -> Vec<Row> {
    use End::{Refused, Same};
    let raw = |name, layer: Vec<u8>, end| Row {
        name,
        layers: vec![layer],
        end,
    };
    let small = tar(&[file("a", "x")]);
    let mut wrong_sum = small.clone();
    wrong_sum[148..156].copy_from_slice(b"0000000\0");
    let mut behind = small.clone();
    behind.extend_from_slice(&b"garbage".repeat(1000));
    let mut blank = tar(&[file("a", "")]);
    blank[100..148].fill(0);
    let mut header = tar::Header::new_old();
    header.as_mut_bytes().copy_from_slice(&blank[..512]);
    header.set_cksum();
    blank[..512].copy_from_slice(header.as_bytes());
    vec![
        raw("empty numbers", blank, Same),
        one(
            "contiguous file",
            &[other("a", b'7', "")],
            Refused("type `7`"),
        ),
        one("unknown type", &[other("a", b'Z', "")], Refused("type `Z`")),
        one("volume label", &[other("a", b'V', "")], Refused("type `V`")),
        one("old file", &[other("a", 0, "x")], Same),
        one("old directory", &[other("a/", 0, "")], Same),
        one(
            "GNU long name",
            &[
                other("x", b'L', [&[b'n'; 120][..], b"\0"].concat()),
                file("short", "x"),
            ],
            Same,
        ),
        one(
            "GNU long link",
            &[
                other("x", b'K', [&[b'n'; 120][..], b"\0"].concat()),
                symlink("l", "short"),
            ],
            Same,
        ),
        raw(
            "cut off",
            tar(&[file("a", [b'y'; 5000])])[..2048].to_vec(),
            Refused("unexpected end"),
        ),
        raw("without an end", small[..1024].to_vec(), Same),
        raw("something behind the end", behind, Same),
        raw(
            "no archive",
            b"garbage".repeat(1000),
            Refused("no tar header"),
        ),
        raw("empty", Vec::new(), Same),
        raw("wrong sum", wrong_sum, Refused("no tar header")),
        raw(
            "sparse, GNU's old format",
            sparse_old(),
            End::OnlyHere("sparse, pax 1.0"),
        ),
        raw("sparse, pax 0.1", sparse_pax(false), Same),
        raw("sparse, pax 1.0", sparse_pax(true), Same),
    ]
}

/// "AAAA" at 4096 and "BBBB" at 12288, of 20000 bytes.
fn sparse_old() -> Vec<u8> {
    let mut header = super::build::header(b"a", tar::EntryType::GNUSparse, 8);
    let gnu = header.as_gnu_mut().unwrap();
    gnu.set_real_size(20_000);
    for (part, at) in gnu.sparse.iter_mut().zip([4096, 12_288]) {
        part.set_offset(at);
        part.set_length(4);
    }
    header.set_cksum();
    let mut bytes = Vec::new();
    super::build::block(&mut bytes, &header, b"AAAABBBB");
    bytes.extend(tar(&[file("b", "behind")]));
    bytes
}

/// The same as pax has it: the map in the header, or before the data.
fn sparse_pax(is_before_data: bool) -> Vec<u8> {
    let size = ("GNU.sparse.size", "20000");
    let item = if is_before_data {
        let mut data = b"2\n4096\n4\n12288\n4\n".to_vec();
        data.resize(512, 0);
        data.extend_from_slice(b"AAAABBBB");
        file("GNUSparseFile.0/a", data)
            .pax("GNU.sparse.major", "1")
            .pax("GNU.sparse.minor", "0")
            .pax("GNU.sparse.name", "a")
            .pax("GNU.sparse.realsize", "20000")
    } else {
        file("GNUSparseFile.0/a", "AAAABBBB")
            .pax(size.0, size.1)
            .pax("GNU.sparse.numblocks", "2")
            .pax("GNU.sparse.map", "4096,4,12288,4")
            .pax("GNU.sparse.name", "a")
    };
    tar(&[item, file("b", "behind")])
}
