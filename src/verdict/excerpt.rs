//! Places in scenario files with the lines around them.

use crate::scenario::{At, SourceFile};

use super::Excerpt;

/// Lines shown before and after that of the place.
const AROUND: usize = 1;

/// A place with the lines around it.
pub fn excerpt(file: &SourceFile, at: &At) -> Option<Excerpt> {
    let span = file.span(at)?;
    let first = span.line.saturating_sub(AROUND).max(1);
    let lines = file
        .text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.to_owned()))
        .skip(first - 1)
        .take(span.line + AROUND + 1 - first)
        .collect();
    Some(Excerpt {
        path: file.path.clone(),
        line: span.line,
        column: span.column,
        lines,
    })
}
