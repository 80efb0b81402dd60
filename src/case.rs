//! One case on one engine, from opening the engine to the verdict: what `run`, `bless` and the
//! `cargo test` harness share.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::engine::{Description, Engine, OpenOptions, Provider};
use crate::outcome::text;
use crate::run::{Execution, Progress, all_steps, execute_watched, step_words, within};
use crate::scenario::Scenario;
use crate::snapshot::{UpdateMode, approve};
use crate::verdict::{CaseResult, Judged, Verdict, judge, meets_expectations};

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
    /// The most that a case may take, from the first operation to the removal of what the engine made. `None`: for
    /// ever.
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
/// `description` is what [`Provider::probe`] gave once for all cases: asking a daemon costs more than
/// a case does. A text is written as far as the mode of update says, but never one of a case whose steps did not come out as expected.
pub fn run_case(
    scenario: &Scenario,
    provider: &dyn Provider,
    description: &Description,
    options: &CaseOptions,
) -> CaseResult {
    let begin = Instant::now();
    let mut result = CaseResult {
        id: scenario.id(),
        engine: description.name.clone(),
        verdict: Verdict::Passed,
        duration: Duration::ZERO,
        outcome: None,
        kept: None,
    };
    match skip_reason(scenario, description) {
        Some(reason) => result.verdict = Verdict::Skipped(reason),
        None => match perform(scenario, provider, description, options) {
            Ok(run) => {
                result.verdict = verdict(scenario, description, &run.execution, options);
                result.outcome = Some(run.execution.outcome);
                result.kept = run.kept;
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

struct Run {
    execution: Execution,
    kept: Option<PathBuf>,
}

fn perform(
    scenario: &Scenario,
    provider: &dyn Provider,
    description: &Description,
    options: &CaseOptions,
) -> Result<Run, String> {
    let open = OpenOptions {
        scratch: options.scratch.clone(),
        keep: options.keep,
    };
    let engine = catch_unwind(AssertUnwindSafe(|| provider.open(&open)))
        .map_err(|_| "the engine panicked while it was opened".to_owned())?
        .map_err(|fault| format!("the engine cannot be opened: {fault}"))?;
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
    within(limit, &progress, work).ok_or_else(|| too_slow(scenario, limit, progress.begun()))
}

/// The engine cleans up as it is dropped, which is part of the time limit.
fn execute_and_drop(
    scenario: &Scenario,
    engine: Box<dyn Engine>,
    description: &Description,
    progress: &Progress,
) -> Run {
    let execution = execute_watched(scenario, engine.as_ref(), description, progress);
    let kept = engine.kept();
    drop(engine);
    Run { execution, kept }
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

fn verdict(
    scenario: &Scenario,
    description: &Description,
    execution: &Execution,
    options: &CaseOptions,
) -> Verdict {
    if execution.end != crate::run::End::Complete {
        return judge(scenario, execution, None);
    }
    let update = if meets_expectations(scenario, execution) {
        options.update
    } else {
        UpdateMode::Check
    };
    let text = text(&execution.outcome);
    let approval = approve(
        &options.snapshots,
        scenario,
        &description.name,
        &text,
        update,
    );
    judge(
        scenario,
        execution,
        Some(Judged {
            text: &text,
            approval: &approval,
        }),
    )
}
