//! How costs grow: with layers, files and scenarios. Each figure is what the large case costs, as so many times
//! its bare system calls, ÷ the same of the small case, all in one run: 1 is the growth of the file system
//! itself. Lookup is one call in both cases, so there 1 is flat.

use std::cell::LazyCell;
use std::ffi::OsStr;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use criterion::{Criterion, SamplingMode};
use layerspec::engine::{Content, Entry, Node, NodeKind, Tree};
use layerspec::scenario::Scenario;
use layerspec::union::{Directory, Options, Stack, Union};

use crate::bare;
use crate::measure::{Ratio, Sized, compare, compare_growth};
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
        let world = LazyCell::new(|| World::new(&disk, &[("plain".to_owned(), PLAIN.to_owned())]));
        let mut group = criterion.benchmark_group(format!("growth with size, {name}"));
        group.sample_size(10).sampling_mode(SamplingMode::Flat);
        let mut bench = |title: &str, (few_layers, few), (many_layers, many)| {
            group.bench_function(title, |bencher| {
                let size = |layers: u32, files: u32| {
                    let (case, world) = (sized(&world, layers, files), &world);
                    Sized {
                        subject: move || world.run(&case),
                        bare: move || {
                            for _ in 0..layers {
                                bare::files(world.home.path(), files);
                            }
                        },
                    }
                };
                compare_growth(bencher, size(few_layers, few), size(many_layers, many));
            });
        };
        bench("layers: 128 ÷ 1", (1, 1), (128, 1));
        bench("files: 1,000 ÷ 10", (1, 10), (1, 1_000));
        bench("files: 100,000 ÷ 1,000", (1, 1_000), (1, full(100_000)));
        group.finish();
    }
}

pub(crate) fn scenarios(criterion: &mut Criterion<Ratio>) {
    for (name, disk) in disks() {
        let size = |count: u32| {
            let files: Vec<(String, String)> = (0..count)
                .map(|n| (format!("s{n}"), VOLUME_SCENARIO.to_owned()))
                .collect();
            let world = Rc::new(World::new(&disk, &files));
            let home = Rc::clone(&world);
            Sized {
                subject: move || world.load_and_run(),
                bare: move || {
                    for _ in 0..count {
                        bare::volume_scenario(home.home.path());
                    }
                },
            }
        };
        let mut group = criterion.benchmark_group(format!("growth with scenarios, {name}"));
        group.sample_size(10).sampling_mode(SamplingMode::Flat);
        group.bench_function("scenarios: 10,000 ÷ 10", |bencher| {
            compare_growth(bencher, size(10), size(full(10_000)));
        });
        group.finish();
    }
}

pub(crate) fn lookup(criterion: &mut Criterion<Ratio>) {
    for (name, disk) in disks() {
        let home = tempfile::tempdir_in(&disk).unwrap();
        let small = LazyCell::new(|| lower(home.path(), "small", 10));
        let large = LazyCell::new(|| lower(home.path(), "large", full(100_000)));
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
