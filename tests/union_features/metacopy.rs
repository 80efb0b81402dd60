//! Files whose data are in another layer than the rest.

use std::ffi::OsStr;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use layerspec::union::{
    Errno, OpenFlags, Options, Provenance, RenameFlags, SetAttributes, Space, XattrNamespace,
};

use super::stage::{Disk, Scratch, content, find, root, write};

/// Says of a file that its data are in another layer.
fn mark(file: &fs::File) {
    let name = match Options::of_this_user().namespace {
        XattrNamespace::Trusted => "trusted.overlay.metacopy",
        XattrNamespace::User => "user.overlay.metacopy",
    };
    rustix::fs::fsetxattr(file, name, b"", rustix::fs::XattrFlags::empty()).unwrap();
}

#[test]
fn metacopy_is_refused() {
    let scratch = Scratch::new();
    fs::write(scratch.path("lower").join("f"), "data").unwrap();
    let fake = fs::File::create(scratch.path("upper").join("f")).unwrap();
    fake.set_len(4).unwrap();
    mark(&fake);
    let union = scratch.union(Options::of_this_user());
    assert_eq!(find(&union, "f"), Err(Errno::PERM));
}

/// One without data blocks that is too small to tell by its size.
#[test]
fn metacopy_is_refused_however_small() {
    let scratch = Scratch::new();
    fs::write(scratch.path("lower").join("f"), "data").unwrap();
    for layer in ["upper", "lower"] {
        let fake = fs::File::create(scratch.path(layer).join(layer)).unwrap();
        std::io::Write::write_all(&mut &fake, &[0; 4]).unwrap();
        mark(&fake);
    }
    let union = scratch.union(Options::of_this_user());
    let root_node = union.root();
    for name in ["upper", "lower"] {
        let node = find(&union, name).unwrap();
        let open = union.open_file(&node, OpenFlags::default());
        assert_eq!(open.err(), Some(Errno::PERM), "{name}");
        assert_eq!(write(&union, &node, 0, b"x"), Err(Errno::PERM), "{name}");
        let (old, new) = ((&root_node, OsStr::new(name)), OsStr::new("new"));
        let moved = union.rename(old, (&root_node, new), RenameFlags::Replace);
        assert_eq!(moved, Err(Errno::PERM), "{name}");
        assert_eq!(union.link(&node, &root_node, new), Err(Errno::PERM));
    }
}

#[test]
fn metacopy_takes_space_when_the_data_come() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: metacopy needs marks that only root may write");
        return;
    }
    let scratch = Scratch::new();
    fs::write(scratch.path("lower").join("f"), vec![1; 64 << 10]).unwrap();
    let disk = Arc::new(Disk(AtomicU64::new(96 << 10)));
    let union = scratch.union(Options {
        space: Some(Arc::clone(&disk) as Arc<dyn Space>),
        metacopy: true,
        ..Options::of_this_user()
    });
    let left = || disk.0.load(Ordering::SeqCst);
    let file = find(&union, "f").unwrap();
    let blocks = union.attributes(&file).unwrap().blocks;
    let mode = SetAttributes {
        mode: Some(0o600),
        ..SetAttributes::default()
    };
    let changed = union.set_attributes(&file, &mode, &root()).unwrap();
    assert_eq!((changed.blocks, left()), (blocks, 96 << 10));
    assert_eq!(union.provenance(&file), Provenance::Upper);
    // The data do not fit: they stay where they are, readable.
    disk.0.store(32 << 10, Ordering::SeqCst);
    assert_eq!(write(&union, &file, 0, b"x"), Err(Errno::NOSPC));
    assert_eq!(left(), 32 << 10);
    assert_eq!(content(&union, &file), vec![1; 64 << 10]);
    disk.0.store(96 << 10, Ordering::SeqCst);
    assert_eq!(write(&union, &file, 0, b"x"), Ok(1));
    assert_eq!(left(), 32 << 10);
    assert_eq!(content(&union, &file).len(), 64 << 10);
}
