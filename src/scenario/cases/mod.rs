//! `cases:` and `${}`: one file, several tests.

mod fill_in;
mod parameters;

pub(crate) use fill_in::{check_used, fill_in};
pub(crate) use parameters::{Case, cases, spot};
