//! Approved outcomes on disk, in insta's file format, so that `cargo insta review` works on them.
//!
//! | file | what it holds |
//! |---|---|
//! | `name` | which case and engine has which file |
//! | `file` | insta's file format, read and written |
//! | `approve` | a text against the approved one, and what is written when they differ |
//! | `orphans` | files that nothing accounts for |
//!
//! insta's own assertion is not used: it takes its settings from the environment and from the crate
//! that it was compiled in, prints, panics, and forgives differences in blanks; none of which suits
//! an installed command. The files are the same.

mod approve;
mod file;
mod name;
mod orphans;
#[cfg(test)]
mod tests;

pub use approve::{Approval, UpdateMode, approve};
pub use name::{pending_path, snapshot_path};
pub use orphans::{Leftover, leftovers};
