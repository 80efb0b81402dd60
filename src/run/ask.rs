//! One operation, with the engine's panics caught.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::engine::{Answer, Engine, EngineFault, FileAnswer, Operation, Refusal, Value, World};

/// Performs an operation; a panic of the engine is a broken engine.
pub(super) fn ask(engine: &dyn Engine, operation: &Operation) -> Answer {
    let answer = catch_unwind(AssertUnwindSafe(|| engine.perform(operation)))
        .unwrap_or_else(|payload| Answer::Broken(panic_words(payload.as_ref())));
    match (operation, answer) {
        (Operation::Files { requests, .. }, Answer::Done(Value::Files(answers))) => {
            files_answer(requests.len(), answers)
        }
        (Operation::Files { .. }, Answer::Done(other)) => {
            Answer::Broken(format!("answered file operations with {other:?}"))
        }
        (_, answer) => answer,
    }
}

/// Looks at the world; a panic of the engine is a fault.
pub(super) fn look(engine: &dyn Engine) -> Result<World, EngineFault> {
    catch_unwind(AssertUnwindSafe(|| engine.observe()))
        .unwrap_or_else(|payload| Err(EngineFault(panic_words(payload.as_ref()))))
}

/// The refusal in an answer: of the operation, or of the first file request that was refused.
pub(super) fn refusal(answer: &Answer) -> Option<&Refusal> {
    match answer {
        Answer::Refused(refusal) => Some(refusal),
        Answer::Done(Value::Files(answers)) => answers
            .iter()
            .find_map(|answer| answer.result.as_ref().err()),
        _ => None,
    }
}

/// Fewer answers than requests are right only after a refusal.
pub(super) fn files_answer(asked: usize, answers: Vec<FileAnswer>) -> Answer {
    let refused = answers.last().is_some_and(|answer| answer.result.is_err());
    if answers.len() == asked || (answers.len() < asked && refused) {
        return Answer::Done(Value::Files(answers));
    }
    Answer::Broken(format!(
        "gave {} answers to {asked} file operations",
        answers.len()
    ))
}

fn panic_words(payload: &(dyn Any + Send)) -> String {
    let words = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned());
    format!(
        "panicked: {}",
        words.as_deref().unwrap_or("without a message")
    )
}
