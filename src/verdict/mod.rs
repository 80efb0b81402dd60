//! What a run is worth: every failed expectation, every difference from the approved outcome.

mod axes;
mod excerpt;
mod judge;
mod model;

pub use axes::{Mark, marks};
pub use excerpt::excerpt;
pub use judge::{Judged, faulty, judge, unmet};
pub use model::{Against, CaseResult, Excerpt, Failure, UNSUPPORTED, Verdict};
