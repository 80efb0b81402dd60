//! What a run is worth: every failed expectation, every difference from the approved outcome.

mod excerpt;
mod judge;
mod model;

pub use excerpt::excerpt;
pub use judge::{Judged, faulty, judge, unmet};
pub use model::{CaseResult, Excerpt, Failure, Verdict};
