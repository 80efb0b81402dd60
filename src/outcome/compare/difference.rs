//! Two texts, row by row.

use std::collections::BTreeMap;

use similar::TextDiff;

use super::parse::{Row, Section, sections};
use super::vanished::hidden_by;

/// Lines around a difference in a unified diff.
const CONTEXT: usize = 3;

/// What differs, one line a difference: `merged tree of second: /etc/x: mode 0644 → 0600`. Empty
/// when the texts are the same in all that their rows say.
pub fn differences(approved: &str, actual: &str) -> Vec<String> {
    let (before, after) = (sections(approved), sections(actual));
    let mut lines = Vec::new();
    for old in &before {
        match after.iter().find(|new| new.title == old.title) {
            Some(new) => section_differences(&mut lines, old, new),
            None => lines.push(format!("{}: gone", old.title)),
        }
    }
    for new in &after {
        if !before.iter().any(|old| old.title == new.title) {
            lines.push(format!("{}: new", new.title));
            lines.extend(
                new.rows
                    .iter()
                    .map(|row| format!("{}: {}", new.title, said(new, row))),
            );
        }
    }
    lines
}

/// A unified diff of the approved text and the actual one.
pub fn unified_diff(approved: &str, actual: &str) -> String {
    let line = |text: &str| {
        if text.is_empty() {
            String::new()
        } else {
            format!("{text}\n")
        }
    };
    let (approved, actual) = (line(approved), line(actual));
    TextDiff::from_lines(&approved, &actual)
        .unified_diff()
        .context_radius(CONTEXT)
        .header("approved", "actual")
        .to_string()
}

fn section_differences(lines: &mut Vec<String>, old: &Section<'_>, new: &Section<'_>) {
    if old.state != new.state {
        lines.push(format!("{}: {}", old.title, changed(old.state, new.state)));
    }
    let (before, after) = (by_key(old), by_key(new));
    for row in &old.rows {
        if let Some(other) = after.get(row.key.as_str()) {
            let parts = row_differences(row, other);
            if !parts.is_empty() {
                lines.push(format!("{}: {}", named(old, row), parts.join(", ")));
            }
        } else {
            let cause = hidden_by(row, new).map_or_else(String::new, |by| format!("{by} added, "));
            lines.push(format!("{}: {cause}missing: {}", old.title, said(old, row)));
        }
    }
    for row in &new.rows {
        if !before.contains_key(row.key.as_str()) {
            let cause = hidden_by(row, old).map_or_else(String::new, |by| format!("{by} gone, "));
            lines.push(format!(
                "{}: {cause}only now: {}",
                new.title,
                said(new, row)
            ));
        }
    }
}

fn by_key<'s, 't>(section: &'s Section<'t>) -> BTreeMap<&'s str, &'s Row<'t>> {
    section
        .rows
        .iter()
        .map(|row| (row.key.as_str(), row))
        .collect()
}

fn row_differences(old: &Row<'_>, new: &Row<'_>) -> Vec<String> {
    let mut parts = Vec::new();
    for ((name, before), (_, after)) in old.fields.iter().zip(&new.fields) {
        if before != after {
            let space = if name.is_empty() { "" } else { " " };
            parts.push(format!("{name}{space}{}", changed(before, after)));
        }
    }
    for (name, value) in &old.notes {
        match new.notes.iter().find(|(other, _)| other == name) {
            Some((_, other)) if other == value => {}
            Some((_, other)) => parts.push(format!("{name} {}", changed(value, other))),
            None => parts.push(format!("{name} gone (was {value})")),
        }
    }
    for (name, value) in &new.notes {
        if !old.notes.iter().any(|(other, _)| other == name) {
            parts.push(format!("{name} = {value} added"));
        }
    }
    parts
}

fn changed(before: &str, after: &str) -> String {
    let or_none = |text: &str| {
        if text.is_empty() {
            "none".to_owned()
        } else {
            text.to_owned()
        }
    };
    format!("{} → {}", or_none(before), or_none(after))
}

/// What a row is about, with its section.
fn named(section: &Section<'_>, row: &Row<'_>) -> String {
    match section.title {
        "steps" => {
            let words = row
                .fields
                .first()
                .map(|(_, words)| *words)
                .unwrap_or_default();
            format!("step {}, {words}", row.key)
        }
        "images" => "images".to_owned(),
        title => format!("{title}: {}", row.key),
    }
}

/// All that a row says.
fn said(section: &Section<'_>, row: &Row<'_>) -> String {
    let values = row
        .fields
        .iter()
        .map(|(_, value)| *value)
        .filter(|value| !value.is_empty());
    let words = values.collect::<Vec<_>>().join(" ");
    let notes: Vec<String> = row
        .notes
        .iter()
        .map(|(name, value)| format!(", {name} = {value}"))
        .collect();
    match section.title {
        "images" => words,
        _ => format!("{} {words}{}", row.key, notes.concat()),
    }
}
