//! Archives that are made to harm: nothing outside the layer is written, what it costs is bounded, and the
//! error names the entry and the limit.

use std::os::unix::fs::{MetadataExt as _, symlink};
use std::time::{Duration, Instant};

use layerspec::store::archive::{ArchiveFault, Limits};

use super::build::{
    Item, block, file, folder, gzip, hardlink, header, layout, other, record, saved, saved_as,
    symlink as link, tar, zstd,
};
use super::stage::{Stage, find, read};

/// What unpacking one layer says.
fn refusal(stage: &Stage, layer: &[u8]) -> String {
    match stage.layers(&[layer.to_vec()]) {
        Ok(_) => panic!("is not refused"),
        Err(error) => error.to_string(),
    }
}

fn small(change: impl FnOnce(&mut Limits)) -> Stage {
    let mut stage = Stage::new();
    change(&mut stage.limits);
    stage
}

#[test]
fn nothing_outside_of_the_layer_is_written() {
    let stage = Stage::new();
    let outside = tempfile::tempdir().unwrap();
    let path = outside.path().to_str().unwrap();
    let dots = format!("{}{path}", "../".repeat(30));
    let target = outside.path().join("kept");
    std::fs::write(&target, "kept").unwrap();
    for to in [path, dots.as_str()] {
        let kept = format!("{to}/kept");
        for layer in [
            vec![file(format!("{to}/new"), "x")],
            vec![link("s", to), file("s/new", "x")],
            vec![link("s", to), folder("s/new/")],
            vec![link("s", to), link("s/new", "x")],
            vec![link("s", to), file("a", "x"), hardlink("s/new", "a")],
            vec![link("s", to), file("s/.wh.kept", "")],
            vec![link("s", to), file("s/.wh..wh..opq", "")],
            vec![hardlink("h", &kept), file("h", "x")],
            vec![link("s", &kept), hardlink("h", "s"), file("h", "x")],
            vec![link("s", &kept), file("s", "x")],
            vec![link("s", to), folder("s").mode(0)],
            vec![folder("d/"), link("d/s", to), file("d/s/new", "x")],
        ] {
            // Refused or made inside: both will do.
            drop(stage.layers(&[tar(&layer)]));
            let names: Vec<_> = std::fs::read_dir(outside.path())
                .unwrap()
                .map(|entry| entry.unwrap().file_name())
                .collect();
            assert_eq!(names, ["kept"], "{layer:?}");
            assert_eq!(std::fs::read(&target).unwrap(), b"kept", "{layer:?}");
        }
    }
}

#[test]
fn nothing_outside_of_a_layout_is_read() {
    let stage = Stage::new();
    let layer = tar(&[file("a", "x")]);
    let outside = stage.write("outside", &layer);
    let home = stage.home().join("layout");
    let items = layout(
        "{}",
        std::slice::from_ref(&layer),
        std::slice::from_ref(&layer),
    );
    for item in &items {
        let path = home.join(std::str::from_utf8(&item.name).unwrap());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, item.data()).unwrap();
    }
    assert!(stage.file(&home, None).is_ok());
    let blob = home.join("blobs/sha256").join(super::build::hex(&layer));
    std::fs::remove_file(&blob).unwrap();
    symlink(&outside, &blob).unwrap();
    let error = stage.file(&home, None).err().unwrap().to_string();
    assert!(error.contains("leads out of the layout"), "{error}");
    std::fs::remove_file(&blob).unwrap();
    std::fs::rename(home.join("blobs"), stage.home().join("blobs")).unwrap();
    symlink("../blobs", home.join("blobs")).unwrap();
    let error = stage.file(&home, None).err().unwrap().to_string();
    assert!(error.contains("leads out of the layout"), "{error}");
    // `docker save` names its files itself.
    for name in ["../outside", "/etc/passwd", "l0/../../outside"] {
        let items = saved_as("a:1", "{}", std::slice::from_ref(&layer), &[]);
        let manifest = String::from_utf8(items[1].data().to_vec()).unwrap();
        let items = [
            items[0].clone(),
            file("manifest.json", manifest.replace("l0/layer.tar", name)),
        ];
        let error = stage.bytes(&tar(&items)).err().unwrap().to_string();
        assert!(error.contains("does not hold"), "{name}: {error}");
    }
}

#[test]
fn links_inside_an_archive_end() {
    let stage = Stage::new();
    let layer = tar(&[file("a", "x")]);
    let mut items = saved_as("a:1", "{}", std::slice::from_ref(&layer), &[]);
    items.push(link("l0/layer.tar", "../l1/layer.tar"));
    items.push(link("l1/layer.tar", "../l0/layer.tar"));
    let error = stage.bytes(&tar(&items)).err().unwrap().to_string();
    assert!(error.contains("a chain of more than 40 links"), "{error}");
    // As Docker 20.10 writes a layer that is there twice.
    items.pop();
    items.push(file("l1/layer.tar", &layer));
    assert!(stage.bytes(&tar(&items)).is_ok());
}

#[test]
fn entries_and_bytes_are_counted_over_all_layers() {
    let stage = small(|limits| limits.entries = 100);
    let layer = |first: u32, count: u32| {
        let files = (first..first + count).map(|number| file(number.to_string(), "x"));
        tar(&files.collect::<Vec<Item>>())
    };
    assert!(stage.layers(&[layer(0, 50), layer(50, 50)]).is_ok());
    let error = stage.layers(&[layer(0, 50), layer(50, 51)]).err().unwrap();
    assert_eq!(error.to_string(), "more than the limit of 100 entries");
    let stage = small(|limits| limits.bytes = 1000);
    let layer = |name: &str| tar(&[file(name, [b'x'; 500])]);
    assert!(stage.layers(&[layer("a"), layer("b")]).is_ok());
    let error = stage
        .layers(&[layer("a"), tar(&[file("b", [b'x'; 501])])])
        .err()
        .unwrap();
    assert_eq!(
        error.to_string(),
        "entry `b`: more than the limit of 1000 unpacked bytes"
    );
}

#[test]
fn directories_that_only_paths_name_count() {
    let deep = |number: usize| file(format!("{number}/{}f", "d/".repeat(99)), "x");
    let many: Vec<Item> = (0..20).map(deep).collect();
    let archive = saved("a:1", &[tar(&many)]);
    let stage = small(|limits| limits.entries = 1000);
    let expected = "more than the limit of 1000 entries";
    let error = stage.bytes(&archive).err().unwrap().to_string();
    assert!(error.ends_with(expected), "{error}");
    let error = stage.copied(&archive).err().unwrap().to_string();
    assert!(error.ends_with(expected), "{error}");
    assert!(
        small(|limits| limits.entries = 2020)
            .bytes(&archive)
            .is_ok()
    );
}

/// What a layer that is handed on may cost is bounded too, by what its program will read.
#[test]
fn what_is_only_copied_is_bounded() {
    let said = |stage: &Stage, archive: &[u8]| match stage.copied(archive) {
        Ok(_) => panic!("is not refused"),
        Err(error) => error.to_string(),
    };
    let stage = small(|limits| limits.bytes = 10_000);
    let layer = |name: &str| tar(&[file(name, [b'x'; 4000])]);
    let two = [layer("a"), layer("b")];
    assert_eq!(
        said(&stage, &saved("a:1", &two)),
        "more than the limit of 10000 unpacked bytes",
        "headers and padding take room as well"
    );
    let zeros = tar(&[file("a", vec![0; 70 << 20])]);
    let packed = tar(&saved_as(
        "a:1",
        "{}",
        std::slice::from_ref(&zeros),
        &[gzip(&zeros)],
    ));
    let error = said(&Stage::new(), &packed);
    assert!(error.contains("times its compressed size"), "{error}");
    let wrong = tar(&saved_as("a:1", "{}", &[layer("a")], &[layer("b")]));
    let error = Stage::new().copied(&wrong).err().unwrap();
    assert!(
        matches!(error.fault, ArchiveFault::Digest { .. }),
        "{error}"
    );
}

/// One more than the limit, none of which makes a file, so that only counting takes time.
#[test]
fn a_million_entries() {
    let nothing = header(b"./", tar::EntryType::Directory, 0);
    let thousand = zstd(&nothing.as_bytes().repeat(1_000));
    let blob = thousand.repeat(1_001);
    assert!(blob.len() < 1 << 20);
    let stage = small(|limits| limits.ratio = u64::MAX);
    let start = Instant::now();
    let archive = tar(&saved_as("a:1", "{}", &[Vec::new()], &[blob]));
    let error = stage.bytes(&archive).err().unwrap();
    assert_eq!(error.to_string(), "more than the limit of 1000000 entries");
    assert!(start.elapsed() < Duration::from_secs(300));
}

#[test]
fn bombs_are_noticed_while_they_grow() {
    let zeros = vec![0; 70 << 20];
    let layer = tar(&[file("a", &zeros)]);
    for blob in [gzip(&layer), zstd(&layer)] {
        let stage = Stage::new();
        let archive = tar(&saved_as(
            "a:1",
            "{}",
            std::slice::from_ref(&layer),
            &[blob],
        ));
        let error = stage.bytes(&archive).err().unwrap().to_string();
        assert_eq!(
            error,
            "entry `a`: more than the limit of 200 times its compressed size"
        );
        // The whole archive compressed, and behind the layer's end.
        let error = stage.bytes(&gzip(&archive)).err().unwrap().to_string();
        assert!(error.contains("times its compressed size"), "{error}");
    }
    let mut behind = tar(&[file("a", "x")]);
    behind.extend_from_slice(&zeros);
    let blob = gzip(&behind);
    let archive = tar(&saved_as("a:1", "{}", &[behind], &[blob]));
    let error = Stage::new().bytes(&archive).err().unwrap().to_string();
    assert!(error.contains("times its compressed size"), "{error}");
    let stage = small(|limits| {
        limits.ratio = u64::MAX;
        limits.bytes = 1 << 20;
    });
    let error = stage.bytes(&archive).err().unwrap().to_string();
    assert!(error.contains("limit of 1048576 unpacked bytes"), "{error}");
}

#[test]
fn a_hole_counts_and_takes_no_room() {
    let sparse = |size: &str| {
        tar(&[file("x", "AAAA")
            .pax("GNU.sparse.major", "1")
            .pax("GNU.sparse.minor", "0")
            .pax("GNU.sparse.name", "bomb")
            .pax("GNU.sparse.realsize", size)
            .pax("size", "512")])
    };
    let mut layer = sparse(&(1_u64 << 60).to_string());
    // The map: nothing is stored.
    layer[1536..2048].fill(0);
    layer[1536..1538].copy_from_slice(b"0\n");
    let error = refusal(&Stage::new(), &layer);
    assert!(
        error.contains("entry `bomb`: more than the limit of"),
        "{error}"
    );
    let mut layer = sparse(&(1_u64 << 30).to_string());
    layer[1536..2048].fill(0);
    layer[1536..1538].copy_from_slice(b"0\n");
    let stage = Stage::new();
    let unpacked = stage.layers(&[layer]).unwrap();
    let metadata = std::fs::metadata(unpacked.layers[0].join("bomb")).unwrap();
    assert_eq!((metadata.len(), metadata.blocks()), (1 << 30, 0));
}

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

#[test]
fn what_a_digest_names_must_be_that() {
    let stage = Stage::new();
    let layer = tar(&[file("a", "x")]);
    let twin = tar(&[file("a", "y")]);
    let layers = std::slice::from_ref(&layer);
    // The layer is another one than the configuration says.
    let archive = tar(&saved_as("a:1", "{}", layers, std::slice::from_ref(&twin)));
    let error = stage.bytes(&archive).err().unwrap();
    assert!(
        matches!(error.fault, ArchiveFault::Digest { .. }),
        "{error}"
    );
    // The configuration is another one than its name says.
    let mut items = saved_as("a:1", "{}", layers, layers);
    items[0] = file(&items[0].name, [items[0].data(), b" "].concat());
    let error = stage.bytes(&tar(&items)).err().unwrap();
    assert!(
        error
            .to_string()
            .starts_with("configuration: its digest is"),
        "{error}"
    );
    // Each blob of a layout in turn.
    let items = layout("{}", layers, &[gzip(&layer)]);
    assert!(stage.bytes(&tar(&items)).is_ok());
    for (index, place) in [(2, "manifest"), (3, "configuration"), (4, "its digest")] {
        let mut changed = items.clone();
        let mut data = changed[index].data().to_vec();
        // JSON stays JSON, and what is compressed stays so: gzip's header has a time.
        let at = if index == 4 { 4 } else { data.len() - 3 };
        data[at] = data[at].wrapping_add(1);
        changed[index] = file(&changed[index].name, data);
        let error = stage.bytes(&tar(&changed)).err().unwrap();
        assert!(error.to_string().starts_with(place), "{error}");
        assert!(
            matches!(error.fault, ArchiveFault::Digest { .. }),
            "{error}"
        );
    }
    // A longer blob.
    let mut changed = items;
    changed[4] = file(&changed[4].name, [changed[4].data(), b"x"].concat());
    let error = stage.bytes(&tar(&changed)).err().unwrap().to_string();
    assert!(error.contains("and should have"), "{error}");
}

#[test]
fn documents_that_are_none() {
    let stage = Stage::new();
    let deep = format!("[{{\"Other\":{}", "[".repeat(100_000));
    let long = format!("[\"{}\"]", "x".repeat(5 << 20));
    for (manifest, words) in [
        ("", "manifest.json: EOF"),
        ("[]", "there is no image in it"),
        ("{}", "manifest.json: "),
        (deep.as_str(), "manifest.json: EOF while parsing"),
        (long.as_str(), "limit of 4194304 bytes of a document"),
        (
            r#"[{"Config":"nope.json","Layers":[]}]"#,
            "does not hold `nope.json`",
        ),
        (
            r#"[{"Config":"manifest.json","Layers":[]}]"#,
            "configuration: ",
        ),
    ] {
        let archive = tar(&[file("manifest.json", manifest)]);
        let error = stage.bytes(&archive).err().unwrap().to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
    let none = tar(&[file("a", "x")]);
    let error = stage.bytes(&none).err().unwrap().to_string();
    assert!(error.starts_with("neither an OCI image layout"), "{error}");
    let windows = saved_as("a:1", "{}", &[], &[]);
    let config = String::from_utf8(windows[0].data().to_vec()).unwrap();
    let items = [
        file("c.json", config.replace("linux", "windows")),
        file("manifest.json", r#"[{"Config":"c.json","Layers":[]}]"#),
    ];
    let error = stage.bytes(&tar(&items)).err().unwrap().to_string();
    assert_eq!(error, "an image for `windows`, not for linux");
}

#[test]
fn indices_in_one_another_end() {
    // Each index holds the next twice: without a limit of depth, twice as many at each level.
    let mut blobs = Vec::new();
    let kind = "application/vnd.oci.image.index.v1+json";
    let mut below = r#"{"manifests":[]}"#.to_owned();
    for _ in 0..30 {
        blobs.push(file(
            format!("blobs/sha256/{}", super::build::hex(below.as_bytes())),
            &below,
        ));
        let one = super::build::descriptor(kind, below.as_bytes());
        below = format!(r#"{{"manifests":[{one},{one}]}}"#);
    }
    blobs.push(file("index.json", below));
    let error = Stage::new().bytes(&tar(&blobs)).err().unwrap().to_string();
    assert_eq!(error, "more than the limit of 4 indices in one another");
}

#[test]
fn an_archive_cut_anywhere_is_refused_or_whole() {
    let stage = Stage::new();
    let layers = [tar(&[file("a", [b'x'; 700]), folder("d/"), link("l", "a")])];
    let whole = saved("a:1", &layers);
    for end in (0..whole.len()).step_by(97) {
        // The end of the archive itself is two empty blocks, which nobody needs.
        let is_whole = end >= whole.len() - 1024 && end % 512 == 0;
        let is_nearly = end > whole.len() - 1024;
        let is_fine = stage.bytes(&whole[..end]).is_ok();
        assert!(is_fine == is_whole || is_nearly, "{end}");
    }
    let packed = gzip(&whole);
    for end in (2..packed.len()).step_by(13) {
        assert!(stage.bytes(&packed[..end]).is_err(), "{end}");
    }
    let packed = zstd(&whole);
    for end in (4..packed.len()).step_by(13) {
        assert!(stage.bytes(&packed[..end]).is_err(), "{end}");
    }
    assert_eq!(record(b"a", b"b"), b"6 a=b\n");
}

/// Set in a process of its own, whose memory is measured.
const ALONE: &str = "LAYERSPEC_TEST_ALONE";

/// A gibibyte unpacks out of a few kilobytes where the limits allow it, and memory for it is not needed.
#[test]
fn memory_does_not_grow_with_what_is_unpacked() {
    if std::env::var_os(ALONE).is_none() {
        let test = "hostile::memory_does_not_grow_with_what_is_unpacked";
        let again = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test])
            .env(ALONE, "1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&again.stdout);
        assert!(again.status.success(), "{said}");
        assert!(said.contains("1 passed"), "{said}");
        return;
    }
    let stage = small(|limits| limits.ratio = u64::MAX);
    let zeros = vec![0; 4 << 20];
    for piece in [gzip(&zeros), zstd(&zeros)] {
        // Members or frames one after the other, behind the end of the layer, where nothing is written.
        let blob = piece.repeat(256);
        let archive = tar(&saved_as("a:1", "{}", &[Vec::new()], &[blob]));
        let error = stage.bytes(&archive).err().unwrap().to_string();
        assert!(error.contains("and should be"), "{error}");
    }
    // Frames that ask for a window of terabytes, or for as much as they say they hold.
    for header in [&b"\x00\xff"[..], b"\xe0\0\0\0\0\0\0\0\x10"] {
        let mut blob = [&[0x28, 0xb5, 0x2f, 0xfd], header].concat();
        // A block that repeats one byte, as often as a block can.
        for _ in 0..16 {
            blob.extend_from_slice(&[0x02, 0x00, 0x10, b'x']);
        }
        let archive = tar(&saved_as("a:1", "{}", &[Vec::new()], &[blob]));
        let error = stage.bytes(&archive).err().unwrap().to_string();
        assert!(
            error.contains("its compression cannot be undone"),
            "{error}"
        );
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let kilobytes: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kilobytes < 128 << 10, "{peak}");
}
