//! What two engines showed of one scenario, held against each other.
//!
//! What may differ and is not compared: the words of a refusal (its code is); inode and device numbers; blocks, which depend on
//! how much a file system allocates; last access, which depends on its mount options; size and links of a directory, which
//! depend on its kind; a last modification that is the moment of the run; what seeking data or holes in a directory gives, which
//! is the business of the file system below where a directory is not merged; the path in the host directory of what a
//! container sees of it, as a process may have moved or removed what is bound, and the engine on overlayfs goes on
//! naming it by where it was; the content of an exported archive, which has
//! the times of the run in it; whatever comes after an operation that an engine cannot perform and says so, as the scenario
//! ends there. All the rest is the same or a difference: answers, where changed things lie, and the world
//! at the end.
//!
//! Where one of the two is a container engine's command line, two things more: whether a device may be used, which its
//! runtime decides (device cgroup); what a container that never ran has mounted, as the engine is asked by starting it, which
//! makes what is missing in there.

use std::collections::BTreeMap;

use crate::engine::{
    Answer, Code, ContainerState, Description, Errno, FileAnswer, Refusal, SeenKind, StatAnswer,
    Storage, Time, Value,
};
use crate::outcome::{Outcome, StepOutcome, answer_words, text};
use crate::run::{End, Execution, all_steps};
use crate::scenario::{Action, Scenario, operation_name};

/// What came of a scenario on one engine, or how the engine failed.
pub(super) type Run = Result<Execution, String>;

/// Times before are somebody's choice, later ones the moment of the run.
const NOW: i64 = 1_600_000_000;

/// The first thing in which two engines part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What kind it is of: two with the same are mostly one fault.
    pub class: String,
    /// What differs, in one line.
    pub what: String,
    /// What each engine showed.
    pub shown: Vec<(String, String)>,
    /// Position of the step from 1, when it is the answer to a step.
    pub position: Option<usize>,
}

/// The first difference between an engine and the reference, which comes last.
pub(super) fn difference(scenario: &Scenario, runs: &[(&Description, Run)]) -> Option<Difference> {
    let (reference, others) = runs.split_last()?;
    if let Some(broken) = runs.iter().find_map(|(of, run)| failure(&of.name, run)) {
        return Some(broken);
    }
    let is_beyond = |run: &Run| {
        let end = run.as_ref().map(|run| &run.end);
        matches!(end, Ok(End::Unsupported { step: None, .. }))
    };
    if runs.iter().any(|(_, run)| is_beyond(run)) {
        return None;
    }
    let (them, Ok(theirs)) = reference else {
        return None;
    };
    others.iter().find_map(|(us, run)| {
        let ours = run.as_ref().ok()?;
        let pair = Pair {
            scenario,
            names: [&us.name, &them.name],
            has_runtime: us.is_command_line() || them.is_command_line(),
        };
        pair.first(&ours.outcome, &theirs.outcome)
    })
}

/// An engine that failed is one too many, whatever the others did.
fn failure(name: &str, run: &Run) -> Option<Difference> {
    let (step, message) = match run {
        Err(message) => (None, message),
        Ok(Execution {
            end: End::Fault { step, message },
            ..
        }) => (step.as_ref(), message),
        Ok(_) => return None,
    };
    let at = step
        .map(|step| format!("step {step}: "))
        .unwrap_or_default();
    // What is counted or named in it is another one each time.
    let kind: String = message
        .chars()
        .filter(|c| !c.is_ascii_digit())
        .take(60)
        .collect();
    Some(Difference {
        class: format!("{name} failed: {kind}"),
        what: format!("{at}{name} failed"),
        shown: vec![(name.to_owned(), message.clone())],
        position: step.and_then(|step| step.split('.').next()?.parse().ok()),
    })
}

struct Pair<'a> {
    scenario: &'a Scenario,
    names: [&'a str; 2],
    /// Whether one of them is a container engine's command line, behind which there is a runtime.
    has_runtime: bool,
}

impl Pair<'_> {
    fn first(&self, ours: &Outcome, theirs: &Outcome) -> Option<Difference> {
        let steps = ours.steps.iter().zip(&theirs.steps).enumerate();
        for (index, (one, other)) in steps {
            let is_beyond =
                |step: &StepOutcome| matches!(step.answer, Some(Answer::Unsupported(_)));
            if is_beyond(one) || is_beyond(other) {
                return None;
            }
            if plain(one.answer.as_ref()) != plain(other.answer.as_ref())
                && !self.is_no_matter_of_disks(index, one, other)
            {
                return Some(self.of_step(index, one, other));
            }
        }
        if self.plain_world(ours) == self.plain_world(theirs) {
            return None;
        }
        Some(self.of_world(ours, theirs))
    }

    /// Seeks in directories, and what the runtime's rules for devices refuse.
    fn is_no_matter_of_disks(
        &self,
        index: usize,
        ours: &StepOutcome,
        theirs: &StepOutcome,
    ) -> bool {
        let steps = all_steps(&self.scenario.steps);
        let name = match steps.get(index).map(|step| &step.action) {
            Some(Action::Operation(operation)) => operation_name(operation),
            _ => return false,
        };
        let errno = match name {
            "seek data" | "seek hole" => rustix::io::Errno::INVAL,
            "access" | "open" if self.has_runtime => rustix::io::Errno::PERM,
            _ => return false,
        };
        let codes = [ours, theirs].map(|step| step.answer.as_ref().and_then(refused));
        // What one has open is more than an answer.
        let is_told_alike = name != "open" || codes.iter().all(Option::is_some);
        is_told_alike && codes.contains(&Some(Code::Errno(Errno::from(errno))))
    }

    fn of_step(&self, index: usize, ours: &StepOutcome, theirs: &StepOutcome) -> Difference {
        let steps = all_steps(&self.scenario.steps);
        let name = match steps.get(index).map(|step| &step.action) {
            Some(Action::Operation(operation)) => operation_name(operation),
            _ => "concurrently",
        };
        let brief = |step: &StepOutcome| step.answer.as_ref().map_or_else(String::new, brief);
        let (mut one, mut other) = (brief(ours), brief(theirs));
        let class = format!("{name}: {one}, not {other}");
        if one == other {
            let long = |step: &StepOutcome| format!("{:?}", plain(step.answer.as_ref()));
            (one, other) = (long(ours), long(theirs));
            if let (Some(a), Some(b)) = (&ours.answer, &theirs.answer) {
                let (a, b) = (answer_words(a), answer_words(b));
                if a != b {
                    (one, other) = (a, b);
                }
            }
        }
        Difference {
            class,
            what: format!("step {}, {}", ours.number, ours.words),
            shown: self.shown(one, other),
            position: ours
                .number
                .split('.')
                .next()
                .and_then(|number| number.parse().ok()),
        }
    }

    fn of_world(&self, ours: &Outcome, theirs: &Outcome) -> Difference {
        let (one, other) = (text(ours), text(theirs));
        let lines = crate::outcome::differences(&other, &one);
        let first = lines.first().cloned();
        let section = first
            .as_ref()
            .and_then(|line| line.split([' ', ':']).next())
            .unwrap_or("what is not shown");
        let missing = |line: &str| {
            [
                "missing", "only now", "mode", "owner", "content", "from", "→",
            ]
            .into_iter()
            .find(|word| line.contains(word))
            .unwrap_or("other")
        };
        let lines = if lines.is_empty() {
            vec![self.unsaid(ours, theirs)]
        } else {
            lines
        };
        let class = format!(
            "at the end: {section} {}",
            first.as_deref().map_or("", missing)
        );
        let [our_name, their_name] = self.names;
        Difference {
            class,
            what: format!("at the end, {our_name} against {their_name}"),
            shown: vec![(our_name.to_owned(), lines.join("\n"))],
            position: None,
        }
    }

    /// The first thing in which two worlds differ that read the same.
    fn unsaid(&self, ours: &Outcome, theirs: &Outcome) -> String {
        let [ours, theirs] =
            [ours, theirs].map(|outcome| format!("{:#?}", self.plain_world(outcome)));
        let mut pairs = ours.lines().zip(theirs.lines());
        let pair = pairs.find(|(one, other)| one != other);
        let (one, other) = pair.unwrap_or_default();
        format!("{} → {}", other.trim(), one.trim())
    }

    /// The world at the end without what may differ. The ledger is told from it and the answers, so it goes with them.
    fn plain_world(&self, outcome: &Outcome) -> Outcome {
        let mut outcome = Outcome {
            steps: Vec::new(),
            persistence: Vec::new(),
            ..outcome.clone()
        };
        for (container, tree) in &mut outcome.containers {
            if self.has_runtime && container.state == ContainerState::Created {
                tree.retain(|seen| {
                    matches!(
                        seen.storage,
                        Storage::Writable { .. } | Storage::Layer { .. }
                    )
                });
            }
        }
        let trees = outcome.containers.iter_mut().map(|(_, tree)| tree);
        let trees = trees.chain([&mut outcome.host]);
        for seen in trees.flatten().filter(|seen| seen.storage == Storage::Host) {
            if seen.path.ends_with("/out.tar") {
                seen.kind = SeenKind::Fifo;
            }
            seen.inner.clear();
        }
        outcome
    }

    fn shown(&self, one: String, other: String) -> Vec<(String, String)> {
        self.names
            .iter()
            .map(|name| (*name).to_owned())
            .zip([one, other])
            .collect()
    }
}

/// What kind of answer it is.
fn brief(answer: &Answer) -> String {
    match answer {
        Answer::Refused(Refusal { code, .. }) => code.to_string(),
        Answer::Done(Value::Files(answers)) => answers
            .iter()
            .find_map(|answer| answer.result.as_ref().err())
            .map_or_else(|| "ok".to_owned(), |refusal| refusal.code.to_string()),
        Answer::Done(_) => "ok".to_owned(),
        Answer::Unsupported(_) => "unsupported".to_owned(),
        Answer::Broken(_) => "broken".to_owned(),
    }
}

/// Whether the engine did what was asked.
pub(super) fn succeeded(answer: &Answer) -> bool {
    brief(answer) == "ok"
}

/// The code of the refusal in an answer.
pub(super) fn refused(answer: &Answer) -> Option<Code> {
    match answer {
        Answer::Refused(refusal) => Some(refusal.code),
        Answer::Done(Value::Files(answers)) => answers
            .iter()
            .find_map(|answer| answer.result.as_ref().err())
            .map(|refusal| refusal.code),
        _ => None,
    }
}

/// An answer without what may differ.
fn plain(answer: Option<&Answer>) -> Option<Answer> {
    let refusal = |refusal: &Refusal| Refusal {
        code: refusal.code,
        message: String::new(),
    };
    let value = |value: &Value| match value {
        Value::Stat(stat) => Value::Stat(plain_stat(stat)),
        other => other.clone(),
    };
    Some(match answer? {
        Answer::Refused(refused) => Answer::Refused(refusal(refused)),
        Answer::Done(Value::Files(answers)) => {
            let file = |answer: &FileAnswer| FileAnswer {
                result: match &answer.result {
                    Ok(given) => Ok(value(given)),
                    Err(refused) => Err(refusal(refused)),
                },
                changed: answer.changed.iter().map(plain_place).collect(),
            };
            Answer::Done(Value::Files(answers.iter().map(file).collect()))
        }
        other => other.clone(),
    })
}

fn plain_place((storage, path): &(Storage, String)) -> (Storage, String) {
    let path = if *storage == Storage::Host { "" } else { path };
    (storage.clone(), path.to_owned())
}

fn plain_stat(stat: &StatAnswer) -> StatAnswer {
    let zero = Time {
        seconds: 0,
        nanos: 0,
    };
    let is_directory = stat.kind == SeenKind::Directory;
    let is_now = stat.mtime.seconds > NOW;
    StatAnswer {
        size: if is_directory { 0 } else { stat.size },
        links: if is_directory { 0 } else { stat.links },
        blocks: 0,
        ino: 0,
        dev: 0,
        atime: zero,
        mtime: if is_now {
            Time {
                seconds: NOW,
                nanos: 0,
            }
        } else {
            stat.mtime
        },
        xattrs: BTreeMap::clone(&stat.xattrs),
        ..stat.clone()
    }
}

#[cfg(test)]
mod tests;
