//! File requests by system calls, in the thread that has taken on its credentials.
//!
//! | file | requests |
//! |---|---|
//! | `batch` | one after the other; targets and handles |
//! | `file` | open files, devices among them |
//! | `place` | where a thing lies, as the process sees it |
//! | `look` | those that give something and change nothing |
//! | `change` | data, open files, attributes |
//! | `names` | directories and the names in them |
//! | `write` | a node of a tree |

mod batch;
mod change;
mod file;
mod look;
mod names;
mod place;
mod write;

pub(super) use batch::{Batch, Resolved};
pub(super) use file::OpenFile;
pub(super) use write::{fill, new_node, set_attributes};
