//! Cases as trials.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::{Completion, Failed, Trial};

use super::names::{ENGINES, LOAD, ORPHANS};
use super::settings::Probed;
use crate::case::{CaseOptions, run_case, skip_reason};
use crate::engine::Description;
use crate::interrupt::Interrupt;
use crate::report::style::plain;
use crate::report::{self, FinishedCase, Rerun, case_name};
use crate::scenario::{Faults, Scenario};
use crate::snapshot::UpdateMode;
use crate::suite::{Case, Covers, Root, Suite, short};
use crate::verdict::Verdict;

/// What all trials share.
pub(super) struct Context {
    /// The scenarios.
    pub(super) loaded: Loaded,
    /// The engines.
    pub(super) engines: Vec<Probed>,
    /// The run's private directory.
    pub(super) scratch: PathBuf,
    /// What may be written to the snapshot folder.
    pub(super) update: UpdateMode,
    /// The most that a case may take.
    pub(super) timeout: Option<Duration>,
    /// Name of the test target.
    pub(super) target: String,
    /// Knows whether the run is to end early.
    pub(super) interrupt: Interrupt,
}

/// Scenarios, or what is wrong with them.
pub(super) struct Loaded {
    suite: Result<Suite, Faults>,
    /// The scenario folder, when all of it was loaded.
    root: Option<Root>,
}

impl Loaded {
    /// Loads a folder, or only one file of it.
    pub(super) fn new(scenarios: &Path, snapshots: &Path, only: Option<&Path>) -> Self {
        let (path, covers) = only.map_or((scenarios, Covers::Known), |file| (file, Covers::Any));
        let suite = Suite::load(&[path.to_path_buf()], Some(snapshots), covers);
        let root = only
            .is_none()
            .then(|| Root::new(scenarios, Some(snapshots)).ok())
            .flatten();
        Self { suite, root }
    }
}

/// The trials, sorted by name, and the names of those that are skipped with their reasons.
pub(super) fn trials(context: &Arc<Context>) -> (Vec<Trial>, Vec<(String, String)>) {
    let mut trials = watchers(context);
    let mut skips = Vec::new();
    let cases = context
        .loaded
        .suite
        .as_ref()
        .map_or(&[][..], |suite| suite.cases.as_slice());
    for (engine_index, engine) in context.engines.iter().enumerate() {
        for (case_index, case) in cases.iter().enumerate() {
            let reason = match &engine.found {
                Ok(description) => skip_reason(&case.scenario, description),
                // `layerspec::engines` says so once for all.
                Err(_) if engine.insisted => continue,
                Err(absent) => Some(format!("{absent}; to enable it, {}", absent.remedy)),
            };
            let name = case_name(&case.scenario.id(), engine.provider.name());
            let context = Arc::clone(context);
            let trial =
                Trial::ignorable_test(name.clone(), move || context.run(case_index, engine_index));
            trials.push(trial.with_ignored_flag(reason.is_some()));
            skips.extend(reason.map(|reason| (name, reason)));
        }
    }
    trials.sort_by(|a, b| a.name().cmp(b.name()));
    skips.sort();
    (trials, skips)
}

/// The trials that watch over the whole.
fn watchers(context: &Arc<Context>) -> Vec<Trial> {
    let loaded = Arc::clone(context);
    let mut trials = vec![Trial::test(LOAD, move || match &loaded.loaded.suite {
        Ok(suite) if suite.cases.is_empty() => Err(Failed::from("there is no scenario")),
        Ok(_) => Ok(()),
        Err(faults) => Err(Failed::from(plain(&report::faults(faults)))),
    })];
    if context.loaded.suite.is_ok() && context.loaded.root.is_some() {
        let context = Arc::clone(context);
        trials.push(Trial::test(ORPHANS, move || context.orphans()));
    }
    if context.engines.iter().any(|engine| engine.insisted) {
        let context = Arc::clone(context);
        trials.push(Trial::test(ENGINES, move || context.absent_engines()));
    }
    trials
}

impl Context {
    /// Runs one case on one engine.
    fn run(&self, case: usize, engine: usize) -> Result<Completion, Failed> {
        let suite = self.loaded.suite.as_ref().map_err(Faults::to_string)?;
        let (Some(case), Some(engine)) = (suite.cases.get(case), self.engines.get(engine)) else {
            return Err(Failed::from("no such case"));
        };
        if let Some(signal) = self.interrupt.signal() {
            return Ok(Completion::ignored_with(Interrupt::name(signal)));
        }
        match &engine.found {
            Ok(description) => self.judge(suite, case, engine, description),
            // Ignored trials are run when `--include-ignored` says so.
            Err(absent) => Ok(Completion::ignored_with(absent)),
        }
    }

    fn judge(
        &self,
        suite: &Suite,
        case: &Case,
        engine: &Probed,
        description: &Description,
    ) -> Result<Completion, Failed> {
        let options = CaseOptions {
            scratch: self.scratch.clone(),
            keep: false,
            snapshots: suite.snapshots(case),
            update: self.update,
            timeout: self.timeout,
        };
        let run = || run_case(&case.scenario, &*engine.provider, description, &options);
        let result = catch_unwind(AssertUnwindSafe(run))
            .map_err(|_| Failed::from("layerspec itself panicked; see standard error"))?;
        match &result.verdict {
            Verdict::Passed => Ok(Completion::Completed),
            Verdict::Skipped(reason) => Ok(Completion::ignored_with(reason)),
            Verdict::Failed(_) | Verdict::Errored(_) => {
                let rerun = Rerun::Trial {
                    target: self.target.clone(),
                    insisted: engine.insisted,
                };
                let rules = suite.rules(case);
                let finished = FinishedCase::new(&case.scenario, &result, rules, &rerun);
                Err(Failed::from(plain(&report::block(&finished, false))))
            }
        }
    }

    /// Fails when a snapshot belongs to no case.
    fn orphans(&self) -> Result<(), Failed> {
        let (Ok(suite), Some(root)) = (&self.loaded.suite, &self.loaded.root) else {
            return Ok(());
        };
        let cases: Vec<Scenario> = suite
            .cases
            .iter()
            .map(|case| Scenario::clone(&case.scenario))
            .collect();
        let leftovers = root
            .leftovers(&cases)
            .map_err(|error| format!("{}: {error}", root.snapshots.display()))?;
        let mut text = String::new();
        for leftover in &leftovers {
            let _ = writeln!(
                text,
                "{}: {}",
                short(&leftover.path).display(),
                leftover.reason
            );
        }
        if text.is_empty() {
            Ok(())
        } else {
            Err(Failed::from(text))
        }
    }

    /// Fails when an engine that was asked for cannot be used.
    fn absent_engines(&self) -> Result<(), Failed> {
        let mut text = String::new();
        for engine in &self.engines {
            if let Err(absent) = &engine.found {
                let name = engine.provider.name();
                let _ = writeln!(text, "engine `{name}` is not available: {absent}");
                let _ = writeln!(text, "  help: {}", absent.remedy);
            }
        }
        if text.is_empty() {
            Ok(())
        } else {
            Err(Failed::from(text))
        }
    }
}
