//! How costs grow: with layers, files and scenarios. For each size it says how many times its bare system calls
//! a whole run costs, so what the file system itself does to many files is no matter, and that ÷ the most of
//! the sizes before, or 1. Fails where a size is so much dearer than all before that the growth is no longer linear.
//!
//! `cargo bench --bench growth` takes all sizes, some minutes; with `--test` only the small ones, once.
//! `cargo bench --bench growth -- files` takes those with that in their titles.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark prints, and fails when it cannot go on"
)]

#[path = "../ratios/bare.rs"]
#[expect(dead_code, reason = "shared with the other benchmarks")]
mod bare;
#[path = "../ratios/world.rs"]
#[expect(dead_code, reason = "shared with the other benchmarks")]
mod world;

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use layerspec::engine::{Content, Entry, Node, NodeKind, Tree};
use layerspec::scenario::Scenario;
use layerspec::union::{Directory, Options, Stack, Union};

use world::{VOLUME_SCENARIO, World, disks};

/// Linear growth keeps the ratio; ten times the size at `n log n` is far below this, at `n²` far above.
const GROWTH_MAX: f64 = 2.0;

/// How long a size is measured, unless one round takes longer.
const PATIENCE: Duration = Duration::from_secs(5);

const ROUNDS_MAX: usize = 15;

const PLAIN: &str = r#"
title: One container
images: {app: {layers: [{/a: "a"}]}}
steps:
  - run: {name: first, image: app}
  - in: first
    write: {/b: "b"}
"#;

/// What is asked for on the command line.
struct Asked {
    is_trial: bool,
    filter: Option<String>,
}

impl Asked {
    fn new() -> Self {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        Self {
            is_trial: arguments.iter().any(|argument| argument == "--test"),
            filter: arguments.into_iter().find(|a| !a.starts_with('-')),
        }
    }

    /// Measures every size in turn, and tells whether the growth is linear. `at` makes a piece of work of
    /// a size and its bare counterpart.
    fn growth<'a>(&self, title: &str, sizes: &[u32], at: impl Fn(u32) -> Pair<'a>) -> bool {
        if self
            .filter
            .as_ref()
            .is_some_and(|filter| !title.contains(filter))
        {
            return true;
        }
        let sizes = if self.is_trial { &sizes[..2] } else { sizes };
        let mut is_linear = true;
        // Less than the bare calls is a gift, which the next size need not get: a small layer that an earlier engine left.
        let mut before: f64 = 1.0;
        for size in sizes {
            let (mut subject, mut bare) = at(*size);
            let (ratio, took) = self.measure(&mut subject, &mut bare);
            let is_first = size == &sizes[0];
            let growth = if is_first { 1.0 } else { ratio / before };
            let is_fine = growth <= GROWTH_MAX || self.is_trial;
            is_linear &= is_fine;
            let verdict = if is_fine { "" } else { "  worse than linear" };
            let took = took.as_secs_f64() * 1e3;
            println!(
                "{title:28} {size:>7}  {ratio:>6.2} x bare  growth {growth:>5.2}  {took:>10.2} ms{verdict}"
            );
            // A disk has its good moments, against which the next would look bad.
            before = before.max(ratio);
        }
        is_linear
    }

    /// Median ratio of rounds in which both take turns, and median time of the subject.
    fn measure(&self, subject: &mut dyn FnMut(), bare: &mut dyn FnMut()) -> (f64, Duration) {
        let begin = Instant::now();
        let mut rounds = Vec::new();
        while rounds.is_empty()
            || (!self.is_trial && rounds.len() < ROUNDS_MAX && begin.elapsed() < PATIENCE)
        {
            let of_bare = time(bare);
            let of_subject = time(subject);
            rounds.push((of_subject.as_secs_f64() / of_bare.as_secs_f64(), of_subject));
        }
        let middle = rounds.len() / 2;
        rounds.sort_by(|a, b| a.0.total_cmp(&b.0));
        rounds[middle]
    }
}

fn time(work: &mut dyn FnMut()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn main() -> ExitCode {
    let asked = Asked::new();
    let mut is_linear = true;
    for (name, disk) in disks() {
        let world = World::new(&disk, &[("plain".to_owned(), PLAIN.to_owned())]);
        let run = |layers: u32, files: u32| {
            let (case, world) = (sized(&world, layers, files), &world);
            let subject: Box<dyn FnMut()> = Box::new(move || world.run(&case));
            let bare: Box<dyn FnMut()> =
                Box::new(move || bare_layers(world.home.path(), layers, files));
            (subject, bare)
        };
        let sizes = [1, 8, 32, 128];
        is_linear &= asked.growth(&format!("layers in {name}"), &sizes, |layers| {
            run(layers, 10)
        });
        let sizes = [10, 100, 1_000, 10_000, 100_000];
        is_linear &= asked.growth(&format!("files in {name}"), &sizes, |files| run(1, files));
        let sizes = [10, 100, 1_000, 10_000];
        is_linear &= asked.growth(&format!("scenarios in {name}"), &sizes, |count| {
            scenarios(&disk, count)
        });
        for (title, wanted) in [("lookup", "7"), ("lookup in vain", "none")] {
            let sizes = [10, 1_000, 100_000];
            is_linear &= asked.growth(&format!("{title} in {name}"), &sizes, |files| {
                lookup(&disk, files, wanted)
            });
        }
    }
    if is_linear {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The plain scenario with so many layers of so many files each.
fn sized(world: &World, layers: u32, files: u32) -> Scenario {
    let mut case = world.load().pop().unwrap();
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

/// So many trees of directories with a hundred files of one byte each, as often as it takes; all are made, then all
/// are removed.
fn bare_layers(disk: &Path, layers: u32, count: u32) {
    let top = disk.join("bare");
    fs::create_dir(&top).unwrap();
    for layer in 0..layers {
        let layer = top.join(layer.to_string());
        fs::create_dir(&layer).unwrap();
        for first in (0..count).step_by(100) {
            let folder = layer.join(first.to_string());
            fs::create_dir(&folder).unwrap();
            for number in first..count.min(first + 100) {
                fs::write(folder.join(number.to_string()), "x").unwrap();
            }
        }
    }
    fs::remove_dir_all(&top).unwrap();
}

/// What is measured, and its reference.
type Pair<'a> = (Box<dyn FnMut() + 'a>, Box<dyn FnMut() + 'a>);

/// Scenarios from text to verdict.
fn scenarios<'a>(disk: &Path, count: u32) -> Pair<'a> {
    let files: Vec<(String, String)> = (0..count)
        .map(|n| (format!("s{n}"), VOLUME_SCENARIO.to_owned()))
        .collect();
    let world = Arc::new(World::new(disk, &files));
    let other = Arc::clone(&world);
    (
        Box::new(move || world.load_and_run()),
        Box::new(move || {
            for _ in 0..count {
                bare::volume_scenario(other.home.path(), "bare");
            }
        }),
    )
}

/// As many lookups of one name among so many files as there are: one that the union cannot remember.
fn lookup<'a>(disk: &Path, files: u32, wanted: &'static str) -> Pair<'a> {
    const TIMES: u32 = 1_000;
    let home = tempfile::tempdir_in(disk).unwrap();
    for number in 0..files {
        fs::write(home.path().join(number.to_string()), "").unwrap();
    }
    let lower: Directory = Arc::new(fs::File::open(home.path()).unwrap().into());
    let union = Union::open(Stack {
        upper: None,
        work: None,
        lowers: vec![Arc::clone(&lower)],
        options: Options::default(),
    })
    .unwrap();
    (
        Box::new(move || {
            let _home = &home;
            for _ in 0..TIMES {
                drop(union.lookup(&union.root(), OsStr::new(wanted)));
            }
        }),
        Box::new(move || {
            for _ in 0..TIMES {
                let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
                let _there = rustix::fs::statat(&lower, wanted, flags);
            }
        }),
    )
}
