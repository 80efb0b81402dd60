//! An engine that loads an archive: what a scenario sees of one that cannot be read, and what is left of it.

use std::os::unix::fs::symlink;
use std::path::Path;

use layerspec::engine::native::NativeProvider;
use layerspec::engine::{
    Answer, ArchiveFile, Engine, ImageSpec, OpenOptions, Operation, Provider as _,
};

use super::build::{file, saved, tar};

fn engine(scratch: &Path) -> Box<dyn Engine> {
    let options = OpenOptions {
        scratch: scratch.to_owned(),
        keep: false,
    };
    NativeProvider::new().open(&options).unwrap()
}

fn load(engine: &dyn Engine, folder: &Path, path: &str) -> Result<(), String> {
    let archive = ArchiveFile {
        folder: folder.to_owned(),
        path: path.to_owned(),
        tag: None,
    };
    let spec = ImageSpec {
        name: "app".to_owned(),
        archive: Some(Box::new(archive)),
        ..ImageSpec::default()
    };
    match engine.perform(&Operation::LoadImage(spec)) {
        Answer::Done(_) => Ok(()),
        Answer::Refused(refusal) => Err(refusal.message),
        other => panic!("{other:?}"),
    }
}

/// Every name below a folder that is a layer of the engine's store.
fn layers(scratch: &Path) -> usize {
    let private = std::fs::read_dir(scratch).unwrap().next().unwrap().unwrap();
    std::fs::read_dir(private.path())
        .unwrap()
        .filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_string_lossy().starts_with('l')
        })
        .count()
}

#[test]
fn a_bad_archive_leaves_no_layer() {
    let (scratch, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = engine(scratch.path());
    let fine = tar(&[file("a", "x")]);
    let bad = tar(&[file("b", "x"), file("b", "x")]);
    std::fs::write(folder.path().join("a.tar"), saved("a:1", &[fine, bad])).unwrap();
    let said = load(engine.as_ref(), folder.path(), "a.tar").unwrap_err();
    assert_eq!(
        said,
        "archive a.tar: layer 2: entry `b`: its path comes a second time"
    );
    assert_eq!(layers(scratch.path()), 0);
    assert!(engine.observe().unwrap().images.is_empty());
}

#[test]
fn an_engine_keeps_to_the_folder_whatever_was_checked_before() {
    let (scratch, outer) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = engine(scratch.path());
    let folder = outer.path().join("inner");
    std::fs::create_dir(&folder).unwrap();
    let archive = saved("a:1", &[tar(&[file("a", "x")])]);
    std::fs::write(outer.path().join("secret.tar"), &archive).unwrap();
    std::fs::write(folder.join("fine.tar"), &archive).unwrap();
    symlink("../secret.tar", folder.join("swapped.tar")).unwrap();
    symlink("fine.tar", folder.join("inside.tar")).unwrap();
    let absolute = outer.path().join("secret.tar");
    for path in ["../secret.tar", "swapped.tar", absolute.to_str().unwrap()] {
        let said = load(engine.as_ref(), &folder, path).unwrap_err();
        assert_eq!(said, format!("archive {path}: it leads out of its folder"));
    }
    assert_eq!(load(engine.as_ref(), &folder, "inside.tar"), Ok(()));
}

#[test]
fn more_layers_than_docker_stacks_are_refused_before_any_is_made() {
    let (scratch, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = engine(scratch.path());
    let layer = tar(&[file("a", "x")]);
    for (count, expected) in [(128, Ok(())), (129, Err("max depth exceeded".to_owned()))] {
        let archive = saved("a:1", &vec![layer.clone(); count]);
        std::fs::write(folder.path().join("a.tar"), archive).unwrap();
        assert_eq!(load(engine.as_ref(), folder.path(), "a.tar"), expected);
    }
    assert_eq!(layers(scratch.path()), 128);
}
