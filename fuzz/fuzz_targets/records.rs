//! The bytes of a store's log of records: an engine opens it or says why not, does what it is asked, and what it
//! then has it finds again.
#![no_main]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use layerspec::engine::native::NativeProvider;
use layerspec::engine::{ContainerSpec, Operation};
use libfuzzer_sys::fuzz_target;

#[path = "../world.rs"]
mod world;

static PROVIDER: LazyLock<NativeProvider> = LazyLock::new(NativeProvider::new);

/// A store at work, whose records are replaced, and a file that is none of its own.
static HOME: LazyLock<PathBuf> = LazyLock::new(|| {
    let home = tempfile::tempdir().unwrap().keep();
    world::leave_store(&home.join("template"));
    fs::create_dir(home.join("run")).unwrap();
    fs::write(home.join("run/kept"), "kept").unwrap();
    home
});

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// What an engine has, after a few operations that may be refused.
fn used(store: &Path) -> Option<(usize, usize, usize)> {
    let engine = PROVIDER.reopen(store).ok()?;
    drop(engine.observe());
    let first = || "first".to_owned();
    for operation in [
        Operation::Inspect(first()),
        Operation::Start(first()),
        Operation::Diff(first()),
        Operation::Remove {
            container: first(),
            force: true,
            volumes: true,
        },
        Operation::Run(ContainerSpec {
            name: "second".to_owned(),
            image: "app".to_owned(),
            ..ContainerSpec::default()
        }),
        Operation::ContainerPrune,
        Operation::VolumePrune {
            all: true,
            filters: Vec::new(),
        },
        Operation::VolumeList {
            filters: Vec::new(),
        },
    ] {
        drop(engine.perform(&operation));
    }
    let world = engine.observe().ok()?;
    Some((
        world.containers.len(),
        world.volumes.len(),
        world.images.len(),
    ))
}

fuzz_target!(|bytes: &[u8]| {
    let run = HOME.join("run");
    let store = run.join("store");
    copy(&HOME.join("template"), &store);
    fs::write(store.join("records"), bytes).unwrap();
    let before = used(&store);
    // What there was is found again. The running container has exited.
    if let Some(before) = before {
        let again = PROVIDER.reopen(&store).expect("it was opened before");
        let world = again.observe().expect("it could be looked at before");
        let after = (
            world.containers.len(),
            world.volumes.len(),
            world.images.len(),
        );
        assert_eq!(before, after);
    }
    fs::remove_dir_all(&store).unwrap_or_default();
    let names: Vec<_> = fs::read_dir(&run)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["kept"]);
    assert_eq!(fs::read(run.join("kept")).unwrap(), b"kept");
});
