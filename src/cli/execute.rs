//! Cases side by side: what `run`, `bless` and `compare` share.

use std::io;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::crew::Crew;
use super::error::{CommandError, UsageError};
use crate::engine::{Description, OpenOptions, Provider};
use crate::interrupt::Interrupt;
use crate::report::{FinishedCase, Plan, Reporter, Rerun, Totals};
use crate::schedule::{Flow, Limit, in_order};
use crate::scratch::Scratch;
use crate::snapshot::UpdateMode;
use crate::suite::{Case, Filter, Suite};
use crate::verdict::CaseResult;

/// An engine that can be used here.
pub(super) struct Found {
    /// Opens it.
    pub provider: Arc<dyn Provider>,
    /// What it said of itself.
    pub description: Arc<Description>,
}

/// One case on one engine.
pub(super) struct Job<'a> {
    /// What is run.
    pub case: &'a Case,
    /// On which.
    pub engine: &'a Found,
}

/// How cases are executed.
pub(super) struct Execution<'a> {
    /// Where the cases are from.
    pub suite: &'a Suite,
    /// The run's private directory.
    pub scratch: &'a Path,
    /// Leave what the engines made.
    pub keep: bool,
    /// What may be written to the snapshot folders.
    pub update: UpdateMode,
    /// How many cases run side by side.
    pub jobs: NonZeroUsize,
    /// The most that a case may take.
    pub timeout: Option<Duration>,
    /// Start nothing after the first failure.
    pub fail_fast: bool,
    /// How a case is run again.
    pub rerun: Rerun,
}

/// Watches for signals, then makes the run's private directory.
///
/// # Errors
/// That it cannot be made.
pub(super) fn make_scratch(base: Option<&Path>) -> Result<(Interrupt, Scratch), CommandError> {
    guarded(|| Scratch::new(base))
}

/// The same. `keep`: it is to stay when the run has ended.
///
/// # Errors
/// That it cannot be made.
pub(super) fn make_scratch_of_run(
    base: Option<&Path>,
    keep: bool,
) -> Result<(Interrupt, Scratch), CommandError> {
    guarded(|| {
        if keep {
            Scratch::to_keep(base)
        } else {
            Scratch::new(base)
        }
    })
}

fn guarded(
    make: impl FnOnce() -> io::Result<Scratch>,
) -> Result<(Interrupt, Scratch), CommandError> {
    let interrupt = Interrupt::watch()?;
    let scratch = make().map_err(|error| {
        let message = format!("cannot make a scratch directory: {error}");
        UsageError::new(message).help("--scratch names a directory that can be written")
    })?;
    interrupt.guard(scratch.path());
    Ok((interrupt, scratch))
}

/// Looks whether engines can be used.
///
/// # Errors
/// The first that cannot.
pub(super) fn probe(
    engines: &[Arc<dyn Provider>],
    scratch: &Path,
    keep: bool,
) -> Result<Vec<Found>, CommandError> {
    let options = OpenOptions {
        scratch: scratch.to_path_buf(),
        keep,
    };
    let found = |provider: &Arc<dyn Provider>| match provider.probe(&options) {
        Ok(description) => Ok(Found {
            provider: Arc::clone(provider),
            description: Arc::new(description),
        }),
        Err(absent) => Err(CommandError::Absent {
            name: provider.name().to_owned(),
            absent,
        }),
    };
    engines.iter().map(found).collect()
}

/// The selected cases on each of the engines, sorted by id, then in the order of the engines.
pub(super) fn select<'a>(suite: &'a Suite, filter: &Filter, engines: &'a [Found]) -> Vec<Job<'a>> {
    let mut jobs: Vec<(String, Job<'a>)> = Vec::new();
    for case in &suite.cases {
        let id = case.scenario.id();
        for engine in engines
            .iter()
            .filter(|engine| filter.selects(&id, engine.provider.name()))
        {
            jobs.push((id.clone(), Job { case, engine }));
        }
    }
    jobs.sort_by(|(a, _), (b, _)| a.cmp(b));
    jobs.into_iter().map(|(_, job)| job).collect()
}

impl Execution<'_> {
    /// Runs every job, tells the reporter in the order of the jobs, and counts.
    ///
    /// # Errors
    /// That the report cannot be written; no further case is then started.
    pub(super) fn run(
        &self,
        jobs: &[Job<'_>],
        interrupt: &Interrupt,
        reporter: &mut dyn Reporter,
    ) -> Result<Totals, CommandError> {
        let started = Instant::now();
        let mut engines: Vec<Description> = Vec::new();
        for job in jobs {
            if !engines
                .iter()
                .any(|known| known.name == job.engine.description.name)
            {
                engines.push(Description::clone(&job.engine.description));
            }
        }
        let version = env!("CARGO_PKG_VERSION").to_owned();
        reporter.started(&Plan {
            version,
            engines,
            cases: jobs.len(),
        })?;
        let mut totals = Totals {
            not_started: jobs.len(),
            ..Totals::default()
        };
        let mut written = Ok(());
        let crew = Arc::new(Crew::new(self, jobs, interrupt));
        let (boss, worker) = (Arc::clone(&crew), Arc::clone(&crew));
        let most = self.timeout.unwrap_or(Duration::MAX);
        let overdue: &dyn Fn(usize) -> _ = &|index| crew.overdue(index, most);
        let limit = self.timeout.map(|most| Limit { most, overdue });
        in_order(
            jobs.len(),
            self.jobs,
            move || boss.is_over(),
            move |index| worker.run(index),
            limit.as_ref(),
            |index, result| {
                let (Some(job), Some(result)) = (jobs.get(index), result) else {
                    return Flow::Continue;
                };
                totals.count(&result.verdict);
                totals.not_started -= 1;
                if written.is_ok() {
                    written = reporter.finished(&self.finished(job, &result));
                }
                if written.is_ok() {
                    Flow::Continue
                } else {
                    Flow::Stop
                }
            },
        );
        crew.leave();
        written?;
        totals.duration = started.elapsed();
        totals.interrupted = interrupt
            .signal()
            .map(|signal| Interrupt::name(signal).to_owned());
        reporter.ended(&totals)?;
        Ok(totals)
    }

    fn finished<'a>(&'a self, job: &'a Job<'_>, result: &'a CaseResult) -> FinishedCase<'a> {
        let Case { scenario, .. } = job.case;
        FinishedCase::new(scenario, result, self.suite.rules(job.case), &self.rerun)
    }
}
