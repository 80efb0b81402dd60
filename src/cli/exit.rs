//! Exit codes, so that a script can tell what happened.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | every case that ran passed; or the command did what it was told |
//! | 1 | a case failed; or `check`, `bless`, `coverage` found something to tidy up |
//! | 2 | the command line, a scenario file or another file is at fault; nothing was judged |
//! | 3 | an engine is missing, or broke while it ran |
//! | 4 | nothing was selected: no scenario file, or no case passed the filter |
//! | 129, 130, 143 | ended early by SIGHUP, SIGINT, SIGTERM (128 and the signal's number, as shells count) |
//! | 141 | nobody reads the output any more (`layerspec run \| head`), as if ended by SIGPIPE |

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Passed,
    /// A case failed.
    Failed,
    /// A bad scenario file, or a bad command line.
    Faulty,
    /// An engine is missing or broke.
    Engine,
    /// Nothing was selected.
    Nothing,
    /// Ended early by this signal.
    Signal(i32),
    /// Nobody reads the output.
    ClosedPipe,
}

impl Exit {
    /// The number that the parent process sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Failed => 1,
            Self::Faulty => 2,
            Self::Engine => 3,
            Self::Nothing => 4,
            Self::Signal(signal) => u8::try_from(signal).map_or(u8::MAX, |n| n.saturating_add(128)),
            Self::ClosedPipe => 141,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_table() {
        let table = include_str!("exit.rs");
        for (exit, row) in [
            (Exit::Passed, "| 0 |"),
            (Exit::Failed, "| 1 |"),
            (Exit::Faulty, "| 2 |"),
            (Exit::Engine, "| 3 |"),
            (Exit::Nothing, "| 4 |"),
            (Exit::Signal(2), "130"),
            (Exit::Signal(15), "143"),
            (Exit::Signal(1), "| 129"),
            (Exit::ClosedPipe, "| 141 |"),
        ] {
            assert!(table.contains(row), "{row}");
            assert!(
                row.contains(&exit.code().to_string()),
                "{exit:?} is {}",
                exit.code()
            );
        }
    }
}
