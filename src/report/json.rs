//! JSON Lines, for programs. One object a line; `event` tells which.
//!
//! | `event` | when | fields |
//! |---|---|---|
//! | `run` | first | `layerspec`: version; `engines`: each one's description; `cases`: how many are to come |
//! | `case` | once a case and engine, in order of ids | `id`; `name`: the id, and `@engine` unless that is the default one; `engine`; `file`; `title`; `parameters`: of the case; `covers`: ids of rules; `verdict`: `passed`, `failed`, `skipped` or `errored`; `reason`: of the last two; `duration_ms`; `failures`; `outcome`: the text that a snapshot holds; `rerun`: a shell command; `kept`: a directory |
//! | `totals` | last | `passed`, `failed`, `errored`, `skipped`, `not_started`: how many; `interrupted`: the signal that ended the run early; `duration_ms` |
//!
//! A failure has `headline`, `at` (`file`, `line`, `column`, from 1), `expected`, `actual`, `details` (lines),
//! `diff` (unified, of the snapshot). What does not apply is absent. A reader has to skip fields and
//! events that it does not know.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use super::{FinishedCase, Plan, Reporter, Totals};
use crate::engine::Description;
use crate::outcome;
use crate::verdict::{Excerpt, Failure, Verdict};

/// Writes JSON Lines.
pub struct Json<W: Write> {
    out: W,
}

impl<W: Write> Json<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out }
    }

    fn line(&mut self, event: &Event<'_>) -> io::Result<()> {
        let mut line = serde_json::to_string(event)?;
        line.push('\n');
        self.out.write_all(line.as_bytes())?;
        self.out.flush()
    }
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Event<'a> {
    Run(Run<'a>),
    Case(Box<Case<'a>>),
    Totals(End<'a>),
}

#[derive(Serialize)]
struct Run<'a> {
    layerspec: &'a str,
    engines: &'a [Description],
    cases: usize,
}

#[derive(Serialize)]
struct Case<'a> {
    id: &'a str,
    name: &'a str,
    engine: &'a str,
    file: String,
    title: &'a str,
    parameters: BTreeMap<&'a str, &'a str>,
    covers: &'a [String],
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    duration_ms: f64,
    failures: Vec<Wrong<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
    rerun: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kept: Option<String>,
}

#[derive(Serialize)]
struct Wrong<'a> {
    headline: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<At>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actual: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    details: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<&'a str>,
}

#[derive(Serialize)]
struct At {
    file: String,
    line: usize,
    column: usize,
}

#[derive(Serialize)]
struct End<'a> {
    passed: usize,
    failed: usize,
    errored: usize,
    skipped: usize,
    not_started: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    interrupted: Option<&'a str>,
    duration_ms: f64,
}

impl<W: Write> Reporter for Json<W> {
    fn started(&mut self, plan: &Plan) -> io::Result<()> {
        self.line(&Event::Run(Run {
            layerspec: &plan.version,
            engines: &plan.engines,
            cases: plan.cases,
        }))
    }

    fn finished(&mut self, case: &FinishedCase<'_>) -> io::Result<()> {
        let (verdict, reason, failures) = match &case.result.verdict {
            Verdict::Passed => ("passed", None, &[][..]),
            Verdict::Failed(failures) => ("failed", None, failures.as_slice()),
            Verdict::Skipped(reason) => ("skipped", Some(reason.as_str()), &[][..]),
            Verdict::Errored(reason) => ("errored", Some(reason.as_str()), &[][..]),
        };
        let pair = |(key, value): &'_ (String, String)| (key.clone(), value.clone());
        let parameters: Vec<(String, String)> = case.scenario.case.iter().map(pair).collect();
        self.line(&Event::Case(Box::new(Case {
            id: &case.result.id,
            name: &case.name,
            engine: &case.result.engine,
            file: case.scenario.file.path.display().to_string(),
            title: &case.scenario.title,
            parameters: parameters
                .iter()
                .map(|(k, v)| (k.as_str(), v.as_str()))
                .collect(),
            covers: &case.scenario.covers,
            verdict,
            reason,
            duration_ms: milliseconds(case.result.duration),
            failures: failures.iter().map(wrong).collect(),
            outcome: case.result.outcome.as_ref().map(outcome::text),
            rerun: &case.again,
            kept: case
                .result
                .kept
                .as_ref()
                .map(|path| path.display().to_string()),
        })))
    }

    fn ended(&mut self, totals: &Totals) -> io::Result<()> {
        self.line(&Event::Totals(End {
            passed: totals.passed,
            failed: totals.failed,
            errored: totals.errored,
            skipped: totals.skipped.len(),
            not_started: totals.not_started,
            interrupted: totals.interrupted.as_deref(),
            duration_ms: milliseconds(totals.duration),
        }))
    }
}

fn wrong(failure: &Failure) -> Wrong<'_> {
    let place = |at: &Excerpt| At {
        file: at.path.display().to_string(),
        line: at.line,
        column: at.column,
    };
    Wrong {
        headline: &failure.headline,
        at: failure.at.as_ref().map(place),
        expected: failure.expected.as_deref(),
        actual: failure.actual.as_deref(),
        details: &failure.details,
        diff: failure.text_diff.as_deref(),
    }
}

/// Milliseconds with three decimals.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::{failures, finished, native, result, scenario};

    #[test]
    fn a_header_a_line_a_case_and_totals() {
        let mut out = Vec::new();
        let mut json = Json::new(&mut out);
        let plan = Plan {
            version: "0.1.0".to_owned(),
            engines: vec![native()],
            cases: 3,
        };
        json.started(&plan).unwrap();
        let scenario = scenario("volumes/readonly", &[("access", "ro")]);
        let mut totals = Totals {
            duration: Duration::from_millis(12),
            ..Totals::default()
        };
        for verdict in [
            Verdict::Passed,
            Verdict::Failed(failures()),
            Verdict::Skipped("needs devices".to_owned()),
        ] {
            let result = result(&scenario, verdict);
            totals.count(&result.verdict);
            json.finished(&finished(&scenario, &result)).unwrap();
        }
        json.ended(&totals).unwrap();
        let case = r#""id":"volumes/readonly[access=ro]","name":"volumes/readonly[access=ro]","engine":"native","file":"scenarios/volumes/readonly.yaml","title":"Nothing is written through a read-only mount","parameters":{"access":"ro"},"covers":["notes/S14"]"#;
        let rerun = r#""rerun":"layerspec run scenarios/volumes/readonly.yaml --filter 'volumes/readonly[access=ro]'""#;
        let expected = [
            r#"{"event":"run","layerspec":"0.1.0","engines":[{"name":"native","version":"0.1.0","kernel":"6.1.0","driver":"union","file_system":"ext4","capabilities":[]}],"cases":3}"#.to_owned(),
            format!(r#"{{"event":"case",{case},"verdict":"passed","duration_ms":1.5,"failures":[],{rerun}}}"#),
            format!(r#"{{"event":"case",{case},"verdict":"failed","duration_ms":1.5,"failures":[{{"headline":"step 3 in first: write /data/x: succeeded, but a refusal was expected","at":{{"file":"scenarios/volumes/readonly.yaml","line":14,"column":15}},"expected":"EROFS","actual":"success"}},{{"headline":"the outcome differs from the approved one","details":["merged tree of first","  + /data/x  file 0644"],"diff":"@@ -1,1 +1,2 @@\n a\n+b\n"}}],{rerun}}}"#),
            format!(r#"{{"event":"case",{case},"verdict":"skipped","reason":"needs devices","duration_ms":1.5,"failures":[],{rerun}}}"#),
            r#"{"event":"totals","passed":1,"failed":1,"errored":0,"skipped":1,"not_started":0,"duration_ms":12.0}"#.to_owned(),
        ];
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines, expected);
    }
}
