//! Reading a store back, and dropping what was never published.

use std::collections::BTreeSet;

use rustix::io::Errno;

use super::disk::Disk;
use super::table::{Record, Table, directory_name, file_name, listed};
use super::{Container, Filling, Image, Number, Volume};
use crate::union::Directory;

const WORK: &str = "work";

/// A folder's content.
pub(super) struct Loaded {
    pub(super) work: Directory,
    pub(super) next: Number,
    pub(super) images: Table<Image>,
    pub(super) containers: Table<Container>,
    pub(super) volumes: Table<Volume>,
    pub(super) fillings: Table<Filling>,
}

/// What a name in the folder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Directory(char, Number),
    Record(char, Number, Number),
}

/// Reads a name by the rules of [`super::format`]; `None` is a name that the store never gives.
fn parse(name: &str) -> Option<Name> {
    let letter = name.chars().next()?;
    let (number, revision) = match name.get(letter.len_utf8()..)?.split_once('.') {
        None => (name.get(letter.len_utf8()..)?, None),
        Some((number, rest)) => (number, Some(rest.strip_suffix(".json")?)),
    };
    let number = number.parse().ok()?;
    let parsed = match revision {
        None if "lcvt".contains(letter) => Name::Directory(letter, number),
        Some(revision) if "icvf".contains(letter) => {
            Name::Record(letter, number, revision.parse().ok()?)
        }
        _ => return None,
    };
    // Only the one spelling: no leading zeros, no signs.
    let spelled = match parsed {
        Name::Directory(letter, number) => directory_name(letter, number),
        Name::Record(letter, number, revision) => file_name(letter, number, revision),
    };
    (spelled == name).then_some(parsed)
}

pub(super) fn load(disk: &Disk) -> Result<Loaded, Errno> {
    let names = disk.list()?;
    if names.is_empty() {
        let work = disk.make(WORK)?;
        let (images, containers, volumes, fillings) = Default::default();
        return Ok(Loaded {
            work,
            next: 1,
            images,
            containers,
            volumes,
            fillings,
        });
    }
    disk.remove(WORK)?;
    let work = disk.make(WORK)?;
    disk.unlink("new")?;
    let found: Vec<Name> = names
        .iter()
        .filter_map(|name| parse(name.to_str()?))
        .collect();
    let images = read(disk, &found)?;
    let containers: Table<Container> = read(disk, &found)?;
    let mut volumes: Table<Volume> = read(disk, &found)?;
    drop_unreachable(disk, &containers, &mut volumes)?;
    let fillings = read(disk, &found)?;
    let layers: BTreeSet<Number> = images
        .values()
        .flat_map(|(_, image): &(Number, Image)| image.layers.iter().map(|layer| layer.number))
        .chain(
            containers
                .values()
                .flat_map(|(_, container)| listed(container)),
        )
        .collect();
    let mut next = 1;
    for name in found {
        next = next.max(match name {
            Name::Directory(_, number) => number + 1,
            Name::Record(_, number, revision) => number.max(revision) + 1,
        });
        let Name::Directory(letter, number) = name else {
            continue;
        };
        let kept = match letter {
            'l' => layers.contains(&number),
            'c' => containers.contains_key(&number),
            'v' => volumes.contains_key(&number),
            _ => false,
        };
        if !kept {
            disk.remove(&directory_name(letter, number))?;
        }
    }
    Ok(Loaded {
        work,
        next,
        images,
        containers,
        volumes,
        fillings,
    })
}

/// Removes volumes whose container is gone with which they go, unless another one mounts them.
fn drop_unreachable(
    disk: &Disk,
    containers: &Table<Container>,
    volumes: &mut Table<Volume>,
) -> Result<(), Errno> {
    let mounted: BTreeSet<&str> = containers
        .values()
        .flat_map(|(_, container)| container.volumes())
        .map(|source| source.name.as_str())
        .collect();
    let gone: Vec<(Number, Number)> = volumes
        .iter()
        .filter(|(_, (_, volume))| {
            volume
                .with
                .is_some_and(|with| !containers.contains_key(&with))
                && !mounted.contains(volume.name.as_str())
        })
        .map(|(number, (revision, _))| (*number, *revision))
        .collect();
    for (number, revision) in gone {
        disk.unlink(&file_name(Volume::LETTER, number, revision))?;
        volumes.remove(&number);
    }
    Ok(())
}

/// Reads the records of one kind: the highest whole revision of each counts, the others are removed.
fn read<T: Record>(disk: &Disk, found: &[Name]) -> Result<Table<T>, Errno> {
    let mut revisions: Vec<(Number, Number)> = found
        .iter()
        .filter_map(|name| match name {
            Name::Record(letter, number, revision) if *letter == T::LETTER => {
                Some((*number, *revision))
            }
            _ => None,
        })
        .collect();
    revisions.sort_unstable_by(|a, b| b.cmp(a));
    let mut table = Table::new();
    for (number, revision) in revisions {
        let name = file_name(T::LETTER, number, revision);
        if !table.contains_key(&number)
            && let Ok(record) = serde_json::from_slice(&disk.read(&name)?)
        {
            table.insert(number, (revision, record));
        } else {
            disk.unlink(&name)?;
        }
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_the_store_gives_are_taken() {
        for (name, expected) in [
            ("c5", Some(Name::Directory('c', 5))),
            ("i2.3.json", Some(Name::Record('i', 2, 3))),
            ("i2", None),
            ("l2.3.json", None),
            ("c05", None),
            ("c+5", None),
            ("c5.json", None),
            ("c5.1.json.tmp", None),
            ("c", None),
            ("", None),
            ("é1", None),
            ("work", None),
        ] {
            assert_eq!(parse(name), expected, "{name}");
        }
    }
}
