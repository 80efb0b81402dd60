//! Image archives: what is read from them, what is written to them, and what they cannot do.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests fail by panicking, and say why they skip"
)]

mod build;
#[path = "../mutations/change.rs"]
mod change;
mod docker;
mod documents;
mod engine;
mod forms;
mod headers;
mod hostile;
mod layouts;
mod mutations;
mod races;
mod round_trips;
mod stage;
mod table;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use docker::Loaded;
use stage::Stage;
use table::{End, rows};

const SEEN: &str = include_str!("seen-on-docker.txt");

/// Row → its lines.
fn seen() -> BTreeMap<&'static str, String> {
    let mut rows = BTreeMap::new();
    let mut row = "";
    for line in SEEN.lines() {
        if line.starts_with("  ") {
            writeln!(rows.entry(row).or_insert_with(String::new), "{line}").unwrap();
        } else {
            row = line;
            rows.insert(row, String::new());
        }
    }
    rows
}

#[test]
fn layers_become_what_docker_makes_of_them() {
    let seen = seen();
    let stage = Stage::new();
    let mut wrong = String::new();
    for row in rows() {
        let unpacked = stage.layers(&row.layers);
        let found = match (&unpacked, row.end) {
            (Ok(unpacked), End::Same | End::OnlyHere(_)) => {
                let found = stage::text(&unpacked.listing());
                let same = match row.end {
                    End::OnlyHere(other) => other,
                    _ => row.name,
                };
                let expected = seen.get(same).map_or("not recorded", String::as_str);
                (found != expected).then(|| format!("{found}and on Docker\n{expected}"))
            }
            (Ok(_), End::Differs) => None,
            (Err(error), End::Refused(words) | End::OursRefuses(words)) => {
                let said = error.to_string();
                (!said.contains(words)).then_some(said)
            }
            (Ok(unpacked), _) => Some(stage::text(&unpacked.listing())),
            (Err(error), _) => Some(error.to_string()),
        };
        if let Some(found) = found {
            writeln!(wrong, "{}: {:?}, found\n{found}", row.name, row.end).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// A layer that is handed on as it is was read with the same eyes as one that is unpacked.
#[test]
fn what_is_listed_is_what_is_unpacked() {
    let stage = Stage::new();
    let mut wrong = String::new();
    for row in rows() {
        let archive = build::saved("test/image:1", &row.layers);
        let told = match (stage.bytes(&archive), stage.copied(&archive)) {
            (Ok(unpacked), Ok(copied)) => {
                let (copies, listed): (Vec<_>, Vec<_>) = copied.into_iter().unzip();
                assert_eq!(copies, row.layers, "{}", row.name);
                let expected = unpacked.said(&stage);
                (listed != expected).then(|| format!("{listed:?} and not {expected:?}"))
            }
            // Where data ends too early is noticed at the next header by who does not read it.
            (Err(one), Err(other)) => {
                (one.fault != other.fault).then(|| format!("{other} and not {one}"))
            }
            (Ok(_), Err(error)) => Some(format!("{error} although it is unpacked")),
            // What only a disk says.
            (Err(error), Ok(_)) => error.errno().is_none().then(|| format!("not {error}")),
        };
        if let Some(told) = told {
            writeln!(wrong, "{}: {told}", row.name).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn docker_still_makes_of_layers_what_is_written_down() {
    if !docker::has_docker() {
        return;
    }
    let mut found = String::new();
    let mut wrong = String::new();
    for row in rows() {
        let name = docker::name();
        match Loaded::load(&name, &build::saved(&name, &row.layers)) {
            Ok(loaded) => {
                write!(found, "{}\n{}", row.name, stage::text(&loaded.listing())).unwrap();
                if is_refused(row.end) {
                    writeln!(wrong, "{} is not refused", row.name).unwrap();
                }
            }
            Err(why) if !is_refused(row.end) => {
                writeln!(wrong, "{} is refused: {why}", row.name).unwrap();
            }
            Err(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    let place = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("seen-on-docker.txt");
    std::fs::write(&place, &found).unwrap();
    assert!(
        found == SEEN,
        "Docker shows something else: {}",
        place.display()
    );
}

fn is_refused(end: End) -> bool {
    matches!(end, End::Refused(_) | End::OnlyHere(_))
}
