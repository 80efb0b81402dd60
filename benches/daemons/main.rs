//! What a scenario costs on real engines ÷ the bare commands, or system calls, that do the same, in turn in one run.
//! The goal for Docker and Podman is 1.3. An engine that is not here is skipped, and why is told.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a benchmark that cannot go on fails, one that cannot begin says so"
)]

mod bare;
mod kernel;
#[path = "../ratios/measure.rs"]
mod measure;
#[expect(dead_code, reason = "the other benchmarks use the rest")]
#[path = "../ratios/world.rs"]
mod world;

use std::time::Duration;

use criterion::{Criterion, SamplingMode, criterion_group};

use bare::Bare;
use measure::{Ratio, compare};
use world::{VOLUME_SCENARIO, World};

/// Two containers that have nothing to do with each other.
const TWO: &str = r#"
title: Two containers
images: {app: {layers: [{/etc/app.conf: "x"}]}}
steps:
  - run: {name: first, image: app}
  - run: {name: second, image: app}
  - rm: {container: first, force: true}
  - rm: {container: second, force: true}
"#;

fn world(engine: &str, scenario: &str) -> World {
    let scenario = ("volume".to_owned(), scenario.to_owned());
    World::on(engine, &std::env::temp_dir(), &[scenario])
}

fn scenario(criterion: &mut Criterion<Ratio>) {
    for engine in ["docker", "podman"] {
        let bare = match world::probe(engine).and_then(|()| Bare::new(engine)) {
            Ok(bare) => bare,
            Err(why) => {
                eprintln!("skipped: {engine}: {why}");
                continue;
            }
        };
        let mut group = criterion.benchmark_group("a scenario ÷ bare commands");
        group.sampling_mode(SamplingMode::Flat).sample_size(10);
        group.warm_up_time(Duration::from_secs(1));
        group.measurement_time(Duration::from_secs(20));
        group.bench_function(format!("{engine}, volume"), |bencher| {
            let world = world(engine, VOLUME_SCENARIO);
            let cases = world.load();
            compare(bencher, || bare.volume_scenario(), || world.run(&cases[0]));
        });
        group.bench_function(format!("{engine}, two containers"), |bencher| {
            let world = world(engine, TWO);
            let cases = world.load();
            compare(bencher, || bare.two_containers(), || world.run(&cases[0]));
        });
        group.finish();
    }
}

fn overlay(criterion: &mut Criterion<Ratio>) {
    if let Err(why) = world::probe("overlayfs").and_then(|()| kernel::probe()) {
        eprintln!("skipped: overlayfs: {why}");
        return;
    }
    let mut group = criterion.benchmark_group("a scenario ÷ bare mounts and processes");
    group.sampling_mode(SamplingMode::Flat).sample_size(20);
    group.bench_function("overlayfs, volume", |bencher| {
        let world = world("overlayfs", VOLUME_SCENARIO);
        let cases = world.load();
        compare(
            bencher,
            || kernel::volume_scenario(world.home.path()),
            || world.run(&cases[0]),
        );
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(Ratio);
    targets = scenario, overlay
}

fn main() {
    layerspec::agent::dispatch();
    kernel::dispatch();
    benches();
    Criterion::default().configure_from_args().final_summary();
}
