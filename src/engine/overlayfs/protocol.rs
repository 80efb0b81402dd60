//! What is said to the engine's process and back.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::engine::{Absent, Answer, Description, Operation, World};

/// The name by which the engine is chosen.
pub(super) const NAME: &str = "overlayfs";

/// To the engine's process.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Ask {
    /// What can be done here?
    Probe {
        /// Options of the mounts, in the kernel's words.
        mount: String,
    },
    /// Open the engine.
    Open {
        /// As of a probe.
        mount: String,
        /// Leave the private directory behind.
        keep: bool,
    },
    /// One operation.
    Perform(Box<Operation>),
    /// A look at everything.
    Observe,
    /// End the engine and remove what it made.
    Close,
}

/// Back. What the engine could not do comes as the reply's error.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Given {
    /// The engine can be opened here.
    Here(Description),
    /// It cannot.
    Absent {
        /// Why.
        reason: String,
        /// What would enable it.
        remedy: String,
    },
    /// Open; where its directory is if it is to be kept.
    Opened(Option<PathBuf>),
    /// The answer to an operation.
    Answer(Box<Answer>),
    /// What there is.
    World(Box<World>),
    /// Closed: the next one can be opened.
    Closed,
}

impl From<Absent> for Given {
    fn from(absent: Absent) -> Self {
        let Absent { reason, remedy } = absent;
        Self::Absent { reason, remedy }
    }
}
