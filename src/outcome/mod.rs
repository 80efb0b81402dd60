//! What was seen when a scenario ran: as data, and as the stable text that a snapshot holds.

mod model;
mod text;

pub use model::{Fate, LedgerLine, Outcome, StepOutcome};
pub use text::text;
