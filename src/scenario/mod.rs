#![doc = include_str!("language.md")]
//!
//! # This module
//!
//! Text in, meaning or located faults out. Nothing here touches an engine, or a disk beyond reading
//! scenario files and what stands beside them.
//!
//! | file | what it does |
//! |---|---|
//! | `find` | paths → scenario files |
//! | `load` | files → scenarios, or every fault of every file |
//! | `source/` | YAML text → nodes, places in the text |
//! | `shape`, `cases` | duplicate and merge keys; `cases:` and `${}` |
//! | `document`, `tree/`, `mounts`, `steps/` | nodes → the [`Scenario`] |
//! | `fields`, `scalars`, `names` | mappings with known keys, typed scalars, known names |
//! | `mentions` | names that do not resolve |
//! | `decoder`, `fault`, `words`, `width` | collecting faults, showing them |
//! | `rules` | the rule book |
//! | `write/` | the [`Scenario`] → YAML text |

mod cases;
mod decoder;
mod document;
mod fault;
mod fields;
mod find;
mod fixtures;
mod load;
mod mentions;
mod model;
mod mounts;
mod names;
mod rules;
mod scalars;
mod shape;
mod source;
mod steps;
mod tree;
mod width;
mod words;
mod write;

#[cfg(test)]
mod tests;

pub use fault::{Fault, Faults};
pub use find::{FoundFile, find};
pub(crate) use load::read_regular;
pub use load::{load, load_text};
pub use model::{
    Action, At, Check, CheckKind, Difference, Expect, Scenario, SourceFile, Span, Step, When,
};
pub use rules::{Level, Rule, RuleBook};
pub use write::{action_name, operation_name, operation_names, to_yaml};
