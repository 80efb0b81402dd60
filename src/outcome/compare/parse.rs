//! An outcome's text, read back into rows.

use std::collections::BTreeMap;

/// One section of the text: a heading and its rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Section<'t> {
    /// The heading without what may change about the same thing: `merged tree of second`.
    pub(super) title: &'t str,
    /// The rest of the heading: `(running)`.
    pub(super) state: &'t str,
    /// Its rows.
    pub(super) rows: Vec<Row<'t>>,
}

/// One row: what it is about, and what it says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row<'t> {
    /// A step's number, a path, a thing that was written.
    pub(super) key: String,
    /// Names and values; a name may be empty.
    pub(super) fields: Vec<(&'static str, &'t str)>,
    /// Extended attributes and their values.
    pub(super) notes: Vec<(&'t str, &'t str)>,
}

/// Every section of a text.
pub(super) fn sections(text: &str) -> Vec<Section<'_>> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    // How often each key has come in the section.
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for line in text.lines() {
        let content = line.trim_start_matches(' ');
        match (line.len() - content.len(), sections.last_mut()) {
            (0, _) | (_, None) => {
                counts.clear();
                sections.push(heading(line));
            }
            (2, Some(section)) => section.rows.push(row(section.title, content, &mut counts)),
            (_, Some(section)) => {
                let note = content.split_once(" = ").unwrap_or((content, ""));
                if let Some(row) = section.rows.last_mut() {
                    row.notes.push(note);
                }
            }
        }
    }
    sections
}

fn heading(line: &str) -> Section<'_> {
    let cut = if line.starts_with("merged tree of ") {
        line.rfind(" (")
    } else {
        line.find(", ")
    };
    let (title, state) = line.split_at(cut.unwrap_or(line.len()));
    let state = state
        .trim_start_matches([' ', ','])
        .trim_matches(['(', ')']);
    Section {
        title,
        state,
        rows: Vec::new(),
    }
}

fn row<'t>(title: &str, line: &'t str, counts: &mut BTreeMap<&'t str, usize>) -> Row<'t> {
    let cells = cells(line);
    let cell = |index: usize| cells.get(index).copied().unwrap_or_default();
    let (key, fields) = match title {
        "steps" => (cell(0), vec![("", cell(1)), ("", cell(2))]),
        "images" => ("images", vec![("", line)]),
        "persistence" => (cell(2), vec![("", cell(1)), ("", cell(0)), ("", cell(3))]),
        _ => (
            cell(0),
            tree_fields(&cells, title.starts_with("merged tree")),
        ),
    };
    let count = counts
        .entry(key)
        .and_modify(|count| *count += 1)
        .or_insert(1);
    let key = if *count == 1 {
        key.to_owned()
    } else {
        format!("{key} ({count})")
    };
    Row {
        key,
        fields,
        notes: Vec::new(),
    }
}

/// Path, type, mode and owner, content (which may be missing), provenance (in a merged tree).
fn tree_fields<'t>(cells: &[&'t str], has_provenance: bool) -> Vec<(&'static str, &'t str)> {
    let cell = |index: usize| cells.get(index).copied().unwrap_or_default();
    let (mode, owner) = cell(2).split_once(' ').unwrap_or((cell(2), ""));
    let from = if has_provenance && cells.len() > 3 {
        cells.len() - 1
    } else {
        cells.len()
    };
    let content = if from > 3 { cell(3) } else { "" };
    vec![
        ("", cell(1)),
        ("mode", mode),
        ("owner", owner),
        ("content", content),
        ("from", cell(from)),
    ]
}

/// Cells stand apart by two blanks or more; blanks in quotes are part of a cell.
fn cells(line: &str) -> Vec<&str> {
    let mut cells = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    let bytes = line.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b' ' if !quoted && bytes.get(at + 1) == Some(&b' ') => {
                push_cell(&mut cells, line.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    push_cell(&mut cells, line.get(start..));
    cells
}

fn push_cell<'t>(cells: &mut Vec<&'t str>, cell: Option<&'t str>) {
    let cell = cell.unwrap_or_default().trim_matches(' ');
    if !cell.is_empty() {
        cells.push(cell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_split_at_two_blanks_outside_quotes() {
        for (line, expected) in [
            ("a  b   c", &["a", "b", "c"][..]),
            ("a b  c", &["a b", "c"]),
            (r#""a  b"  c"#, &[r#""a  b""#, "c"]),
            (r#""a\"  b"  c"#, &[r#""a\"  b""#, "c"]),
            (r"a\  b", &[r"a\", "b"]),
            ("é  ü", &["é", "ü"]),
            ("", &[]),
        ] {
            assert_eq!(cells(line), expected, "{line}");
        }
    }
}
