//! One case that went wrong, as one block of text.

use std::fmt::Write as _;

use super::event::FinishedCase;
use super::excerpt;
use super::style::{
    ADDED, BAD, FAINT, FRAME, GOOD, NAME, REMOVED, paint, printable, printable_lines,
};
use crate::engine::DEFAULT_ENGINE;
use crate::verdict::{Failure, Verdict};

/// The name of the test that runs a case on an engine: `volumes/readonly[access=ro]`, with `@engine`
/// unless that is the default one.
pub fn case_name(id: &str, engine: &str) -> String {
    if engine == DEFAULT_ENGINE {
        id.to_owned()
    } else {
        format!("{id}@{engine}")
    }
}

/// The block of a case that failed or whose engine failed; nothing for any other. With `raw`, the
/// difference of the snapshot texts is shown also where the failure tells it in better words.
///
/// ```text
/// FAILED volumes/readonly[access=ro]
///   Nothing is written through a read-only mount
///
///   step 3 in first: write /data/x: succeeded, but a refusal was expected
///     --> scenarios/volumes/readonly.yaml:14:15
///      |
///   14 |       expect: {error: EROFS}
///      |               ^
///     expected  EROFS
///     actual    success
///
///   rule    notes/S14: A read-only mount refuses every write.
///   again   layerspec run scenarios/volumes/readonly.yaml --filter 'volumes/readonly[access=ro]'
/// ```
pub fn block(case: &FinishedCase<'_>, raw: bool) -> String {
    let heading = match &case.result.verdict {
        Verdict::Failed(_) => "FAILED",
        Verdict::Errored(_) => "ERROR",
        Verdict::Passed | Verdict::Skipped(_) => return String::new(),
    };
    let mut text = format!(
        "{} {}\n  {}\n",
        paint(BAD, heading),
        paint(NAME, &printable(&case.name)),
        printable(&case.scenario.title)
    );
    match &case.result.verdict {
        Verdict::Failed(failures) => {
            for failure in failures {
                text.push('\n');
                text.push_str(&indented(&one_failure(failure, raw), "  "));
            }
        }
        Verdict::Errored(reason) => {
            text.push('\n');
            for line in printable_lines(reason) {
                push_line(&mut text, &format!("  {line}"));
            }
        }
        Verdict::Passed | Verdict::Skipped(_) => {}
    }
    text.push('\n');
    for (id, statement) in &case.rules {
        push_line(&mut text, &labelled("rule", &format!("{id}: {statement}")));
    }
    if let Some(kept) = &case.result.kept {
        push_line(&mut text, &labelled("kept", &kept.display().to_string()));
    }
    push_line(&mut text, &labelled("again", &case.again));
    if may_be_accepted(&case.result.verdict) {
        push_line(&mut text, &labelled("accept", &case.accept));
    }
    text
}

/// Whether all that is wrong is the difference from the approved outcome: only then can the new one be
/// accepted.
fn may_be_accepted(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Failed(failures) => failures.iter().all(|failure| failure.text_diff.is_some()),
        Verdict::Passed | Verdict::Skipped(_) | Verdict::Errored(_) => false,
    }
}

/// One failed expectation, step or snapshot.
pub(super) fn one_failure(failure: &Failure, raw: bool) -> String {
    let mut text = format!("{}\n", paint(BAD, &printable(&failure.headline)));
    if let Some(at) = &failure.at {
        text.push_str(&excerpt(at));
    }
    for (label, style, value) in [
        ("expected", GOOD, &failure.expected),
        ("actual  ", BAD, &failure.actual),
    ] {
        let mut label = Some(label);
        for line in value.iter().flat_map(|value| printable_lines(value)) {
            let shown = label
                .take()
                .map_or_else(|| " ".repeat(8), |label| paint(style, label));
            push_line(&mut text, &format!("  {shown}  {line}"));
        }
    }
    for detail in &failure.details {
        for line in printable_lines(detail) {
            push_line(&mut text, &format!("  {line}"));
        }
    }
    // The storage-speaking lines say what the raw difference says, in better words.
    if let Some(diff) = failure
        .text_diff
        .as_ref()
        .filter(|_| raw || failure.details.is_empty())
    {
        for line in printable_lines(diff) {
            push_line(&mut text, &format!("  {}", diff_line(&line)));
        }
    }
    text
}

/// A line of a unified diff in its colour.
fn diff_line(line: &str) -> String {
    let style = match line.as_bytes().first() {
        Some(b'+') => ADDED,
        Some(b'-') => REMOVED,
        Some(b'@') => FRAME,
        _ => return line.to_owned(),
    };
    paint(style, line)
}

fn labelled(label: &str, text: &str) -> String {
    format!(
        "  {}  {}",
        paint(FAINT, &format!("{label:<6}")),
        printable(text)
    )
}

fn indented(text: &str, indent: &str) -> String {
    let mut shifted = String::with_capacity(text.len());
    for line in text.lines() {
        push_line(&mut shifted, &format!("{indent}{line}"));
    }
    shifted
}

fn push_line(text: &mut String, line: &str) {
    let _ = writeln!(text, "{}", line.trim_end());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::style::plain;
    use crate::report::testing::{failures, finished, result, scenario};
    use crate::verdict::CaseResult;

    #[test]
    fn a_failed_case_is_one_block() {
        let scenario = scenario("volumes/readonly", &[("access", "ro")]);
        let result = result(&scenario, Verdict::Failed(failures()));
        let expected = "\
FAILED volumes/readonly[access=ro]
  Nothing is written through a read-only mount

  step 3 in first: write /data/x: succeeded, but a refusal was expected
    --> scenarios/volumes/readonly.yaml:14:15
     |
  13 |     - write: {/data/x: \"1\"}
  14 |       expect: {error: EROFS}
     |               ^
    expected  EROFS
    actual    success

  the outcome differs from the approved one
    merged tree of first
      + /data/x  file 0644

  rule    notes/S14: A read-only mount refuses every write.
  again   layerspec run scenarios/volumes/readonly.yaml --filter 'volumes/readonly[access=ro]'
";
        assert_eq!(
            plain(&block(&finished(&scenario, &result), false)),
            expected
        );
    }

    #[test]
    fn the_raw_difference_is_shown_on_request_or_for_want_of_a_better() {
        let scenario = scenario("volumes/readonly", &[]);
        let raw = "    @@ -1,1 +1,2 @@\n     a\n    +b\n";
        let mut failures = failures();
        let told = result(&scenario, Verdict::Failed(failures.clone()));
        assert!(!plain(&block(&finished(&scenario, &told), false)).contains(raw));
        assert!(plain(&block(&finished(&scenario, &told), true)).contains(raw));
        failures[1].details.clear();
        let untold = result(&scenario, Verdict::Failed(failures));
        assert!(plain(&block(&finished(&scenario, &untold), false)).contains(raw));
    }

    #[test]
    fn only_a_difference_of_snapshots_can_be_accepted() {
        let scenario = scenario("a", &[]);
        let mut failures = failures();
        let accept = "accept  layerspec bless scenarios/a.yaml\n";
        let both = result(&scenario, Verdict::Failed(failures.clone()));
        assert!(!plain(&block(&finished(&scenario, &both), false)).contains("accept"));
        failures.remove(0);
        let snapshot = result(&scenario, Verdict::Failed(failures));
        assert!(plain(&block(&finished(&scenario, &snapshot), false)).ends_with(accept));
    }

    #[test]
    fn an_engine_that_failed_is_an_error() {
        let scenario = scenario("volumes/readonly", &[]);
        let mut result = result(
            &scenario,
            Verdict::Errored("the disk broke:\nno luck".to_owned()),
        );
        result.engine = "docker".to_owned();
        result.kept = Some("/tmp/kept".into());
        let expected = "\
ERROR volumes/readonly@docker
  Nothing is written through a read-only mount

  the disk broke:
  no luck

  rule    notes/S14: A read-only mount refuses every write.
  kept    /tmp/kept
  again   layerspec run scenarios/volumes/readonly.yaml --engine docker
";
        assert_eq!(
            plain(&block(&finished(&scenario, &result), false)),
            expected
        );
    }

    #[test]
    fn values_of_several_lines_stay_below_their_label() {
        let scenario = scenario("a", &[]);
        let failure = Failure {
            headline: "h".to_owned(),
            expected: Some("one\ntwo".to_owned()),
            actual: Some("three".to_owned()),
            ..Failure::default()
        };
        let result = result(&scenario, Verdict::Failed(vec![failure]));
        let text = plain(&block(&finished(&scenario, &result), false));
        assert!(
            text.contains("  h\n    expected  one\n              two\n    actual    three\n"),
            "{text}"
        );
    }

    #[test]
    fn a_case_that_went_well_has_no_block() {
        let scenario = scenario("a", &[]);
        for verdict in [
            Verdict::Passed,
            Verdict::Skipped("needs devices".to_owned()),
        ] {
            let result: CaseResult = result(&scenario, verdict);
            assert_eq!(block(&finished(&scenario, &result), true), "");
        }
    }
}
