//! Whatever is done to the bytes of a scenario or of a store's records, reading them ends soon, with a result or
//! with an error. The corpora are the scenarios of this repository and the records of a store at work. More
//! cases: `PROPTEST_CASES=100000`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod change;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use change::{apply, changes};
use layerspec::engine::{
    Answer, ContainerSpec, ImageSpec, MountRequest, OpenOptions, Operation, Provider as _,
};
use layerspec::scenario::{FoundFile, find, load};
use layerspec::store::{Options, Store};
use proptest::prelude::*;
use proptest::sample::Index;

/// No reading takes longer, on a slow machine and unoptimised.
const MOST: Duration = Duration::from_secs(20);

fn scenarios() -> Vec<PathBuf> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let found = find(&[home]).unwrap();
    assert!(found.len() > 50);
    found.into_iter().map(|file| file.path).collect()
}

/// The folder of a store at work, as names and bytes.
fn records() -> Vec<(String, Vec<u8>)> {
    let scratch = tempfile::tempdir().unwrap();
    let options = OpenOptions {
        scratch: scratch.path().to_owned(),
        keep: false,
    };
    let provider = layerspec::engine::native::NativeProvider::new();
    let engine = provider.open(&options).unwrap();
    let image = ImageSpec {
        name: "app".to_owned(),
        layers: vec![layerspec::engine::Tree::default()],
        ..ImageSpec::default()
    };
    let container = ContainerSpec {
        name: "first".to_owned(),
        image: "app".to_owned(),
        mounts: vec![MountRequest::Short("store:/data".to_owned())],
        tmpfs: vec!["/tmp:size=1m".to_owned()],
        ..ContainerSpec::default()
    };
    for operation in [Operation::LoadImage(image), Operation::Run(container)] {
        let answer = engine.perform(&operation);
        assert!(matches!(answer, Answer::Done(_)), "{answer:?}");
    }
    let private = std::fs::read_dir(scratch.path()).unwrap().next().unwrap();
    let mut records = Vec::new();
    for entry in std::fs::read_dir(private.unwrap().path()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            let name = entry.file_name().into_string().unwrap();
            records.push((name, std::fs::read(entry.path()).unwrap()));
        }
    }
    records.sort();
    assert_eq!(records.len(), 1, "the log: an image, a container, a volume");
    records
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
    let mut names: Vec<String> = entries
        .map(|entry| name(entry).into_string().unwrap())
        .collect();
    names.sort();
    names
}

proptest! {
    #![proptest_config(change::config(300))]

    #[test]
    fn scenarios_load_or_are_faulty(which in any::<Index>(), changes in changes()) {
        let files = scenarios();
        let path = &files[which.index(files.len())];
        let mut bytes = std::fs::read(path).unwrap();
        apply(&mut bytes, &changes);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.yaml");
        std::fs::write(&file, &bytes).unwrap();
        let found = FoundFile { stem: "a".to_owned(), path: file };
        let start = Instant::now();
        if let Err(faults) = load(&[found], None) {
            prop_assert!(!faults.to_string().is_empty());
        }
        prop_assert!(start.elapsed() < MOST);
        prop_assert_eq!(names(folder.path()), ["a.yaml"]);
    }

    #[test]
    fn a_store_opens_whatever_its_records_say(
        which in any::<Index>(),
        changes in changes(),
        rename in prop::option::of("[icvltnw][0-9.]{0,24}(json)?"),
    ) {
        let mut records = records();
        let which = which.index(records.len());
        apply(&mut records[which].1, &changes);
        if let Some(name) = rename {
            records[which].0 = name;
        }
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("store");
        std::fs::create_dir(&folder).unwrap();
        for (name, bytes) in &records {
            std::fs::write(folder.join(name), bytes).unwrap();
        }
        let open = || Store::open(Arc::new(File::open(&folder).unwrap().into()), Options::default());
        let start = Instant::now();
        let counts = |store: &Store| {
            (store.images().count(), store.containers().count(), store.volumes().count())
        };
        let first = open().map(|store| counts(&store));
        prop_assert!(start.elapsed() < MOST);
        // What was dropped is gone, and what was kept is there again.
        if let Ok(first) = first {
            prop_assert_eq!(open().map(|store| counts(&store)), Ok(first));
        }
        prop_assert_eq!(names(outer.path()), ["store"]);
    }
}
