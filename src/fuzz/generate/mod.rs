//! Random worlds and what is done in them, as scenarios.
//!
//! | file | what it makes |
//! |---|---|
//! | `pool` | names, contents, attributes: few, so that they meet |
//! | `world` | images, the host directory, volumes |
//! | `objects`, `mounts` | steps on containers, images, volumes and the engine |
//! | `files`, `held`, `attributes` | steps of processes |
//! | `state` | what is believed to be there, so that most steps make sense |

mod attributes;
mod files;
mod held;
mod mounts;
mod objects;
mod pool;
mod state;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use proptest::strategy::{NewTree, Strategy};
use proptest::test_runner::TestRunner;

use self::state::State;
use super::dice::Dice;
use super::shrink::Shrinking;
use crate::engine::{
    Capability, Code, Content, Errno, FileAction, Kind, Node, NodeKind, Operation, Place,
};
use crate::scenario::{Action, At, Expect, Scenario, SourceFile, Step};

/// How often a directory of the layers is deleted and made again, times in a hundred: by chance alone the three steps that
/// show an opaque directory hardly ever meet.
const REMADE: usize = 1;

/// What worlds are made of.
#[derive(Clone, Debug)]
pub(super) struct Worlds {
    /// What every engine can show.
    pub(super) capabilities: BTreeSet<Capability>,
    /// How many steps.
    pub(super) steps: usize,
}

impl Strategy for Worlds {
    type Tree = Shrinking;
    type Value = Scenario;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let mut dice = Dice::new(runner.new_rng());
        Ok(Shrinking::new(self.scenario(&mut dice)))
    }
}

impl Worlds {
    fn scenario(&self, dice: &mut Dice) -> Scenario {
        let mut state = State {
            capabilities: self.capabilities.clone(),
            ..State::default()
        };
        let images = world::images(&mut state, dice);
        let host = world::host(&mut state, dice);
        let volumes = world::volumes(&mut state, dice);
        let mut steps = Vec::with_capacity(self.steps);
        steps.push(tolerant(&1, objects::first(&mut state, dice)));
        while steps.len() < self.steps {
            let number = steps.len() + 1;
            if self.capabilities.contains(&Capability::Concurrent) && dice.chance(1) {
                steps.push(side_by_side(number, &state, dice));
            } else if !state.is_down && dice.chance(REMADE) {
                for operation in files::remake(&mut state, dice) {
                    steps.push(tolerant(&(steps.len() + 1), operation));
                }
            } else {
                let percent = if state.containers.iter().any(|made| made.runs) {
                    14
                } else {
                    60
                };
                let operation = if state.is_down || dice.chance(percent) {
                    objects::object(&mut state, dice)
                } else {
                    files::step(&mut state, dice)
                };
                let archive = match &operation {
                    Operation::Export { to, .. } => Some(to.clone()),
                    _ => None,
                };
                steps.push(tolerant(&number, operation));
                if let Some(to) = archive {
                    // What is in it has the times of the run, so it goes again once it was of use.
                    for operation in objects::after_export(&mut state, dice, to) {
                        steps.push(tolerant(&(steps.len() + 1), operation));
                    }
                }
            }
        }
        scenario(images, host, volumes, steps)
    }
}

fn scenario(
    images: Vec<crate::engine::ImageSpec>,
    host: crate::engine::Tree,
    volumes: Vec<(crate::engine::VolumeSpec, crate::engine::Tree)>,
    steps: Vec<Step>,
) -> Scenario {
    Scenario {
        file: Arc::new(SourceFile {
            path: PathBuf::from("fuzz.yaml"),
            text: String::new(),
        }),
        stem: "fuzz".to_owned(),
        case: Vec::new(),
        title: "A random world".to_owned(),
        about: None,
        covers: Vec::new(),
        requires: Vec::new(),
        differs: BTreeMap::new(),
        images,
        host,
        volumes,
        steps,
    }
}

/// A step that may be refused: whatever the answer, the scenario goes on.
pub(super) fn tolerant(number: &dyn ToString, operation: Operation) -> Step {
    let code = match operation {
        Operation::Files { .. } => Code::Errno(Errno::from(rustix::io::Errno::IO)),
        _ => Code::Kind(Kind::Other),
    };
    Step {
        number: number.to_string(),
        at: At::default(),
        note: None,
        when: None,
        action: Action::Operation(operation),
        expect: Some(Expect {
            at: At::default(),
            error: vec![code],
            checks: Vec::new(),
        }),
    }
}

/// Branches that do not mind each other: each in a directory of its own.
fn side_by_side(number: usize, state: &State, dice: &mut Dice) -> Step {
    let place = Place::Container(state.container(dice));
    let branch = |at: usize, dice: &mut Dice| {
        let top = format!("/side{number}-{at}");
        let write = |path: String, dice: &mut Dice| FileAction::Write {
            path,
            node: Node::new(NodeKind::File(Content::Bytes(pool::bytes(dice)))),
        };
        let actions = [
            FileAction::Mkdir {
                path: top.clone(),
                mode: None,
                parents: false,
            },
            write(format!("{top}/a"), dice),
            FileAction::Rename {
                from: format!("{top}/a"),
                to: format!("{top}/b"),
                mode: crate::engine::RenameMode::Replace,
            },
            write(format!("{top}/a"), dice),
        ];
        actions
            .into_iter()
            .enumerate()
            .map(|(index, action)| {
                let operation = files::operation(place.clone(), None, vec![action]);
                tolerant(&format!("{number}.{}.{}", at + 1, index + 1), operation)
            })
            .collect::<Vec<Step>>()
    };
    let branches = (0..dice.between(2, 3)).map(|at| branch(at, dice)).collect();
    Step {
        number: number.to_string(),
        at: At::default(),
        note: None,
        when: None,
        action: Action::Concurrently(branches),
        expect: None,
    }
}
