//! Steps in order, and branches side by side.

use std::sync::Mutex;

use crate::engine::{
    Answer, Description, Engine, FileAction, FileRequest, Operation, Target, Value,
};
use crate::outcome::{StepOutcome, operation_words};
use crate::scenario::{Action, CheckKind, Step, When};

use super::ask::{ask, files_answer, refusal};
use super::execute::{End, Other, Performed};
use super::independent::independent;
use super::limit::Progress;

/// Every step, branches included, each before those inside it: the order in which an outcome has
/// them.
pub fn all_steps(steps: &[Step]) -> Vec<&Step> {
    let mut all = Vec::with_capacity(steps.len());
    for step in steps {
        all.push(step);
        if let Action::Concurrently(branches) = &step.action {
            for branch in branches {
                all.extend(all_steps(branch));
            }
        }
    }
    all
}

/// A step in one line, in Docker's words.
pub fn step_words(step: &Step) -> String {
    match &step.action {
        Action::Operation(operation) => operation_words(operation),
        Action::Concurrently(branches) => format!("concurrently, {} branches", branches.len()),
    }
}

/// Performs steps on one engine.
pub(super) struct Runner<'a> {
    engine: &'a dyn Engine,
    description: &'a Description,
    progress: &'a Progress,
    others: Mutex<Vec<Other>>,
}

impl<'a> Runner<'a> {
    pub(super) fn new(
        engine: &'a dyn Engine,
        description: &'a Description,
        progress: &'a Progress,
    ) -> Self {
        Self {
            engine,
            description,
            progress,
            others: Mutex::default(),
        }
    }

    pub(super) fn into_others(self) -> Vec<Other> {
        self.others
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Performs a sequence up to the step that ends it. `position` is that of its first step in
    /// [`all_steps`], from 1.
    pub(super) fn sequence<'s>(
        &self,
        steps: &'s [Step],
        mut position: usize,
    ) -> (Vec<Performed<'s>>, End) {
        let mut performed = Vec::with_capacity(steps.len());
        let mut rest = steps;
        while let Some(step) = rest.first() {
            if self.progress.is_stopped() {
                let message = "stopped at the time limit".to_owned();
                return (
                    performed,
                    End::Fault {
                        step: Some(step.number.clone()),
                        message,
                    },
                );
            }
            self.progress.begin(position);
            let length = if self.engine.starts_side_by_side() && makes_container(step) {
                independent(rest, |when| self.holds(when))
            } else if self.engine.batches() {
                self.batch_length(rest)
            } else {
                1
            };
            let (batch, after) = rest.split_at(length.min(rest.len()));
            let end = match &step.action {
                _ if !step.when.as_ref().is_none_or(|when| self.holds(when)) => {
                    performed.push(outcome_of(step, None));
                    End::Complete
                }
                Action::Concurrently(branches) => {
                    performed.push(outcome_of(step, Some(Answer::Done(Value::Nothing))));
                    let (inside, end) = self.side_by_side(branches, position + 1);
                    performed.extend(inside);
                    end
                }
                Action::Operation(operation) if batch.len() == 1 => {
                    self.single(step, operation, &mut performed)
                }
                Action::Operation(Operation::Files { .. }) => self.batch(batch, &mut performed),
                Action::Operation(_) => self.group(batch, &mut performed),
            };
            if end != End::Complete {
                return (performed, end);
            }
            position += count(batch);
            rest = after;
        }
        (performed, End::Complete)
    }

    /// Every branch on a thread of its own; the outcomes in order of the branches. The first branch
    /// that did not come to its own end decides.
    fn side_by_side<'s>(
        &self,
        branches: &'s [Vec<Step>],
        mut position: usize,
    ) -> (Vec<Performed<'s>>, End) {
        let results: Vec<_> = std::thread::scope(|scope| {
            let running: Vec<_> = branches
                .iter()
                .map(|branch| {
                    let first = position;
                    position += count(branch);
                    scope.spawn(move || self.sequence(branch, first))
                })
                .collect();
            running
                .into_iter()
                .map(std::thread::ScopedJoinHandle::join)
                .collect()
        });
        let mut performed = Vec::new();
        let mut end = End::Complete;
        for result in results {
            let (steps, branch_end) = result.unwrap_or_else(|_| {
                let message = "a branch panicked".to_owned();
                (
                    Vec::new(),
                    End::Fault {
                        step: None,
                        message,
                    },
                )
            });
            performed.extend(steps);
            if end == End::Complete {
                end = branch_end;
            }
        }
        (performed, end)
    }

    fn single<'s>(
        &self,
        step: &'s Step,
        operation: &Operation,
        performed: &mut Vec<Performed<'s>>,
    ) -> End {
        let answer = ask(self.engine, operation);
        let end = end_of(step, &answer);
        if end == End::Complete && refusal(&answer).is_none() {
            self.ask_about_others(step, operation);
        }
        let mut done = outcome_of(step, Some(answer));
        done.outcome.complaint = self.engine.complaint();
        performed.push(done);
        end
    }

    /// Containers that have nothing to do with each other, side by side. All of them have been asked for when one
    /// is refused that should not be.
    fn group<'s>(&self, steps: &'s [Step], performed: &mut Vec<Performed<'s>>) -> End {
        let answers: Vec<Answer> = std::thread::scope(|scope| {
            let start = |step: &'s Step| match &step.action {
                Action::Operation(operation) => {
                    Some(scope.spawn(move || ask(self.engine, operation)))
                }
                Action::Concurrently(_) => None,
            };
            let running: Vec<_> = steps.iter().filter_map(start).collect();
            let died = |_| Answer::Broken("a thread panicked".to_owned());
            running
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(died))
                .collect()
        });
        let mut end = End::Complete;
        for (step, answer) in steps.iter().zip(answers) {
            if end == End::Complete {
                end = end_of(step, &answer);
            }
            performed.push(outcome_of(step, Some(answer)));
        }
        end
    }

    /// Several file steps of one place and user as one operation.
    fn batch<'s>(&self, steps: &'s [Step], performed: &mut Vec<Performed<'s>>) -> End {
        let requests = steps
            .iter()
            .filter_map(files)
            .flat_map(|(_, _, requests)| requests);
        let Some((place, user, _)) = steps.first().and_then(files) else {
            return End::Complete;
        };
        let operation = Operation::Files {
            place: place.clone(),
            user: user.clone(),
            requests: requests.cloned().collect(),
        };
        let mut answers = match ask(self.engine, &operation) {
            Answer::Done(Value::Files(answers)) => answers.into_iter(),
            // The place refused, so nothing was performed.
            Answer::Refused(_) => return self.one_by_one(steps, performed),
            fault => {
                performed.extend(
                    steps
                        .first()
                        .map(|step| outcome_of(step, Some(fault.clone()))),
                );
                return steps
                    .first()
                    .map_or(End::Complete, |step| end_of(step, &fault));
            }
        };
        for step in steps {
            let asked = files(step).map_or(0, |(_, _, requests)| requests.len());
            let answer = files_answer(asked, answers.by_ref().take(asked).collect());
            let end = end_of(step, &answer);
            performed.push(outcome_of(step, Some(answer)));
            if end != End::Complete {
                return end;
            }
        }
        End::Complete
    }

    fn one_by_one<'s>(&self, steps: &'s [Step], performed: &mut Vec<Performed<'s>>) -> End {
        for step in steps {
            if let Action::Operation(operation) = &step.action {
                let end = self.single(step, operation, performed);
                if end != End::Complete {
                    return end;
                }
            }
        }
        End::Complete
    }

    /// How many steps from the first on can go to the engine in one call with the same meaning.
    fn batch_length(&self, steps: &[Step]) -> usize {
        let Some((place, user, _)) = steps.first().and_then(files) else {
            return 1;
        };
        let mut length = 0;
        for step in steps {
            let fits = files(step).is_some_and(|(p, u, _)| (p, u) == (place, user));
            let performed = step.when.as_ref().is_none_or(|when| self.holds(when));
            if !fits || !performed || compares(step).next().is_some() {
                break;
            }
            length += 1;
            if !goes_on_alike(step) {
                break;
            }
        }
        length.max(1)
    }

    /// Asks for the attributes of the files that the step's expectations compare with.
    fn ask_about_others(&self, step: &Step, operation: &Operation) {
        let Operation::Files {
            place,
            user,
            requests,
        } = operation
        else {
            return;
        };
        for path in compares(step) {
            let follow = !matches!(
                requests.last().map(|request| &request.action),
                Some(FileAction::Stat { follow: false, .. })
            );
            let action = FileAction::Stat {
                target: Target::Path(path.to_owned()),
                follow,
            };
            let request = FileRequest {
                action,
                stop_on_refusal: true,
            };
            let question = Operation::Files {
                place: place.clone(),
                user: user.clone(),
                requests: vec![request],
            };
            let other = Other {
                step: step.number.clone(),
                path: path.to_owned(),
                answer: ask(self.engine, &question),
            };
            self.others
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .push(other);
        }
    }

    fn holds(&self, when: &When) -> bool {
        let among = |engines: &[String]| {
            let named = |name: &str| engines.iter().any(|engine| engine == name);
            self.description.known_as(named).is_some()
        };
        (when.engines.is_empty() || among(&when.engines))
            && !among(&when.not_engines)
            && when
                .requires
                .iter()
                .all(|need| self.description.capabilities.contains(need))
    }
}

fn makes_container(step: &Step) -> bool {
    let Action::Operation(operation) = &step.action else {
        return false;
    };
    matches!(operation, Operation::Run(_) | Operation::Create(_))
}

fn count(steps: &[Step]) -> usize {
    steps
        .iter()
        .map(|step| match &step.action {
            Action::Operation(_) => 1,
            Action::Concurrently(branches) => 1 + branches.iter().map(|b| count(b)).sum::<usize>(),
        })
        .sum()
}

fn outcome_of(step: &Step, answer: Option<Answer>) -> Performed<'_> {
    let makes_volume = matches!(step.action, Action::Operation(Operation::VolumeCreate(_)));
    let answer = match answer {
        // The name of an anonymous volume is made up, and of any other known.
        Some(Answer::Done(_)) if makes_volume => Some(Answer::Done(Value::Nothing)),
        other => other,
    };
    let outcome = StepOutcome {
        number: step.number.clone(),
        words: step_words(step),
        answer,
        conditional: step.when.is_some(),
        complaint: None,
    };
    Performed { step, outcome }
}

/// What an answer means for going on.
fn end_of(step: &Step, answer: &Answer) -> End {
    let number = Some(step.number.clone());
    match answer {
        Answer::Broken(why) => {
            return End::Fault {
                step: number,
                message: why.clone(),
            };
        }
        Answer::Unsupported(why) => {
            return End::Unsupported {
                step: number,
                message: why.clone(),
            };
        }
        Answer::Done(_) | Answer::Refused(_) => {}
    }
    let expected = step
        .expect
        .as_ref()
        .is_some_and(|expect| !expect.error.is_empty());
    match refusal(answer) {
        Some(_) if !expected => End::Refused(step.number.clone()),
        _ => End::Complete,
    }
}

type FileStep<'a> = (
    &'a crate::engine::Place,
    &'a Option<String>,
    &'a [FileRequest],
);

fn files(step: &Step) -> Option<FileStep<'_>> {
    match &step.action {
        Action::Operation(Operation::Files {
            place,
            user,
            requests,
        }) => Some((place, user, requests)),
        _ => None,
    }
}

/// Whether a refusal in this step has the same effect on the steps after it in a batch as between
/// operations: it ends the scenario, and the batch; or it ends neither.
fn goes_on_alike(step: &Step) -> bool {
    let Some((_, _, requests)) = files(step) else {
        return false;
    };
    let ends_scenario = step
        .expect
        .as_ref()
        .is_none_or(|expect| expect.error.is_empty());
    requests
        .iter()
        .all(|request| request.stop_on_refusal == ends_scenario)
}

/// Paths of the files that the step's expectations compare with.
fn compares(step: &Step) -> impl Iterator<Item = &str> {
    step.expect
        .iter()
        .flat_map(|expect| &expect.checks)
        .filter_map(|check| match &check.kind {
            CheckKind::SameFileAs(path) => Some(path.as_str()),
            _ => None,
        })
}
