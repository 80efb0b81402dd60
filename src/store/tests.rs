//! Stores that are closed, damaged and opened again.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use rustix::io::Errno;

use super::*;

fn try_open(path: &Path) -> Result<Store, Errno> {
    let folder: OwnedFd = std::fs::File::open(path).unwrap().into();
    Store::open(Arc::new(folder), Options::default())
}

fn open(path: &Path) -> Store {
    try_open(path).unwrap()
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
    std::fs::write(path("records.new"), "half").unwrap();
    std::fs::write(path("#1f"), "copy").unwrap();
    std::fs::create_dir(path("v99")).unwrap();
    let store = open(scratch.path());
    assert_eq!(names_in(scratch.path()), before);
    assert!(store.volume("data").is_some());
}

fn records(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("records")).unwrap()
}

#[test]
fn a_torn_line_was_never_published_and_the_next_takes_its_place() {
    let scratch = tempfile::tempdir().unwrap();
    drop(filled(scratch.path()));
    let whole = records(scratch.path());
    let line = r#"{"v99":{"name":"torn","anonymous":false,"owner":null,"driver":"local","labels":{},"options":{}}}"#;
    for torn in 1..=line.len() {
        let text = whole.clone() + &line[..torn];
        std::fs::write(scratch.path().join("records"), text).unwrap();
        let mut store = open(scratch.path());
        assert!(store.volume("torn").is_none() && store.volume("data").is_some());
        store.add_volume(volume("next")).unwrap();
        drop(store);
        let store = open(scratch.path());
        assert!(store.volume("next").is_some() && store.volume("data").is_some());
    }
}

#[test]
fn a_damaged_log_does_not_open_and_nothing_is_dropped() {
    let scratch = tempfile::tempdir().unwrap();
    drop(filled(scratch.path()));
    let (whole, before) = (records(scratch.path()), names_in(scratch.path()));
    let first = whole.lines().next().unwrap();
    for damage in [
        "\n",
        "{}x\n",
        "{\"c05\":null}\n",
        "{\"x5\":null}\n",
        "{\"c5\":{}}\n",
        "\u{0}\n",
    ] {
        let text = whole.replace(first, damage.trim_end_matches('\n'));
        std::fs::write(scratch.path().join("records"), text).unwrap();
        assert_eq!(
            try_open(scratch.path()).err(),
            Some(Errno::UCLEAN),
            "{damage:?}"
        );
        assert_eq!(names_in(scratch.path()), before);
    }
    std::fs::write(scratch.path().join("records"), whole).unwrap();
    assert!(open(scratch.path()).volume("data").is_some());
}

#[test]
fn a_log_that_tells_little_is_written_anew() {
    let scratch = tempfile::tempdir().unwrap();
    let mut store = filled(scratch.path());
    let (number, _) = store.container("first").unwrap();
    for state in [State::Running, State::Exited].into_iter().cycle().take(50) {
        store.change_container(number, |c| c.state = state).unwrap();
    }
    let (gone, _) = store.add_volume(volume("gone")).unwrap();
    store.remove_volume(gone).unwrap();
    drop(store);
    let long = records(scratch.path()).len();
    let mut store = open(scratch.path());
    assert!(records(scratch.path()).len() * 5 < long);
    assert_eq!(store.container("first").unwrap().1.state, State::Exited);
    let (next, _) = store.make_upper().unwrap();
    assert!(
        next > gone,
        "numbers that a shorter log forgot are not given again"
    );
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
        "records",
        "#1",
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
