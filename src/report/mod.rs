//! What a run has to say, for people and for machines.
//!
//! A [`Reporter`] is told three things: that the run starts, that a case is finished, that the run is
//! finished. Text is made by pure functions of that data; the reporters only write it down.
//!
//! | file | what it holds |
//! |---|---|
//! | `event` | the trait and what it is told |
//! | `bar` | a progress bar |
//! | `block` | one failed case as a block of text |
//! | `excerpt` | a place in a scenario file with its lines and a caret |
//! | `summary` | the end of a run: skips, what was kept, totals |
//! | `pretty`, `json`, `junit` | the formats |
//! | `compare/` | the matrix of many engines, and what has changed between two |
//! | `rerun` | the command that runs one case again |
//! | `style` | colours, and text that is safe on a terminal |

mod bar;
mod block;
pub mod compare;
mod event;
mod excerpt;
mod faults;
mod json;
mod junit;
mod pretty;
mod rerun;
pub mod style;
mod summary;
#[cfg(test)]
mod testing;

pub use bar::Bar;
pub use block::{block, case_name};
pub use event::{FinishedCase, Plan, Reporter, Reporters, Totals};
pub use excerpt::excerpt;
pub use faults::{count, faults};
pub use json::Json;
pub use junit::Junit;
pub use pretty::{Detail, Pretty};
pub use rerun::{Rerun, shell_word};
pub use summary::{skip_list, totals_line};
