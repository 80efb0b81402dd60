//! The bytes of a scenario file: loading them ends soon, with cases or with faults that say something.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use layerspec::scenario::{FoundFile, load};
use libfuzzer_sys::fuzz_target;

/// Where the file lies, with fixtures beside it that it may name.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap().keep();
    std::fs::create_dir(folder.join("saved")).unwrap();
    for name in ["a", "saved/app.tar"] {
        std::fs::write(folder.join(name), "fixture").unwrap();
    }
    std::os::unix::fs::symlink("/", folder.join("out")).unwrap();
    folder
});

fuzz_target!(|bytes: &[u8]| {
    let path = FOLDER.join("a.yaml");
    std::fs::write(&path, bytes).unwrap();
    let found = FoundFile {
        stem: "a".to_owned(),
        path,
    };
    match load(&[found], None) {
        Ok(cases) => assert!(!cases.is_empty()),
        Err(faults) => assert!(!faults.to_string().is_empty()),
    }
});
