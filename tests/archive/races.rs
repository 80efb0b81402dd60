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
        work();
        done.store(true, Ordering::Relaxed);
        swapper.join().unwrap()
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
