//! Scenarios as trials of `cargo test` and `cargo nextest`.
//!
//! A test target with `harness = false` whose `main` calls [`main`] runs every scenario of a folder:
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     layerspec::harness::main("scenarios", "snapshots")
//! }
//! ```
//!
//! Each case is a trial of its own, named by its id: `volumes/readonly[access=ro]`, with `@engine` for
//! engines other than the default one. Three trials more watch over the whole: `layerspec::load` fails when a
//! scenario file is at fault, `layerspec::orphans` when a snapshot belongs to no case any more, and
//! `layerspec::engines` when an engine that was asked for by name cannot be used.
//!
//! | variable | what it does |
//! |---|---|
//! | `LAYERSPEC_UPDATE` | `new` approves the outcome of cases that have no snapshot, `all` that of every case, `no` writes nothing |
//! | `INSTA_UPDATE` | the same in insta's words, when the former is not set |
//! | `CI` | as `no`, unless one of the former is set |
//! | `LAYERSPEC_ENGINE` | engines to run on, separated by commas, instead of those of the program |
//! | `LAYERSPEC_SCRATCH` | where the run's private directory is made |
//!
//! [`Harness`] is the long form, for programs that bring their own engine.

mod builder;
mod names;
mod settings;
mod trials;

pub use builder::{Harness, main};
