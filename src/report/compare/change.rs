//! What has changed between two results.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde::Serialize;

use super::markdown::{code, prose};
use super::pretty::product_words;
use super::sign::pair_words;
use super::story::listed;
use crate::outcome::Halves;
use crate::report::count;
use crate::report::style::{BAD, FAINT, GOOD, LEFT_OUT, NAME, paint, printable};
use crate::results::{Change, ChangeKind, Changes, harmless};
use crate::verdict::Mark;

const KINDS: [(ChangeKind, &str, anstyle::Style); 5] = [
    (ChangeKind::Regression, "regression", BAD),
    (ChangeKind::Vanished, "vanished", LEFT_OUT),
    (ChangeKind::Changed, "changed", LEFT_OUT),
    (ChangeKind::New, "new", NAME),
    (ChangeKind::Fixed, "fixed", GOOD),
];

fn kind_words(kind: ChangeKind) -> (&'static str, anstyle::Style) {
    let found = KINDS.iter().find(|it| it.0 == kind);
    found.map_or(("", NAME), |(_, name, style)| (name, *style))
}

/// The changes for people, regressions first.
pub fn changes_pretty(changes: &Changes) -> String {
    let mut text = String::new();
    for (name, old, new) in &changes.products {
        let (old, new) = (product_words(old), product_words(new));
        let _ = writeln!(
            text,
            "{}  {} → {}",
            paint(NAME, &printable(name)),
            printable(&old),
            printable(&new)
        );
    }
    for (columns, what) in [
        (&changes.vanished, "is not there any more"),
        (&changes.new, "is new"),
    ] {
        for column in columns {
            let _ = writeln!(text, "{}  {what}", paint(NAME, &printable(column)));
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    for change in &changes.changes {
        let (name, style) = kind_words(change.kind);
        let columns = listed(change.columns.iter().map(String::as_str));
        let case = paint(NAME, &printable(&change.case));
        let _ = writeln!(
            text,
            "{}  {case}  {columns}: {}",
            paint(style, &format!("{name:<10}")),
            marks(change)
        );
        for detail in &change.details {
            let _ = writeln!(text, "            {}", printable(detail));
        }
    }
    if !changes.changes.is_empty() {
        text.push('\n');
    }
    let _ = writeln!(text, "{}", totals(changes));
    text
}

/// `pass → fail`, for each half where they are not the same; or the marks that are there alone.
fn marks(change: &Change) -> String {
    let (old, new) = match (change.old, change.new) {
        (Some(old), Some(new)) => (old, new),
        (Some(one), None) | (None, Some(one)) => return pair_words(one),
        (None, None) => return String::new(),
    };
    let from_to =
        |old: Mark, new: Mark| (old != new).then(|| format!("{} → {}", old.name(), new.name()));
    let tree = from_to(old.tree, new.tree);
    let persistence = from_to(old.persistence, new.persistence);
    match (tree, persistence) {
        (None, None) => format!("{}, with another outcome", pair_words(new)),
        (Some(tree), None) => format!("merged tree: {tree}"),
        (None, Some(persistence)) => format!("persistence: {persistence}"),
        (Some(tree), Some(persistence)) if tree == persistence => tree,
        (Some(tree), Some(persistence)) => {
            format!("merged tree: {tree}, persistence: {persistence}")
        }
    }
}

/// `1 regression, 2 fixed, 40 the same`
fn totals(changes: &Changes) -> String {
    let mut parts = Vec::new();
    for (kind, name, style) in KINDS {
        let number = changes.count(kind);
        let words = match kind {
            ChangeKind::Regression => count(number, name),
            _ => format!("{number} {name}"),
        };
        if number > 0 {
            parts.push(paint(style, &words));
        }
    }
    parts.push(paint(FAINT, &format!("{} the same", changes.same)));
    parts.join(", ")
}

/// The changes in Markdown.
pub fn changes_markdown(changes: &Changes) -> String {
    let mut text = String::new();
    for (name, old, new) in &changes.products {
        let (old, new) = (prose(&product_words(old)), prose(&product_words(new)));
        let _ = writeln!(text, "- **{}** {old} → {new}", prose(name));
    }
    for (columns, what) in [
        (&changes.vanished, "is not there any more"),
        (&changes.new, "is new"),
    ] {
        for column in columns {
            let _ = writeln!(text, "- **{}** {what}", prose(column));
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str("| | case | engines | |\n| --- | --- | --- | --- |\n");
    for change in &changes.changes {
        let columns = listed(change.columns.iter().map(String::as_str));
        let details: Vec<String> = change.details.iter().map(|it| code(it)).collect();
        let marks = std::iter::once(marks(change)).chain(details);
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            kind_words(change.kind).0,
            code(&change.case),
            prose(&columns),
            marks.collect::<Vec<_>>().join("<br>")
        );
    }
    let _ = writeln!(text, "\n{}", crate::report::style::plain(&totals(changes)));
    text
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum Line<'a> {
    Change {
        kind: &'static str,
        case: &'a str,
        columns: &'a [String],
        #[serde(skip_serializing_if = "Option::is_none")]
        old: Option<Halves<Mark>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        new: Option<Halves<Mark>>,
        details: &'a [String],
    },
    Totals {
        regressions: usize,
        vanished: usize,
        changed: usize,
        new: usize,
        fixed: usize,
        same: usize,
        vanished_columns: &'a [String],
        new_columns: &'a [String],
    },
}

/// The changes as JSON Lines: one `change` a line, then `totals`.
///
/// # Errors
/// When they cannot be written.
pub fn changes_json(changes: &Changes, out: &mut dyn Write) -> io::Result<()> {
    let mut line = |line: &Line<'_>| -> io::Result<()> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        out.write_all(harmless(&text).as_bytes())
    };
    for change in &changes.changes {
        line(&Line::Change {
            kind: kind_words(change.kind).0,
            case: &change.case,
            columns: &change.columns,
            old: change.old,
            new: change.new,
            details: &change.details,
        })?;
    }
    line(&Line::Totals {
        regressions: changes.count(ChangeKind::Regression),
        vanished: changes.count(ChangeKind::Vanished),
        changed: changes.count(ChangeKind::Changed),
        new: changes.count(ChangeKind::New),
        fixed: changes.count(ChangeKind::Fixed),
        same: changes.same,
        vanished_columns: &changes.vanished,
        new_columns: &changes.new,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::style::plain;
    use crate::results::testing::{SHOWN, cell, marked, product, results, shown};
    use crate::results::{Matrix, Results, changes};

    /// The made-up results, then again with a newer podman that does one thing right, one wrong, and one
    /// more; a case is gone.
    fn changed() -> Changes {
        let old = results();
        let lost = SHOWN.replace("kept", "lost");
        let mut cells: Vec<_> = old
            .cells
            .iter()
            .filter(|it| it.case != "volumes/c")
            .cloned()
            .collect();
        cells[1] = marked(shown(cell("binds/a", 1), &lost), Mark::Pass, Mark::Fail);
        cells[3] = cell("volumes/b[x=1]", 1);
        cells.push(cell("volumes/d", 0));
        let new = Results {
            columns: vec![product("native", "0.1.0"), product("podman", "5.0.0")],
            cells,
            ..old.clone()
        };
        changes(&Matrix::new(&old), &Matrix::new(&new))
    }

    #[test]
    fn regressions_come_first() {
        assert_eq!(
            plain(&changes_pretty(&changed())),
            include_str!("changes.txt")
        );
    }

    #[test]
    fn the_changes_in_markdown() {
        assert_eq!(changes_markdown(&changed()), include_str!("changes.md"));
    }

    #[test]
    fn the_changes_as_lines() {
        let mut out = Vec::new();
        changes_json(&changed(), &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            include_str!("changes.jsonl")
        );
    }

    #[test]
    fn nothing_changed_is_one_line() {
        let results = results();
        let matrix = Matrix::new(&results);
        assert_eq!(
            plain(&changes_pretty(&changes(&matrix, &matrix))),
            "6 the same\n"
        );
    }
}
