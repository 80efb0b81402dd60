//! Executes a scenario on an engine, and looks at what became of it. Executes only: what the
//! outcome is worth is for `verdict` to say.
//!
//! | file | what it holds |
//! |---|---|
//! | `execute` | set-up, steps, the look at the end |
//! | `steps` | one sequence of steps, branches side by side |
//! | `ask` | one operation, with panics caught |
//! | `independent` | containers that may be started side by side |
//! | `limit` | the time limit |
//! | `observe` | the world in one order, whatever the engine's |
//! | `ledger` | what became of everything that was written |
//! | `expect` | an answer against what the step expects |

mod ask;
mod execute;
mod expect;
mod independent;
mod ledger;
mod limit;
mod observe;
mod steps;
#[cfg(test)]
mod tests;

pub use execute::{End, Execution, Other, execute, execute_watched};
pub use expect::{Mismatch, mismatches};
pub use limit::{Progress, Unfinished, within};
pub use steps::{all_steps, step_words};
