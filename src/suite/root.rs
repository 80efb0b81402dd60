//! A scenario folder and what belongs to it.

use std::io;
use std::path::{Path, PathBuf};

use crate::scenario::{Faults, FoundFile, RuleBook, Scenario, find, load};
use crate::snapshot::{Leftover, leftovers};

/// A scenario folder, as found from a file in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Root {
    /// The folder from which ids are counted; empty for the working directory.
    pub scenarios: PathBuf,
    /// The folder of its approved snapshots, absolute.
    pub snapshots: PathBuf,
}

impl Root {
    /// Name of the rule book in a scenario folder.
    pub const RULES: &'static str = "rules.yaml";

    /// The folder in which a file was found: its path less its stem. Snapshots are in `snapshots`
    /// when that is given, else in the folder of this name beside a folder `scenarios`, and within
    /// a folder of another name.
    ///
    /// # Errors
    /// When the working directory is unknown.
    pub fn of(file: &FoundFile, snapshots: Option<&Path>) -> io::Result<Self> {
        let depth = Path::new(&file.stem).components().count();
        // The file may have been named from within the folder: `cd scenarios/volumes`.
        if let Some(scenarios) = file.path.ancestors().nth(depth) {
            return Self::new(scenarios, snapshots);
        }
        let path = absolute(&file.path)?;
        let scenarios = path.ancestors().nth(depth).unwrap_or(Path::new("/"));
        Self::new(scenarios, snapshots)
    }

    /// A scenario folder by its path.
    ///
    /// # Errors
    /// When the working directory is unknown.
    pub fn new(scenarios: &Path, snapshots: Option<&Path>) -> io::Result<Self> {
        let snapshots = if let Some(folder) = snapshots {
            absolute(folder)?
        } else {
            let folder = absolute(scenarios)?;
            match folder.file_name() {
                Some(name) if name == "scenarios" => folder.with_file_name("snapshots"),
                _ => folder.join("snapshots"),
            }
        };
        Ok(Self {
            scenarios: scenarios.to_path_buf(),
            snapshots,
        })
    }

    /// Whether a path is this scenario folder.
    pub fn is(&self, path: &Path) -> bool {
        let [one, other] = [path, self.scenarios.as_path()].map(absolute);
        matches!((one, other), (Ok(one), Ok(other)) if one == other)
    }

    /// The rule book of the folder, when it has one.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn rules(&self) -> Result<Option<RuleBook>, Faults> {
        let path = self.scenarios.join(Self::RULES);
        if path.exists() {
            RuleBook::load(&path).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Every case of the folder, whichever of them were asked for.
    ///
    /// # Errors
    /// Everything that is wrong with any file.
    pub fn all_cases(&self) -> Result<Vec<Scenario>, Faults> {
        let folder = if self.scenarios.as_os_str().is_empty() {
            Path::new(".")
        } else {
            self.scenarios.as_path()
        };
        load(&find(&[folder.to_path_buf()])?, None)
    }

    /// Snapshots to which no case belongs, and the like. `cases` are all of the folder's.
    ///
    /// # Errors
    /// When the snapshot folder cannot be read.
    pub fn leftovers(&self, cases: &[Scenario]) -> io::Result<Vec<Leftover>> {
        leftovers(&self.snapshots, cases)
    }
}

/// A path as people like to read it: relative when it lies below the working directory.
pub fn short(path: &Path) -> PathBuf {
    let here = std::env::current_dir().ok();
    let below = here.as_ref().and_then(|here| path.strip_prefix(here).ok());
    below
        .filter(|below| !below.as_os_str().is_empty())
        .unwrap_or(path)
        .to_path_buf()
}

fn absolute(path: &Path) -> io::Result<PathBuf> {
    // The empty path, which is no path for the system, means the working directory here.
    std::path::absolute(if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_below_the_working_directory_are_short() {
        let here = std::env::current_dir().unwrap();
        for (path, shown) in [
            (here.join("snapshots"), PathBuf::from("snapshots")),
            (here.clone(), here),
            (PathBuf::from("/"), PathBuf::from("/")),
            (PathBuf::from("snapshots"), PathBuf::from("snapshots")),
        ] {
            assert_eq!(short(&path), shown);
        }
    }

    #[test]
    fn the_root_is_the_path_less_the_stem() {
        let cwd = std::env::current_dir().unwrap();
        for (path, stem, scenarios, snapshots) in [
            (
                "scenarios/volumes/x.yaml",
                "volumes/x",
                "scenarios",
                cwd.join("snapshots"),
            ),
            (
                "/a/scenarios/x.yaml",
                "x",
                "/a/scenarios",
                PathBuf::from("/a/snapshots"),
            ),
            (
                "/a/specs/x.yaml",
                "x",
                "/a/specs",
                PathBuf::from("/a/specs/snapshots"),
            ),
            ("x.yaml", "x", "", cwd.join("snapshots")),
        ] {
            let file = FoundFile {
                path: PathBuf::from(path),
                stem: stem.to_owned(),
            };
            let root = Root::of(&file, None).unwrap();
            assert_eq!(
                root,
                Root {
                    scenarios: PathBuf::from(scenarios),
                    snapshots
                },
                "{path}"
            );
            let named = Root::of(&file, Some(Path::new("/s"))).unwrap();
            assert_eq!(named.snapshots, Path::new("/s"), "{path}");
        }
    }
}
