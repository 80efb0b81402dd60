//! How costs grow: with layers, files and scenarios. Each figure is the cost of one unit in the large
//! case ÷ that in the small one, in one run: 1 is linear growth. Lookup is one call in both cases,
//! so there 1 is flat.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use criterion::{Criterion, SamplingMode};
use layerspec::engine::{Content, Entry, Node, NodeKind, Tree};
use layerspec::scenario::Scenario;
use layerspec::union::{Directory, Options, Stack, Union};

use crate::measure::{Ratio, compare, compare_per_unit};
use crate::world::{VOLUME_SCENARIO, World, disks};

const PLAIN: &str = r#"
title: One container
images: {app: {layers: [{/a: "a"}]}}
steps:
  - run: {name: first, image: app}
  - in: first
    write: {/b: "b"}
"#;

/// A size, or a hundredth of it when the benchmarks are only tried once through.
pub(crate) fn full(size: u32) -> u32 {
    let is_trial = std::env::args().any(|argument| argument == "--test");
    if is_trial { size / 100 } else { size }
}

/// The plain scenario with so many layers of so many files each.
fn sized(world: &World, layers: u32, files: u32) -> Scenario {
    let mut cases = world.load();
    let mut case = cases.pop().unwrap();
    case.stem = format!("sized-{layers}-{files}");
    case.images[0].layers = (0..layers).map(|layer| tree(layer, files)).collect();
    world.approve(&case);
    case
}

fn tree(layer: u32, files: u32) -> Tree {
    let file = |number: u32| Entry {
        path: format!("/layer-{layer}/{}/{number}", number / 100),
        node: Node::new(NodeKind::File(Content::Bytes("x".into()))),
    };
    Tree((0..files).map(file).collect())
}

pub(crate) fn growth(criterion: &mut Criterion<Ratio>) {
    for (name, disk) in disks() {
        let world = World::new(&disk, &[("plain".to_owned(), PLAIN.to_owned())]);
        let mut group = criterion.benchmark_group(format!("cost per unit, {name}"));
        group.sample_size(10).sampling_mode(SamplingMode::Flat);
        let (few, many) = (sized(&world, 1, 1), sized(&world, 128, 1));
        group.bench_function("layers: 128 ÷ 1", |bencher| {
            compare_per_unit(bencher, (1, || world.run(&few)), (128, || world.run(&many)));
        });
        let (few, more) = (sized(&world, 1, 10), sized(&world, 1, 1_000));
        group.bench_function("files: 1,000 ÷ 10", |bencher| {
            compare_per_unit(
                bencher,
                (10, || world.run(&few)),
                (1_000, || world.run(&more)),
            );
        });
        let units = full(100_000);
        let many = sized(&world, 1, units);
        group.bench_function("files: 100,000 ÷ 1,000", |bencher| {
            compare_per_unit(
                bencher,
                (1_000, || world.run(&more)),
                (units, || world.run(&many)),
            );
        });
        group.finish();
    }
}

pub(crate) fn scenarios(criterion: &mut Criterion<Ratio>) {
    for (name, disk) in disks() {
        let world = |count: u32| {
            let files: Vec<(String, String)> = (0..count)
                .map(|n| (format!("s{n}"), VOLUME_SCENARIO.to_owned()))
                .collect();
            World::new(&disk, &files)
        };
        let units = full(10_000);
        let (few, many) = (world(10), world(units));
        let mut group = criterion.benchmark_group(format!("cost per scenario, {name}"));
        group.sample_size(10).sampling_mode(SamplingMode::Flat);
        group.bench_function("scenarios: 10,000 ÷ 10", |bencher| {
            compare_per_unit(
                bencher,
                (10, || few.load_and_run()),
                (units, || many.load_and_run()),
            );
        });
        group.finish();
    }
}

pub(crate) fn lookup(criterion: &mut Criterion<Ratio>) {
    for (name, disk) in disks() {
        let home = tempfile::tempdir_in(&disk).unwrap();
        let small = lower(home.path(), "small", 10);
        let large = lower(home.path(), "large", full(100_000));
        let mut group = criterion.benchmark_group(format!("lookup, {name}"));
        for (which, wanted) in [
            ("a name that is there", "7"),
            ("a name that is not", "none"),
        ] {
            group.bench_function(format!("{which}: 100,000 files ÷ 10"), |bencher| {
                compare(
                    bencher,
                    || drop(small.lookup(&small.root(), OsStr::new(wanted))),
                    || drop(large.lookup(&large.root(), OsStr::new(wanted))),
                );
            });
        }
        group.finish();
    }
}

/// A union whose only layer has so many files in its root.
fn lower(home: &Path, name: &str, files: u32) -> Arc<Union> {
    let folder = home.join(name);
    std::fs::create_dir(&folder).unwrap();
    for number in 0..files {
        std::fs::write(folder.join(number.to_string()), "").unwrap();
    }
    let lower: Directory = Arc::new(std::fs::File::open(&folder).unwrap().into());
    let options = Options::default();
    Union::open(Stack {
        upper: None,
        work: None,
        lowers: vec![lower],
        options,
    })
    .unwrap()
}
