//! One case on one engine, from opening the engine to the verdict: what `run`, `bless` and the
//! `cargo test` harness share.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::engine::{Description, Engine, OpenOptions, Provider};
use crate::outcome::{Halves, halves_that_differ, text};
use crate::run::{
    End, Execution, Progress, Unfinished, all_steps, execute_watched, step_words, within,
};
use crate::scenario::Scenario;
use crate::snapshot::{Approval, UpdateMode, approve};
use crate::verdict::{CaseResult, Judged, Verdict, judge, unmet};

/// How cases are run.
#[derive(Clone, Debug)]
pub struct CaseOptions {
    /// An existing directory under which engines make their private ones.
    pub scratch: PathBuf,
    /// Leave the private directories behind.
    pub keep: bool,
    /// The snapshot folder.
    pub snapshots: PathBuf,
    /// What may be written there.
    pub update: UpdateMode,
    /// The most that a case may take, from the first operation to the removal of what the engine
    /// made. `None`: for ever.
    pub timeout: Option<Duration>,
}

/// Why this engine cannot run this case, if it cannot: a capability that it lacks. Known before the
/// run, so that a harness can flag the trial as ignored.
pub fn skip_reason(scenario: &Scenario, description: &Description) -> Option<String> {
    let lacking: Vec<&str> = scenario
        .requires
        .iter()
        .filter(|need| !description.capabilities.contains(need))
        .map(|need| need.name())
        .collect();
    if lacking.is_empty() {
        return None;
    }
    let on = match description.file_system.as_str() {
        "" => String::new(),
        file_system => format!(" on {file_system}"),
    };
    Some(format!(
        "needs {}, which {}{on} has not",
        lacking.join(", "),
        description.name
    ))
}

/// Opens an engine, executes the case, observes, compares with the snapshot, judges, cleans up.
///
/// `description` is what [`Provider::probe`] gave once for all cases: asking a daemon costs more
/// than a case does. A text is written as far as the mode of update says, but never one of a case
/// whose steps did not come out as expected.
pub fn run_case(
    scenario: &Scenario,
    provider: &dyn Provider,
    description: &Description,
    options: &CaseOptions,
) -> CaseResult {
    let perform = |engine| perform(scenario, engine, description, options);
    run_by(scenario, provider, description, options, perform)
}

/// [`run_case`] for somebody who watches the time: the limit of the options is theirs to hold, by [`overdue`].
pub fn run_watched(
    scenario: &Scenario,
    provider: &dyn Provider,
    description: &Description,
    options: &CaseOptions,
    watch: &Watch,
) -> CaseResult {
    let perform = |engine: Box<dyn Engine>| {
        if let Some(kept) = engine.kept() {
            drop(watch.kept.set(kept));
        }
        let progress = &watch.progress;
        let execution = execute_and_drop(scenario, engine, description, progress);
        if progress.is_stopped() {
            // It was told as overdue, and may be the beginning only: nothing of it is written down.
            return Err(Overdue {
                why: "the time limit has passed".to_owned(),
                timed_out: true,
            });
        }
        Ok(execution)
    };
    run_by(scenario, provider, description, options, perform)
}

/// What is told of a case that is watched and takes longer than `limit`. It is told to begin no further step.
pub fn overdue(
    scenario: &Scenario,
    description: &Description,
    limit: Duration,
    watch: &Watch,
) -> CaseResult {
    watch.progress.stop();
    CaseResult {
        verdict: Verdict::Errored(too_slow(scenario, limit, watch.progress.begun())),
        duration: limit,
        timed_out: true,
        kept: watch.kept.get().cloned(),
        ..no_result(scenario, description)
    }
}

/// How far a case has come, for somebody who does not wait for ever.
#[derive(Debug, Default)]
pub struct Watch {
    progress: Progress,
    kept: OnceLock<PathBuf>,
}

fn no_result(scenario: &Scenario, description: &Description) -> CaseResult {
    CaseResult {
        id: scenario.id(),
        engine: description.name.clone(),
        verdict: Verdict::Passed,
        duration: Duration::ZERO,
        outcome: None,
        excused: Halves::default(),
        timed_out: false,
        kept: None,
    }
}

fn run_by(
    scenario: &Scenario,
    provider: &dyn Provider,
    description: &Description,
    options: &CaseOptions,
    perform: impl FnOnce(Box<dyn Engine>) -> Result<Execution, Overdue>,
) -> CaseResult {
    let begin = Instant::now();
    let mut result = no_result(scenario, description);
    match skip_reason(scenario, description) {
        Some(reason) => result.verdict = Verdict::Skipped(reason),
        None => match open(provider, options) {
            Ok(engine) => {
                result.kept = engine.kept();
                match perform(engine) {
                    Ok(execution) => {
                        (result.verdict, result.excused) =
                            verdict(scenario, description, &execution, options);
                        result.outcome = Some(execution.outcome);
                    }
                    Err(Overdue { why, timed_out }) => {
                        result.verdict = Verdict::Errored(why);
                        result.timed_out = timed_out;
                    }
                }
            }
            Err(why) => result.verdict = Verdict::Errored(why),
        },
    }
    result.duration = begin.elapsed();
    result
}

/// [`run_case`], approving the outcome as it is, unless a step or an expectation failed.
pub fn bless_case(
    scenario: &Scenario,
    provider: &dyn Provider,
    description: &Description,
    options: &CaseOptions,
) -> CaseResult {
    let options = CaseOptions {
        update: UpdateMode::Bless,
        ..options.clone()
    };
    run_case(scenario, provider, description, &options)
}

/// Opens an engine, executes the case, observes and cleans up, without a judgement. A case that needs what the engine has
/// not is run all the same.
///
/// # Errors
/// What the engine failed at, as a sentence fragment: it could not be opened, or it took longer than the limit.
pub fn execute_case(
    scenario: &Scenario,
    provider: &dyn Provider,
    description: &Description,
    options: &CaseOptions,
) -> Result<Execution, String> {
    let engine = open(provider, options)?;
    perform(scenario, engine, description, options).map_err(|overdue| overdue.why)
}

fn open(provider: &dyn Provider, options: &CaseOptions) -> Result<Box<dyn Engine>, String> {
    let how = OpenOptions {
        scratch: options.scratch.clone(),
        keep: options.keep,
    };
    catch_unwind(AssertUnwindSafe(|| provider.open(&how)))
        .map_err(|_| "the engine panicked while it was opened".to_owned())?
        .map_err(|fault| format!("the engine cannot be opened: {fault}"))
}

/// Why an execution has no end.
struct Overdue {
    why: String,
    timed_out: bool,
}

fn perform(
    scenario: &Scenario,
    engine: Box<dyn Engine>,
    description: &Description,
    options: &CaseOptions,
) -> Result<Execution, Overdue> {
    let Some(limit) = options.timeout else {
        return Ok(execute_and_drop(
            scenario,
            engine,
            description,
            &Progress::default(),
        ));
    };
    let progress = Arc::new(Progress::default());
    let work = {
        let (scenario, description) = (scenario.clone(), description.clone());
        let progress = Arc::clone(&progress);
        move || execute_and_drop(&scenario, engine, &description, &progress)
    };
    within(limit, &progress, work).map_err(|why| match why {
        Unfinished::TooSlow => Overdue {
            why: too_slow(scenario, limit, progress.begun()),
            timed_out: true,
        },
        Unfinished::Died => Overdue {
            why: "the case's own thread died".to_owned(),
            timed_out: false,
        },
    })
}

/// The engine cleans up as it is dropped, which is part of the time limit.
fn execute_and_drop(
    scenario: &Scenario,
    engine: Box<dyn Engine>,
    description: &Description,
    progress: &Progress,
) -> Execution {
    let mut execution = execute_watched(scenario, engine.as_ref(), description, progress);
    if catch_unwind(AssertUnwindSafe(|| drop(engine))).is_err() && execution.end == End::Complete {
        let message = "the engine panicked as it cleaned up".to_owned();
        execution.end = End::Fault {
            step: None,
            message,
        };
    }
    execution
}

fn too_slow(scenario: &Scenario, limit: Duration, begun: usize) -> String {
    let steps = all_steps(&scenario.steps);
    let place = match begun.checked_sub(1).and_then(|index| steps.get(index)) {
        Some(step) => format!("step {}, {}", step.number, step_words(step)),
        None => "the set-up".to_owned(),
    };
    let limit = humantime::format_duration(limit);
    format!("more than the time limit of {limit}; the last that began was {place}")
}

/// The verdict, and where it rests on a variant of the engine's own.
fn verdict(
    scenario: &Scenario,
    description: &Description,
    execution: &Execution,
    options: &CaseOptions,
) -> (Verdict, Halves<bool>) {
    let unmet = unmet(scenario, execution);
    if execution.end != End::Complete {
        return (judge(scenario, execution, unmet, None), Halves::default());
    }
    let update = if unmet.is_empty() {
        options.update
    } else {
        UpdateMode::Check
    };
    let text = text(&execution.outcome);
    let engine = description
        .known_as(|name| scenario.differs.contains_key(name))
        .unwrap_or_else(|| description.name.clone());
    let approval = approve(&options.snapshots, scenario, &engine, &text, update);
    let excused = match &approval {
        Approval::Variant { common } => common.as_deref().map_or(Halves::both(true), |common| {
            halves_that_differ(common, &text)
        }),
        _ => Halves::default(),
    };
    let judged = Judged {
        text: &text,
        approval: &approval,
    };
    (judge(scenario, execution, unmet, Some(judged)), excused)
}

#[cfg(test)]
mod tests;
