//! Verdicts as data.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::outcome::{Halves, Outcome};

/// One case on one engine.
#[derive(Clone, Debug)]
pub struct CaseResult {
    /// The test's id: `volumes/readonly[access=ro]`.
    pub id: String,
    /// The engine's name.
    pub engine: String,
    /// What it is worth.
    pub verdict: Verdict,
    /// From opening the engine to the verdict.
    pub duration: Duration,
    /// What was seen; `None` when nothing was run.
    pub outcome: Option<Outcome>,
    /// Where the outcome is not the common one but the approved variant of this engine.
    pub excused: Halves<bool>,
    /// Whether the engine failed by being too slow.
    pub timed_out: bool,
    /// Where the engine's private directory is, when it was asked to be kept.
    pub kept: Option<PathBuf>,
}

/// What the reason of a case begins with that was skipped because of an operation, before a colon.
pub const UNSUPPORTED: &str = "not supported";

/// What a case is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As expected and as approved.
    Passed,
    /// Everything that is not, in order of the steps, differences from the snapshot last.
    Failed(Vec<Failure>),
    /// Not run, or not to its end, because the engine cannot show it, and why: a capability that it lacks, which is
    /// known before, or an operation that it turned out not to support. What was run until then was as expected.
    Skipped(String),
    /// The engine failed, so nothing can be said, and why.
    Errored(String),
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// What it speaks against.
    pub against: Against,
    /// One line: `step 3 in first: read /data/rows: other content than expected`.
    pub headline: String,
    /// The expectation or step in the scenario file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Excerpt>,
    /// What should be, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What is, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
    /// More lines: differences in terms of storage, what to do about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// Unified diff of the approved text and the actual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_diff: Option<String>,
}

/// What a failure speaks against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Against {
    /// An expectation of a step.
    #[default]
    Expectation,
    /// That a step is performed. The scenario ended there, so that nothing is known of what
    /// persists.
    Performing,
    /// The approved outcome, in these halves.
    Approved(Halves<bool>),
    /// Nothing: there is no approved outcome yet.
    Nothing,
}

/// A place in a scenario file with the lines around it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Excerpt {
    /// The file, as it was named or found.
    #[serde(serialize_with = "lossy")]
    pub path: PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Numbered lines, that of the place among them.
    pub lines: Vec<(usize, String)>,
}

/// A path as text, also one that is none.
fn lossy<S: serde::Serializer>(path: &std::path::Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}
