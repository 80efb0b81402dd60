//! The other rows of the table: what attributes mean, and the forms in which they, names and content are written.

use super::build::{device, fifo, file, folder, other, symlink, tar};
use super::table::{End, Row, one, over};

#[expect(clippy::too_many_lines, reason = "a table")]
pub(crate) fn attributes() -> Vec<Row> {
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

pub(crate) fn formats() -> Vec<Row> {
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
