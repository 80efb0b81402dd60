//! Marks as signs: two a cell, the merged tree's and what persisted.

use anstyle::Style;

use crate::outcome::Halves;
use crate::report::style::{BAD, FAINT, GOOD, LEFT_OUT};
use crate::results::Matrix;
use crate::verdict::Mark;

/// One character, and the style in which it is painted.
pub(super) fn sign(mark: Mark) -> (char, Style) {
    match mark {
        Mark::Pass => ('✔', GOOD),
        Mark::Accepted => ('≈', LEFT_OUT),
        Mark::KnownBug => ('!', LEFT_OUT),
        Mark::Unsupported => ('-', FAINT),
        Mark::Unapproved => ('?', LEFT_OUT),
        Mark::Unjudged => ('·', FAINT),
        Mark::Fail => ('✘', BAD),
        Mark::TimeOut => ('T', BAD),
        Mark::Error => ('E', BAD),
    }
}

/// `✔/✘`, or one sign when it speaks of both halves at once.
pub(super) fn pair(marks: Halves<Mark>) -> String {
    let (tree, persistence) = (sign(marks.tree).0, sign(marks.persistence).0);
    match marks.tree {
        Mark::Unsupported | Mark::TimeOut | Mark::Error => tree.to_string(),
        _ => format!("{tree}/{persistence}"),
    }
}

/// The style of a cell: that of the worse half.
pub(super) fn pair_style(marks: Halves<Mark>) -> Style {
    sign(marks.tree.max(marks.persistence)).1
}

/// The marks in words: `merged tree fail, persistence pass`, or one for both.
pub(super) fn pair_words(marks: Halves<Mark>) -> String {
    if marks.tree == marks.persistence {
        return marks.tree.name().to_owned();
    }
    format!(
        "merged tree: {}, persistence: {}",
        marks.tree.name(),
        marks.persistence.name()
    )
}

/// The marks that occur, the best first.
pub(super) fn marks_of(matrix: &Matrix<'_>) -> Vec<Mark> {
    let occurs = |mark: &&Mark| {
        matrix
            .cells()
            .any(|cell| cell.marks.tree == **mark || cell.marks.persistence == **mark)
    };
    Mark::ALL.iter().filter(occurs).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_told_apart_without_colours() {
        let signs: Vec<char> = Mark::ALL.iter().map(|mark| sign(*mark).0).collect();
        for (index, one) in signs.iter().enumerate() {
            assert!(!signs[index + 1..].contains(one), "{one}");
        }
    }
}
