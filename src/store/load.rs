//! Reading a store back, and dropping what was never published.

use std::collections::BTreeSet;

use rustix::io::Errno;

use super::change::Change;
use super::disk::Disk;
use super::log::{self, Log};
use super::table::{Tables, directory_name};
use super::{Container, Number, Volume};

/// Changes in a log above which, for each record that is left, it is written anew.
const CHANGES_PER_RECORD: usize = 4;

/// A folder's content.
pub(super) struct Loaded {
    pub(super) log: Log,
    pub(super) next: Number,
    pub(super) tables: Tables,
}

/// Reads the name of a directory by the rules of [`super::format`]; `None` is a name that the store never
/// gives.
fn parse(name: &str) -> Option<(char, Number)> {
    let letter = name.chars().next()?;
    let number = name.get(letter.len_utf8()..)?.parse().ok()?;
    // Only the one spelling: no leading zeros, no signs.
    let is_ours = "lcvtx".contains(letter) && directory_name(letter, number) == name;
    is_ours.then_some((letter, number))
}

pub(super) fn load(disk: &mut Disk, durable: bool) -> Result<Loaded, Errno> {
    let (mut log, changes) = Log::open(disk.folder(), durable)?;
    let told = changes.len();
    let mut next = 1;
    let mut tables = Tables::default();
    for change in changes {
        next = next.max(match &change {
            Change::Image(number, _)
            | Change::Container(number, _)
            | Change::Volume(number, _)
            | Change::Filling(number, _) => number + 1,
            Change::Next(number) => *number,
        });
        tables.apply(change);
    }
    let unreachable = tables.unreachable_volumes();
    if !unreachable.is_empty() {
        log.append(&unreachable)?;
        for change in unreachable {
            tables.apply(change);
        }
    }
    let layers = tables.listed_layers();
    for name in disk.list()? {
        let Some(name) = name.to_str() else { continue };
        if let Some((letter, number)) = parse(name) {
            next = next.max(number + 1);
            if !tables.names(letter, number, &layers) {
                disk.remove(name)?;
            } else if letter == 'x' {
                // It is known of, then, when its container goes.
                let work = disk.open(name)?;
                Disk::new(work).drop_files_in_the_making()?;
            }
        } else if name.starts_with('#') || name == log::NEW {
            disk.remove(name)?;
        }
    }
    let records = tables.changes();
    if told > CHANGES_PER_RECORD * (records.len() + 1) {
        let anew: Vec<Change> = std::iter::once(Change::Next(next)).chain(records).collect();
        log.replace(disk.folder(), &anew)?;
    }
    Ok(Loaded { log, next, tables })
}

impl Tables {
    /// Drops volumes whose container is gone with which they go, unless another one mounts them.
    fn unreachable_volumes(&self) -> Vec<Change> {
        let containers = self.containers.values();
        let mounted: BTreeSet<&str> = containers
            .flat_map(Container::volumes)
            .map(|source| source.name.as_str())
            .collect();
        let goes = |volume: &Volume| {
            let with = volume.with;
            with.is_some_and(|with| !self.containers.contains_key(&with))
                && !mounted.contains(volume.name.as_str())
        };
        let volumes = self.volumes.iter().filter(|(_, volume)| goes(volume));
        volumes
            .map(|(number, _)| Change::Volume(*number, None))
            .collect()
    }

    /// Whether a record tells of a directory.
    fn names(&self, letter: char, number: Number, layers: &BTreeSet<Number>) -> bool {
        match letter {
            'l' => layers.contains(&number),
            'c' | 'x' => self.containers.contains_key(&number),
            'v' => self.volumes.contains_key(&number),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_the_store_gives_are_taken() {
        for (name, expected) in [
            ("c5", Some(('c', 5))),
            ("l12", Some(('l', 12))),
            ("i2", None),
            ("c05", None),
            ("c+5", None),
            ("c5.json", None),
            ("c", None),
            ("", None),
            ("é1", None),
            ("records", None),
        ] {
            assert_eq!(parse(name), expected, "{name}");
        }
    }
}
