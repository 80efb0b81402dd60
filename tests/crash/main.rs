//! Engines that die and disks that fail. A real process performs a script on the embedded engine; it is killed before
//! each of its writes to the disk in turn, or each of its calls fails in turn. Then the store is opened
//! again, and every object must be as it was before the operation or as it is after it, and nothing may lie on the
//! disk that no object owns.
//!
//! `strace` tells which calls there are and does the killing, a tracer of our own lets calls fail. Where there is no
//! `strace` the trials are ignored, unless `LAYERSPEC_REQUIRE` names it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails; its child process speaks on standard output"
)]

mod build;
mod child;
mod disk;
mod durable;
mod fail;
mod kill;
mod objects;
mod script;
mod strace;
mod tracer;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.get(1).is_some_and(|first| first == child::FLAG) {
        child::main(&arguments[2..]);
        return ExitCode::SUCCESS;
    }
    let mut trials = Vec::new();
    for script in script::all() {
        let name = script.name;
        for (what, test) in [
            (
                "killed",
                kill::test as fn(&script::Script) -> Result<(), Failed>,
            ),
            ("failing", fail::test),
            ("short", fail::test_short_writes),
            ("full", fail::test_full_files),
        ] {
            let script = script.clone();
            trials.push(trial(format!("{name}::{what}"), move || test(&script)));
        }
    }
    let copy_up = child::named("copy_up");
    trials.push(trial("copy_up::full_by_hand", move || {
        fail::test_full_files_by_hand(&copy_up)
    }));
    trials.push(trial("durable", durable::test));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A trial that needs `strace`.
fn trial(
    name: impl Into<String>,
    test: impl FnOnce() -> Result<(), Failed> + Send + 'static,
) -> Trial {
    Trial::ignorable_test(name, move || match strace::absent() {
        Some(reason) if strace::is_required() => Err(Failed::from(reason)),
        Some(reason) => Ok(Completion::ignored_with(reason)),
        None => test().map(|()| Completion::Completed),
    })
}
