//! The union alone, with locks that a sanitizer sees.
extern crate annotated as std;

#[path = "../../../src/sys/mod.rs"]
pub mod sys;
#[path = "../../../src/union/mod.rs"]
pub mod union;
