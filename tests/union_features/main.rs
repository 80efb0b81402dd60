//! What the union does beyond the kernel's behaviour: space, plain directories, pinning, copying trees,
//! differences, threads, and a process that may not do what root may.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking, and index what they made"
)]

mod metacopy;
mod stage;
mod threads;
mod trees;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use layerspec::union::{
    AllocateRange, Errno, FileKind, New, NewKind, OpenFlags, Options, Provenance, RenameFlags,
    SetAttributes, Space, Stack, Union, XattrFlags,
};

use stage::{Disk, Scratch, content, create, find, open, plain, root, write};

#[test]
fn a_full_disk() {
    let scratch = Scratch::new();
    fs::write(scratch.path("lower").join("big"), vec![1; 64 << 10]).unwrap();
    let disk = Arc::new(Disk(AtomicU64::new(32 << 10)));
    let space: Arc<dyn Space> = Arc::clone(&disk) as Arc<dyn Space>;
    let union = scratch.union(Options {
        space: Some(space),
        ..Options::of_this_user()
    });
    let left = || disk.0.load(Ordering::SeqCst);
    // Copy-up needs twice the disk: nothing changes.
    let big = find(&union, "big").unwrap();
    assert_eq!(write(&union, &big, 0, b"x"), Err(Errno::NOSPC));
    assert_eq!(left(), 32 << 10);
    assert_eq!(union.provenance(&big), Provenance::Lower(0));
    assert_eq!(fs::read_dir(scratch.path("upper")).unwrap().count(), 0);
    // A write is cut short, and the next one refused.
    let file = create(&union, &union.root(), "f", NewKind::Regular).unwrap();
    assert_eq!(write(&union, &file, 0, &vec![2; 40 << 10]), Ok(32 << 10));
    assert_eq!(write(&union, &file, 32 << 10, b"x"), Err(Errno::NOSPC));
    assert_eq!(write(&union, &file, 0, b"again"), Ok(5));
    let other = create(&union, &union.root(), "g", NewKind::Regular);
    assert_eq!(other.err(), Some(Errno::NOSPC));
    // What is deleted comes back when nobody holds it any more.
    union.unlink(&union.root(), OsStr::new("f")).unwrap();
    assert_eq!(left(), 0);
    drop(file);
    assert_eq!(left(), 32 << 10);
}

#[test]
fn a_plain_directory_sees_others() {
    let scratch = Scratch::new();
    let host = scratch.path("upper");
    fs::write(host.join("config"), "old").unwrap();
    let union = plain(&host);
    let pinned = find(&union, "config").unwrap();
    let loose = find(&union, "config").unwrap();
    assert!(pinned.same(&loose));
    union.pin(&pinned).unwrap();
    // As an editor does it.
    fs::write(host.join("config~"), "new").unwrap();
    fs::rename(host.join("config~"), host.join("config")).unwrap();
    let now = find(&union, "config").unwrap();
    assert_eq!(content(&union, &now), b"new");
    assert_eq!(content(&union, &pinned), b"old");
    assert_eq!(union.attributes(&pinned).unwrap().links, 0);
    assert!(!now.same(&pinned));
    // Not pinned: the name has gone to somebody else.
    let loose = now;
    fs::remove_file(host.join("config")).unwrap();
    assert_eq!(union.attributes(&loose), Err(Errno::NOENT));
    fs::create_dir(host.join("config")).unwrap();
    assert_eq!(union.attributes(&loose), Err(Errno::STALE));
    assert_eq!(find(&union, "config").unwrap().kind(), FileKind::Directory);
}

/// What is held is found where it is now, by whoever it was moved.
#[test]
fn a_pinned_file_has_the_path_that_it_has_now() {
    let scratch = Scratch::new();
    let host = scratch.path("upper");
    fs::create_dir_all(host.join("old/below")).unwrap();
    let union = plain(&host);
    let below = find(&union, "old/below").unwrap();
    let pinned = find(&union, "old").unwrap();
    union.pin(&pinned).unwrap();
    let path = |node| union.path(node).map(std::path::PathBuf::into_os_string);
    assert_eq!(path(&pinned), Some("/old".into()));
    fs::rename(host.join("old"), host.join("new")).unwrap();
    assert_eq!(path(&pinned), Some("/new".into()));
    assert_eq!(path(&below), Some("/new/below".into()));
    // Its path has something behind it when it is gone, as this one has.
    fs::create_dir(host.join("new (deleted)")).unwrap();
    fs::remove_dir_all(host.join("new")).unwrap();
    assert_eq!(path(&pinned), None);
}

#[test]
fn nothing_leaves_the_directory() {
    let scratch = Scratch::new();
    let lower = scratch.path("lower");
    fs::write(scratch.path("secret"), "secret").unwrap();
    std::os::unix::fs::symlink("..", lower.join("up")).unwrap();
    std::os::unix::fs::symlink("../secret", lower.join("link")).unwrap();
    let union = scratch.union(Options::of_this_user());
    let root_node = union.root();
    for name in ["", ".", "..", "a/b", "/", "../secret"] {
        let name = OsStr::new(name);
        assert_eq!(
            union.lookup(&root_node, name),
            Err(Errno::INVAL),
            "{name:?}"
        );
        assert_eq!(
            union.unlink(&root_node, name),
            Err(Errno::INVAL),
            "{name:?}"
        );
        let new = New {
            kind: NewKind::Regular,
            mode: 0o644,
        };
        let made = union.create(&root_node, name, &new, &root());
        assert_eq!(made.err(), Some(Errno::INVAL), "{name:?}");
        let moved = union.rename(
            (&root_node, OsStr::new("link")),
            (&root_node, name),
            RenameFlags::Replace,
        );
        assert_eq!(moved, Err(Errno::INVAL), "{name:?}");
    }
    let up = find(&union, "up").unwrap();
    assert_eq!(union.lookup(&up, OsStr::new("secret")), Err(Errno::NOTDIR));
    let link = find(&union, "link").unwrap();
    assert_eq!(
        union.open_file(&link, OpenFlags::default()).err(),
        Some(Errno::LOOP)
    );
    let change = SetAttributes {
        mode: Some(0o777),
        ..SetAttributes::default()
    };
    assert!(union.set_attributes(&link, &change, &root()).is_err());
    let mode = fs::metadata(scratch.path("secret")).unwrap().mode() & 0o777;
    assert_ne!(mode, 0o777);
}

#[test]
fn descriptors_are_closed() {
    let scratch = Scratch::new();
    for number in 0..600 {
        fs::create_dir(scratch.path("lower").join(format!("d{number}"))).unwrap();
    }
    let count = || fs::read_dir("/proc/self/fd").unwrap().count();
    let before = count();
    let union = scratch.union(Options::of_this_user());
    for number in 0..600 {
        let dir = find(&union, &format!("d{number}")).unwrap();
        assert_eq!(union.lookup(&dir, OsStr::new("x")), Err(Errno::NOENT));
    }
    // Other tests run meanwhile.
    assert!(count() < before + 400);
    drop(union);
    assert!(count() < before + 100);
}

#[test]
fn without_an_upper_everything_is_read_only() {
    let scratch = Scratch::new();
    fs::write(scratch.path("lower").join("f"), "x").unwrap();
    let union = Union::open(Stack {
        upper: None,
        work: None,
        lowers: vec![open(&scratch.path("lower"))],
        options: Options::of_this_user(),
    })
    .unwrap();
    let dir = union.root();
    let file = find(&union, "f").unwrap();
    assert_eq!(write(&union, &file, 0, b"x"), Err(Errno::ROFS));
    assert_eq!(
        create(&union, &dir, "g", NewKind::Regular).err(),
        Some(Errno::ROFS)
    );
    assert_eq!(
        create(&union, &dir, "f", NewKind::Regular).err(),
        Some(Errno::EXIST)
    );
    assert_eq!(union.unlink(&dir, OsStr::new("f")), Err(Errno::ROFS));
    let mode = SetAttributes {
        mode: Some(0o600),
        ..SetAttributes::default()
    };
    assert_eq!(
        union.set_attributes(&file, &mode, &root()).err(),
        Some(Errno::ROFS)
    );
    let set = union.set_xattr(&file, OsStr::new("user.a"), b"x", XattrFlags::Any);
    assert_eq!(set, Err(Errno::ROFS));
    let moved = union.rename(
        (&dir, OsStr::new("f")),
        (&dir, OsStr::new("g")),
        RenameFlags::Replace,
    );
    assert_eq!(moved, Err(Errno::ROFS));
}

/// Nobody may change a layer while it is in use (overlayfs.rst, "Changes to underlying filesystems"). Who does it
/// all the same, and puts links where files were, leads nobody out of it.
#[test]
fn a_link_that_takes_the_place_of_a_known_file_is_not_followed() {
    let scratch = Scratch::new();
    let (secret, lower) = (scratch.path("secret"), scratch.path("lower"));
    fs::create_dir(&secret).unwrap();
    fs::write(secret.join("file"), "secret").unwrap();
    fs::write(lower.join("file"), "known").unwrap();
    fs::create_dir(lower.join("directory")).unwrap();
    let union = scratch.union(Options::of_this_user());
    let file = find(&union, "file").unwrap();
    let directory = find(&union, "directory").unwrap();
    for (name, target) in [("file", "../secret/file"), ("directory", "../secret")] {
        fs::rename(lower.join(name), lower.join("was").with_extension(name)).unwrap();
        std::os::unix::fs::symlink(target, lower.join(name)).unwrap();
    }
    let opened = union.open_file(&file, OpenFlags::default());
    assert_eq!(opened.err(), Some(Errno::LOOP));
    let held = fs::File::from(union.hold(&file).unwrap().try_clone().unwrap());
    assert!(held.metadata().unwrap().is_symlink());
    let below = union.lookup(&directory, OsStr::new("file"));
    assert_eq!(below.err(), Some(Errno::NOTDIR));
}

/// As overlayfs has it (measured on 6.18), also on a disk that refuses the range before it looks at the file.
#[test]
fn capabilities_go_when_a_range_is_refused() {
    let memory = Path::new("/dev/shm");
    if !rustix::process::geteuid().is_root() || !memory.is_dir() {
        println!("skipped: capabilities are root's to give, on a tmpfs");
        return;
    }
    let scratch = Scratch::within(memory);
    let union = scratch.union(Options::of_this_user());
    let file = create(&union, &union.root(), "f", NewKind::Regular).unwrap();
    let name = OsStr::new("security.capability");
    let mut value = vec![1, 0, 0, 2, 0, 4];
    value.resize(20, 0);
    union
        .set_xattr(&file, name, &value, XattrFlags::Any)
        .unwrap();
    let flags = OpenFlags {
        write: true,
        ..OpenFlags::default()
    };
    let handle = union.open_file(&file, flags).unwrap();
    let done = handle.allocate(AllocateRange::Zero, 0, 10, &root());
    assert_eq!(done, Err(Errno::OPNOTSUPP));
    assert_eq!(union.get_xattr(&file, name), Err(Errno::NODATA));
}
