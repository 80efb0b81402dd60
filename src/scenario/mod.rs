//! The scenario language: text in, meaning or located faults out.
//!
//! Nothing here touches an engine, or a disk beyond reading scenario files and what stands beside
//! them.

mod fault;
mod find;
mod load;
mod model;
mod rules;
mod source;

pub use fault::{Fault, Faults};
pub use find::{FoundFile, find};
pub use load::load;
pub use model::{Action, At, Check, CheckKind, Expect, Scenario, SourceFile, Span, Step, When};
pub use rules::{Level, Rule, RuleBook};
