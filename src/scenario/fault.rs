//! What is wrong with a scenario file, and where.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::decoder::Problem;
use super::source::{self, Origin, Unreadable, span_of};
use super::words::escape;
use super::{Span, width};

/// More faults of one file are counted, not shown.
const SHOWN_MAX: usize = 100;

/// Finding the place of a fault parses the file again: so many bytes are parsed for all of them.
const SOUGHT_MAX: usize = 10 << 20;

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fault {
    /// The file, as it was named or found.
    pub file: PathBuf,
    /// Where in it; `None` when the file as a whole is at fault.
    pub at: Option<Span>,
    /// What is wrong: a sentence fragment.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The line of the file that `at` names, without its end.
    pub line: Option<String>,
}

impl Fault {
    /// A fault of a file as a whole.
    pub(crate) fn of_file(file: &Path, message: String) -> Self {
        Self {
            file: file.to_owned(),
            at: None,
            message,
            help: None,
            line: None,
        }
    }

    /// A file that is no YAML, or not ours.
    pub(crate) fn unreadable(file: &Path, text: &str, unreadable: Unreadable) -> Self {
        let Unreadable { message, help, at } = unreadable;
        let at = at.map(|at| in_text(text, at));
        Self {
            file: file.to_owned(),
            at,
            message,
            help,
            line: at.and_then(|at| line_of(text, at)),
        }
    }
}

fn line_of(text: &str, at: Span) -> Option<String> {
    let line = text.lines().nth(at.line.checked_sub(1)?)?;
    Some(line.to_owned())
}

/// The parser places what is missing after the last line, where there is nothing to show: it is
/// missing after what stands last.
fn in_text(text: &str, at: Span) -> Span {
    if at.line <= text.lines().count() {
        at
    } else {
        source::end_of(text.trim_end())
    }
}

/// Places problems in the text.
pub(crate) fn located(
    file: &Path,
    text: &str,
    origin: &Origin,
    problems: &BTreeSet<Problem>,
) -> Vec<Fault> {
    let place = |spot: source::Spot| span_of(text, &origin.at(spot.id).0, spot.key);
    let shown = (SOUGHT_MAX / text.len().max(1)).clamp(1, SHOWN_MAX);
    let mut faults: Vec<Fault> = problems
        .iter()
        .take(shown)
        .map(|problem| {
            let at = place(problem.spot);
            let first = problem.first.and_then(place);
            let help = first.map(|first| format!("the first one is in line {}", first.line));
            Fault {
                file: file.to_owned(),
                at,
                message: problem.message.clone(),
                help: problem.help.clone().or(help),
                line: at.and_then(|at| line_of(text, at)),
            }
        })
        .collect();
    if let Some(more) = problems.len().checked_sub(shown).filter(|more| *more > 0) {
        faults.push(Fault::of_file(file, format!("and {more} more faults")));
    }
    faults
}

/// `file:line:column: message`, the source line with a caret, and what to do.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(at) = self.at {
            write!(f, "{}:{}:", at.line, at.column)?;
        }
        write!(f, " {}", self.message)?;
        if let (Some(at), Some(line)) = (self.at, &self.line) {
            let (shown, blanks) = width::excerpt(line, at.column);
            let number = at.line.to_string();
            let gutter = " ".repeat(number.len());
            write!(f, "\n {number} | {shown}\n {gutter} | {blanks}^")?;
        }
        if let Some(help) = &self.help {
            write!(
                f,
                "\nhelp: {}",
                help.chars().flat_map(escape).collect::<String>()
            )?;
        }
        Ok(())
    }
}

/// Everything that is wrong, sorted by file and position. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// Sorts faults.
    pub(crate) fn new(mut faults: Vec<Fault>) -> Self {
        // What concerns a file as a whole, such as "and 7 more", comes after what has a place.
        faults.sort_by(|one, two| {
            let key = |fault: &Fault| (fault.at.is_none(), fault.at);
            one.file.cmp(&two.file).then(key(one).cmp(&key(two)))
        });
        Self(faults)
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n\n" };
            write!(f, "{gap}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
