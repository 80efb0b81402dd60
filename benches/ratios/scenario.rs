//! What a scenario costs: from text to verdict, against the same effects by bare system calls. The goal
//! is at most 3, on a disk and in memory.

use std::process::Command;
use std::thread;

use criterion::{Criterion, SamplingMode};

use crate::bare;
use crate::measure::{Ratio, compare};
use crate::world::{EMPTY_SCENARIO, VOLUME_SCENARIO, World, disks, thirty_entries};

/// How many scenarios two jobs share.
const MANY: u32 = 64;

pub(crate) fn scenario(criterion: &mut Criterion<Ratio>) {
    let mut group = criterion.benchmark_group("whole volume scenario ÷ bare system calls");
    for (name, disk) in disks() {
        let world = World::new(&disk, &[("volume".to_owned(), VOLUME_SCENARIO.to_owned())]);
        group.bench_function(name, |bencher| {
            compare(
                bencher,
                || bare::volume_scenario(world.home.path(), "bare"),
                || world.load_and_run(),
            );
        });
    }
    // `layerspec run` starts its threads once for all of its scenarios.
    let many: Vec<(String, String)> = (0..MANY)
        .map(|n| (format!("volume-{n}"), VOLUME_SCENARIO.to_owned()))
        .collect();
    for (name, disk) in disks() {
        let world = World::new(&disk, &many);
        group.bench_function(format!("{name} with a time limit"), |bencher| {
            compare(
                bencher,
                || (0..MANY).for_each(|_| bare::volume_scenario(world.home.path(), "bare")),
                || world.load_and_run_limited(),
            );
        });
    }
    group.finish();
}

/// A scenario that does nothing ÷ making and removing a private directory.
pub(crate) fn empty(criterion: &mut Criterion<Ratio>) {
    let mut group = criterion.benchmark_group("whole empty scenario ÷ a directory");
    for (name, disk) in disks() {
        let world = World::new(&disk, &[("empty".to_owned(), EMPTY_SCENARIO.to_owned())]);
        group.bench_function(name, |bencher| {
            compare(
                bencher,
                || bare::directory(world.home.path()),
                || world.load_and_run(),
            );
        });
    }
    group.finish();
}

/// Two jobs with scenarios that are loaded ÷ two threads with bare system calls.
pub(crate) fn jobs(criterion: &mut Criterion<Ratio>) {
    let kinds = [
        ("volume scenarios", VOLUME_SCENARIO.to_owned()),
        ("scenarios of 30 entries", thirty_entries()),
    ];
    for (kind, text) in kinds {
        let title = format!("{MANY} {kind} with 2 jobs ÷ bare system calls with 2 threads");
        let mut group = criterion.benchmark_group(title);
        group.sample_size(20);
        for (name, disk) in disks() {
            let scenarios: Vec<(String, String)> = (0..MANY)
                .map(|n| (format!("scenario-{n}"), text.clone()))
                .collect();
            group.bench_function(name, |bencher| {
                let world = World::new(&disk, &scenarios);
                let cases = world.load();
                let home = world.home.path();
                let bare_one = |name: &str| match kind {
                    "volume scenarios" => bare::volume_scenario(home, name),
                    _ => bare::thirty_entries(home, name),
                };
                compare(
                    bencher,
                    || {
                        thread::scope(|threads| {
                            for name in ["one", "other"] {
                                threads.spawn(move || (0..MANY / 2).for_each(|_| bare_one(name)));
                            }
                        });
                    },
                    || world.run_with_jobs(&cases, 2),
                );
            });
        }
        group.finish();
    }
}

/// From the start of the process to the end of its only scenario ÷ starting a process that does nothing.
pub(crate) fn first_verdict(criterion: &mut Criterion<Ratio>) {
    let mut group = criterion.benchmark_group("layerspec run of one scenario ÷ a process");
    group.sample_size(20).sampling_mode(SamplingMode::Flat);
    for (name, disk) in disks() {
        let world = World::new(&disk, &[("volume".to_owned(), VOLUME_SCENARIO.to_owned())]);
        group.bench_function(name, |bencher| {
            let run = |program: &str, arguments: &[&str]| {
                let output = Command::new(program)
                    .args(arguments)
                    .current_dir(world.home.path())
                    .output()
                    .unwrap();
                assert!(output.status.success(), "{output:?}");
            };
            compare(
                bencher,
                || run("true", &[]),
                || {
                    let arguments = ["run", "scenarios", "--scratch", "scratch"];
                    run(env!("CARGO_BIN_EXE_layerspec"), &arguments);
                },
            );
        });
    }
    group.finish();
}
