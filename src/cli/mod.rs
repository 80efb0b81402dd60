//! The `layerspec` command.
//!
//! | file | what it does |
//! |---|---|
//! | `args` | the command line as it is typed |
//! | `settings` | what was typed, validated, with the environment's and the default values filled in |
//! | `main` | from the process's arguments to its exit code |
//! | `compare_settings` | the same for `compare` |
//! | `run`, `compare`, `list`, `check`, `bless`, `engines`, `coverage`, `clean`, `fuzz` | one command each |
//! | `image`, `adapter` | commands on images and adapters |
//! | `execute` | cases side by side, as `run`, `bless` and `compare` need them |
//! | `output` | standard output and error, coloured or not |
//! | [`exit`] | exit codes |

mod adapter;
mod args;
mod bless;
mod check;
mod clean;
mod compare;
mod compare_settings;
mod coverage;
mod crew;
mod engines;
mod error;
mod execute;
pub mod exit;
mod fuzz;
mod image;
mod list;
mod main;
mod output;
mod run;
mod settings;

pub use main::main;
