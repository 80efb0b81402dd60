//! What was seen when a scenario ran: as data, and as the stable text that a snapshot holds.
//!
//! | file | what it holds |
//! |---|---|
//! | `model` | the outcome as data |
//! | `text`, `tree_text`, `table` | its text |
//! | `words`, `value`, `place` | operations, answers and storages in words |
//! | `quote`, `acl` | bytes in one line |
//! | `compare` | what differs between two texts, in terms of storage, and from which step on |
//! | `halves` | the two halves of a text that are judged apart |

mod acl;
mod compare;
mod halves;
mod model;
mod place;
mod quote;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod tree_text;
mod value;
mod words;

pub use compare::{Parting, Told, differences, parting, unified_diff};
pub use halves::{Halves, halves, halves_that_differ};
pub use model::{Fate, LedgerLine, Outcome, StepOutcome};
pub use place::{place_words, storage_words, volume_name, volume_words};
pub use quote::{content, quote, sha256, word};
pub use text::{fate_words, text};
pub use value::{
    answer_words, change_letter, change_words, list, state_name, time_words, type_name, value_words,
};
pub use words::operation_words;
