//! Made-up cases for the tests of the reports.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::FinishedCase;
use crate::engine::Description;
use crate::outcome::Halves;
use crate::scenario::{Scenario, SourceFile};
use crate::verdict::{Against, CaseResult, Excerpt, Failure, Verdict};

/// A scenario that does nothing.
pub(crate) fn scenario(stem: &str, case: &[(&str, &str)]) -> Scenario {
    Scenario {
        file: Arc::new(SourceFile {
            path: PathBuf::from(format!("scenarios/{stem}.yaml")),
            text: String::new(),
        }),
        stem: stem.to_owned(),
        case: case
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        title: "Nothing is written through a read-only mount".to_owned(),
        about: None,
        covers: vec!["notes/S14".to_owned()],
        requires: Vec::new(),
        differs: BTreeMap::new(),
        images: Vec::new(),
        host: crate::engine::Tree::default(),
        volumes: Vec::new(),
        steps: Vec::new(),
    }
}

/// What came of a scenario on the default engine, after a millisecond and a half.
pub(crate) fn result(scenario: &Scenario, verdict: Verdict) -> CaseResult {
    CaseResult {
        id: scenario.id(),
        engine: "native".to_owned(),
        verdict,
        duration: Duration::from_micros(1500),
        outcome: None,
        excused: Halves::default(),
        timed_out: false,
        kept: None,
    }
}

/// A finished case as the tool would tell of it.
pub(crate) fn finished<'a>(scenario: &'a Scenario, result: &'a CaseResult) -> FinishedCase<'a> {
    let rules = vec![("notes/S14", "A read-only mount refuses every write.")];
    FinishedCase::new(
        scenario,
        result,
        rules,
        &super::Rerun::Tool {
            program: "layerspec",
            snapshots: None,
        },
    )
}

/// An expectation that was not met, and a snapshot that differs.
pub(crate) fn failures() -> Vec<Failure> {
    vec![
        Failure {
            against: Against::Expectation,
            headline: "step 3 in first: write /data/x: succeeded, but a refusal was expected"
                .to_owned(),
            at: Some(Excerpt {
                path: PathBuf::from("scenarios/volumes/readonly.yaml"),
                line: 14,
                column: 15,
                lines: vec![
                    (13, "    - write: {/data/x: \"1\"}".to_owned()),
                    (14, "      expect: {error: EROFS}".to_owned()),
                ],
            }),
            expected: Some("EROFS".to_owned()),
            actual: Some("success".to_owned()),
            details: Vec::new(),
            text_diff: None,
        },
        Failure {
            against: Against::Approved(Halves::both(true)),
            headline: "the outcome differs from the approved one".to_owned(),
            details: vec![
                "merged tree of first".to_owned(),
                "  + /data/x  file 0644".to_owned(),
            ],
            text_diff: Some("@@ -1,1 +1,2 @@\n a\n+b\n".to_owned()),
            ..Failure::default()
        },
    ]
}

/// The description of the default engine.
pub(crate) fn native() -> Description {
    Description {
        name: "native".to_owned(),
        version: "0.1.0".to_owned(),
        kernel: "6.1.0".to_owned(),
        driver: "union".to_owned(),
        file_system: "ext4".to_owned(),
        ..Description::default()
    }
}
