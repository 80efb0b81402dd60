//! Headers of layers that are made to harm: maps of holes, extended headers, attributes, names and numbers.

use super::build::{block, file, folder, header, other, tar};
use super::hostile::refusal;
use super::stage::{Stage, find, read};

#[test]
fn maps_of_sparse_files_must_fit() {
    let map = |map: &str, size: &str, data: &str| {
        tar(&[file("x", data)
            .pax("GNU.sparse.size", size)
            .pax("GNU.sparse.map", map)])
    };
    let outside = "overlap or lie outside of it";
    let huge = u64::MAX.to_string();
    for (layer, words) in [
        (map("0,4,2,4", "10", "AAAABBBB"), outside),
        (map("8,4,0,4", "20", "AAAABBBB"), outside),
        (map("8,4", "10", "AAAA"), outside),
        (map(&format!("{huge},{huge}"), &huge, "AAAA"), outside),
        (map("0,4", "10", "AAAABBBB"), "not what is stored"),
        (map("0,8", "10", "AAAA"), "not what is stored"),
        (map("0,", "10", "AAAA"), "is no number"),
        (map("0", "10", "AAAA"), "has an odd number"),
        (map("-1,4", "10", "AAAA"), "is no number"),
        (
            map(&"0,0,".repeat(70_000), "10", ""),
            "65536 parts of a sparse file",
        ),
    ] {
        let error = refusal(&Stage::new(), &layer);
        assert!(error.contains(words), "{words}: {error}");
    }
    // A chain of blocks of GNU's old format, each of which promises another.
    let mut header = header(b"a", tar::EntryType::GNUSparse, 0);
    let gnu = header.as_gnu_mut().unwrap();
    gnu.set_real_size(0);
    gnu.set_is_extended(true);
    header.set_cksum();
    let mut layer = header.as_bytes().to_vec();
    let mut block = [0; 512];
    block[504] = 1;
    for _ in 0..1000 {
        layer.extend_from_slice(&block);
    }
    let error = refusal(&Stage::new(), &layer);
    assert!(
        error.contains("a block of a sparse map is empty"),
        "{error}"
    );
}

#[test]
fn extended_headers_are_bounded_and_whole() {
    let stage = Stage::new();
    let mut layer = Vec::new();
    let large = header(b"x", tar::EntryType::XHeader, 8 << 30);
    layer.extend_from_slice(large.as_bytes());
    let error = refusal(&stage, &layer);
    assert!(
        error.contains("limit of 1048576 bytes of an extended header"),
        "{error}"
    );
    for kind in [b'L', b'K', b'g'] {
        let mut layer = Vec::new();
        let mut large = header(b"x", tar::EntryType::new(kind), 8 << 30);
        large.set_cksum();
        layer.extend_from_slice(large.as_bytes());
        let error = refusal(&stage, &layer);
        assert!(
            error.contains("bytes of an extended header"),
            "{kind}: {error}"
        );
    }
    for bad in [
        &b"9 a=b\n"[..],
        b"7 a=b\n",
        b"5 a=b\n",
        b"x a=b\n",
        b"99999999999999999999 a=b\n",
        b"6 a b\n",
        b"6 =bc\n",
        b"6 a=bc",
        b"\n",
        b"11 size=-1\n",
        b"10 uid=x\n",
        b"15 mtime=soon\n",
        b"18 SCHILY.xattr.=\n",
    ] {
        let mut layer = Vec::new();
        block(
            &mut layer,
            &header(b"x", tar::EntryType::XHeader, bad.len() as u64),
            bad,
        );
        layer.extend(tar(&[file("a", "x")]));
        let said = stage.layers(&[layer]).err().map(|error| error.to_string());
        let is_named = said
            .as_ref()
            .is_some_and(|said| said.contains("extended header"));
        assert!(is_named, "{:?}: {said:?}", bad.escape_ascii().to_string());
    }
}

#[test]
fn attributes_hold_any_bytes() {
    let stage = Stage::new();
    let value = b"line\none=1\n\0\xff";
    let name = "SCHILY.xattr.user.note";
    let layer = tar(&[file("a", "x").pax(name, value), file("b", "y")]);
    let unpacked = stage.layers(&[layer]).unwrap();
    let union = unpacked.merged();
    let node = find(&union, b"a");
    let kept = union.get_xattr(&node, "user.note".as_ref()).unwrap();
    assert_eq!(kept, value);
    assert_eq!(read(&union, &find(&union, b"b")), b"y");
    // Longer than any file system takes.
    let long = vec![b'x'; 70_000];
    let error = refusal(&stage, &tar(&[file("a", "x").pax(name, long)]));
    assert!(
        error.starts_with("entry `a`: attribute `user.note`: "),
        "{error}"
    );
}

#[test]
fn a_programs_attribute_is_no_mark() {
    let stage = Stage::new();
    let name = "SCHILY.xattr.user.overlay.opaque";
    let layers = [
        tar(&[folder("d/"), file("d/low", "x")]),
        tar(&[folder("d/").pax(name, "y")]),
    ];
    let union = stage.layers(&layers).unwrap().merged();
    let node = find(&union, b"d");
    let kept = union.get_xattr(&node, "user.overlay.opaque".as_ref());
    assert_eq!(kept.unwrap(), b"y");
    assert_eq!(union.read_directory(&node).unwrap().len(), 1);
}

#[test]
fn paths_are_not_too_deep() {
    let stage = Stage::new();
    let path = |depth: usize| vec!["d"; depth].join("/");
    assert!(stage.layers(&[tar(&[file(path(257), "x")])]).is_ok());
    let error = refusal(&stage, &tar(&[file(path(258), "x")]));
    assert!(
        error.ends_with("more than the limit of 256 directories above a file"),
        "{error}"
    );
    let many = tar(&[file(path(257), "x"), file("../".repeat(1000), "x")]);
    assert!(stage.layers(&[many]).is_ok());
}

#[test]
fn names_are_fit_for_a_terminal() {
    let stage = Stage::new();
    let error = refusal(&stage, &tar(&[other("\x1b[31mred\n", b'Z', "")]));
    assert!(error.contains("`\\x1b[31mred\\n`"), "{error}");
    assert!(!error.contains('\x1b'), "{error}");
    let error = refusal(&stage, &tar(&[other(vec![b'n'; 3000], b'Z', "")]));
    assert!(error.len() < 300, "{error}");
}

#[test]
fn numbers_of_any_size_do_no_harm() {
    let stage = Stage::new();
    for field in [
        100..108,
        108..116,
        116..124,
        124..136,
        136..148,
        329..337,
        337..345,
    ] {
        for byte in [0xff, 0x80, b'7', b' ', 0] {
            let mut layer = tar(&[file("a", "x"), file("b", "y")]);
            layer[field.clone()].fill(byte);
            let mut header = tar::Header::new_old();
            header.as_mut_bytes().copy_from_slice(&layer[..512]);
            header.set_cksum();
            layer[..512].copy_from_slice(header.as_bytes());
            // Whatever comes out of it, it comes soon.
            drop(stage.layers(&[layer]));
        }
    }
}
