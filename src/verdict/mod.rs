//! What a run is worth: every failed expectation, every difference from the approved outcome.

mod model;

pub use model::{CaseResult, Excerpt, Failure, Verdict};
