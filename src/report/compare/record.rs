//! Collects what a run shows.

use std::collections::BTreeMap;
use std::io;

use crate::engine::Description;
use crate::outcome::{Outcome, StepOutcome, answer_words};
use crate::report::{FinishedCase, Plan, Reporter, Totals};
use crate::results::{Cell, Product, Results};
use crate::verdict::{Mark, Verdict, marks};

/// Collects results.
pub struct Recorder<'a> {
    results: &'a mut Results,
    engines: Vec<Description>,
}

impl<'a> Recorder<'a> {
    /// Collects into `results`, which may be empty.
    pub fn new(results: &'a mut Results) -> Self {
        Self {
            results,
            engines: Vec::new(),
        }
    }
}

impl Reporter for Recorder<'_> {
    fn started(&mut self, plan: &Plan) -> io::Result<()> {
        self.results.layerspec.clone_from(&plan.version);
        self.results.columns = plan.engines.iter().map(Product::from).collect();
        self.engines.clone_from(&plan.engines);
        Ok(())
    }

    fn finished(&mut self, case: &FinishedCase<'_>) -> io::Result<()> {
        let engine = &case.result.engine;
        let mut engines = self.engines.iter().enumerate();
        let found = engines.find(|(_, description)| description.name == *engine);
        let (column, description) =
            found.ok_or_else(|| io::Error::other(format!("no engine {engine}")))?;
        self.results.cells.push(cell(case, column, description));
        Ok(())
    }

    fn ended(&mut self, _: &Totals) -> io::Result<()> {
        Ok(())
    }
}

fn cell(case: &FinishedCase<'_>, column: usize, engine: &Description) -> Cell {
    let result = case.result;
    let differs = &case.scenario.differs;
    let name = engine.known_as(|name| differs.contains_key(name));
    let difference = name.and_then(|name| differs.get(&name));
    let marks = marks(result, difference);
    let has = |mark: Mark| marks.tree == mark || marks.persistence == mark;
    let known_bug = has(Mark::KnownBug);
    let (reason, failures) = match &result.verdict {
        Verdict::Skipped(why) | Verdict::Errored(why) => (Some(why.clone()), Vec::new()),
        Verdict::Passed => (None, Vec::new()),
        Verdict::Failed(failures) => (None, failures.clone()),
    };
    let excuse = difference.filter(|_| known_bug || has(Mark::Accepted));
    Cell {
        case: result.id.clone(),
        column,
        file: case.scenario.file.path.display().to_string(),
        title: case.scenario.title.clone(),
        marks,
        reason: reason.or_else(|| excuse.map(|it| it.why.clone())),
        bug: excuse.filter(|_| known_bug).and_then(|it| it.bug.clone()),
        failures,
        outcome: result.outcome.as_ref().map(crate::outcome::text),
        conditional: result.outcome.as_ref().map(conditional).unwrap_or_default(),
        duration_us: u64::try_from(result.duration.as_micros()).unwrap_or(u64::MAX),
        again: case.again.clone(),
    }
}

/// The answers that the text of an outcome leaves out.
fn conditional(outcome: &Outcome) -> BTreeMap<String, String> {
    let performed = |step: &StepOutcome| {
        let answer = step.answer.as_ref().filter(|_| step.conditional)?;
        Some((step.number.clone(), answer_words(answer)))
    };
    outcome.steps.iter().filter_map(performed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Halves;
    use crate::report::testing::{failures, finished, native, result, scenario};
    use crate::scenario::Difference;
    use crate::verdict::CaseResult;

    fn recorded(case: &crate::scenario::Scenario, result: &CaseResult) -> Cell {
        let mut results = Results::default();
        let mut recorder = Recorder::new(&mut results);
        let plan = Plan {
            version: "0.1.0".to_owned(),
            engines: vec![native()],
            cases: 1,
        };
        recorder.started(&plan).unwrap();
        recorder.finished(&finished(case, result)).unwrap();
        recorder.ended(&Totals::default()).unwrap();
        assert_eq!(results.columns[0].engine, "native");
        results.cells.remove(0)
    }

    #[test]
    fn a_cell_has_the_reason_that_belongs_to_its_marks() {
        let mut case = scenario("volumes/x", &[]);
        let difference = Difference {
            why: "it may".to_owned(),
            bug: Some("somewhere".to_owned()),
        };
        let passed = result(&case, Verdict::Passed);
        assert_eq!(recorded(&case, &passed).reason, None);
        case.differs.insert("native".to_owned(), difference);
        assert_eq!(recorded(&case, &passed).reason, None, "nothing is excused");
        let excused = CaseResult {
            excused: Halves {
                tree: false,
                persistence: true,
            },
            outcome: Some(Outcome::default()),
            ..passed
        };
        let cell = recorded(&case, &excused);
        assert_eq!(
            (cell.marks.tree, cell.marks.persistence),
            (Mark::Pass, Mark::KnownBug)
        );
        assert_eq!(
            (cell.reason.as_deref(), cell.bug.as_deref()),
            (Some("it may"), Some("somewhere"))
        );
        assert!(cell.outcome.unwrap().starts_with("steps\n"));
        assert_eq!(cell.duration_us, 1500);

        let skipped = recorded(
            &case,
            &result(&case, Verdict::Skipped("needs x".to_owned())),
        );
        assert_eq!(skipped.marks, Halves::both(Mark::Unsupported));
        assert_eq!(
            (skipped.reason.as_deref(), skipped.bug),
            (Some("needs x"), None)
        );
        let failed = recorded(&case, &result(&case, Verdict::Failed(failures())));
        assert_eq!((failed.failures.len(), failed.reason), (2, None));
        let mut late = result(&case, Verdict::Errored("too late".to_owned()));
        late.timed_out = true;
        assert_eq!(recorded(&case, &late).marks, Halves::both(Mark::TimeOut));
    }

    #[test]
    fn what_is_said_of_an_engine_holds_for_its_other_forms() {
        let mut case = scenario("volumes/x", &[]);
        case.differs
            .insert("podman".to_owned(), Difference::accepted("it may"));
        let mut results = Results::default();
        let mut recorder = Recorder::new(&mut results);
        let other = Description {
            name: "native".to_owned(),
            form_of: Some("podman".to_owned()),
            ..Description::default()
        };
        let plan = Plan {
            engines: vec![other],
            ..Plan::default()
        };
        recorder.started(&plan).unwrap();
        let result = CaseResult {
            excused: Halves::both(true),
            ..result(&case, Verdict::Passed)
        };
        recorder.finished(&finished(&case, &result)).unwrap();
        assert_eq!(results.cells[0].marks, Halves::both(Mark::Accepted));
        assert_eq!(results.cells[0].reason.as_deref(), Some("it may"));
    }

    #[test]
    fn an_engine_that_was_not_announced_is_a_fault() {
        let case = scenario("a", &[]);
        let mut results = Results::default();
        let mut recorder = Recorder::new(&mut results);
        let result = result(&case, Verdict::Passed);
        assert!(recorder.finished(&finished(&case, &result)).is_err());
    }
}
