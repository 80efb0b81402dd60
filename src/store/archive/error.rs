//! What is wrong with an archive, and where.

use std::fmt;

use crate::union::Errno;

/// Longest name that a message shows, in characters.
const SHOWN_MAX: usize = 80;

/// Most that a message repeats of what is wrong, in characters.
const WORDS_MAX: usize = 400;

/// Why an archive cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{fault}", Places(.places))]
pub struct ArchiveError {
    /// Where, outermost first: `layer 2`, ``entry `etc/passwd` ``.
    pub places: Vec<String>,
    /// What.
    pub fault: ArchiveFault,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveFault {
    /// More than is taken.
    #[error("more than the limit of {most} {what}")]
    Limit {
        /// Of what.
        what: &'static str,
        /// The limit.
        most: u64,
    },
    /// It is not in its format.
    #[error("{0}")]
    Damaged(String),
    /// It is in its format, and must not be so.
    #[error("{0}")]
    Refused(String),
    /// It is not what it says that it is.
    #[error("its digest is {found}, and should be {expected}")]
    Digest {
        /// As stated.
        expected: String,
        /// As computed.
        found: String,
    },
    /// It is not there, or not where it may be.
    #[error("{0}")]
    Absent(String),
    /// The disk on which it is unpacked, or from which it is read.
    #[error("{}", std::io::Error::from(*.0))]
    Disk(Errno),
}

struct Places<'a>(&'a [String]);

impl fmt::Display for Places<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|place| write!(f, "{place}: "))
    }
}

impl ArchiveFault {
    pub(super) fn limit(what: &'static str, most: u64) -> ArchiveError {
        Self::Limit { what, most }.into()
    }

    /// `what` may be the words of a library, which repeat what is in the archive.
    pub(super) fn damaged(what: impl Into<String>) -> ArchiveError {
        Self::Damaged(fit(&what.into())).into()
    }

    pub(super) fn refused(what: impl Into<String>) -> ArchiveError {
        Self::Refused(what.into()).into()
    }
}

impl ArchiveError {
    /// Says around what it happened.
    #[must_use]
    pub fn within(mut self, place: impl Into<String>) -> Self {
        self.places.insert(0, place.into());
        self
    }

    /// The disk's errno, if it is the disk that failed.
    pub fn errno(&self) -> Option<Errno> {
        match self.fault {
            ArchiveFault::Disk(errno) => Some(errno),
            _ => None,
        }
    }
}

impl From<ArchiveFault> for ArchiveError {
    fn from(fault: ArchiveFault) -> Self {
        Self {
            places: Vec::new(),
            fault,
        }
    }
}

impl From<Errno> for ArchiveError {
    fn from(errno: Errno) -> Self {
        ArchiveFault::Disk(errno).into()
    }
}

pub(super) type Result<T, E = ArchiveError> = std::result::Result<T, E>;

/// Words that may repeat some of an archive, fit for a terminal.
fn fit(words: &str) -> String {
    let mut text = String::with_capacity(words.len().min(WORDS_MAX));
    for (at, character) in words.chars().enumerate() {
        if at == WORDS_MAX {
            text.push('…');
            break;
        }
        if character.is_control() {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
    text
}

/// A name of an archive, fit for a terminal.
pub(super) fn shown(name: &[u8]) -> String {
    let text: String = name
        .escape_ascii()
        .take(SHOWN_MAX)
        .map(char::from)
        .collect();
    if name.escape_ascii().count() > SHOWN_MAX {
        format!("`{text}…`")
    } else {
        format!("`{text}`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tar library repeats a field that is no number, and `serde_json` the name of a field.
    #[test]
    fn words_of_libraries_are_fit_for_a_terminal() {
        let error = ArchiveFault::damaged("not a number: 0\u{1b}[2J7 for größe\u{85}");
        assert_eq!(
            error.to_string(),
            "not a number: 0\\u{1b}[2J7 for größe\\u{85}"
        );
        let long = ArchiveFault::damaged("x".repeat(10_000)).to_string();
        assert_eq!(long.chars().count(), WORDS_MAX + 1);
    }
}
