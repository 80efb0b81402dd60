//! What many engines made of many cases, as data that outlives the run: a results file is all that a
//! matrix, a report or a comparison with another run needs.
//!
//! | file | what it holds |
//! |---|---|
//! | `model` | columns and cells as data |
//! | `file` | the format of a results file; writing and reading one |
//! | `merge` | several files as one; names of the columns |
//! | `matrix` | case by column, totals, what it is all worth |
//! | `groups` | which columns agree, and where the others part from them |
//! | `change` | what has changed from one run to another |

mod change;
mod file;
mod groups;
mod matrix;
mod merge;
mod model;
#[cfg(test)]
pub(crate) mod testing;

pub use change::{Change, ChangeKind, Changes, changes};
pub use file::{Damaged, harmless, read, write, write_lines};
pub use groups::{Apart, Groups};
pub use matrix::{Matrix, Row, Tally, Worth};
pub use merge::{labels, merge};
pub use model::{Cell, Product, Results};
