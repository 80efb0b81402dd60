//! Rows of the comparison. Numbers are those of the behaviour catalogue.

mod features;
mod look;
mod names;

pub(crate) use features::{FOLLOWED, INDEX, METACOPY, REDIRECTS};

/// Name, and script.
pub(crate) type Row = (&'static str, &'static str);

/// With the options that Docker mounts with.
pub(crate) fn rows() -> Vec<Row> {
    [look::ROWS, names::ROWS].concat()
}
