//! Where two outcomes part: the first step that came out differently.

use std::collections::BTreeMap;

use super::super::text::{CONDITIONAL, FIRST};
use super::parse::sections;

/// What is told of a step that its case leaves out.
const LEFT_OUT: &str = "left out by its `when:`";

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

/// A text of an outcome, with what it leaves out.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// The text.
    pub text: &'a str,
    /// What came back from the steps with a `when:` that were performed, by their numbers.
    pub conditional: &'a BTreeMap<String, String>,
}

/// The first step in which two outcomes differ; `None` when all steps came out the same, so that what
/// differs was seen at the end only.
pub fn parting(one: Told<'_>, other: Told<'_>) -> Option<Parting> {
    let [left, right] = [one, other].map(steps);
    let length = left.len().max(right.len());
    (0..length).find_map(|index| between(left.get(index), right.get(index)))
}

/// One step: its number, its words, what came back.
type Came<'a> = (String, &'a str, &'a str);

fn steps(told: Told<'_>) -> Vec<Came<'_>> {
    let sections = sections(told.text);
    let steps = sections.into_iter().find(|it| it.title == FIRST);
    let rows = steps.map(|section| section.rows).unwrap_or_default();
    rows.into_iter()
        .map(|row| {
            let field = |index: usize| row.fields.get(index).map_or("", |(_, value)| *value);
            let status = match field(1) {
                CONDITIONAL => told
                    .conditional
                    .get(&row.key)
                    .map_or(LEFT_OUT, String::as_str),
                status => status,
            };
            (row.key.clone(), field(0), status)
        })
        .collect()
}

fn between(left: Option<&Came<'_>>, right: Option<&Came<'_>>) -> Option<Parting> {
    if left == right {
        return None;
    }
    let (number, words, _) = left.or(right)?;
    // A step may be missing in the middle: the two are then different steps.
    let came = |step: Option<&Came<'_>>| {
        step.filter(|step| step.0 == *number && step.1 == *words)
            .map(|step| step.2.to_owned())
    };
    Some(Parting {
        step: number.clone(),
        words: (*words).to_owned(),
        one: came(left),
        other: came(right),
    })
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
        let none = BTreeMap::new();
        let told = |text| Told {
            text,
            conditional: &none,
        };
        parting(told(TEXT), told(other)).map(|at| (at.step, at.words, at.one, at.other))
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

    #[test]
    fn a_step_with_a_condition_is_told_by_what_came_back() {
        let text = TEXT.replace("\"1  2\"", "conditional");
        let performed: BTreeMap<String, String> =
            [("2.1".to_owned(), "error EIO".to_owned())].into();
        let none = BTreeMap::new();
        let told = |conditional| Told {
            text: &text,
            conditional,
        };
        assert_eq!(parting(told(&performed), told(&performed)), None);
        assert_eq!(parting(told(&none), told(&none)), None);
        let at = parting(told(&performed), told(&none)).unwrap();
        assert_eq!(at.step, "2.1");
        assert_eq!(at.one.as_deref(), Some("error EIO"));
        assert_eq!(at.other.as_deref(), Some("left out by its `when:`"));
    }
}
