//! Whole trees: what differs, and copies.

use std::ffi::OsStr;
use std::fs;

use layerspec::union::{
    ChangeKind, CopyOptions, NewKind, Options, SetAttributes, SetTime, Timestamp, XattrFlags,
    copy_tree,
};

use super::stage::{Scratch, content, create, find, plain, root, write};

#[test]
fn differences_as_docker_tells_them() {
    let scratch = Scratch::new();
    let lower = scratch.path("lower");
    fs::create_dir_all(lower.join("app/sub")).unwrap();
    fs::create_dir_all(lower.join("gone/deep")).unwrap();
    fs::create_dir_all(lower.join("tmp")).unwrap();
    for file in [
        "app/conf",
        "app/same",
        "app/sub/x",
        "app/typed",
        "gone/deep/y",
    ] {
        fs::write(lower.join(file), "old").unwrap();
    }
    let union = scratch.union(Options::of_this_user());
    let dir = |path: &str| find(&union, path).unwrap();
    let (top, app, tmp) = (union.root(), dir("app"), dir("tmp"));
    write(&union, &dir("app/conf"), 0, b"new").unwrap();
    let mode = union.attributes(&dir("app/same")).unwrap().mode;
    let same = SetAttributes {
        mode: Some(mode),
        ..SetAttributes::default()
    };
    union
        .set_attributes(&dir("app/same"), &same, &root())
        .unwrap();
    create(&union, &tmp, "t", NewKind::Regular).unwrap();
    union.unlink(&tmp, OsStr::new("t")).unwrap();
    union.unlink(&dir("gone/deep"), OsStr::new("y")).unwrap();
    union
        .remove_directory(&dir("gone"), OsStr::new("deep"))
        .unwrap();
    union.remove_directory(&top, OsStr::new("gone")).unwrap();
    union.unlink(&dir("app/sub"), OsStr::new("x")).unwrap();
    union.remove_directory(&app, OsStr::new("sub")).unwrap();
    create(&union, &app, "sub", NewKind::Directory).unwrap();
    union.unlink(&app, OsStr::new("typed")).unwrap();
    let typed = create(&union, &app, "typed", NewKind::Directory).unwrap();
    create(&union, &typed, "in", NewKind::Regular).unwrap();
    let changes: Vec<String> = union
        .changes()
        .unwrap()
        .iter()
        .map(|change| {
            let letter = match change.kind {
                ChangeKind::Added => 'A',
                ChangeKind::Changed => 'C',
                ChangeKind::Deleted => 'D',
            };
            format!("{letter} {}", change.path.display())
        })
        .collect();
    let expected = [
        "C /app",
        "C /app/conf",
        "C /app/sub",
        "D /app/sub/x",
        "C /app/typed",
        "A /app/typed/in",
        "D /gone",
    ];
    assert_eq!(changes, expected);
}

#[test]
fn trees_are_copied_whole() {
    let from = Scratch::new();
    let lower = from.path("lower");
    fs::create_dir_all(lower.join("d/e")).unwrap();
    fs::write(lower.join("d/a"), "data").unwrap();
    fs::hard_link(lower.join("d/a"), lower.join("d/e/b")).unwrap();
    std::os::unix::fs::symlink("a", lower.join("d/l")).unwrap();
    let sparse = fs::File::create(lower.join("d/s")).unwrap();
    sparse.set_len(8 << 20).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&sparse, b"end", 5 << 20).unwrap();
    let source = from.union(Options::of_this_user());
    let a = find(&source, "d/a").unwrap();
    source
        .set_xattr(&a, OsStr::new("user.k"), b"v", XattrFlags::Any)
        .unwrap();
    let owned = SetAttributes {
        uid: Some(7),
        gid: Some(8),
        mode: Some(0o4711),
        ..SetAttributes::default()
    };
    source.set_attributes(&a, &owned, &root()).unwrap();
    create(
        &source,
        &find(&source, "d").unwrap(),
        "null",
        NewKind::Character(1, 3),
    )
    .unwrap();
    let to = Scratch::new();
    let target = plain(&to.path("upper"));
    let options = CopyOptions {
        root_attributes: true,
        ..CopyOptions::default()
    };
    copy_tree(
        (&source, &find(&source, "d").unwrap()),
        (&target, &target.root()),
        options,
    )
    .unwrap();
    for path in ["", "a", "e", "e/b", "l", "s", "null"] {
        let here = find(&source, &format!("d/{path}")).unwrap();
        let there = find(&target, path).unwrap();
        let (here, there) = (
            source.attributes(&here).unwrap(),
            target.attributes(&there).unwrap(),
        );
        let all = |it: &layerspec::union::Attributes| {
            (it.kind, it.mode, it.uid, it.gid, it.device, it.mtime)
        };
        assert_eq!(all(&here), all(&there), "{path}");
        assert!(there.blocks <= here.blocks.max(16), "{path} lost its holes");
    }
    let copied = find(&target, "a").unwrap();
    assert_eq!(
        target.get_xattr(&copied, OsStr::new("user.k")),
        Ok(b"v".to_vec())
    );
    assert_eq!(content(&target, &copied), b"data");
    assert_eq!(target.read_link(&find(&target, "l").unwrap()).unwrap(), "a");
}

/// As Docker fills volumes: what is made in a directory counts as its last change.
#[test]
fn directories_may_get_their_times_before_their_content() {
    let from = Scratch::new();
    let lower = from.path("lower");
    fs::create_dir_all(lower.join("d/full/empty")).unwrap();
    let source = from.union(Options::of_this_user());
    let old = SetAttributes {
        mode: Some(0o711),
        mtime: Some(SetTime::At(Timestamp {
            seconds: 1_000_000_000,
            nanos: 0,
        })),
        ..SetAttributes::default()
    };
    for path in ["d/full/empty", "d/full", "d"] {
        let node = find(&source, path).unwrap();
        source.set_attributes(&node, &old, &root()).unwrap();
    }
    let to = Scratch::new();
    let target = plain(&to.path("upper"));
    let options = CopyOptions {
        root_attributes: true,
        directories_first: true,
    };
    let (top, into) = (find(&source, "d").unwrap(), target.root());
    copy_tree((&source, &top), (&target, &into), options).unwrap();
    for (path, is_old) in [("", false), ("full", false), ("full/empty", true)] {
        let node = find(&target, path).unwrap();
        let copied = target.attributes(&node).unwrap();
        assert_eq!(copied.mode, 0o711, "{path}");
        assert_eq!(copied.mtime.seconds == 1_000_000_000, is_old, "{path}");
    }
}
