//! Faults that are planted in the union are found and made small.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, TestRunner};

use super::generate::Worlds;
use super::{Fuzzer, Reach, case_seed, dice};
use crate::engine::native::NativeProvider;
use crate::engine::{
    Absent, Answer, Capability, Description, Engine, EngineFault, FileAction, NodeKind,
    OpenOptions, Operation, Place, Provider, Target, World,
};
use crate::scenario::{Action, Scenario};
use crate::union::fault::{Fault, with_fault};

/// A random scenario in which everything may be asked for.
pub(crate) fn sample(seed: u64, steps: usize) -> Scenario {
    let worlds = Worlds {
        capabilities: Capability::ALL.iter().copied().collect(),
        steps,
    };
    let mut runner = TestRunner::new_with_rng(Config::default(), dice::rng(seed));
    worlds.new_tree(&mut runner).unwrap().current()
}

/// The embedded engine with a fault.
struct Faulty {
    inner: NativeProvider,
    fault: Option<Fault>,
}

struct FaultyEngine {
    inner: Box<dyn Engine>,
    fault: Option<Fault>,
}

impl Provider for Faulty {
    fn name(&self) -> &'static str {
        "faulty"
    }

    fn probe(&self, options: &OpenOptions) -> Result<Description, Absent> {
        let mut description = self.inner.probe(options)?;
        description.name = "faulty".to_owned();
        // Its branches run in other threads, where there is no fault.
        description.capabilities.remove(&Capability::Concurrent);
        Ok(description)
    }

    fn open(&self, options: &OpenOptions) -> Result<Box<dyn Engine>, EngineFault> {
        Ok(Box::new(FaultyEngine {
            inner: self.inner.open(options)?,
            fault: self.fault,
        }))
    }
}

impl Engine for FaultyEngine {
    fn perform(&self, operation: &Operation) -> Answer {
        with_fault(self.fault, || self.inner.perform(operation))
    }

    fn observe(&self) -> Result<World, EngineFault> {
        with_fault(self.fault, || self.inner.observe())
    }
}

fn fuzzer(fault: Option<Fault>, steps: usize, scratch: &Path) -> Fuzzer {
    let options = OpenOptions {
        scratch: scratch.to_path_buf(),
        keep: false,
    };
    let faulty = Faulty {
        inner: NativeProvider::new(),
        fault,
    };
    let sound = NativeProvider::new();
    let descriptions = (
        faulty.probe(&options).unwrap(),
        sound.probe(&options).unwrap(),
    );
    let engines: Vec<(Arc<dyn Provider>, Description)> = vec![
        (Arc::new(faulty), descriptions.0),
        (Arc::new(sound), descriptions.1),
    ];
    Fuzzer::new(engines, steps, scratch.to_path_buf(), None)
}

/// Every fault within this many cases, and no more steps in what is left of the case.
fn finds(fault: Fault, steps_max: usize) {
    let scratch = tempfile::tempdir().unwrap();
    let fuzzer = fuzzer(Some(fault), 100, scratch.path());
    let (seed, difference) = (0..400)
        .map(|case| case_seed(1, case))
        .find_map(|seed| {
            let scenario = fuzzer.scenario(seed).unwrap();
            Some((seed, fuzzer.show(&scenario).difference?))
        })
        .unwrap_or_else(|| panic!("{fault:?} was not found"));
    let found = fuzzer.find(seed, &difference, &|| true).unwrap();
    assert!(found.again, "{fault:?}\n{}", found.text);
    let steps = found.text.split("\nsteps:\n").nth(1).unwrap();
    let count = steps
        .lines()
        .filter(|line| line.starts_with("  - "))
        .count();
    assert!(
        count <= steps_max,
        "{fault:?} in {count} steps\n{}",
        found.text
    );
}

#[test]
fn a_forgotten_whiteout_is_found() {
    finds(Fault::NoWhiteout, 4);
}

#[test]
fn a_directory_that_is_not_opaque_is_found() {
    // One more than it takes to make it: what shows it may be a step too.
    finds(Fault::NotOpaque, 5);
}

#[test]
fn lost_attributes_are_found() {
    finds(Fault::NoXattrs, 4);
}

#[test]
fn the_engine_agrees_with_itself_and_everything_is_reached() {
    let scratch = tempfile::tempdir().unwrap();
    let fuzzer = fuzzer(None, 120, scratch.path());
    let mut reach = Reach::default();
    for case in 0..120 {
        let seed = case_seed(7, case);
        let shown = fuzzer.show(&fuzzer.scenario(seed).unwrap());
        assert_eq!(shown.difference, None, "seed {seed}");
        reach.add(&shown.reach);
    }
    for name in crate::scenario::operation_names() {
        let count = reach.operations.get(name);
        if name == "concurrently" {
            // Not with an engine whose faults are a thread's.
            assert_eq!(count, None);
            continue;
        }
        assert!(
            count.is_some_and(|count| count.done > 0),
            "{name}: {count:?}"
        );
    }
}

#[test]
fn no_link_leads_a_volume_to_the_root() {
    let mut links = 0;
    for seed in 0..100 {
        let layers = sample(seed, 1)
            .images
            .into_iter()
            .flat_map(|image| image.layers);
        for entry in layers.flat_map(|layer| layer.0) {
            if let NodeKind::Symlink { target } = &entry.node.kind
                && entry.path.rfind('/') == Some(0)
            {
                links += 1;
                assert!(!matches!(target.as_str(), "." | ".."), "seed {seed}");
            }
        }
    }
    assert!(links > 0);
}

/// A pipe or device of an image that was removed while it was open would be back.
#[test]
fn attributes_of_what_may_be_removed_are_left_alone() {
    let mut changes = 0;
    for seed in 0..100 {
        let scenario = sample(seed, 100);
        let layers = scenario.images.iter().flat_map(|image| &image.layers);
        let mut nodes = layers.flat_map(|layer| &layer.0).map(|entry| &entry.node);
        if !nodes.any(|node| matches!(node.kind, NodeKind::Fifo | NodeKind::Device { .. })) {
            continue;
        }
        let mut opened: BTreeSet<(&Place, &String)> = BTreeSet::new();
        let mut stale: BTreeSet<(&Place, &String)> = BTreeSet::new();
        let in_containers =
            file_actions(&scenario).filter(|(place, _)| matches!(place, Place::Container(_)));
        for (place, action) in in_containers {
            match action {
                FileAction::Open { handle, .. } => {
                    opened.insert((place, handle));
                }
                FileAction::Delete { .. }
                | FileAction::Rmdir { .. }
                | FileAction::Rename { .. } => {
                    stale.extend(opened.iter().filter(|(other, _)| *other == place));
                }
                FileAction::LinkHandle { handle, .. }
                | FileAction::Chmod {
                    target: Target::Handle(handle),
                    ..
                }
                | FileAction::Chown {
                    target: Target::Handle(handle),
                    ..
                }
                | FileAction::Touch {
                    target: Target::Handle(handle),
                    ..
                }
                | FileAction::SetXattr {
                    target: Target::Handle(handle),
                    ..
                }
                | FileAction::RemoveXattr {
                    target: Target::Handle(handle),
                    ..
                } => {
                    changes += 1;
                    assert!(!stale.contains(&(place, handle)), "seed {seed}: {action:?}");
                }
                _ => {}
            }
        }
    }
    assert!(changes > 0);
}

/// What the disk refuses a tmpfs takes, and where the tmpfs is on the disk it does not.
#[test]
fn no_attribute_is_too_long_for_one_of_two_disks() {
    let mut long = 0;
    for seed in 0..200 {
        let mut has_tmpfs = false;
        for step in sample(seed, 100).steps {
            let Action::Operation(operation) = step.action else {
                continue;
            };
            let requests = match operation {
                Operation::Run(spec) | Operation::Create(spec) => {
                    has_tmpfs |= format!("{spec:?}").contains("Tmpfs(") || !spec.tmpfs.is_empty();
                    continue;
                }
                Operation::Files { requests, .. } => requests,
                _ => continue,
            };
            for action in requests.iter().map(|request| &request.action) {
                let is_long = match action {
                    FileAction::SetXattr { value, .. } => value.0.len() > 1000,
                    FileAction::Write { node, .. } => {
                        node.xattrs.values().any(|value| value.0.len() > 1000)
                    }
                    _ => false,
                };
                long += usize::from(is_long);
                assert!(!(is_long && has_tmpfs), "seed {seed}: {action:?}");
            }
        }
    }
    assert!(long > 0);
}

/// What is in an archive has the times of the run.
#[test]
fn no_archive_outlives_its_use() {
    let mut exports = 0;
    for seed in 0..100 {
        let steps = sample(seed, 100).steps;
        let operations = steps.iter().filter_map(|step| match &step.action {
            Action::Operation(operation) => Some(operation),
            Action::Concurrently(_) => None,
        });
        let operations: Vec<&Operation> = operations.collect();
        for (at, operation) in operations.iter().enumerate() {
            let Operation::Export { to, .. } = operation else {
                continue;
            };
            exports += 1;
            let mut next = operations.iter().skip(at + 1).take(2);
            let is_deleted = next.any(|next| {
                match next {
                Operation::Files { requests, .. } => requests.iter().any(|request| {
                    matches!(&request.action, FileAction::Delete { path, .. } if path == to)
                }),
                _ => false,
            }
            });
            assert!(is_deleted, "seed {seed}: {to}");
        }
    }
    assert!(exports > 0);
}

fn file_actions(scenario: &Scenario) -> impl Iterator<Item = (&Place, &FileAction)> {
    let operations = scenario.steps.iter().map(|step| match &step.action {
        Action::Operation(Operation::Files {
            place, requests, ..
        }) => Some((place, requests)),
        _ => None,
    });
    operations.flatten().flat_map(|(place, requests)| {
        let actions = requests.iter().map(|request| &request.action);
        actions.map(move |action| (place, action))
    })
}

#[test]
fn the_same_seed_makes_the_same_scenario() {
    for seed in 0..20 {
        let text = |seed| crate::scenario::to_yaml(&sample(seed, 40));
        assert_eq!(text(seed), text(seed));
        assert_ne!(text(seed), text(seed + 1));
    }
}
