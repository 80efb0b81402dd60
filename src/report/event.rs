//! What reporters are told.

use std::io;
use std::time::Duration;

use super::{Rerun, case_name};
use crate::engine::Description;
use crate::scenario::Scenario;
use crate::verdict::{CaseResult, Verdict};

/// What a run is going to do.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Version of layerspec.
    pub version: String,
    /// The engines, as they describe themselves.
    pub engines: Vec<Description>,
    /// How many cases are to come, each engine counted.
    pub cases: usize,
}

/// A case that is finished, with what a report needs to speak of it.
#[derive(Clone, Debug)]
pub struct FinishedCase<'a> {
    /// The name of the test: its id, and `@engine` unless that is the default one.
    pub name: String,
    /// What ran.
    pub scenario: &'a Scenario,
    /// What came of it.
    pub result: &'a CaseResult,
    /// The rules that the scenario covers: id and statement, as far as the rule book knows them.
    pub rules: Vec<(&'a str, &'a str)>,
    /// The command that runs just this again.
    pub again: String,
    /// The command that accepts what this shows now.
    pub accept: String,
}

impl<'a> FinishedCase<'a> {
    /// Puts together what a report needs.
    pub fn new(
        scenario: &'a Scenario,
        result: &'a CaseResult,
        rules: Vec<(&'a str, &'a str)>,
        rerun: &Rerun,
    ) -> Self {
        Self {
            name: case_name(&result.id, &result.engine),
            scenario,
            result,
            rules,
            again: rerun.again(scenario, &result.engine),
            accept: rerun.accept(scenario, &result.engine),
        }
    }
}

/// How a run ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Cases as expected and approved.
    pub passed: usize,
    /// Cases that were not.
    pub failed: usize,
    /// Cases whose engine failed.
    pub errored: usize,
    /// Cases that were not run, by the reason.
    pub skipped: Vec<String>,
    /// Cases that were never started, since the run ended early.
    pub not_started: usize,
    /// What ended the run early: `SIGINT`.
    pub interrupted: Option<String>,
    /// Wall-clock time from start to end.
    pub duration: Duration,
}

impl Totals {
    /// Counts one more case.
    pub fn count(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::Failed(_) => self.failed += 1,
            Verdict::Errored(_) => self.errored += 1,
            Verdict::Skipped(reason) => self.skipped.push(reason.clone()),
        }
    }
}

/// Writes a run down as it goes. Cases come in the order of their ids, whatever order they finish in.
pub trait Reporter {
    /// The run starts.
    ///
    /// # Errors
    /// When the report cannot be written.
    fn started(&mut self, plan: &Plan) -> io::Result<()>;

    /// A case is finished.
    ///
    /// # Errors
    /// When the report cannot be written.
    fn finished(&mut self, case: &FinishedCase<'_>) -> io::Result<()>;

    /// The run is finished.
    ///
    /// # Errors
    /// When the report cannot be written.
    fn ended(&mut self, totals: &Totals) -> io::Result<()>;
}

/// Several reporters as one.
#[derive(Default)]
pub struct Reporters<'a>(pub Vec<Box<dyn Reporter + 'a>>);

impl Reporter for Reporters<'_> {
    fn started(&mut self, plan: &Plan) -> io::Result<()> {
        self.0
            .iter_mut()
            .try_for_each(|reporter| reporter.started(plan))
    }

    fn finished(&mut self, case: &FinishedCase<'_>) -> io::Result<()> {
        self.0
            .iter_mut()
            .try_for_each(|reporter| reporter.finished(case))
    }

    fn ended(&mut self, totals: &Totals) -> io::Result<()> {
        self.0
            .iter_mut()
            .try_for_each(|reporter| reporter.ended(totals))
    }
}
