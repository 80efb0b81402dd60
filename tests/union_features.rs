//! What the union does beyond the kernel's behaviour: space, plain directories, pinning, copying trees,
//! differences, threads, and a process that may not do what root may.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking, and index what they made"
)]

use std::ffi::OsStr;
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};

use layerspec::union::{
    Caller, CallerCapability, ChangeKind, CopyOptions, Errno, FileKind, New, NewKind, NodeRef,
    OpenFlags, Options, Ownership, Provenance, RenameFlags, SetAttributes, Space, Stack, Union,
    XattrFlags, XattrNamespace, copy_tree,
};

fn open(path: &Path) -> Arc<OwnedFd> {
    Arc::new(fs::File::open(path).unwrap().into())
}

/// Options that work for the user who runs the tests.
fn options() -> Options {
    let is_root = rustix::process::geteuid().is_root();
    let (namespace, ownership) = if is_root {
        (XattrNamespace::Trusted, Ownership::Real)
    } else {
        (XattrNamespace::User, Ownership::Override)
    };
    Options {
        namespace,
        ownership,
        ..Options::default()
    }
}

fn plain(path: &Path) -> Arc<Union> {
    let options = Options {
        plain: true,
        ..options()
    };
    Union::open(Stack {
        upper: Some(open(path)),
        work: None,
        lowers: Vec::new(),
        options,
    })
    .unwrap()
}

/// A stack in a scratch directory: `lower`, `upper`, `work`.
struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        for name in ["lower", "upper", "work"] {
            fs::create_dir(scratch.path().join(name)).unwrap();
        }
        Self(scratch)
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn union(&self, options: Options) -> Arc<Union> {
        Union::open(Stack {
            upper: Some(open(&self.path("upper"))),
            work: Some(open(&self.path("work"))),
            lowers: vec![open(&self.path("lower"))],
            options,
        })
        .unwrap()
    }
}

fn root() -> Caller {
    Caller {
        capabilities: vec![CallerCapability::Fsetid],
        ..Caller::default()
    }
}

fn find(union: &Union, path: &str) -> Result<NodeRef, Errno> {
    let names = path.split('/').filter(|name| !name.is_empty());
    names.into_iter().try_fold(union.root(), |node, name| {
        union.lookup(&node, OsStr::new(name))
    })
}

fn create(union: &Union, dir: &NodeRef, name: &str, kind: NewKind) -> Result<NodeRef, Errno> {
    let new = New { kind, mode: 0o755 };
    union.create(dir, OsStr::new(name), &new, &root())
}

fn write(union: &Union, node: &NodeRef, at: u64, bytes: &[u8]) -> Result<usize, Errno> {
    let flags = OpenFlags {
        write: true,
        ..OpenFlags::default()
    };
    union.open_file(node, flags)?.write_at(bytes, at, &root())
}

fn content(union: &Union, node: &NodeRef) -> Vec<u8> {
    let handle = union.open_file(node, OpenFlags::default()).unwrap();
    let mut buffer = vec![0; 1 << 20];
    let length = handle.read_at(&mut buffer, 0).unwrap();
    buffer.truncate(length);
    buffer
}

/// A disk of so many bytes.
#[derive(Debug)]
struct Disk(AtomicU64);

impl Space for Disk {
    fn take(&self, bytes: u64) -> Result<(), Errno> {
        let take = |left: u64| left.checked_sub(bytes);
        match self
            .0
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, take)
        {
            // A full disk takes no new file either.
            Ok(left) if left > 0 || bytes > 0 => Ok(()),
            _ => Err(Errno::NOSPC),
        }
    }

    fn give(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::SeqCst);
    }
}

#[test]
fn a_full_disk() {
    let scratch = Scratch::new();
    fs::write(scratch.path("lower").join("big"), vec![1; 64 << 10]).unwrap();
    let disk = Arc::new(Disk(AtomicU64::new(32 << 10)));
    let space: Arc<dyn Space> = Arc::clone(&disk) as Arc<dyn Space>;
    let union = scratch.union(Options {
        space: Some(space),
        ..options()
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

#[test]
fn nothing_leaves_the_directory() {
    let scratch = Scratch::new();
    let lower = scratch.path("lower");
    fs::write(scratch.path("secret"), "secret").unwrap();
    std::os::unix::fs::symlink("..", lower.join("up")).unwrap();
    std::os::unix::fs::symlink("../secret", lower.join("link")).unwrap();
    let union = scratch.union(options());
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
fn many_threads_copy_up_once() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.path("lower").join("d")).unwrap();
    fs::write(scratch.path("lower").join("d/f"), vec![7; 1 << 20]).unwrap();
    let union = scratch.union(options());
    let barrier = Barrier::new(8);
    std::thread::scope(|scope| {
        for number in 0..8_u8 {
            let (union, barrier) = (&union, &barrier);
            scope.spawn(move || {
                barrier.wait();
                let flags = OpenFlags {
                    write: true,
                    ..OpenFlags::default()
                };
                let node = find(union, "d/f").unwrap();
                let handle = union.open_file(&node, flags).unwrap();
                handle.append(&[number], &root()).unwrap();
            });
        }
    });
    let mut tail = content(&union, &find(&union, "d/f").unwrap());
    assert_eq!(
        find(&union, "d/f").map(|node| union.attributes(&node).unwrap().size),
        Ok((1 << 20) + 8)
    );
    let file = fs::read(scratch.path("upper").join("d/f")).unwrap();
    tail = file[tail.len()..].to_vec();
    tail.sort_unstable();
    assert_eq!(tail, [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(fs::read_dir(scratch.path("work")).unwrap().count(), 0);
}

#[test]
fn many_threads_change_names() {
    let scratch = Scratch::new();
    for number in 0..8 {
        fs::write(scratch.path("lower").join(format!("f{number}")), "x").unwrap();
    }
    let union = scratch.union(options());
    let barrier = Barrier::new(4);
    std::thread::scope(|scope| {
        for thread in 0..4_usize {
            let (union, barrier) = (&union, &barrier);
            scope.spawn(move || {
                barrier.wait();
                let dir = union.root();
                for round in 0..200_usize {
                    let a = format!("f{}", (round * 3 + thread) % 8);
                    let b = format!("f{}", (round * 5 + thread * 2) % 8);
                    let (a, b) = (OsStr::new(&a), OsStr::new(&b));
                    // Whatever wins, nothing is ever half there.
                    let _moved = union.rename((&dir, a), (&dir, b), RenameFlags::Replace);
                    let _gone = union.unlink(&dir, b);
                    let new = New {
                        kind: NewKind::Regular,
                        mode: 0o644,
                    };
                    let _made = union.create(&dir, a, &new, &root());
                    if let Ok(node) = union.lookup(&dir, a) {
                        let _stat = union.attributes(&node);
                    }
                    union.read_directory(&dir).unwrap();
                }
            });
        }
    });
    let again = scratch.union(options());
    let names = |union: &Union| -> Vec<_> {
        let entries = union.read_directory(&union.root()).unwrap();
        entries.into_iter().map(|entry| entry.name).collect()
    };
    assert_eq!(names(&union), names(&again));
    assert_eq!(fs::read_dir(scratch.path("work")).unwrap().count(), 0);
}

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
    let union = scratch.union(options());
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
    let source = from.union(options());
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

fn with_index() -> Options {
    Options {
        index: true,
        ..options()
    }
}

/// A lower file with these names, which are all in one directory.
fn lower_links(scratch: &Scratch, names: &[&str]) {
    let lower = scratch.path("lower");
    fs::write(lower.join(names[0]), "content").unwrap();
    for name in &names[1..] {
        fs::hard_link(lower.join(names[0]), lower.join(name)).unwrap();
    }
}

/// As in the kernel, an index needs somebody who may find files by their handles.
#[test]
fn an_index_that_cannot_be_is_none() {
    let scratch = Scratch::new();
    lower_links(&scratch, &["a", "b"]);
    let kept_otherwise = Options {
        namespace: XattrNamespace::User,
        ownership: Ownership::Override,
        ..with_index()
    };
    let union = scratch.union(kept_otherwise);
    assert!(!union.has_index());
    write(&union, &find(&union, "a").unwrap(), 0, b"C").unwrap();
    assert_eq!(content(&union, &find(&union, "b").unwrap()), b"content");
    assert!(!scratch.path("work").join("index").exists());
    drop(union);
    let bare = Union::open(Stack {
        upper: None,
        work: None,
        lowers: vec![open(&scratch.path("lower"))],
        options: with_index(),
    });
    assert!(!bare.unwrap().has_index());
}

/// Writes through one name; gives the file new ones by way of another, and takes some of them away.
fn change_names_of_one_file(union: &Arc<Union>, name: &str, other: &str) {
    let dir = union.root();
    let flags = OpenFlags {
        write: true,
        ..OpenFlags::default()
    };
    let node = find(union, name).unwrap();
    let handle = union.open_file(&node, flags).unwrap();
    for round in 0..100 {
        handle.append(b"x", &root()).unwrap();
        let fresh = format!("{name}-{round}");
        let fresh = OsStr::new(&fresh);
        let other = find(union, other).unwrap();
        union.link(&other, &dir, fresh).unwrap();
        union.attributes(&node).unwrap();
        union.read_directory(&dir).unwrap();
        if round % 2 == 0 {
            union.unlink(&dir, fresh).unwrap();
        } else {
            let moved = format!("{name}-moved-{}", round % 8);
            let (from, to) = ((&dir, fresh), (&dir, OsStr::new(&moved)));
            union.rename(from, to, RenameFlags::Replace).unwrap();
            // Renaming one name of a file to another leaves both.
            let _gone = union.unlink(&dir, fresh);
        }
    }
}

/// Every name at the top: inode number, links, length.
fn links_in(union: &Arc<Union>) -> Vec<(std::ffi::OsString, u64, u64, usize)> {
    let entries = union.read_directory(&union.root()).unwrap();
    let shown = entries.into_iter().map(|entry| {
        let node = union.lookup(&union.root(), &entry.name).unwrap();
        let stat = union.attributes(&node).unwrap();
        assert_eq!(stat.ino, entry.ino);
        let length = content(union, &node).len();
        (entry.name, stat.ino, stat.links, length)
    });
    shown.collect()
}

/// Names of one file come and go in many threads: it is written once, nothing is lost, and the number of names is right.
#[test]
fn many_threads_share_an_index() {
    let scratch = Scratch::new();
    let names = ["a", "b", "c", "d"];
    lower_links(&scratch, &names);
    let union = scratch.union(with_index());
    if !union.has_index() {
        println!("skipped: no index here");
        return;
    }
    let barrier = Barrier::new(4);
    std::thread::scope(|scope| {
        for (thread, name) in names.into_iter().enumerate() {
            let (union, barrier) = (&union, &barrier);
            scope.spawn(move || {
                barrier.wait();
                change_names_of_one_file(union, name, names[(thread + 1) % 4]);
            });
        }
    });
    let before = links_in(&union);
    let links = before.len() as u64;
    for (name, ino, shown, length) in &before {
        assert_eq!((*ino, *shown), (before[0].1, links), "{name:?}");
        assert_eq!(*length, "content".len() + 400);
    }
    drop(union);
    let again = scratch.union(with_index());
    assert_eq!(links_in(&again), before);
    for (name, ..) in before {
        again.unlink(&again.root(), &name).unwrap();
    }
    assert_eq!(again.read_directory(&again.root()).unwrap(), []);
    let index = scratch.path("work").join("index");
    assert_eq!(fs::read_dir(index).unwrap().count(), 0);
}

#[test]
fn metacopy_is_refused() {
    let scratch = Scratch::new();
    fs::write(scratch.path("lower").join("f"), "data").unwrap();
    let options = options();
    let name = match options.namespace {
        XattrNamespace::Trusted => "trusted.overlay.metacopy",
        XattrNamespace::User => "user.overlay.metacopy",
    };
    let fake = fs::File::create(scratch.path("upper").join("f")).unwrap();
    fake.set_len(4).unwrap();
    rustix::fs::fsetxattr(&fake, name, b"", rustix::fs::XattrFlags::empty()).unwrap();
    let union = scratch.union(options);
    assert_eq!(find(&union, "f"), Err(Errno::PERM));
}

/// One without data blocks that is too small to tell by its size.
#[test]
fn metacopy_is_refused_however_small() {
    let scratch = Scratch::new();
    fs::write(scratch.path("lower").join("f"), "data").unwrap();
    let options = options();
    let name = match options.namespace {
        XattrNamespace::Trusted => "trusted.overlay.metacopy",
        XattrNamespace::User => "user.overlay.metacopy",
    };
    for layer in ["upper", "lower"] {
        let fake = fs::File::create(scratch.path(layer).join(layer)).unwrap();
        std::io::Write::write_all(&mut &fake, &[0; 4]).unwrap();
        rustix::fs::fsetxattr(&fake, name, b"", rustix::fs::XattrFlags::empty()).unwrap();
    }
    let union = scratch.union(options);
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
        ..options()
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

#[test]
fn descriptors_are_closed() {
    let scratch = Scratch::new();
    for number in 0..600 {
        fs::create_dir(scratch.path("lower").join(format!("d{number}"))).unwrap();
    }
    let count = || fs::read_dir("/proc/self/fd").unwrap().count();
    let before = count();
    let union = scratch.union(options());
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
        options: options(),
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
