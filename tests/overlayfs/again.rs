//! Engines of one provider use its processes again, one after the other.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use layerspec::engine::{Engine, Provider, Value, World};
use layerspec::registry;

use super::{NAME, options, processes_of, run_container, scenario, steps};

/// Two layers, and what a container makes of them.
const WORK: &str = "
title: What a container does to its layers
host: {./etc/app.conf: default, ./gone: x, ./d/f: x}
steps:
  - {in: host, read: /etc/app.conf}
  - {in: host, list: /d}
  - {in: host, write: {/etc/app.conf: changed}}
  - {in: host, chmod: {/d: 0700}}
  - {in: host, delete: /gone}
  - {in: host, mkdir: /new}
  - {in: host, write: {/d/f: changed}}
";

fn provider() -> Arc<dyn Provider> {
    registry::provider(NAME).unwrap()
}

/// A container is run, works, and everything is looked at.
fn round(engine: &dyn Engine) -> World {
    let begin = engine.observe().unwrap();
    let host = begin.host.iter().map(|seen| &*seen.path);
    assert!(host.eq(["/"]), "{begin:?}");
    let empty = World {
        host: begin.host.clone(),
        ..World::default()
    };
    assert_eq!(begin, empty);
    let scenario = scenario(WORK);
    run_container(engine, vec![scenario.host.clone()]);
    let told: Vec<Value> = steps(engine, &scenario)
        .into_iter()
        .flat_map(|(_, answers)| answers)
        .map(|answer| answer.result.unwrap())
        .take(2)
        .collect();
    let names = Value::Names(vec!["f".to_owned()]);
    assert_eq!(told, [Value::Bytes("default".into()), names]);
    engine.observe().unwrap()
}

fn numbers(processes: &[super::Process]) -> Vec<&str> {
    processes.iter().map(|it| it.pid.as_str()).collect()
}

fn kill(process: &super::Process) {
    let done = Command::new("kill")
        .args(["-s", "KILL", &process.pid])
        .status();
    assert!(done.unwrap().success());
}

/// The engine's process, and the one that forks for containers.
fn idle(scratch: &Path) -> Vec<super::Process> {
    let idle = processes_of(scratch);
    assert_eq!(idle.len(), 2, "{idle:?}");
    idle
}

/// The same process and the same directory, and nothing in it.
pub(super) fn nothing_of_the_one_before() {
    let scratch = tempfile::tempdir().unwrap();
    let provider = provider();
    let open = || provider.open(&options(scratch.path())).unwrap();
    let first = round(&*open());
    let before = idle(scratch.path());
    let second = round(&*open());
    let after = idle(scratch.path());
    assert_eq!(numbers(&before), numbers(&after));
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 1);
    let told = |world: &World| {
        let seen = world.containers.iter().map(|(container, _)| container);
        format!("{:?} {:?}", seen.collect::<Vec<_>>(), world.images)
    };
    assert_eq!(told(&first), told(&second));
}

/// Nobody is told of an idle process that has ended: there is another one.
pub(super) fn one_that_was_killed_is_no_error() {
    let scratch = tempfile::tempdir().unwrap();
    let provider = provider();
    let open = || provider.open(&options(scratch.path())).unwrap();
    for victim in [0, 1] {
        round(&*open());
        let idle = idle(scratch.path());
        kill(idle.get(victim).unwrap());
        round(&*open());
    }
    drop(provider);
    assert!(processes_of(scratch.path()).is_empty());
}
