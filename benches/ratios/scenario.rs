//! What a scenario costs: from text to verdict, against the same effects by bare system calls. The goal
//! is at most 3, on a disk and in memory.

use criterion::Criterion;

use crate::bare;
use crate::measure::{Ratio, compare};
use crate::world::{VOLUME_SCENARIO, World, disks};

pub(crate) fn scenario(criterion: &mut Criterion<Ratio>) {
    let mut group = criterion.benchmark_group("whole volume scenario ÷ bare system calls");
    for (name, disk) in disks() {
        let world = World::new(&disk, &[("volume".to_owned(), VOLUME_SCENARIO.to_owned())]);
        group.bench_function(name, |bencher| {
            compare(
                bencher,
                || bare::volume_scenario(world.home.path()),
                || world.load_and_run(),
            );
        });
    }
    group.finish();
}

pub(crate) fn jobs(criterion: &mut Criterion<Ratio>) {
    let mut group = criterion.benchmark_group("64 scenarios with 2 jobs ÷ with 1 job");
    for (name, disk) in disks() {
        let scenarios: Vec<(String, String)> = (0..64)
            .map(|n| (format!("volume-{n}"), VOLUME_SCENARIO.to_owned()))
            .collect();
        group.sample_size(10);
        group.bench_function(name, |bencher| {
            let world = World::new(&disk, &scenarios);
            let cases = world.load();
            compare(
                bencher,
                || world.run_with_jobs(&cases, 1),
                || world.run_with_jobs(&cases, 2),
            );
        });
    }
    group.finish();
}
