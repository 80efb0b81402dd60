//! Those who run cases, each on a thread that may have to be left behind: so nothing here is borrowed.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::execute::{Execution, Job};
use crate::case::{CaseOptions, Watch, overdue, run_watched};
use crate::engine::{Description, Provider};
use crate::farewell;
use crate::interrupt::Interrupt;
use crate::outcome::Halves;
use crate::scenario::Scenario;
use crate::verdict::{CaseResult, Verdict};

/// What the threads share.
pub(super) struct Crew {
    tasks: Vec<Task>,
    fail_fast: bool,
    failed: AtomicBool,
    /// Somebody was left behind.
    left: AtomicBool,
    interrupt: Interrupt,
    /// Cases that are under way.
    watches: Mutex<BTreeMap<usize, Arc<Watch>>>,
}

/// A [`Job`] that is nobody else's.
struct Task {
    scenario: Arc<Scenario>,
    provider: Arc<dyn Provider>,
    description: Arc<Description>,
    options: CaseOptions,
}

impl Crew {
    pub(super) fn new(execution: &Execution<'_>, jobs: &[Job<'_>], interrupt: &Interrupt) -> Self {
        let task = |job: &Job<'_>| Task {
            scenario: Arc::clone(&job.case.scenario),
            provider: Arc::clone(&job.engine.provider),
            description: Arc::clone(&job.engine.description),
            options: CaseOptions {
                scratch: execution.scratch.to_path_buf(),
                keep: execution.keep,
                snapshots: execution.suite.snapshots(job.case),
                update: execution.update,
                // Whoever tells the results holds it.
                timeout: None,
            },
        };
        Self {
            tasks: jobs.iter().map(task).collect(),
            fail_fast: execution.fail_fast,
            failed: AtomicBool::new(false),
            left: AtomicBool::new(false),
            interrupt: interrupt.clone(),
            watches: Mutex::default(),
        }
    }

    /// Whether no further case is to be started.
    pub(super) fn is_over(&self) -> bool {
        self.interrupt.signal().is_some() || (self.fail_fast && self.failed.load(Ordering::SeqCst))
    }

    /// Runs a case.
    pub(super) fn run(&self, index: usize) -> Option<CaseResult> {
        let watch = Arc::new(Watch::default());
        self.watches().insert(index, Arc::clone(&watch));
        let result = self.tasks.get(index)?.run(&watch);
        self.watches().remove(&index);
        self.note(&result);
        Some(result)
    }

    /// What is told of a case that has taken longer than `limit`.
    pub(super) fn overdue(&self, index: usize, limit: Duration) -> Option<CaseResult> {
        self.left.store(true, Ordering::SeqCst);
        let watch = self.watches().remove(&index).unwrap_or_default();
        let Task {
            scenario,
            description,
            ..
        } = self.tasks.get(index)?;
        let result = overdue(scenario, description, limit, &watch);
        self.note(&result);
        Some(result)
    }

    /// When everything was told. A case that hangs holds its engine's provider for ever, so what that would tidy up at
    /// its end is done as for a run that dies.
    pub(super) fn leave(&self) {
        if self.left.load(Ordering::SeqCst) {
            farewell::say();
        }
    }

    fn note(&self, result: &CaseResult) {
        if matches!(result.verdict, Verdict::Failed(_) | Verdict::Errored(_)) {
            self.failed.store(true, Ordering::SeqCst);
        }
    }

    fn watches(&self) -> MutexGuard<'_, BTreeMap<usize, Arc<Watch>>> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Task {
    fn run(&self, watch: &Watch) -> CaseResult {
        let Self {
            scenario,
            provider,
            description,
            options,
        } = self;
        let run = || run_watched(scenario, &**provider, description, options, watch);
        // A fault of ours must not take the other cases with it.
        catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| CaseResult {
            id: scenario.id(),
            engine: provider.name().to_owned(),
            verdict: Verdict::Errored("layerspec itself panicked; see standard error".to_owned()),
            duration: Duration::ZERO,
            outcome: None,
            excused: Halves::default(),
            timed_out: false,
            kept: None,
        })
    }
}
