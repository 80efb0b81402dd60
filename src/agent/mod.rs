//! The agent: file operations by a real process inside a real container.
//!
//! An engine that runs real containers places the running executable in them and starts it again
//! with [`VARIABLE`] set. Every `main` that uses this crate therefore calls [`dispatch`] first.

mod dispatch;

pub use dispatch::{VARIABLE, dispatch};
