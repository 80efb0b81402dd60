//! What differs between two texts of outcomes, in terms of storage.

mod difference;
mod parse;

pub use difference::{differences, unified_diff};
