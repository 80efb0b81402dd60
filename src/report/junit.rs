//! JUnit XML, for build servers: one suite an engine, one test a case. Written when the run ends.

use std::collections::BTreeMap;
use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::style::plain;
use super::{FinishedCase, Plan, Reporter, Totals, block};
use crate::verdict::Verdict;

/// Writes JUnit XML.
pub struct Junit<W: Write> {
    out: W,
    suites: BTreeMap<String, TestSuite>,
}

impl<W: Write> Junit<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self {
            out,
            suites: BTreeMap::new(),
        }
    }
}

impl<W: Write> Reporter for Junit<W> {
    fn started(&mut self, plan: &Plan) -> io::Result<()> {
        for engine in &plan.engines {
            let mut suite = TestSuite::new(&engine.name);
            for (name, value) in [
                ("layerspec", &plan.version),
                ("version", &engine.version),
                ("kernel", &engine.kernel),
                ("driver", &engine.driver),
                ("file system", &engine.file_system),
            ] {
                suite.add_property((name, value.as_str()));
            }
            drop(self.suites.insert(engine.name.clone(), suite));
        }
        Ok(())
    }

    fn finished(&mut self, case: &FinishedCase<'_>) -> io::Result<()> {
        let suite = self
            .suites
            .entry(case.result.engine.clone())
            .or_insert_with(|| TestSuite::new(&case.result.engine));
        suite.add_test_case(test_case(case));
        Ok(())
    }

    fn ended(&mut self, totals: &Totals) -> io::Result<()> {
        let mut report = Report::new("layerspec");
        report.set_time(totals.duration);
        for (_, mut suite) in std::mem::take(&mut self.suites) {
            let time = suite.test_cases.iter().filter_map(|case| case.time).sum();
            suite.set_time(time);
            report.add_test_suite(suite);
        }
        report.serialize(&mut self.out).map_err(io::Error::other)?;
        self.out.flush()
    }
}

fn test_case(case: &FinishedCase<'_>) -> TestCase {
    let status = match &case.result.verdict {
        Verdict::Passed => TestCaseStatus::success(),
        Verdict::Skipped(reason) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(reason);
            status
        }
        Verdict::Failed(failures) => {
            let headlines: Vec<&str> = failures.iter().map(|f| f.headline.as_str()).collect();
            wrong(
                NonSuccessKind::Failure,
                &headlines.join("; "),
                "expectation",
                case,
            )
        }
        Verdict::Errored(reason) => wrong(NonSuccessKind::Error, reason, "engine", case),
    };
    let mut test = TestCase::new(case.result.id.as_str(), status);
    // Build servers group by class name, with dots between the levels.
    let folder = case
        .scenario
        .stem
        .rsplit_once('/')
        .map_or("", |(folder, _)| folder);
    let class = [case.result.engine.as_str(), folder]
        .join(".")
        .replace('/', ".");
    test.set_classname(class.trim_end_matches('.'));
    test.set_time(case.result.duration);
    test.extra.insert(
        "file".into(),
        case.scenario.file.path.display().to_string().into(),
    );
    test
}

fn wrong(
    kind: NonSuccessKind,
    message: &str,
    what: &str,
    case: &FinishedCase<'_>,
) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status
        .set_message(message)
        .set_type(what)
        .set_description(plain(&block(case, false)));
    status
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::report::testing::{failures, finished, native, result, scenario};

    #[test]
    fn one_suite_an_engine_one_test_a_case() {
        let mut out = Vec::new();
        let mut junit = Junit::new(&mut out);
        let plan = Plan {
            version: "0.1.0".to_owned(),
            engines: vec![native()],
            cases: 4,
        };
        junit.started(&plan).unwrap();
        let scenario = scenario("volumes/readonly", &[("access", "ro")]);
        let mut totals = Totals {
            duration: Duration::from_millis(12),
            ..Totals::default()
        };
        for verdict in [
            Verdict::Passed,
            Verdict::Failed(failures().into_iter().skip(1).collect()),
            Verdict::Skipped("needs devices".to_owned()),
            Verdict::Errored("a \u{1b}[1m & a \u{0}".to_owned()),
        ] {
            let result = result(&scenario, verdict);
            totals.count(&result.verdict);
            junit.finished(&finished(&scenario, &result)).unwrap();
        }
        junit.ended(&totals).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, include_str!("junit.xml"));
    }
}
