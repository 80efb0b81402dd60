//! Several threads at once.

use std::path::Path;
use std::sync::{Arc, Barrier};
use std::time::SystemTime;

use super::script::{Stage, play, text};
use crate::engine::native::NativeProvider;
use crate::engine::{FileAction, FileRequest, Operation, Place};

#[test]
fn threads_get_their_own_answers() {
    let stage = Stage::new();
    stage.play("volume create store => store");
    std::thread::scope(|scope| {
        for number in 0..4 {
            let stage = &stage;
            scope.spawn(move || {
                for round in 0..5 {
                    stage.play(&format!(
                        "run -v store:/s c{number} vol => ok
                         in c{number} write /s/f{number} {round} => ok
                         in c{number} write /etc/app.conf {number} => ok
                         in c{number} read /s/f{number} => \"{round}\"
                         in c{number} read /etc/app.conf => \"{number}\"
                         volume rm store => volume-in-use
                         rm -f -v c{number} => ok"
                    ));
                }
            });
        }
    });
    stage.play(
        "volume ls => store
         in volume=store list / => f0 f1 f2 f3
         volume rm store => ok",
    );
}

/// Two processes write many files each. Were one to wait for the other, its first file would never be older than the
/// other's last.
#[test]
fn processes_run_side_by_side() {
    const ROUNDS: usize = 10;
    let scratch = Arc::new(tempfile::tempdir().unwrap());
    let stage = Stage::on(&NativeProvider::new(), &scratch);
    stage.play("run one app => ok\nrun two app => ok");
    let names = ["one", "two"];
    let mut rounds = 0..ROUNDS;
    let overlap = rounds.any(|round| {
        let barrier = Barrier::new(names.len());
        std::thread::scope(|scope| {
            for name in names {
                let (engine, barrier) = (&stage.engine, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    engine.perform(&many_files(name, round))
                });
            }
        });
        let times = names.map(|name| times(scratch.path(), &format!("{name}-{round}-")));
        let [(first, last), (other_first, other_last)] = times;
        first < other_last && other_first < last
    });
    assert!(overlap, "one comes after the other");
}

fn many_files(container: &str, round: usize) -> Operation {
    let write = |number: usize| FileRequest {
        action: FileAction::Write {
            path: format!("/{container}-{round}-{number}"),
            node: text("x"),
        },
        stop_on_refusal: true,
    };
    Operation::Files {
        place: Place::Container(container.to_owned()),
        user: None,
        requests: (0..300).map(write).collect(),
    }
}

/// When the first and the last of the files were made whose names begin so.
fn times(scratch: &Path, start: &str) -> (SystemTime, SystemTime) {
    let below = |path: &Path| {
        let entries = std::fs::read_dir(path).unwrap();
        entries.map(|entry| entry.unwrap().path())
    };
    let uppers = below(scratch).flat_map(|private| {
        below(&private)
            .filter(|path| path.is_dir())
            .collect::<Vec<_>>()
    });
    let files = uppers.flat_map(|upper| below(&upper).collect::<Vec<_>>());
    let is_meant = |path: &std::path::PathBuf| {
        path.file_name()
            .unwrap()
            .to_str()
            .is_some_and(|name| name.starts_with(start))
    };
    let mut times: Vec<_> = files
        .filter(is_meant)
        .map(|path| path.metadata().unwrap().modified().unwrap())
        .collect();
    times.sort();
    (times[0], *times.last().unwrap())
}

#[test]
fn an_image_without_layers_and_one_with_many() {
    play("run one app => ok");
    let stage = Stage::new();
    let image = |name: &str, layers: usize| {
        let layers = vec![crate::engine::Tree::default(); layers];
        let name = name.to_owned();
        let spec = crate::engine::ImageSpec {
            name,
            layers,
            ..Default::default()
        };
        stage.engine.perform(&Operation::LoadImage(spec))
    };
    let done = crate::engine::Answer::Done(crate::engine::Value::Nothing);
    assert_eq!(image("none", 0), done);
    assert_eq!(image("most", 128), done);
    assert_ne!(image("more", 129), done);
    stage.play(
        "run zero none => ok
         in zero write /x y => ok
         run full most => ok
         in full write /x y => ok
         commit full over => max-depth",
    );
}
