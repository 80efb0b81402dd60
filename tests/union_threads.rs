//! Many threads at one union, and at several that share layers and a volume: every step does what it must, and
//! in the end all of them agree with a model, and with the disk.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking"
)]

#[path = "threads/attributes.rs"]
mod attributes;
#[path = "threads/ground.rs"]
mod ground;
#[path = "threads/worker.rs"]
mod worker;

use std::ffi::OsStr;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};

use ground::{Ground, THREADS, Tree, number, options, tree};
use layerspec::union::{
    Errno, FileKind, New, NewKind, OpenFlags, Options, Ownership, RenameFlags, SetAttributes, Union,
};
use worker::{Item, Worker, all_of, find, root};

/// The same of models, with the directories that are shared.
fn expected<'m>(workers: impl Iterator<Item = &'m Worker>) -> Tree {
    let mut tree: Tree = worker::SHARED
        .iter()
        .map(|dir| ((*dir).to_owned(), None))
        .collect();
    for worker in workers {
        for (path, item) in &worker.model.names {
            let content = match item {
                Item::File(file) => Some(worker.model.files[*file].clone()),
                Item::Directory { .. } => None,
            };
            tree.insert(path.clone(), content);
        }
    }
    tree
}

/// Lets all workers go at once, and gives them back.
fn let_loose(workers: Vec<Worker>) -> Vec<Worker> {
    let barrier = Barrier::new(workers.len());
    let steps = number("STEPS", 2000);
    std::thread::scope(|scope| {
        let running: Vec<_> = workers
            .into_iter()
            .map(|mut worker| {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    for _ in 0..steps {
                        worker.step();
                    }
                    worker
                })
            })
            .collect();
        running.into_iter().map(|it| it.join().unwrap()).collect()
    })
}

fn one_union(options: &Options) {
    let mut ground = Ground::new(1);
    if options.index {
        ground = ground.linked();
    }
    let union = ground.union(0, options.clone());
    let new = |id| {
        let worker = Worker::new(Arc::clone(&union), id, THREADS, number("SEED", 1));
        let mut worker = worker.with_lower();
        if options.index {
            worker = worker.with_links();
        }
        worker.moves_directories = options.metacopy;
        worker
    };
    let workers = let_loose((0..THREADS).map(new).collect());
    let expected = expected(workers.iter());
    assert_eq!(tree(&union), expected, "the union itself");
    // One with an index is opened once at a time.
    drop((workers, union));
    assert_eq!(
        tree(&ground.union(0, options.clone())),
        expected,
        "reopened"
    );
    let left = fs::read_dir(ground.path("work")).unwrap();
    let left: Vec<_> = left.map(|it| it.unwrap().file_name()).collect();
    assert!(
        left.iter().all(|it| options.index && it == "index"),
        "{left:?}"
    );
}

#[test]
fn one_union_and_a_model() {
    one_union(&options(Ownership::Real));
}

#[test]
fn one_union_with_owners_in_attributes_and_a_model() {
    one_union(&options(Ownership::Override));
}

#[test]
fn one_union_with_metacopy_and_a_model() {
    if rustix::process::geteuid().is_root() {
        one_union(&Options {
            metacopy: true,
            ..Options::default()
        });
    }
}

/// Where a file of a lower layer is one file by all its names.
#[test]
fn one_union_with_an_index_and_a_model() {
    for metacopy in [false, true] {
        if rustix::process::geteuid().is_root() {
            one_union(&Options {
                index: true,
                metacopy,
                ..Options::default()
            });
        }
    }
}

/// As containers do: each two threads have a union of their own, over the same lowers, with the same work
/// directory; the others work in one volume.
#[test]
fn several_unions_share_layers_and_a_volume() {
    let ground = Ground::new(2);
    let options = options(Ownership::Real);
    let unions = [
        ground.union(0, options.clone()),
        ground.union(1, options.clone()),
        ground.volume(options.clone()),
    ];
    let workers = (0..THREADS)
        .map(|id| {
            let union = Arc::clone(&unions[id % 3]);
            let worker = Worker::new(union, id, THREADS, number("SEED", 1));
            if id % 3 == 2 {
                worker
            } else {
                worker.with_lower()
            }
        })
        .collect();
    let workers = let_loose(workers);
    // What a union shows of the threads that did not work in it is what the lower layer has.
    let idle: Vec<_> = (0..THREADS)
        .map(|id| Worker::new(Arc::clone(&unions[0]), id, THREADS, 0).with_lower())
        .collect();
    for (number, union) in unions.iter().enumerate() {
        let at_work = workers.iter().skip(number).step_by(3);
        let others = (0..THREADS).filter(|id| id % 3 != number && number != 2);
        let expected = expected(at_work.chain(others.map(|id| &idle[id])));
        assert_eq!(tree(union), expected, "union {number}");
    }
    assert_eq!(fs::read_dir(ground.path("work")).unwrap().count(), 0);
}

/// Names that all fight for. What comes of one step is anybody's guess, but files are only made and removed by
/// the steps that say so.
#[test]
fn names_are_neither_lost_nor_doubled() {
    let ground = Ground::new(1);
    let names = ["a", "b", "c", "d", "e"];
    for name in &names[..3] {
        fs::write(ground.path("lower").join(name), format!("lower {name}")).unwrap();
    }
    let union = ground.union(0, options(Ownership::Real));
    let steps = number("STEPS", 2000);
    let made: i64 = std::thread::scope(|scope| {
        let running: Vec<_> = (0..THREADS)
            .map(|id| {
                let union = &union;
                scope.spawn(move || {
                    (0..steps)
                        .map(|step| fight(union, &names, id, step))
                        .sum::<i64>()
                })
            })
            .collect();
        running.into_iter().map(|it| it.join().unwrap()).sum()
    });
    let left = names_of(&union);
    assert_eq!(left.len(), usize::try_from(3 + made).unwrap(), "{left:?}");
    assert_eq!(left, names_of(&ground.union(0, options(Ownership::Real))));
    for name in names {
        let is_there = find(&union, name).is_ok();
        assert_eq!(is_there, left.iter().any(|it| it == name), "{name}");
    }
}

fn names_of(union: &Union) -> Vec<String> {
    let entries = union.read_directory(&union.root()).unwrap().into_iter();
    let files = entries.filter(|entry| entry.kind == FileKind::Regular);
    files
        .map(|entry| entry.name.into_string().unwrap())
        .collect()
}

/// One step; returns how many files there are more.
fn fight(union: &Union, names: &[&str], id: usize, step: u64) -> i64 {
    let dice = usize::try_from(step).unwrap() * 7 + id * 13;
    let (one, other) = (names[dice % names.len()], names[dice / 5 % names.len()]);
    let (one, other, dir) = (OsStr::new(one), OsStr::new(other), union.root());
    let (change, allowed): (_, &[Errno]) = match (dice / 3) % 6 {
        0 => {
            let new = New {
                kind: NewKind::Regular,
                mode: 0o644,
            };
            let made = union.create(&dir, one, &new, &root());
            (made.map(|_| 1), &[Errno::EXIST])
        }
        1 => (union.unlink(&dir, one).map(|()| -1), &[Errno::NOENT]),
        2 => {
            let moved = union.rename((&dir, one), (&dir, other), RenameFlags::NoReplace);
            (moved.map(|()| 0), &[Errno::NOENT, Errno::EXIST])
        }
        3 => {
            let moved = union.rename((&dir, one), (&dir, other), RenameFlags::Exchange);
            (moved.map(|()| 0), &[Errno::NOENT])
        }
        4 => {
            let flags = OpenFlags {
                write: true,
                ..OpenFlags::default()
            };
            let written = union
                .lookup(&dir, one)
                .and_then(|node| union.open_file(&node, flags))
                .and_then(|handle| handle.append(b"x", &root()));
            (written.map(|_| 0), &[Errno::NOENT])
        }
        _ => {
            let seen = union
                .lookup(&dir, one)
                .and_then(|node| union.attributes(&node));
            (seen.map(|_| 0), &[Errno::NOENT])
        }
    };
    change.unwrap_or_else(|errno| {
        assert!(allowed.contains(&errno), "{}: {errno}", (dice / 3) % 6);
        0
    })
}

/// Every thread appends to each file, which one of them copies up; with metacopy in two parts.
#[test]
fn appended_records_are_whole() {
    let is_root = rustix::process::geteuid().is_root();
    for metacopy in [false, true].into_iter().filter(|it| !it || is_root) {
        let ground = Ground::new(1);
        let logs: Vec<String> = (0..100).map(|number| format!("log{number}")).collect();
        for log in &logs {
            fs::write(ground.path("lower").join(log), vec![b'.'; 32 << 10]).unwrap();
        }
        let union = ground.union(
            0,
            Options {
                metacopy,
                ..options(Ownership::Real)
            },
        );
        for log in &logs {
            let barrier = Barrier::new(4);
            std::thread::scope(|scope| {
                for id in 0..4_u8 {
                    let (union, barrier) = (&union, &barrier);
                    scope.spawn(move || {
                        barrier.wait();
                        append_record(union, log, b'0' + id);
                    });
                }
            });
        }
        for log in &logs {
            let written = fs::read(ground.path("upper0").join(log)).unwrap();
            let (before, mut records) = (&written[..32 << 10], written[32 << 10..].to_vec());
            records.sort_unstable();
            assert!(before.iter().all(|byte| *byte == b'.'), "{log}");
            assert_eq!(records, b"0123", "{log}");
        }
    }
}

fn append_record(union: &Union, log: &str, record: u8) {
    let file = find(union, log).unwrap();
    let change = SetAttributes {
        mode: Some(0o600),
        ..SetAttributes::default()
    };
    union.set_attributes(&file, &change, &root()).unwrap();
    let flags = OpenFlags {
        write: true,
        ..OpenFlags::default()
    };
    let handle = union.open_file(&file, flags).unwrap();
    assert_eq!(handle.append(&[record], &root()), Ok(1));
}

/// A file of the lower layer that goes while it is copied up, for a step that changes names, is not there.
#[test]
fn what_goes_before_it_is_renamed_is_not_there() {
    let ground = Ground::new(1);
    let names: Vec<String> = (0..number("STEPS", 2000))
        .map(|it| it.to_string())
        .collect();
    for name in &names {
        fs::write(ground.path("lower").join(name), vec![b'.'; 4 << 10]).unwrap();
    }
    let union = ground.union(0, options(Ownership::Real));
    let dir = union.root();
    let barrier = Barrier::new(2);
    let in_turn = |change: &dyn Fn(&OsStr) -> Result<(), Errno>| -> Vec<_> {
        let steps = names.iter().map(|name| {
            barrier.wait();
            change(OsStr::new(name))
        });
        steps.collect()
    };
    let (moved, gone) = std::thread::scope(|scope| {
        let moved = scope.spawn(|| {
            in_turn(&|name| {
                let moved = name.to_str().unwrap().to_owned() + " moved";
                let to = (&dir, OsStr::new(&moved));
                union.rename((&dir, name), to, RenameFlags::Replace)
            })
        });
        let gone = in_turn(&|name| union.unlink(&dir, name));
        (moved.join().unwrap(), gone)
    });
    for (name, ends) in names.iter().zip(moved.into_iter().zip(gone)) {
        let is_one = matches!(
            ends,
            (Ok(()), Err(Errno::NOENT)) | (Err(Errno::NOENT), Ok(()))
        );
        assert!(is_one, "{name}: {ends:?}");
    }
}

/// A file without data is let go of and found again all the time, in the moment between two looks as well.
#[test]
fn a_file_without_data_is_always_found_with_them() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let ground = Ground::new(1);
    fs::write(ground.path("lower/f"), "lower").unwrap();
    let union = ground.union(
        0,
        Options {
            metacopy: true,
            ..Options::default()
        },
    );
    let change = SetAttributes {
        mode: Some(0o600),
        ..SetAttributes::default()
    };
    union
        .set_attributes(&find(&union, "f").unwrap(), &change, &root())
        .unwrap();
    let read = || {
        let file = find(&union, "f").unwrap();
        let handle = union.open_file(&file, OpenFlags::default()).unwrap();
        drop(file);
        assert_eq!(all_of(&handle).unwrap(), b"lower");
    };
    read_while(THREADS, read, || {
        (0..number("STEPS", 2000) * 20).for_each(|_| read());
    });
}

/// Runs some readers in circles for as long as a writer needs.
fn read_while<T>(readers: usize, read: impl Fn() + Sync, write: impl FnOnce() -> T) -> T {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..readers)
            .map(|_| {
                scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        read();
                    }
                })
            })
            .collect();
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(write));
        is_over.store(true, Ordering::Relaxed);
        for reader in running {
            reader.join().unwrap();
        }
        done.unwrap()
    })
}

/// Whoever looks for a name while it comes and goes learns nothing that is wrong afterwards.
#[test]
fn what_is_learnt_of_a_name_is_not_older_than_the_name() {
    let ground = Ground::new(1);
    let union = ground.union(0, options(Ownership::Real));
    let (dir, a, b) = (union.root(), OsStr::new("a"), OsStr::new("b"));
    let found = |name| union.lookup(&dir, name).map(drop);
    let new = New {
        kind: NewKind::Regular,
        mode: 0o644,
    };
    let read = || {
        // Held for a while, so that it is remembered.
        let held = (union.lookup(&dir, a), union.lookup(&dir, b));
        let _again = (union.lookup(&dir, a), union.lookup(&dir, b));
        drop(held);
    };
    read_while(3, read, || {
        for round in 0..number("STEPS", 2000) {
            drop(union.create(&dir, a, &new, &root()).unwrap());
            assert_eq!(found(a), Ok(()), "made, {round}");
            let moved = union.rename((&dir, a), (&dir, b), RenameFlags::Replace);
            assert_eq!(moved, Ok(()));
            assert_eq!(found(a), Err(Errno::NOENT), "moved away, {round}");
            assert_eq!(found(b), Ok(()), "moved here, {round}");
            union.unlink(&dir, b).unwrap();
            assert_eq!(found(b), Err(Errno::NOENT), "removed, {round}");
        }
    });
}

/// Two files change places again and again: a listing has both names once, and a node stays its file.
#[test]
fn a_file_that_moves_is_seen_in_one_place() {
    let ground = Ground::new(1);
    fs::write(ground.path("lower").join("a"), "1").unwrap();
    let union = ground.union(0, options(Ownership::Real));
    let (dir, a, b) = (union.root(), OsStr::new("a"), OsStr::new("b"));
    let file = union.lookup(&dir, a).unwrap();
    let attributes = union.attributes(&file).unwrap();
    let read = || {
        let listed = union.read_directory(&dir).unwrap();
        let count = listed
            .iter()
            .filter(|it| it.name == a || it.name == b)
            .count();
        assert_eq!(count, 1);
        let now = union.attributes(&file).unwrap();
        assert_eq!((now.ino, now.size), (attributes.ino, 1));
        let handle = union.open_file(&file, OpenFlags::default()).unwrap();
        assert_eq!(all_of(&handle), Ok(b"1".to_vec()));
        assert!(union.list_xattrs(&file).unwrap().is_empty());
    };
    read_while(3, read, || {
        for _ in 0..number("STEPS", 2000) {
            let there = union.rename((&dir, a), (&dir, b), RenameFlags::Replace);
            assert_eq!(there, Ok(()));
            let back = union.rename((&dir, b), (&dir, a), RenameFlags::NoReplace);
            assert_eq!(back, Ok(()));
        }
    });
}

/// Copy-up changes nothing that can be seen, at no moment.
#[test]
fn inode_numbers_stay_while_files_are_copied_up() {
    let ground = Ground::new(1);
    let names: Vec<String> = (0..500).map(|number| format!("f{number}")).collect();
    for name in &names {
        fs::write(ground.path("lower").join(name), "x").unwrap();
    }
    let union = ground.union(0, options(Ownership::Real));
    let list = || union.read_directory(&union.root()).unwrap();
    let before = list();
    read_while(
        2,
        || assert_eq!(before, list()),
        || {
            for name in &names {
                append_record(&union, name, b'y');
            }
        },
    );
}
