//! Operations in one line, in Docker's words.

mod file;
mod object;

pub use object::operation_words;
