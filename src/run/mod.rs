//! Executes a scenario on an engine, and looks at what became of it. Executes only: what the outcome
//! is worth is for `verdict` to say.

mod execute;

pub use execute::{End, Execution, execute};
