//! A progress bar on standard error.

use std::io;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{FinishedCase, Plan, Reporter, Totals};
use crate::verdict::Verdict;

/// A bar for so many cases.
pub(super) fn progress_bar(cases: usize) -> ProgressBar {
    let length = u64::try_from(cases).unwrap_or(u64::MAX);
    let target = ProgressDrawTarget::stderr_with_hz(15);
    let bar = ProgressBar::with_draw_target(Some(length), target);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    bar
}

/// Shows how far a run has come, and nothing else.
pub struct Bar {
    bar: ProgressBar,
    failed: usize,
}

impl Default for Bar {
    fn default() -> Self {
        Self {
            bar: ProgressBar::hidden(),
            failed: 0,
        }
    }
}

impl Reporter for Bar {
    fn started(&mut self, plan: &Plan) -> io::Result<()> {
        self.bar = progress_bar(plan.cases);
        Ok(())
    }

    fn finished(&mut self, case: &FinishedCase<'_>) -> io::Result<()> {
        if matches!(
            case.result.verdict,
            Verdict::Failed(_) | Verdict::Errored(_)
        ) {
            self.failed += 1;
            self.bar.set_message(format!("{} failed", self.failed));
        }
        self.bar.inc(1);
        Ok(())
    }

    fn ended(&mut self, _: &Totals) -> io::Result<()> {
        self.bar.finish_and_clear();
        Ok(())
    }
}
