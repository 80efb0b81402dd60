//! What is a difference between which engines.

use std::path::PathBuf;

use super::*;
use crate::case::{CaseOptions, execute_case};
use crate::engine::Provider as _;
use crate::engine::native::NativeProvider;
use crate::engine::{OpenOptions, Seen, SeenKind};
use crate::scenario::{FoundFile, load_text};
use crate::snapshot::UpdateMode;

const TEXT: &str = "\
title: A device, and a volume
images:
  app:
    layers:
      - /etc/app.conf: x
steps:
  - run: {name: running, image: app}
  - in: running
    mknod: {/disk: \"b 7:200\"}
  - in: running
    access: {path: /disk, mode: r}
  - create: {name: created, image: app, volumes: [\"data:/data\"]}
";

fn scenario() -> Scenario {
    let found = FoundFile {
        path: PathBuf::from("device.yaml"),
        stem: "device".to_owned(),
    };
    load_text(&found, TEXT.to_owned()).unwrap().remove(0)
}

/// The scenario on the embedded engine, and what that is.
fn run(scenario: &Scenario) -> (Description, Execution) {
    let scratch = tempfile::tempdir().unwrap();
    let provider = NativeProvider::new();
    let options = OpenOptions {
        scratch: scratch.path().to_owned(),
        keep: false,
    };
    let description = provider.probe(&options).unwrap();
    let options = CaseOptions {
        scratch: scratch.path().to_owned(),
        keep: false,
        snapshots: PathBuf::new(),
        update: UpdateMode::Check,
        timeout: None,
    };
    let execution = execute_case(scenario, &provider, &description, &options).unwrap();
    (description, execution)
}

/// Whether another run is a difference where the other engine is overlayfs, Docker, and a program that is like Docker.
fn is_found(other: &Execution) -> [bool; 3] {
    let scenario = scenario();
    let (native, ours) = run(&scenario);
    [
        ("overlayfs", None),
        ("docker", None),
        ("cli:/opt/d", Some("docker")),
    ]
    .map(|(name, form_of)| {
        let them = Description {
            name: name.to_owned(),
            form_of: form_of.map(str::to_owned),
            ..native.clone()
        };
        let runs = [(&native, Ok(ours.clone())), (&them, Ok(other.clone()))];
        difference(&scenario, &runs).is_some()
    })
}

#[test]
fn the_same_is_no_difference() {
    assert_eq!(is_found(&run(&scenario()).1), [false; 3]);
}

#[test]
fn whether_a_device_may_be_used_differs_between_runtimes_only() {
    let mut other = run(&scenario()).1;
    let step = &mut other.outcome.steps[2];
    assert!(step.words.contains("access"), "{}", step.words);
    let Some(Answer::Done(Value::Files(answers))) = &mut step.answer else {
        panic!("{:?}", step.answer);
    };
    // What the rules of a runtime refuse.
    let refused = Refusal {
        code: Code::Errno(Errno::from(rustix::io::Errno::PERM)),
        message: "Operation not permitted".to_owned(),
    };
    assert_ne!(answers[0].result, Err(refused.clone()));
    answers[0].result = Err(refused);
    assert_eq!(is_found(&other), [true, false, false]);
}

#[test]
fn what_a_new_container_has_mounted_differs_between_runtimes_only() {
    let mut other = run(&scenario()).1;
    let containers = other.outcome.containers.iter_mut();
    let (_, tree) = containers
        .into_iter()
        .find(|(seen, _)| seen.name == "created")
        .unwrap();
    let mounted = tree
        .iter()
        .find(|seen| seen.path == "/data")
        .unwrap()
        .clone();
    assert!(matches!(mounted.storage, Storage::Volume(_)), "{mounted:?}");
    tree.push(Seen {
        path: "/data/made".to_owned(),
        kind: SeenKind::Directory,
        ..mounted
    });
    assert_eq!(is_found(&other), [true, false, false]);
    // What is written in one that runs is compared in any case.
    let (_, tree) = other
        .outcome
        .containers
        .iter_mut()
        .find(|(seen, _)| seen.name == "running")
        .unwrap();
    tree.retain(|seen| seen.path != "/disk");
    assert_eq!(is_found(&other), [true; 3]);
}
