//! `layerspec bless`

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::error::{CommandError, UsageError};
use super::execute::{Execution, make_scratch, probe, select};
use super::exit::Exit;
use super::output::Output;
use super::run::{exit, nothing};
use super::settings::BlessSettings;
use crate::report::style::{ADDED, LEFT_OUT, REMOVED, paint, printable};
use crate::report::{Detail, Pretty, Rerun};
use crate::snapshot::UpdateMode;
use crate::suite::{Covers, Root, Suite, short};

/// Accepts what the engine shows now, tells what it wrote, and deletes orphans when told to.
///
/// # Errors
/// Faults in scenario files, an engine that cannot be used, a folder that cannot be read or written.
pub(super) fn bless(settings: &BlessSettings, output: &mut Output) -> Result<Exit, CommandError> {
    let snapshots = settings.place.snapshots.as_deref();
    let suite = Suite::load(&settings.selection.paths, snapshots, Covers::Known)?;
    let (interrupt, scratch) = make_scratch(settings.place.scratch.as_deref())?;
    let engines = probe(
        std::slice::from_ref(&settings.engine),
        scratch.path(),
        false,
    )?;
    let jobs = select(&suite, &settings.selection.filter, &engines);
    if jobs.is_empty() {
        return nothing(&suite, &settings.selection.paths, output);
    }
    let execution = Execution {
        suite: &suite,
        scratch: scratch.path(),
        keep: false,
        update: if settings.new_only {
            UpdateMode::Unseen
        } else {
            UpdateMode::Bless
        },
        jobs: settings.jobs,
        timeout: settings.timeout,
        fail_fast: false,
        rerun: Rerun::Tool {
            program: settings.place.program,
            snapshots: settings.place.snapshots.clone(),
        },
    };
    let before = Files::read(&suite)?;
    let totals = {
        let mut reporter = Pretty::new(&mut output.out, Detail::default());
        execution.run(&jobs, &interrupt, &mut reporter)?
    };
    if settings.orphans {
        for root in &suite.roots {
            delete_orphans(root, output)?;
        }
    }
    // What was written is told from the disk, not from what was meant to be written.
    let changes = before.changes(&Files::read(&suite)?);
    for change in &changes {
        writeln!(output.out, "{}", change.line())?;
    }
    if changes.is_empty() {
        writeln!(output.out, "no snapshot changed")?;
    }
    Ok(exit(&totals, &interrupt))
}

/// Deletes snapshots to which no case belongs.
fn delete_orphans(root: &Root, output: &mut Output) -> Result<(), CommandError> {
    let wrong =
        |path: &Path, error: &io::Error| UsageError::new(format!("{}: {error}", path.display()));
    let leftovers = root
        .leftovers(&root.all_cases()?)
        .map_err(|error| wrong(&root.snapshots, &error))?;
    for leftover in leftovers {
        if leftover.path.starts_with(&root.snapshots) {
            fs::remove_file(&leftover.path).map_err(|error| wrong(&leftover.path, &error))?;
        } else {
            // A scenario file is the author's to tidy up.
            writeln!(output.out, "to tidy  {}", super::check::line(&leftover))?;
        }
    }
    Ok(())
}

/// The snapshot files of a suite with their content.
#[derive(Debug, Default)]
struct Files(BTreeMap<PathBuf, Vec<u8>>);

impl Files {
    fn read(suite: &Suite) -> Result<Self, UsageError> {
        let mut files = Self::default();
        let folders: BTreeSet<&Path> = suite
            .roots
            .iter()
            .map(|root| root.snapshots.as_path())
            .collect();
        for folder in folders {
            files
                .add(folder)
                .map_err(|error| UsageError::new(format!("{}: {error}", folder.display())))?;
        }
        Ok(files)
    }

    fn add(&mut self, folder: &Path) -> io::Result<()> {
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if kind.is_dir() {
                self.add(&entry.path())?;
            } else if kind.is_file() && (name.ends_with(".snap") || name.ends_with(".snap.new")) {
                drop(self.0.insert(entry.path(), fs::read(entry.path())?));
            }
        }
        Ok(())
    }

    /// What has changed since, sorted by path.
    fn changes(&self, after: &Self) -> Vec<Change> {
        let paths: BTreeSet<&PathBuf> = self.0.keys().chain(after.0.keys()).collect();
        let change = |path: &&PathBuf| {
            let kind = match (self.0.get(*path), after.0.get(*path)) {
                (None, Some(_)) if pending(path) => Kind::Pending,
                (None, Some(_)) => Kind::New,
                // What waited for review is settled; that needs no telling.
                (Some(_), None) if pending(path) => return None,
                (Some(_), None) => Kind::Deleted,
                (Some(before), Some(after)) if before != after => Kind::Changed,
                _ => return None,
            };
            Some(Change {
                path: (*path).clone(),
                kind,
            })
        };
        paths.iter().filter_map(change).collect()
    }
}

/// Whether a file waits for review.
fn pending(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "new")
}

/// One snapshot file that is not as it was.
#[derive(Debug, PartialEq, Eq)]
struct Change {
    path: PathBuf,
    kind: Kind,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    New,
    Changed,
    Deleted,
    /// Not accepted, but put down for review.
    Pending,
}

impl Change {
    fn line(&self) -> String {
        let (style, word) = match self.kind {
            Kind::New => (ADDED, "new    "),
            Kind::Changed => (ADDED, "changed"),
            Kind::Deleted => (REMOVED, "deleted"),
            Kind::Pending => (LEFT_OUT, "pending"),
        };
        format!(
            "{}  {}",
            paint(style, word),
            printable(&short(&self.path).display().to_string())
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::style::plain;

    #[test]
    fn changes_are_what_the_disk_shows() {
        let folder = tempfile::tempdir().unwrap();
        let read = || {
            let mut files = Files::default();
            files.add(folder.path()).unwrap();
            files
        };
        let file = |name: &str| folder.path().join(name);
        fs::create_dir(file("a")).unwrap();
        for name in ["a/same.snap", "a/gone.snap", "changed.snap", "notes.txt"] {
            fs::write(file(name), "1").unwrap();
        }
        let before = read();
        fs::remove_file(file("a/gone.snap")).unwrap();
        for name in ["changed.snap", "new.snap", "x.snap.new", "notes.txt"] {
            fs::write(file(name), "2").unwrap();
        }
        let change = |name: &str, kind| Change {
            path: file(name),
            kind,
        };
        assert_eq!(
            before.changes(&read()),
            [
                change("a/gone.snap", Kind::Deleted),
                change("changed.snap", Kind::Changed),
                change("new.snap", Kind::New),
                change("x.snap.new", Kind::Pending),
            ]
        );
        assert!(Files::default().add(&file("missing")).is_ok());
    }

    #[test]
    fn a_change_is_one_line() {
        let change = Change {
            path: PathBuf::from("/s/a.snap"),
            kind: Kind::New,
        };
        assert_eq!(plain(&change.line()), "new      /s/a.snap");
    }
}
