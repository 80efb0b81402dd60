//! What is wrong with a scenario file, and where.

use std::fmt;
use std::path::PathBuf;

use super::Span;

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file, as it was named or found.
    pub file: PathBuf,
    /// Where in it; `None` when the file as a whole is at fault.
    pub at: Option<Span>,
    /// The line of the file that `at` names, without its end.
    pub line: Option<String>,
    /// What is wrong: a sentence fragment in lower case.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file.display(), self.message)
    }
}

/// Everything that is wrong, sorted by file and position. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.0 {
            writeln!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
