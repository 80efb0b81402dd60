//! Many threads in one union, with an index and without.

use std::ffi::OsStr;
use std::fs;
use std::sync::{Arc, Barrier};

use layerspec::union::{
    New, NewKind, OpenFlags, Options, Ownership, RenameFlags, Stack, Union, XattrNamespace,
};

use super::stage::{Scratch, content, find, open, root, write};

#[test]
fn many_threads_copy_up_once() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.path("lower").join("d")).unwrap();
    fs::write(scratch.path("lower").join("d/f"), vec![7; 1 << 20]).unwrap();
    let union = scratch.union(Options::of_this_user());
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
    let union = scratch.union(Options::of_this_user());
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
    let again = scratch.union(Options::of_this_user());
    let names = |union: &Union| -> Vec<_> {
        let entries = union.read_directory(&union.root()).unwrap();
        entries.into_iter().map(|entry| entry.name).collect()
    };
    assert_eq!(names(&union), names(&again));
    assert_eq!(fs::read_dir(scratch.path("work")).unwrap().count(), 0);
}

fn with_index() -> Options {
    Options {
        index: true,
        ..Options::of_this_user()
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
