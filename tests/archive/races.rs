//! Somebody swaps a directory for a symlink while it is walked: nothing lands where the symlink leads.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use layerspec::engine::native::NativeProvider;
use layerspec::engine::{
    Content, Entry, Node, NodeKind, OpenOptions, Operation, Place, Provider as _, Tree,
};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::build::{file, saved, tar};
use super::stage::{Stage, namespace, open, plain};
use layerspec::store::archive::Archive;
use layerspec::union::{Caller, FileKind, New, NewKind, Options, Stack, Union};

/// Runs `work` while `name` in a folder is now a directory, now a symlink to `outside`.
fn swapping(folder: &Path, name: &str, outside: &Path, work: impl FnOnce()) -> u32 {
    let (one, other) = (folder.join(name), folder.join("other"));
    symlink(outside, &other).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let swapper = scope.spawn(|| {
            let mut swaps = 0;
            while !done.load(Ordering::Relaxed) {
                let swapped = renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE);
                swaps += u32::from(swapped.is_ok());
            }
            swaps
        });
        // Also when the work fails: nobody would wait for the swapper then.
        let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        done.store(true, Ordering::Relaxed);
        let swaps = swapper.join().unwrap();
        worked.unwrap();
        swaps
    })
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn while_a_layer_is_unpacked() {
    let stage = Stage::new();
    let outside = tempfile::tempdir().unwrap();
    let files: Vec<_> = (0..500)
        // In and out, so that the directory is opened anew.
        .flat_map(|n| [file(format!("d/in/{n}"), "x"), file(format!("e{}/f/{n}", n % 9), "x")])
        .collect();
    let path = stage.write("a.tar", &saved("a:1", &[tar(&files)]));
    for _ in 0..10 {
        let work = stage.home().join("work");
        let into = tempfile::tempdir_in(stage.home()).unwrap();
        let file = std::fs::File::open(&path).unwrap();
        let mut archive = Archive::open(file.into(), &open(&work), stage.limits).unwrap();
        let image = archive.image(None).unwrap();
        let union = plain(into.path(), &work);
        swapping(into.path(), "d", outside.path(), || {
            // Refused when the symlink is met; or done, when it never was.
            drop(archive.unpack(&image.layers[0], &union, namespace()));
        });
        assert!(is_empty(outside.path()));
    }
}

#[test]
fn while_a_process_writes() {
    let scratch = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let options = OpenOptions {
        scratch: scratch.path().to_owned(),
        keep: false,
    };
    let engine = NativeProvider::new().open(&options).unwrap();
    let plant = |path: String| {
        let entry = Entry {
            path,
            node: Node::new(NodeKind::File(Content::Bytes("x".into()))),
        };
        engine.perform(&Operation::Plant(Place::Host, Tree(vec![entry])))
    };
    drop(plant("/d/first".to_owned()));
    let private = std::fs::read_dir(scratch.path()).unwrap().next().unwrap();
    let host = private.unwrap().path().join("host");
    assert!(host.join("d/first").exists());
    let swaps = swapping(&host, "d", outside.path(), || {
        for number in 0..3_000 {
            drop(plant(format!("/d/in/{number}")));
            drop(plant(format!("/e/f/{number}")));
        }
    });
    assert!(swaps > 10, "{swaps}");
    assert!(is_empty(outside.path()));
}

/// Each round opens the directory anew, between a look at it and its use.
#[test]
fn while_a_union_is_walked() {
    let stage = Stage::new();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret"), "x").unwrap();
    let folder = tempfile::tempdir_in(stage.home()).unwrap();
    std::fs::create_dir(folder.path().join("d")).unwrap();
    let work = stage.home().join("work");
    let as_lower = || {
        Union::open(Stack {
            upper: None,
            work: None,
            lowers: vec![open(folder.path())],
            options: Options::default(),
        })
        .unwrap()
    };
    let new = New {
        kind: NewKind::Regular,
        mode: 0o644,
    };
    let mut walked = 0;
    let swaps = swapping(folder.path(), "d", outside.path(), || {
        for round in 0..6_000 {
            for union in [plain(folder.path(), &work), as_lower()] {
                let Ok(node) = union.lookup(&union.root(), "d".as_ref()) else {
                    continue;
                };
                if node.kind() != FileKind::Directory {
                    continue;
                }
                walked += 1;
                let seen = union.lookup(&node, "secret".as_ref());
                assert!(seen.is_err(), "round {round}: what is outside is read");
                let name = format!("n{round}");
                drop(union.create(&node, name.as_ref(), &new, &Caller::default()));
            }
        }
    });
    assert!(walked > 10 && swaps > 10, "{walked} {swaps}");
    let names = std::fs::read_dir(outside.path()).unwrap();
    assert_eq!(names.count(), 1, "something is written outside");
}
