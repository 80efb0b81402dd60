//! What differs between two texts of outcomes, in terms of storage.

mod difference;
mod parse;
mod parting;
mod vanished;

pub use difference::{differences, unified_diff};
pub use parting::{Parting, Told, parting};
