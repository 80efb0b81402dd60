//! What can keep a command from doing its work.

use std::fmt;
use std::io;

use super::exit::Exit;
use crate::engine::Absent;
use crate::scenario::Faults;

/// Something on the command line, in the environment or about a file that cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UsageError {
    message: String,
    help: Option<String>,
}

impl UsageError {
    /// The message is a fragment that fits after `error: `.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.help
            .as_ref()
            .map_or(Ok(()), |help| write!(f, "\n  help: {help}"))
    }
}

impl std::error::Error for UsageError {}

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommandError {
    /// The command line or a file is wrong.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// Scenario files are wrong.
    #[error(transparent)]
    Faults(#[from] Faults),
    /// An engine cannot be used here.
    #[error("engine `{name}` is not available: {absent}\n  help: {}", absent.remedy)]
    Absent {
        /// Its name.
        name: String,
        /// Why, and what would enable it.
        absent: Absent,
    },
    /// Standard output cannot be written.
    #[error("output: {0}")]
    Output(#[from] io::Error),
}

impl CommandError {
    /// The exit code that tells it.
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Absent { .. } => Exit::Engine,
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::ClosedPipe,
            Self::Usage(_) | Self::Faults(_) | Self::Output(_) => Exit::Faulty,
        }
    }
}
