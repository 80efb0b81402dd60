//! The report for people: a bar on a terminal, a line a case elsewhere, failures and skips at the end.

use std::io::{self, Write};

use indicatif::ProgressBar;

use super::bar::progress_bar;
use super::style::{BAD, FAINT, GOOD, LEFT_OUT, paint, printable};
use super::summary::seconds;
use super::{FinishedCase, Plan, Reporter, Totals, block, skip_list, totals_line};
use crate::verdict::Verdict;

/// How much is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// A line for every case as it is finished.
    pub every_case: bool,
    /// Raw differences of snapshots as well.
    pub raw_diff: bool,
    /// A progress bar on standard error.
    pub bar: bool,
}

/// Writes the report for people.
pub struct Pretty<W: Write> {
    out: W,
    detail: Detail,
    bar: ProgressBar,
    /// Blocks of the cases that went wrong, for the end.
    blocks: Vec<String>,
    /// Names and reasons of the cases that were left out, for the end.
    skips: Vec<(String, String)>,
    /// Names and directories of the cases that went well and were kept, for the end.
    kept: Vec<(String, String)>,
}

impl<W: Write> Pretty<W> {
    /// Writes to `out`, colours included: a stream that wants none has to strip them.
    pub fn new(out: W, detail: Detail) -> Self {
        Self {
            out,
            detail,
            bar: ProgressBar::hidden(),
            blocks: Vec::new(),
            skips: Vec::new(),
            kept: Vec::new(),
        }
    }
}

impl<W: Write> Reporter for Pretty<W> {
    fn started(&mut self, plan: &Plan) -> io::Result<()> {
        if self.detail.bar {
            self.bar = progress_bar(plan.cases);
        }
        Ok(())
    }

    fn finished(&mut self, case: &FinishedCase<'_>) -> io::Result<()> {
        let kept = case
            .result
            .kept
            .as_ref()
            .map(|path| path.display().to_string());
        match (&case.result.verdict, kept) {
            (Verdict::Skipped(reason), _) => self.skips.push((case.name.clone(), reason.clone())),
            (Verdict::Passed, Some(kept)) => self.kept.push((case.name.clone(), kept)),
            (Verdict::Passed, None) => {}
            (Verdict::Failed(_) | Verdict::Errored(_), _) => {
                self.blocks.push(block(case, self.detail.raw_diff));
                self.bar
                    .set_message(format!("{} failed", self.blocks.len()));
            }
        }
        if self.detail.every_case {
            let line = case_line(case);
            let out = &mut self.out;
            self.bar.suspend(|| writeln!(out, "{line}"))?;
        }
        self.bar.inc(1);
        Ok(())
    }

    fn ended(&mut self, totals: &Totals) -> io::Result<()> {
        self.bar.finish_and_clear();
        if self.detail.every_case && !(self.blocks.is_empty() && self.skips.is_empty()) {
            writeln!(self.out)?;
        }
        for block in &self.blocks {
            writeln!(self.out, "{block}")?;
        }
        let skips = self
            .skips
            .iter()
            .map(|(name, reason)| (name.as_str(), reason.as_str()));
        let skips = skip_list(skips);
        if !skips.is_empty() {
            writeln!(self.out, "{skips}")?;
        }
        for (name, path) in &self.kept {
            writeln!(
                self.out,
                "{}  {}  {}",
                paint(FAINT, "kept"),
                printable(name),
                printable(path)
            )?;
        }
        writeln!(self.out, "{}", totals_line(totals))?;
        self.out.flush()
    }
}

/// `ok       volumes/reattach  0.8 ms`
fn case_line(case: &FinishedCase<'_>) -> String {
    let (style, word) = match &case.result.verdict {
        Verdict::Passed => (GOOD, "ok"),
        Verdict::Failed(_) => (BAD, "FAILED"),
        Verdict::Errored(_) => (BAD, "ERROR"),
        Verdict::Skipped(_) => (LEFT_OUT, "skipped"),
    };
    let about = match &case.result.verdict {
        Verdict::Skipped(reason) => printable(reason),
        _ => seconds(case.result.duration),
    };
    let name = printable(&case.name);
    format!(
        "{} {name}  {}",
        paint(style, &format!("{word:<7}")),
        paint(FAINT, &about)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::style::plain;
    use crate::report::testing::{failures, finished, result, scenario};

    fn report(detail: Detail, verdicts: &[(&str, Verdict)]) -> String {
        let mut out = Vec::new();
        let mut pretty = Pretty::new(&mut out, detail);
        let mut totals = Totals::default();
        pretty
            .started(&Plan {
                cases: verdicts.len(),
                ..Plan::default()
            })
            .unwrap();
        for (stem, verdict) in verdicts {
            let scenario = scenario(stem, &[]);
            let result = result(&scenario, verdict.clone());
            totals.count(&result.verdict);
            pretty.finished(&finished(&scenario, &result)).unwrap();
        }
        pretty.ended(&totals).unwrap();
        drop(pretty);
        plain(&String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_line_a_case_then_blocks_skips_and_totals() {
        let verdicts = [
            ("a", Verdict::Passed),
            ("b", Verdict::Failed(failures())),
            ("c", Verdict::Skipped("needs devices".to_owned())),
            ("d", Verdict::Errored("it broke".to_owned())),
        ];
        let text = report(
            Detail {
                every_case: true,
                ..Detail::default()
            },
            &verdicts,
        );
        let head = "\
ok      a  1.5 ms
FAILED  b  1.5 ms
skipped c  needs devices
ERROR   d  1.5 ms

FAILED b
";
        let tail = "
skipped
  c  needs devices

1 passed, 1 failed, 1 broken, 1 skipped (1 needs devices) in 0.0 ms
";
        assert!(text.starts_with(head), "{text}");
        assert!(text.ends_with(tail), "{text}");
    }

    #[test]
    fn all_well_is_one_line() {
        let text = report(
            Detail::default(),
            &[("a", Verdict::Passed), ("b", Verdict::Passed)],
        );
        assert_eq!(text, "2 passed in 0.0 ms\n");
    }
}
