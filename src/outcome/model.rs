//! What was seen when a scenario ran, as data. Its text form is what a snapshot holds.

use crate::engine::{Answer, ContainerSeen, Seen, VolumeSeen};

/// Everything that a run of one case showed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Steps in order of their numbers, up to the one that ended the scenario.
    pub steps: Vec<StepOutcome>,
    /// Containers that exist at the end, with their merged trees.
    pub containers: Vec<(ContainerSeen, Vec<Seen>)>,
    /// Volumes that exist at the end, with their content.
    pub volumes: Vec<(VolumeSeen, Vec<Seen>)>,
    /// The host directory at the end.
    pub host: Vec<Seen>,
    /// Names of images at the end.
    pub images: Vec<String>,
    /// What became of everything that the scenario wrote.
    pub persistence: Vec<LedgerLine>,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct StepOutcome {
    /// As in the scenario.
    pub number: String,
    /// The step in one line, in Docker's words: `in first: write /data/rows`.
    pub words: String,
    /// What came back; `None` when its `when:` excluded it.
    pub answer: Option<Answer>,
    /// Whether it has a `when:`. Its answer is then left out of the text, which has to be the same
    /// on engines that perform the step and on those that do not.
    pub conditional: bool,
    /// What the engine's program wrote on its standard error meanwhile. Never part of the text.
    pub complaint: Option<String>,
}

/// What became of one thing that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerLine {
    /// Number of the step that wrote it last.
    pub step: String,
    /// What, as the writer named it: `first:/data/rows`.
    pub what: String,
    /// Whether it is still there, established by looking.
    pub fate: Fate,
}

/// Kept or lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Still there.
    Kept {
        /// Where: `in volume store`.
        place: String,
        /// Who sees it at the end, and at which path.
        seen_by: Vec<(String, String)>,
    },
    /// Not there.
    Lost {
        /// What took it: `with the writable layer of first, removed at step 4`.
        cause: String,
    },
}
