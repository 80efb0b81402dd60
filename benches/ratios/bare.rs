//! The same effects on disk by bare system calls: the reference.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// What the volume scenario leaves on a disk and takes away again: a private directory, one layer with
/// one file two levels down, a volume, two writable layers each with the mount point of the volume,
/// two files written, one read, one looked for in vain, everything removed.
pub(crate) fn volume_scenario(disk: &Path, name: &str) {
    let top = disk.join(name);
    fs::create_dir(&top).unwrap();
    fs::create_dir(top.join("layer")).unwrap();
    fs::create_dir(top.join("layer/etc")).unwrap();
    fs::write(top.join("layer/etc/app.conf"), "mode = default\n").unwrap();
    fs::create_dir(top.join("store")).unwrap();
    container(&top, "first", |upper| {
        fs::write(top.join("store/rows"), "1\n").unwrap();
        fs::write(upper.join("cache"), "x\n").unwrap();
    });
    container(&top, "second", |upper| {
        assert_eq!(fs::read(top.join("store/rows")).unwrap(), b"1\n");
        assert_eq!(
            fs::read(upper.join("cache")).unwrap_err().kind(),
            ErrorKind::NotFound
        );
    });
    fs::remove_file(top.join("store/rows")).unwrap();
    fs::remove_dir(top.join("store")).unwrap();
    fs::remove_file(top.join("layer/etc/app.conf")).unwrap();
    fs::remove_dir(top.join("layer/etc")).unwrap();
    fs::remove_dir(top.join("layer")).unwrap();
    fs::remove_dir(&top).unwrap();
}

fn container(top: &Path, name: &str, work: impl FnOnce(&Path)) {
    let upper = top.join(name);
    fs::create_dir(&upper).unwrap();
    fs::create_dir(upper.join("data")).unwrap();
    work(&upper);
    match fs::remove_file(upper.join("cache")) {
        Err(error) if error.kind() != ErrorKind::NotFound => panic!("{error}"),
        _ => {}
    }
    fs::remove_dir(upper.join("data")).unwrap();
    fs::remove_dir(&upper).unwrap();
}

/// A directory, made and removed.
pub(crate) fn directory(disk: &Path) {
    let top = disk.join("bare");
    fs::create_dir(&top).unwrap();
    fs::remove_dir(&top).unwrap();
}

/// A layer of 5 directories with 5 files of 6 bytes each, and an empty writable layer, made and removed.
pub(crate) fn thirty_entries(disk: &Path, name: &str) {
    let top = disk.join(name);
    let (layer, upper) = (top.join("layer"), top.join("upper"));
    for directory in [&top, &layer, &upper] {
        fs::create_dir(directory).unwrap();
    }
    for folder in (0..5).map(|n| layer.join(n.to_string())) {
        fs::create_dir(&folder).unwrap();
        for file in (0..5).map(|n| folder.join(n.to_string())) {
            fs::write(file, "12345\n").unwrap();
        }
    }
    for folder in (0..5).map(|n| layer.join(n.to_string())) {
        for file in (0..5).map(|n| folder.join(n.to_string())) {
            fs::remove_file(file).unwrap();
        }
        fs::remove_dir(folder).unwrap();
    }
    for directory in [upper, layer, top] {
        fs::remove_dir(directory).unwrap();
    }
}
