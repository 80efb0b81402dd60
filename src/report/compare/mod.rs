//! What many engines made of many cases: the matrix, where they part, what has changed. Each is a pure
//! function of results, which may be foreign: nothing in them reaches a terminal or a document unescaped.
//!
//! | file | what it holds |
//! |---|---|
//! | `record` | a [`super::Reporter`] that collects results |
//! | `sign` | marks as signs |
//! | `story` | where engines part on one case, in lines |
//! | `grid` | aligned columns |
//! | `pretty`, `markdown`, `junit` | a matrix in each format |
//! | `change` | what has changed between two results, in each format |

mod change;
mod grid;
mod junit;
mod markdown;
mod pretty;
mod record;
mod sign;
mod story;

pub use change::{changes_json, changes_markdown, changes_pretty};
pub use junit::matrix_junit;
pub use markdown::matrix_markdown;
pub use pretty::matrix_pretty;
pub use record::Recorder;
