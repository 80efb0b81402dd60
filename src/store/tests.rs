//! Stores that are closed, damaged and opened again.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::OwnedFd;
use std::path::Path;

use super::*;

fn open(path: &Path) -> Store {
    let folder: OwnedFd = std::fs::File::open(path).unwrap().into();
    Store::open(folder, Options::default()).unwrap()
}

fn image(tag: &str, layers: Vec<Layer>) -> Image {
    Image {
        id: names::random(),
        tags: BTreeSet::from([tag.to_owned()]),
        layers,
        config: Config::default(),
        platform: None,
    }
}

fn container(name: &str, layers: Vec<Layer>) -> Container {
    Container {
        id: names::random(),
        name: name.to_owned(),
        image: "app".to_owned(),
        image_id: String::new(),
        layers,
        config: Config::default(),
        state: State::Created,
        exit_code: None,
        read_only: false,
        remove_on_exit: false,
        mounts: Vec::new(),
        tmpfs: BTreeMap::new(),
    }
}

fn volume(name: &str) -> Volume {
    let (labels, options) = (BTreeMap::new(), BTreeMap::new());
    let driver = driver::LOCAL.to_owned();
    Volume {
        name: name.to_owned(),
        anonymous: false,
        owner: None,
        with: None,
        driver,
        labels,
        options,
    }
}

fn names_in(path: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A store with one layer, one image of two names, one container, one volume.
fn filled(path: &Path) -> Store {
    let mut store = open(path);
    let (number, _) = store.make_layer().unwrap();
    let layers = vec![Layer {
        number,
        image: "app".to_owned(),
        position: 1,
    }];
    store.add_image(image("app", layers.clone())).unwrap();
    let (number, _) = store.image("app").unwrap();
    store.tag(number, "app:2").unwrap();
    let (number, _) = store.make_upper().unwrap();
    store
        .add_container(number, container("first", layers))
        .unwrap();
    store.add_volume(volume("data")).unwrap();
    store
}

#[test]
fn what_was_published_is_there_again() {
    let scratch = tempfile::tempdir().unwrap();
    let mut store = filled(scratch.path());
    let (number, _) = store.container("first").unwrap();
    store
        .change_container(number, |c| c.state = State::Running)
        .unwrap();
    let before = names_in(scratch.path());
    let seen = |store: &Store| {
        let containers: Vec<_> = store.containers().map(|(n, c)| (n, c.clone())).collect();
        let volumes: Vec<_> = store.volumes().map(|(n, v)| (n, v.clone())).collect();
        (
            store.images().cloned().collect::<Vec<_>>(),
            containers,
            volumes,
        )
    };
    let known = seen(&store);
    drop(store);
    let again = open(scratch.path());
    assert_eq!(seen(&again), known);
    assert_eq!(again.container("first").unwrap().1.state, State::Running);
    assert_eq!(names_in(scratch.path()), before);
}

#[test]
fn what_was_not_published_is_dropped() {
    let scratch = tempfile::tempdir().unwrap();
    let mut store = filled(scratch.path());
    let before = names_in(scratch.path());
    store.make_layer().unwrap();
    store.make_upper().unwrap();
    store.make_passing().unwrap();
    drop(store);
    let path = |name: &str| scratch.path().join(name);
    std::fs::write(path("new"), "half").unwrap();
    std::fs::write(path("work/half"), "copy").unwrap();
    std::fs::write(path("v99.100.json"), r#"{"name":"#).unwrap();
    std::fs::create_dir(path("v99")).unwrap();
    let store = open(scratch.path());
    assert_eq!(names_in(scratch.path()), before);
    assert!(names_in(&path("work")).is_empty());
    assert!(store.volume("data").is_some());
}

#[test]
fn a_crash_between_publishing_and_unlinking_leaves_the_newer_revision() {
    let scratch = tempfile::tempdir().unwrap();
    let mut store = filled(scratch.path());
    let (number, old) = store
        .container("first")
        .map(|(n, c)| (n, c.clone()))
        .unwrap();
    store
        .change_container(number, |c| c.state = State::Exited)
        .unwrap();
    drop(store);
    let stale = scratch.path().join(format!("c{number}.{number}.json"));
    std::fs::write(&stale, serde_json::to_vec(&old).unwrap()).unwrap();
    let store = open(scratch.path());
    assert_eq!(store.container("first").unwrap().1.state, State::Exited);
    assert!(!stale.exists());
}

#[test]
fn numbers_are_never_used_twice() {
    let scratch = tempfile::tempdir().unwrap();
    let mut store = filled(scratch.path());
    let (number, _) = store.container("first").unwrap();
    store.remove_container(number).unwrap();
    let (fresh, _) = store.make_upper().unwrap();
    drop(store);
    let (later, _) = open(scratch.path()).make_upper().unwrap();
    assert!(fresh > number && later > number);
}

#[test]
fn a_layer_goes_with_the_last_that_lists_it() {
    let scratch = tempfile::tempdir().unwrap();
    let mut store = filled(scratch.path());
    let layers = |path: &Path| {
        names_in(path)
            .into_iter()
            .filter(|n| n.starts_with('l'))
            .count()
    };
    store.untag("app").unwrap();
    assert!(store.image("app:2").is_some());
    store.untag("app:2").unwrap();
    assert_eq!((store.images().count(), layers(scratch.path())), (0, 1));
    let (number, _) = store.container("first").unwrap();
    store.remove_container(number).unwrap();
    assert_eq!(layers(scratch.path()), 0);
}

#[test]
fn hostile_names_stay_inside_records() {
    let scratch = tempfile::tempdir().unwrap();
    let outside = names_in(scratch.path().parent().unwrap());
    let mut store = open(scratch.path());
    for name in [
        "../../etc",
        "/abs",
        ".",
        "..",
        "a\0b",
        "new",
        "work",
        &"x".repeat(5000),
    ] {
        store.add_volume(volume(name)).unwrap();
        assert!(store.volume(name).is_some());
    }
    drop(store);
    assert_eq!(open(scratch.path()).volumes().count(), 8);
    let leftover: Vec<_> = names_in(scratch.path().parent().unwrap())
        .into_iter()
        .filter(|name| !outside.contains(name) && name == "etc")
        .collect();
    assert!(leftover.is_empty());
}

#[test]
fn a_revision_that_could_not_be_unlinked_never_comes_back() {
    let scratch = tempfile::tempdir().unwrap();
    let mut store = filled(scratch.path());
    let (number, _) = store.container("first").unwrap();
    let record = format!("c{number}.");
    let old = names_in(scratch.path());
    let old = old.iter().find(|name| name.starts_with(&record)).unwrap();
    let (old, aside) = (scratch.path().join(old), scratch.path().join("aside"));
    std::fs::rename(&old, &aside).unwrap();
    // A directory cannot be unlinked.
    std::fs::create_dir(&old).unwrap();
    store
        .change_container(number, |c| c.state = State::Exited)
        .unwrap();
    assert!(store.remove_container(number).is_err());
    assert_eq!(store.container("first").unwrap().1.state, State::Exited);
    std::fs::remove_dir(&old).unwrap();
    std::fs::rename(&aside, &old).unwrap();
    store.remove_container(number).unwrap();
    drop(store);
    assert!(open(scratch.path()).container("first").is_none());
}

#[test]
fn an_image_may_be_made_from_the_one_whose_name_it_takes() {
    let scratch = tempfile::tempdir().unwrap();
    let mut store = filled(scratch.path());
    let (number, _) = store.container("first").unwrap();
    store.remove_container(number).unwrap();
    store.untag("app:2").unwrap();
    let layers = store.image("app").unwrap().1.layers.clone();
    let only = layers[0].number;
    store.add_image(image("app", layers)).unwrap();
    assert_eq!(store.images().count(), 1);
    assert!(store.layer(only).is_ok());
    assert!(scratch.path().join(format!("l{only}")).exists());
}

#[test]
fn of_two_images_with_one_name_the_later_has_it() {
    let scratch = tempfile::tempdir().unwrap();
    drop(filled(scratch.path()));
    let later = image("app", Vec::new());
    let json = serde_json::to_vec(&later).unwrap();
    std::fs::write(scratch.path().join("i90.91.json"), json).unwrap();
    for _ in 0..2 {
        let store = open(scratch.path());
        assert_eq!(store.image("app").unwrap().1.id, later.id);
        assert_ne!(store.image("app:2").unwrap().1.id, later.id);
    }
}

#[test]
fn a_volume_goes_with_its_container_unless_somebody_else_mounts_it() {
    let scratch = tempfile::tempdir().unwrap();
    let mut store = open(scratch.path());
    let mount = |name: &str| Mount {
        target: "/data".to_owned(),
        read_only: false,
        source: MountSource::Volume(VolumeSource {
            name: name.to_owned(),
            copy: true,
            anonymous: true,
            subpath: None,
        }),
    };
    let (number, _) = store.make_upper().unwrap();
    for name in ["used", "unused", "untied"] {
        let with = Some(number);
        let volume = Volume {
            with,
            ..volume(name)
        };
        let (made, _) = store.add_volume(volume).unwrap();
        if name == "untied" {
            store.untie_volume(made).unwrap();
        }
    }
    let (other, _) = store.make_upper().unwrap();
    let mut user = container("user", Vec::new());
    user.mounts.push(mount("used"));
    store.add_container(other, user).unwrap();
    drop(store);
    let store = open(scratch.path());
    let left: Vec<&str> = store.volumes().map(|(_, v)| v.name.as_str()).collect();
    assert_eq!(left, ["used", "untied"]);
}
