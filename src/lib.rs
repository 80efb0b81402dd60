//! `layerspec`: executable specifications for container storage.
//!
//! You write down, in YAML, what a container's disk must do: image layers, the writable layer,
//! copy-on-write, volumes, mounts. layerspec runs that against an engine on a real disk, then compares
//! the merged tree and what persisted with an approved snapshot.
//!
//! ```text
//! scenarios/**/*.yaml ─▶ scenario ─▶ run ─▶ outcome ─▶ snapshot ─▶ verdict ─▶ report
//!                                     │
//!                                     ▼
//!                                   engine   one contract, many implementations
//!                                     │
//!                                     ▼
//!                           store + rootfs + union   know nothing of scenarios
//! ```
//!
//! | module | what it does |
//! |---|---|
//! | [`scenario`] | text in, meaning or located faults out |
//! | [`engine`] | operations, answers and what is there, as plain data; the engines behind them |
//! | [`union`] | a union file system as a library |
//! | [`rootfs`] | one container's disk as its processes see it |
//! | [`store`] | images, containers and volumes on disk |
//! | [`sys`] | the only door to the bare kernel |
//! | [`run`] | performs a scenario on an engine and looks at what became of it |
//! | [`outcome`] | what was seen, as data and as text |
//! | [`snapshot`] | approved outcomes on disk |
//! | [`verdict`] | what a run is worth |
//! | [`results`] | what many engines made of many cases, as data that outlives the run |
//! | [`case`] | one case from opening the engine to the verdict |
//! | [`suite`] | all cases of some paths, with their snapshot folders and rule books |
//! | [`report`] | what a run has to say, for people and for machines |
//! | [`fuzz`] | random scenarios, on several engines that ought to agree |
//! | [`cli`] | the `layerspec` command |
//! | [`harness`] | the same scenarios as trials of `cargo test` |
//! | [`agent`] | file operations by a real process inside a real container |
//!
//! Which module may use which is written down in `CONTRIBUTING.md`, and a test holds them to it.
//!
//! # Scenarios in your own crate
//!
//! A test target with `harness = false` and this `main` is all that it takes:
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     layerspec::harness::main("scenarios", "snapshots")
//! }
//! ```

#[cfg(not(target_os = "linux"))]
compile_error!(
    "layerspec needs Linux: its engine rests on openat2, overlayfs and extended attributes"
);

pub mod agent;
pub mod case;
pub mod cli;
pub mod engine;
pub mod environment;
mod farewell;
pub mod fuzz;
pub mod harness;
mod interrupt;
pub mod outcome;
pub mod registry;
pub mod report;
pub mod results;
pub mod rootfs;
pub mod run;
pub mod scenario;
pub mod schedule;
mod scratch;
pub mod snapshot;
pub mod store;
pub mod suite;
pub mod sys;
#[cfg(test)]
mod testing;
pub mod union;
pub mod verdict;
