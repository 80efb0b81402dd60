//! What a case is worth on each axis: the merged tree and what persisted are judged apart.

use serde::{Deserialize, Serialize};

use super::{Against, CaseResult, Failure, Verdict};
use crate::outcome::Halves;
use crate::scenario::Difference;

/// What one half of an outcome is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// As expected, and as approved for every engine.
    Pass,
    /// As approved for this engine, which may differ: `differs:` has the reason.
    Accepted,
    /// As approved for this engine, which is known to be wrong: `differs:` tells where that is
    /// reported.
    KnownBug,
    /// The engine cannot show it.
    Unsupported,
    /// There is no approved outcome to hold it against.
    Unapproved,
    /// The scenario ended before its time, so that nothing can be said.
    Unjudged,
    /// Not as expected, or not as approved; or an excuse that is not needed any more.
    Fail,
    /// The engine took longer than it may.
    TimeOut,
    /// The engine failed.
    Error,
}

impl Mark {
    /// Every mark, the best first.
    pub const ALL: &[Self] = &[
        Self::Pass,
        Self::Accepted,
        Self::KnownBug,
        Self::Unsupported,
        Self::Unapproved,
        Self::Unjudged,
        Self::Fail,
        Self::TimeOut,
        Self::Error,
    ];

    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Accepted => "accepted difference",
            Self::KnownBug => "known bug",
            Self::Unsupported => "unsupported",
            Self::Unapproved => "no approved outcome",
            Self::Unjudged => "not judged",
            Self::Fail => "fail",
            Self::TimeOut => "time-out",
            Self::Error => "error",
        }
    }

    /// Whether the engine did what it has to do, or is excused.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Pass | Self::Accepted | Self::KnownBug)
    }

    /// Whether the engine did what it must not do, or failed itself.
    pub fn is_bad(self) -> bool {
        matches!(self, Self::Fail | Self::TimeOut | Self::Error)
    }
}

/// What a case is worth on each axis. `difference` is what its scenario's `differs:` says of the
/// engine.
pub fn marks(result: &CaseResult, difference: Option<&Difference>) -> Halves<Mark> {
    match &result.verdict {
        Verdict::Passed => as_approved(result, difference),
        Verdict::Skipped(_) => Halves::both(Mark::Unsupported),
        Verdict::Errored(_) if result.timed_out => Halves::both(Mark::TimeOut),
        Verdict::Errored(_) => Halves::both(Mark::Error),
        Verdict::Failed(failures) => with_failures(failures, as_approved(result, difference)),
    }
}

fn as_approved(result: &CaseResult, difference: Option<&Difference>) -> Halves<Mark> {
    let excuse = match difference {
        Some(Difference { bug: Some(_), .. }) => Mark::KnownBug,
        _ => Mark::Accepted,
    };
    result
        .excused
        .map(|excused| if excused { excuse } else { Mark::Pass })
}

/// The worst that is said of each half.
fn with_failures(failures: &[Failure], otherwise: Halves<Mark>) -> Halves<Mark> {
    let mut marks = otherwise;
    for failure in failures {
        let said = match failure.against {
            Against::Expectation => Halves {
                tree: Mark::Fail,
                persistence: Mark::Pass,
            },
            Against::Performing => Halves {
                tree: Mark::Fail,
                persistence: Mark::Unjudged,
            },
            Against::Nothing => Halves::both(Mark::Unapproved),
            Against::Approved(differ) => differ.map(|d| if d { Mark::Fail } else { Mark::Pass }),
        };
        marks = Halves {
            tree: marks.tree.max(said.tree),
            persistence: marks.persistence.max(said.persistence),
        };
    }
    marks
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn of(verdict: Verdict, excused: (bool, bool), bug: bool) -> (Mark, Mark) {
        let result = CaseResult {
            id: "a".to_owned(),
            engine: "podman".to_owned(),
            verdict,
            duration: Duration::ZERO,
            outcome: None,
            excused: Halves {
                tree: excused.0,
                persistence: excused.1,
            },
            timed_out: false,
            kept: None,
        };
        let difference = Difference {
            why: "it may".to_owned(),
            bug: bug.then(|| "somewhere".to_owned()),
        };
        let marks = marks(&result, Some(&difference));
        (marks.tree, marks.persistence)
    }

    fn failed(against: &[Against]) -> Verdict {
        let failure = |against: &Against| Failure {
            against: *against,
            ..Failure::default()
        };
        Verdict::Failed(against.iter().map(failure).collect())
    }

    #[test]
    fn an_excuse_counts_where_it_is_needed() {
        for (excused, bug, marks) in [
            ((false, false), false, (Mark::Pass, Mark::Pass)),
            ((true, false), false, (Mark::Accepted, Mark::Pass)),
            ((false, true), false, (Mark::Pass, Mark::Accepted)),
            ((true, true), true, (Mark::KnownBug, Mark::KnownBug)),
            ((false, false), true, (Mark::Pass, Mark::Pass)),
        ] {
            assert_eq!(of(Verdict::Passed, excused, bug), marks);
        }
    }

    #[test]
    fn each_failure_counts_where_it_belongs() {
        let approved = |tree, persistence| Against::Approved(Halves { tree, persistence });
        for (against, marks) in [
            (vec![Against::Expectation], (Mark::Fail, Mark::Pass)),
            (vec![Against::Performing], (Mark::Fail, Mark::Unjudged)),
            (vec![approved(true, false)], (Mark::Fail, Mark::Pass)),
            (vec![approved(false, true)], (Mark::Pass, Mark::Fail)),
            (
                vec![Against::Expectation, approved(false, true)],
                (Mark::Fail, Mark::Fail),
            ),
            (vec![Against::Nothing], (Mark::Unapproved, Mark::Unapproved)),
            (
                vec![Against::Expectation, Against::Nothing],
                (Mark::Fail, Mark::Unapproved),
            ),
        ] {
            assert_eq!(of(failed(&against), (false, false), false), marks);
        }
    }

    #[test]
    fn an_engine_that_shows_nothing_has_one_mark_for_both() {
        let why = || "why".to_owned();
        for (verdict, mark) in [
            (Verdict::Skipped(why()), Mark::Unsupported),
            (Verdict::Errored(why()), Mark::Error),
        ] {
            assert_eq!(of(verdict, (false, false), false), (mark, mark));
        }
    }

    #[test]
    fn marks_are_in_order_and_told_apart() {
        assert!(Mark::ALL.is_sorted());
        for (index, mark) in Mark::ALL.iter().enumerate() {
            assert!(
                Mark::ALL
                    .iter()
                    .skip(index + 1)
                    .all(|m| m.name() != mark.name())
            );
        }
    }
}
