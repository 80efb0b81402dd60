//! From what was seen to what it is worth.

use std::path::Path;

use crate::engine::{Answer, Refusal, Value};
use crate::outcome::{Halves, differences, halves_that_differ, unified_diff};
use crate::run::{End, Execution, all_steps, mismatches};
use crate::scenario::{Scenario, Step};
use crate::snapshot::Approval;

use super::{Against, Failure, UNSUPPORTED, Verdict, excerpt};

/// Longest list of differences, in lines; the text shows the rest.
const DIFFERENCES_MAX: usize = 40;

/// What is told where a scenario ends before its time.
const ENDS_HERE: &str = "the scenario ends here: later steps were not performed";

/// The text of an outcome and what came of comparing it.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// The text.
    pub text: &'a str,
    /// What came of comparing it with the approved one.
    pub approval: &'a Approval,
}

/// The verdict on an execution with these [`unmet`] expectations. `judged` is `None` when the execution did
/// not come to its own end, so that there is nothing to compare.
pub fn judge(
    scenario: &Scenario,
    execution: &Execution,
    unmet: Vec<Failure>,
    judged: Option<Judged<'_>>,
) -> Verdict {
    if let Some(why) = faulty(scenario, execution) {
        return Verdict::Errored(why);
    }
    let mut failures = unmet;
    match unsupported(scenario, execution) {
        Some(why) if failures.is_empty() => return Verdict::Skipped(why),
        // What was wrong before stays wrong, but says nothing of what persists.
        Some(why) => failures.push(Failure {
            against: Against::Performing,
            headline: why,
            details: vec![ENDS_HERE.to_owned()],
            ..Failure::default()
        }),
        None => {}
    }
    if let Some(judged) = judged {
        match approval_failure(judged) {
            Ok(failure) => failures.extend(failure),
            Err(why) => return Verdict::Errored(why),
        }
    }
    if failures.is_empty() {
        Verdict::Passed
    } else {
        Verdict::Failed(failures)
    }
}

/// Why the engine itself failed, if it did.
pub fn faulty(scenario: &Scenario, execution: &Execution) -> Option<String> {
    match &execution.end {
        End::Fault { step, message } => Some(at_step(scenario, step.as_deref(), message)),
        _ => None,
    }
}

/// What the engine does not know, if that ended the execution.
fn unsupported(scenario: &Scenario, execution: &Execution) -> Option<String> {
    let End::Unsupported { step, message } = &execution.end else {
        return None;
    };
    let why = at_step(scenario, step.as_deref(), message);
    Some(format!("{UNSUPPORTED}: {why}"))
}

fn at_step(scenario: &Scenario, step: Option<&str>, message: &str) -> String {
    let Some(number) = step else {
        return message.to_owned();
    };
    let steps = all_steps(&scenario.steps);
    let words = steps
        .iter()
        .find(|step| step.number == *number)
        .map(|step| crate::run::step_words(step));
    format!("step {number}, {}: {message}", words.unwrap_or_default())
}

/// Every step that did not come out as expected. None, at the end of an execution, is the condition for
/// approving its outcome.
pub fn unmet(scenario: &Scenario, execution: &Execution) -> Vec<Failure> {
    let mut failures = Vec::new();
    let steps = all_steps(&scenario.steps);
    // Branches may end early, so steps and outcomes are matched by number.
    let mut outcomes = execution.outcome.steps.iter().peekable();
    for step in steps {
        let Some(outcome) = outcomes.next_if(|outcome| outcome.number == step.number) else {
            continue;
        };
        let Some(answer) = &outcome.answer else {
            continue;
        };
        // It shows nothing, so nothing that was expected of it is wrong.
        if matches!(answer, Answer::Unsupported(_)) {
            continue;
        }
        let headline = || format!("step {}, {}", step.number, outcome.words);
        let first = failures.len();
        for mismatch in mismatches(step, answer, &execution.others) {
            failures.push(Failure {
                headline: headline(),
                against: Against::Expectation,
                at: excerpt(&scenario.file, &mismatch.at),
                expected: Some(mismatch.expected),
                actual: Some(mismatch.actual),
                details: mismatch.detail.into_iter().collect(),
                text_diff: None,
            });
        }
        if matches!(&execution.end, End::Refused(number) if *number == step.number) {
            failures.extend(refused(scenario, step, headline(), answer));
        }
        if let (Some(failure), Some(complaint)) = (failures.get_mut(first), &outcome.complaint) {
            let said = complaint.lines().map(|line| format!("  {line}"));
            failure
                .details
                .push("the engine wrote on standard error:".to_owned());
            failure.details.extend(said);
        }
    }
    failures
}

fn refused(scenario: &Scenario, step: &Step, headline: String, answer: &Answer) -> Option<Failure> {
    let refusal = refusal_of(answer)?;
    let code = refusal.code.to_string();
    let actual = if refusal.message == code {
        format!("error {code}")
    } else {
        format!("error {code}: {}", refusal.message)
    };
    Some(Failure {
        against: Against::Performing,
        headline,
        at: excerpt(&scenario.file, &step.at),
        expected: Some("no error".to_owned()),
        actual: Some(actual),
        details: vec![
            ENDS_HERE.to_owned(),
            format!("if this is right, say so: `expect: {{error: {code}}}`"),
        ],
        text_diff: None,
    })
}

fn refusal_of(answer: &Answer) -> Option<&Refusal> {
    match answer {
        Answer::Refused(refusal) => Some(refusal),
        Answer::Done(Value::Files(answers)) => answers.iter().find_map(|a| a.result.as_ref().err()),
        _ => None,
    }
}

fn approval_failure(judged: Judged<'_>) -> Result<Option<Failure>, String> {
    Ok(match judged.approval {
        Approval::Same | Approval::Variant { .. } | Approval::Written(_) => None,
        Approval::Unusable(why) => return Err(why.clone()),
        Approval::Missing { path, pending } => Some(Failure {
            against: Against::Nothing,
            headline: format!("no approved outcome yet: {}", path.display()),
            details: waiting(pending.as_deref()),
            text_diff: Some(unified_diff("", judged.text)),
            ..Failure::default()
        }),
        Approval::Differs {
            path,
            approved,
            pending,
        } => {
            let mut details = differences(approved, judged.text);
            if details.len() > DIFFERENCES_MAX {
                let more = details.len() - DIFFERENCES_MAX;
                details.truncate(DIFFERENCES_MAX);
                details.push(format!("… and {more} more"));
            }
            details.extend(waiting(pending.as_deref()));
            Some(Failure {
                against: Against::Approved(halves_that_differ(approved, judged.text)),
                headline: format!("the outcome is not the approved one: {}", path.display()),
                details,
                text_diff: Some(unified_diff(approved, judged.text)),
                ..Failure::default()
            })
        }
        Approval::Tidy { path, message } => Some(Failure {
            against: Against::Approved(Halves::both(true)),
            headline: format!("{}: {message}", path.display()),
            ..Failure::default()
        }),
    })
}

fn waiting(pending: Option<&Path>) -> Vec<String> {
    pending
        .map(|path| format!("waits for review: {}", path.display()))
        .into_iter()
        .collect()
}
