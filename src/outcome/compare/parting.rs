//! Where two outcomes part: the first step that came out differently.

use super::parse::{Row, Section, sections};

/// The first step in which two outcomes differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parting {
    /// Number of the step.
    pub step: String,
    /// The step in one line.
    pub words: String,
    /// What came back in the one; `None` when the step is not there.
    pub one: Option<String>,
    /// What came back in the other.
    pub other: Option<String>,
}

/// The first step in which the texts of two outcomes differ; `None` when all steps came out the same,
/// so that what differs was seen at the end only.
pub fn parting(one: &str, other: &str) -> Option<Parting> {
    let (one, other) = (sections(one), sections(other));
    let [left, right] = [&one, &other].map(|sections| steps(sections));
    let length = left.len().max(right.len());
    (0..length).find_map(|index| between(left.get(index), right.get(index)))
}

fn steps<'s, 't>(sections: &'s [Section<'t>]) -> &'s [Row<'t>] {
    sections
        .iter()
        .find(|section| section.title == super::super::text::FIRST)
        .map_or(&[], |section| section.rows.as_slice())
}

fn between(left: Option<&Row<'_>>, right: Option<&Row<'_>>) -> Option<Parting> {
    if left.is_some() && left == right {
        return None;
    }
    let named = left.or(right)?;
    // A step that is missing in the middle: the rows are of different steps.
    let same = |row: Option<&Row<'_>>| {
        row.filter(|row| row.key == named.key && field(row, 0) == field(named, 0))
            .map(|row| field(row, 1).to_owned())
    };
    Some(Parting {
        step: named.key.clone(),
        words: field(named, 0).to_owned(),
        one: same(left),
        other: same(right),
    })
}

fn field<'t>(row: &Row<'t>, index: usize) -> &'t str {
    row.fields
        .get(index)
        .map(|(_, value)| *value)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "steps
  1    run first from app      ok
  2.1  in first: read /a       \"1  2\"
  2.2  in first: read /b       \"2\"
merged tree of first (running)
  /a  file  0644 0:0  \"1\"  image app, layer 1
persistence
  nothing was written
end";

    fn told(other: &str) -> Option<(String, String, Option<String>, Option<String>)> {
        parting(TEXT, other).map(|at| (at.step, at.words, at.one, at.other))
    }

    #[test]
    fn the_first_step_that_differs_is_found() {
        let some = |text: &str| Some(text.to_owned());
        for (other, step, words, one, now) in [
            (
                TEXT.replace("\"1  2\"", "error ENOENT"),
                "2.1",
                "in first: read /a",
                some("\"1  2\""),
                some("error ENOENT"),
            ),
            (
                TEXT.replace("ok", "error no-such-image"),
                "1",
                "run first from app",
                some("ok"),
                some("error no-such-image"),
            ),
            (
                TEXT.replace("  2.2  in first: read /b       \"2\"\n", ""),
                "2.2",
                "in first: read /b",
                some("\"2\""),
                None,
            ),
            (
                TEXT.replace("  2.1  in first: read /a       \"1  2\"\n", ""),
                "2.1",
                "in first: read /a",
                some("\"1  2\""),
                None,
            ),
        ] {
            let expected = (step.to_owned(), words.to_owned(), one, now);
            assert_eq!(told(&other), Some(expected), "{other}");
        }
    }

    #[test]
    fn what_is_seen_at_the_end_only_parts_at_no_step() {
        assert_eq!(told(TEXT), None);
        assert_eq!(
            told(&TEXT.replace("/a  file  0644", "/a  file  0600")),
            None
        );
        // Widths of columns follow the longest cell, and say nothing.
        assert_eq!(
            told(&TEXT.replace("run first from app      ok", "run first from app  ok")),
            None
        );
        assert_eq!(told("no outcome").map(|told| told.0), Some("1".to_owned()));
    }
}
