//! One case on one engine, from opening the engine to the verdict: what `run`, `bless` and the
//! `cargo test` harness share.

use std::path::PathBuf;
use std::time::Duration;

use crate::engine::{Description, Provider};
use crate::scenario::Scenario;
use crate::snapshot::UpdateMode;
use crate::verdict::{CaseResult, Verdict};

/// How cases are run.
#[derive(Clone, Debug)]
pub struct CaseOptions {
    /// An existing directory under which engines make their private ones.
    pub scratch: PathBuf,
    /// Leave the private directories behind.
    pub keep: bool,
    /// The snapshot folder, absolute.
    pub snapshots: PathBuf,
    /// What may be written there.
    pub update: UpdateMode,
    /// The most that a case may take, from the first operation to the last look; `None`: for ever, on the calling thread.
    pub timeout: Option<Duration>,
}

/// Why this engine cannot run this case, if it cannot: a capability that it lacks. Known before the
/// run, so that a harness can flag the trial as ignored.
pub fn skip_reason(scenario: &Scenario, description: &Description) -> Option<String> {
    let _ = (scenario, description);
    None
}

/// Opens an engine, executes the case, observes, compares with the snapshot, judges, cleans up.
///
/// `description` is what [`Provider::probe`] gave once for all cases: asking a daemon costs more than
/// a case does.
pub fn run_case(
    scenario: &Scenario,
    provider: &dyn Provider,
    description: &Description,
    options: &CaseOptions,
) -> CaseResult {
    let _ = (description, options);
    CaseResult {
        id: scenario.id(),
        engine: provider.name().to_owned(),
        verdict: Verdict::Errored("not built yet".to_owned()),
        duration: Duration::ZERO,
        outcome: None,
        kept: None,
    }
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
