//! Where engines part on one case.

use crate::outcome::Halves;
use crate::report::style::printable;
use crate::results::{Apart, Cell, Groups, Matrix, Row};
use crate::verdict::Mark;

/// Most differences that are told of one group.
const DIFFERENCES_MAX: usize = 6;

/// One case on which not all engines agree. All texts are safe on a terminal.
pub(super) struct Story {
    /// Its id.
    pub case: String,
    /// Who agrees: `native, overlayfs and docker agree`.
    pub agree: String,
    /// The others, one after the other.
    pub apart: Vec<Other>,
}

/// Engines that part from those that agree.
pub(super) struct Other {
    /// Who: `podman`.
    pub who: String,
    /// What it is worth, and why: `accepted difference: it may`.
    pub worth: String,
    /// From which step on: `parts at step 5, in db: read /x: "1" → error ENOENT`.
    pub parts: String,
    /// Everything else that differs, one line each.
    pub differences: Vec<String>,
}

/// The cases on which engines do not agree.
pub(super) fn stories(matrix: &Matrix<'_>) -> Vec<Story> {
    matrix
        .rows
        .iter()
        .filter_map(|row| story(matrix, row))
        .collect()
}

fn story(matrix: &Matrix<'_>, row: &Row<'_>) -> Option<Story> {
    let groups = Groups::of(row);
    if groups.apart.is_empty() {
        return None;
    }
    let names = |columns: &[usize]| listed(columns.iter().map(|column| matrix.label(*column)));
    let agree = match (groups.agree.as_slice(), approved(row, &groups.agree)) {
        ([one], true) => format!("{} shows what is approved", names(&[*one])),
        ([one], false) => format!("{} shows one thing", names(&[*one])),
        (more, true) => format!("{} agree, as is approved", names(more)),
        (more, false) => format!("{} agree", names(more)),
    };
    let apart = groups
        .apart
        .iter()
        .map(|apart| other(row, apart, names(&apart.columns)));
    Some(Story {
        case: printable(row.case),
        agree,
        apart: apart.collect(),
    })
}

/// Whether a column of these shows what is approved for all engines.
fn approved(row: &Row<'_>, columns: &[usize]) -> bool {
    let cells = columns
        .iter()
        .filter_map(|column| row.cells.get(*column).copied().flatten());
    let mut marks = cells.map(|cell| cell.marks);
    marks.any(|marks| marks == Halves::both(Mark::Pass))
}

fn other(row: &Row<'_>, apart: &Apart<'_>, who: String) -> Other {
    let mut worth: Vec<String> = Vec::new();
    for column in &apart.columns {
        let Some(cell) = row.cells.get(*column).copied().flatten() else {
            continue;
        };
        let words = worth_words(cell);
        if !worth.contains(&words) {
            worth.push(words);
        }
    }
    let mut differences = apart.differences();
    let parts = match apart.parting() {
        Some(at) => {
            // The step is told once.
            let same = format!("step {}, ", at.step);
            differences.retain(|line| !line.starts_with(&same));
            let came = |what: Option<String>| what.unwrap_or_else(|| "not performed".to_owned());
            let (one, other) = (came(at.one), came(at.other));
            format!("parts at step {}, {}: {one} → {other}", at.step, at.words)
        }
        None => "every step came out the same; at the end:".to_owned(),
    };
    if differences.len() > DIFFERENCES_MAX {
        let more = differences.len() - DIFFERENCES_MAX;
        differences.truncate(DIFFERENCES_MAX);
        differences.push(format!("… and {more} more"));
    }
    Other {
        who,
        worth: worth.join("; "),
        parts: printable(&parts),
        differences: differences.iter().map(|line| printable(line)).collect(),
    }
}

/// What a cell is worth, in words, with its reason: `accepted difference: it may`.
pub(super) fn worth_words(cell: &Cell) -> String {
    let mark = cell.marks.tree.max(cell.marks.persistence);
    let mut words = mark.name().to_owned();
    if let Some(reason) = &cell.reason {
        words.push_str(": ");
        words.push_str(&printable(reason));
    }
    if let (Mark::KnownBug, Some(bug)) = (mark, &cell.bug) {
        words.push_str(" (");
        words.push_str(&printable(bug));
        words.push(')');
    }
    words
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(printable).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// Reasons for which engines could not show cases, with the engine and how many cases: the most first.
pub(super) fn unsupported(matrix: &Matrix<'_>) -> Vec<(String, String, usize)> {
    let mut reasons: Vec<(String, String, usize)> = Vec::new();
    for cell in matrix.cells() {
        if cell.marks.tree != Mark::Unsupported {
            continue;
        }
        let reason = printable(cell.reason.as_deref().unwrap_or_default());
        let engine = printable(matrix.label(cell.column));
        match reasons
            .iter_mut()
            .find(|it| it.0 == engine && it.1 == reason)
        {
            Some((_, _, count)) => *count += 1,
            None => reasons.push((engine, reason, 1)),
        }
    }
    reasons.sort_by(|a, b| (&a.0, b.2, &a.1).cmp(&(&b.0, a.2, &b.1)));
    reasons
}
