//! Snapshot files that nothing accounts for, found without running anything: a run may have been a
//! selection, or without some engine.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::scenario::Scenario;

use super::name::{pending_path, snapshot_path};

/// A snapshot, or an excuse for one, that should go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leftover {
    /// The file to delete, or the scenario file to tidy.
    pub path: PathBuf,
    /// Why, as a sentence fragment.
    pub reason: String,
    /// Whether the file itself may be deleted.
    pub deletable: bool,
}

/// Every `.snap` and `.snap.new` below `root` that no case accounts for, every `differs:` that no
/// variant needs, and every name that two cases share on a file system that ignores case.
/// `scenarios` must be all of them, not a selection. Sorted by path.
///
/// # Errors
/// When the folder cannot be read.
pub fn leftovers(root: &Path, scenarios: &[Scenario]) -> io::Result<Vec<Leftover>> {
    let mut found = BTreeSet::new();
    match collect(root, &mut found) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let accounted = accounted(root, scenarios);
    let mut leftovers: Vec<Leftover> = found
        .iter()
        .filter(|path| !accounted.contains(*path))
        .map(|path| Leftover {
            path: path.clone(),
            reason: "no case and no `differs:` accounts for it".to_owned(),
            deletable: true,
        })
        .collect();
    leftovers.extend(unused_excuses(root, scenarios, &found));
    leftovers.extend(clashes(root, scenarios));
    leftovers.sort();
    Ok(leftovers)
}

/// Every file that a case may have, pending ones included.
fn accounted(root: &Path, scenarios: &[Scenario]) -> BTreeSet<PathBuf> {
    let mut accounted = BTreeSet::new();
    for scenario in scenarios {
        let variants = scenario.differs.keys().map(|engine| Some(engine.as_str()));
        for variant in std::iter::once(None).chain(variants) {
            let path = snapshot_path(root, scenario, variant);
            accounted.insert(pending_path(&path));
            accounted.insert(path);
        }
    }
    accounted
}

fn unused_excuses(root: &Path, scenarios: &[Scenario], found: &BTreeSet<PathBuf>) -> Vec<Leftover> {
    let mut used: BTreeMap<(&Path, &str), bool> = BTreeMap::new();
    for scenario in scenarios {
        for engine in scenario.differs.keys() {
            let has_variant = found.contains(&snapshot_path(root, scenario, Some(engine)));
            *used.entry((&scenario.file.path, engine)).or_default() |= has_variant;
        }
    }
    used.into_iter()
        .filter(|(_, used)| !used)
        .map(|((file, engine), _)| Leftover {
            path: file.to_path_buf(),
            reason: format!("`differs:` names {engine}, which has no variant snapshot"),
            deletable: false,
        })
        .collect()
}

fn clashes(root: &Path, scenarios: &[Scenario]) -> Vec<Leftover> {
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    let mut clashes = Vec::new();
    for scenario in scenarios {
        let path = snapshot_path(root, scenario, None);
        let folded = path.to_string_lossy().to_lowercase();
        if let Some(other) = taken.insert(folded, scenario.id()) {
            let reason = format!(
                "{other} and {} have the same snapshot file where names ignore case",
                scenario.id()
            );
            clashes.push(Leftover {
                path: scenario.file.path.clone(),
                reason,
                deletable: false,
            });
        }
    }
    clashes
}

fn collect(folder: &Path, found: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if entry.file_type()?.is_dir() {
            collect(&path, found)?;
        } else if name.ends_with(".snap") || name.ends_with(".snap.new") {
            found.insert(path);
        }
    }
    Ok(())
}
