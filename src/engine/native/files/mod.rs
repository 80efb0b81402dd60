//! File operations: requests of the contract as system calls of a process, and what came of them.
//!
//! | file | what it holds |
//! |---|---|
//! | `session` | a place where processes run, and the open files that scenarios name |
//! | `batch` | one batch of requests; which file performs what |
//! | `look` | requests that give something |
//! | `change` | requests that change data, attributes or names |
//! | `write` | a node of a tree, written by a process |
//! | `convert` | between the contract's words and the union's |

mod batch;
mod change;
pub(super) mod convert;
mod look;
mod session;
mod write;

#[cfg(test)]
mod tests;

pub(super) use session::Session;
