//! The end of a run: what was left out and why, and the totals.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::verdict::UNSUPPORTED;

use super::Totals;
use super::style::{BAD, GOOD, LEFT_OUT, paint, printable};

/// `48 passed, 1 failed, 2 skipped (2 need devices) in 0.31 s`
pub fn totals_line(totals: &Totals) -> String {
    let mut parts = Vec::new();
    let passed = format!("{} passed", totals.passed);
    parts.push(if totals.passed > 0 {
        paint(GOOD, &passed)
    } else {
        passed
    });
    if totals.failed > 0 {
        parts.push(paint(BAD, &format!("{} failed", totals.failed)));
    }
    if totals.errored > 0 {
        parts.push(paint(BAD, &format!("{} broken", totals.errored)));
    }
    if !totals.skipped.is_empty() {
        let skipped = paint(LEFT_OUT, &format!("{} skipped", totals.skipped.len()));
        parts.push(format!("{skipped} ({})", reasons(&totals.skipped)));
    }
    if totals.not_started > 0 {
        let cause = totals
            .interrupted
            .as_ref()
            .map_or(String::new(), |name| format!(" ({name})"));
        let text = format!("{} not started", totals.not_started);
        parts.push(format!("{}{cause}", paint(LEFT_OUT, &text)));
    }
    format!("{} in {}", parts.join(", "), seconds(totals.duration))
}

/// The cases that were left out, one a line: name and reason, under a heading. Nothing when there are
/// none.
pub fn skip_list<'a>(skips: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let skips: Vec<_> = skips
        .into_iter()
        .map(|(name, reason)| (printable(name), printable(reason)))
        .collect();
    if skips.is_empty() {
        return String::new();
    }
    let width = skips
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or(0)
        .min(60);
    let mut text = format!("{}\n", paint(LEFT_OUT, "skipped"));
    for (name, reason) in &skips {
        let _ = writeln!(text, "  {name:width$}  {reason}");
    }
    text
}

/// Reasons with their numbers: `2 need devices, 1 needs crash`.
fn reasons(skipped: &[String]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in skipped {
        // What an engine turned out not to support is told at the case; here it would be a list as long.
        let sort = match reason.split_once(": ") {
            Some((UNSUPPORTED, _)) => UNSUPPORTED,
            _ => reason.as_str(),
        };
        *counts.entry(sort).or_default() += 1;
    }
    let parts: Vec<String> = counts
        .into_iter()
        .map(|(reason, count)| match reason.strip_prefix("needs ") {
            Some(what) if count > 1 => format!("{count} need {}", printable(what)),
            Some(what) => format!("{count} needs {}", printable(what)),
            None if reason == UNSUPPORTED => format!("{count} {UNSUPPORTED}"),
            None => format!("{count}: {}", printable(reason)),
        })
        .collect();
    parts.join(", ")
}

/// `0.31 s`, and below a hundredth of a second `0.8 ms`.
pub(super) fn seconds(duration: Duration) -> String {
    if duration < Duration::from_millis(10) {
        format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
    } else {
        format!("{:.2} s", duration.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::style::plain;

    #[test]
    fn totals_tell_only_what_there_is() {
        let strings = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        let duration = Duration::from_millis(310);
        for (totals, line) in [
            (
                Totals {
                    passed: 48,
                    duration,
                    ..Totals::default()
                },
                "48 passed in 0.31 s",
            ),
            (
                Totals {
                    passed: 48,
                    failed: 1,
                    skipped: strings(&["needs devices", "needs devices"]),
                    duration,
                    ..Totals::default()
                },
                "48 passed, 1 failed, 2 skipped (2 need devices) in 0.31 s",
            ),
            (
                Totals {
                    passed: 1,
                    skipped: strings(&["not supported: step 1: cp", "not supported: step 2: cp"]),
                    duration,
                    ..Totals::default()
                },
                "1 passed, 2 skipped (2 not supported) in 0.31 s",
            ),
            (
                Totals {
                    errored: 2,
                    skipped: strings(&["needs devices", "no daemon"]),
                    not_started: 5,
                    interrupted: Some("SIGINT".to_owned()),
                    duration: Duration::from_micros(820),
                    ..Totals::default()
                },
                "0 passed, 2 broken, 2 skipped (1 needs devices, 1: no daemon), \
                 5 not started (SIGINT) in 0.8 ms",
            ),
        ] {
            assert_eq!(plain(&totals_line(&totals)), line);
        }
    }

    #[test]
    fn skips_are_listed_with_their_reasons() {
        assert_eq!(skip_list([]), "");
        assert_eq!(
            plain(&skip_list([
                ("a", "needs devices"),
                ("layers/b[x=1]", "needs crash")
            ])),
            "skipped\n  a              needs devices\n  layers/b[x=1]  needs crash\n"
        );
    }
}
