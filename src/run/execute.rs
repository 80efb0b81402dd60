//! Set-up, steps, and a look at the end.

use crate::engine::{Answer, Description, Engine, Operation, Place, VolumeRef, World};
use crate::outcome::{Outcome, StepOutcome, operation_words};
use crate::scenario::{Action, Scenario, Step};

use super::ask::{ask, look};
use super::ledger::ledger;
use super::limit::Progress;
use super::observe::in_order;
use super::steps::{Runner, all_steps};

/// What a run of one case showed.
#[derive(Clone, Debug, PartialEq)]
pub struct Execution {
    /// What was seen.
    pub outcome: Outcome,
    /// How it came to its end.
    pub end: End,
    /// What was asked besides the steps, for expectations that compare with another file.
    pub others: Vec<Other>,
}

/// The attributes of another file, right after a step that compares with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Other {
    /// Number of the step.
    pub step: String,
    /// Path of the other file, in the step's place.
    pub path: String,
    /// What `stat` gave.
    pub answer: Answer,
}

/// How an execution came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Every step was performed.
    Complete,
    /// The step of this number was refused and did not expect it. Later steps were not performed.
    Refused(String),
    /// The engine does not know an operation, so the case cannot be shown on it. Later steps were not performed.
    Unsupported {
        /// Number of the step; `None` in the set-up.
        step: Option<String>,
        /// What it does not know, as a sentence fragment.
        message: String,
    },
    /// The engine, not the behaviour under test, failed: it broke, it panicked, it refused the set-up, or it
    /// was too slow.
    Fault {
        /// Number of the step; `None` outside of any step.
        step: Option<String>,
        /// What happened, as a sentence fragment.
        message: String,
    },
}

/// A step that was performed or left out, with what came back.
pub(super) struct Performed<'a> {
    pub(super) step: &'a Step,
    pub(super) outcome: StepOutcome,
}

/// Performs every step of a scenario, then looks at everything that is there.
pub fn execute(scenario: &Scenario, engine: &dyn Engine, description: &Description) -> Execution {
    execute_watched(scenario, engine, description, &Progress::default())
}

/// [`execute`], telling how far it has come.
pub fn execute_watched(
    scenario: &Scenario,
    engine: &dyn Engine,
    description: &Description,
    progress: &Progress,
) -> Execution {
    let coming = all_steps(&scenario.steps).into_iter();
    let coming: Vec<&Operation> = coming
        .filter_map(|step| match &step.action {
            Action::Operation(operation) => Some(operation),
            Action::Concurrently(_) => None,
        })
        .collect();
    engine.foresee(&coming);
    if let Err(end) = set_up(scenario, engine) {
        return Execution {
            outcome: Outcome::default(),
            end,
            others: Vec::new(),
        };
    }
    // What was complained of in the set-up is not the first step's.
    drop(engine.complaint());
    let runner = Runner::new(engine, description, progress);
    let (performed, mut end) = runner.sequence(&scenario.steps, 1);
    let mut world = World::default();
    if matches!(end, End::Complete | End::Refused(_)) {
        match look(engine) {
            Ok(seen) => world = in_order(seen),
            Err(fault) => {
                let message = format!("cannot be observed: {fault}");
                end = End::Fault {
                    step: None,
                    message,
                };
            }
        }
    }
    let persistence = ledger(&performed, &world);
    let outcome = Outcome {
        steps: performed
            .into_iter()
            .map(|performed| performed.outcome)
            .collect(),
        containers: world.containers,
        volumes: world.volumes,
        host: world.host,
        images: world.images,
        persistence,
    };
    Execution {
        outcome,
        end,
        others: runner.into_others(),
    }
}

/// Images, the host directory and volumes, as they are before the first step.
fn set_up(scenario: &Scenario, engine: &dyn Engine) -> Result<(), End> {
    for image in &scenario.images {
        prepare(engine, &Operation::LoadImage(image.clone()))?;
    }
    if !scenario.host.0.is_empty() {
        prepare(
            engine,
            &Operation::Plant(Place::Host, scenario.host.clone()),
        )?;
    }
    for (spec, content) in &scenario.volumes {
        prepare(engine, &Operation::VolumeCreate(spec.clone()))?;
        if let (Some(name), false) = (&spec.name, content.0.is_empty()) {
            let place = Place::Volume(VolumeRef::Named(name.clone()));
            prepare(engine, &Operation::Plant(place, content.clone()))?;
        }
    }
    Ok(())
}

fn prepare(engine: &dyn Engine, operation: &Operation) -> Result<(), End> {
    let message = |why: &str| format!("set-up: {}: {why}", operation_words(operation));
    let step = None;
    let why = match ask(engine, operation) {
        Answer::Done(_) => return Ok(()),
        Answer::Unsupported(why) => {
            let message = message(&why);
            return Err(End::Unsupported { step, message });
        }
        Answer::Refused(refusal) => format!("{}: {}", refusal.code, refusal.message),
        Answer::Broken(why) => why,
    };
    let message = message(&why);
    Err(End::Fault { step, message })
}
