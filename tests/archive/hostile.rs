//! Archives that are made to harm: nothing outside the layer is written, what it costs is bounded, and the
//! error names the entry and the limit.

use std::fs::File;
use std::os::unix::fs::{MetadataExt as _, symlink};

use layerspec::store::archive::{Archive, ArchiveFault, Limits};

use super::build::{
    Item, file, folder, gzip, hardlink, header, layout, saved, saved_as, symlink as link, tar, zstd,
};
use super::stage::{Stage, open};

/// What unpacking one layer says.
pub(crate) fn refusal(stage: &Stage, layer: &[u8]) -> String {
    match stage.layers(&[layer.to_vec()]) {
        Ok(_) => panic!("is not refused"),
        Err(error) => error.to_string(),
    }
}

pub(crate) fn small(change: impl FnOnce(&mut Limits)) -> Stage {
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

/// A pipe that is read would be waited for.
#[test]
fn what_is_no_regular_file_is_not_read() {
    let stage = Stage::new();
    let pipe = |path: &std::path::Path| {
        let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR);
        rustix::fs::mknodat(rustix::fs::CWD, path, kind, mode, 0).unwrap();
    };
    let home = stage.home().join("layout");
    std::fs::create_dir(&home).unwrap();
    pipe(&home.join("index.json"));
    let error = stage.file(&home, None).err().unwrap().to_string();
    assert_eq!(error, "`index.json` is no regular file");
    let error = Archive::open(
        File::open("/dev/zero").unwrap().into(),
        &open(&stage.home().join("work")),
        stage.limits,
    );
    let error = error.err().unwrap().to_string();
    assert_eq!(error, "neither a regular file nor a folder");
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

/// A few long paths through many directories, all of which would be kept.
#[test]
fn paths_that_are_listed_are_bounded() {
    let long = |number: usize| file(format!("{number}/{}f", "dddddddddddddd/".repeat(255)), "");
    let many: Vec<Item> = (0..600).map(long).collect();
    let archive = saved("a:1", &[tar(&many)]);
    let error = Stage::new().copied(&archive).err().unwrap().to_string();
    let limit = "more than the limit of 268435456 bytes of all paths";
    assert!(error.ends_with(limit), "{error}");
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

/// More than the limit, none of which makes a file, so that only counting takes time.
#[test]
fn entries_are_bounded() {
    assert_eq!(Limits::default().entries, 1_000_000);
    let nothing = header(b"./", tar::EntryType::Directory, 0);
    let thousand = zstd(&nothing.as_bytes().repeat(1_000));
    let blob = thousand.repeat(21);
    assert!(blob.len() < 1 << 15);
    let stage = small(|limits| {
        limits.ratio = u64::MAX;
        limits.entries = 20_000;
    });
    let archive = tar(&saved_as("a:1", "{}", &[Vec::new()], &[blob]));
    let error = stage.bytes(&archive).err().unwrap();
    assert_eq!(error.to_string(), "more than the limit of 20000 entries");
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
fn holes_before_between_and_behind_data_take_no_room() {
    let layer = tar(&[file("GNUSparseFile.0/a", [b'y'; 8192])
        .pax("GNU.sparse.size", "3145728")
        .pax("GNU.sparse.numblocks", "2")
        .pax("GNU.sparse.map", "1048576,4096,2097152,4096")
        .pax("GNU.sparse.name", "a")]);
    let stage = Stage::new();
    let unpacked = stage.layers(&[layer]).unwrap();
    let path = unpacked.layers[0].join("a");
    let metadata = std::fs::metadata(&path).unwrap();
    assert_eq!((metadata.len(), metadata.blocks()), (3 << 20, 16));
    let bytes = std::fs::read(path).unwrap();
    let data = |at: usize| bytes[at..at + 4096].iter().all(|byte| *byte == b'y');
    assert!(data(1 << 20) && data(2 << 20));
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
