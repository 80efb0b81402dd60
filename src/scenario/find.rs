//! Finding scenario files.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use glob::{MatchOptions, Pattern};

use super::fault::{Fault, Faults};

/// The folder to which stems are relative, wherever it stands.
const SCENARIOS: &str = "scenarios";

/// The rule book beside the scenarios, which is none.
const RULES: &str = "rules.yaml";

/// Deepest nesting of folders.
const DEPTH_MAX: usize = 64;

/// A scenario file that was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundFile {
    /// Path below the scenario folder without its ending: `volumes/reattach`. Characters that do not go
    /// well with test filters are `_`.
    pub stem: String,
    /// Where it is, as far as it was named.
    pub path: PathBuf,
}

/// Finds the scenario files (`*.yaml`, `*.yml`) of folders, with everything below them, of globs, and
/// files that are named as such; sorted by stem, each file once. Hidden files and folders below a
/// folder and the rule book are passed over. That nothing is found is no fault.
///
/// A stem is relative to the nearest folder called `scenarios` that holds the named folder or file,
/// else to the named folder, or to the folder of the named file.
///
/// # Errors
/// A path that does not exist, a folder that cannot be read, a glob that is malformed.
pub fn find(paths: &[PathBuf]) -> Result<Vec<FoundFile>, Faults> {
    let mut finder = Finder::default();
    for path in paths {
        finder.named(path);
    }
    if !finder.faults.is_empty() {
        return Err(Faults::new(finder.faults));
    }
    finder.found.sort();
    Ok(finder.found)
}

#[derive(Default)]
struct Finder {
    found: Vec<FoundFile>,
    /// Files that were found, by their real paths.
    seen: BTreeSet<PathBuf>,
    faults: Vec<Fault>,
    /// The working directory, once it was asked for.
    here: OnceCell<PathBuf>,
}

impl Finder {
    fn named(&mut self, path: &Path) {
        match path.metadata() {
            Ok(named) if named.is_dir() => return self.named_folder(path),
            Ok(_) => return self.file_or_folder(path, true),
            Err(_) => {}
        }
        let text = path.to_string_lossy();
        if !text.contains(['*', '?', '[']) {
            return self.fault(path, "there is no such file or folder".to_owned());
        }
        if let Err(error) = Pattern::new(&text) {
            return self.fault(path, format!("is no glob: {}", error.msg));
        }
        let names: Vec<Component<'_>> = path.components().collect();
        let is_glob =
            |name: &Component<'_>| name.as_os_str().to_string_lossy().contains(['*', '?', '[']);
        let plain = names.iter().take_while(|name| !is_glob(name)).count();
        let (plain, globs) = names.split_at(plain);
        let globs: Vec<_> = globs
            .iter()
            .map(|name| name.as_os_str().to_string_lossy())
            .collect();
        let folder: PathBuf = plain.iter().collect();
        self.matching(&folder, &globs);
    }

    /// What matches the rest of a glob, a name for each level. `**` does not follow symlinks, which
    /// could lead round.
    fn matching(&mut self, path: &Path, globs: &[Cow<'_, str>]) {
        let Some((first, rest)) = globs.split_first() else {
            return self.file_or_folder(path, false);
        };
        let below = if path == Path::new("") {
            Path::new(".")
        } else {
            path
        };
        // A file where the glob needs a folder, or a folder that is closed: nothing matches there.
        let Ok(entries) = below.read_dir() else {
            return;
        };
        if first == "**" {
            self.matching(path, rest);
        }
        let Ok(pattern) = Pattern::new(first) else {
            return;
        };
        // Hidden names only where the dot is written.
        let options = MatchOptions {
            require_literal_leading_dot: true,
            ..MatchOptions::new()
        };
        for entry in entries.filter_map(Result::ok) {
            let name = entry.file_name();
            let next = path.join(&name);
            if first == "**" {
                if !is_hidden(&name) && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    self.matching(&next, globs);
                }
            } else if pattern.matches_with(&name.to_string_lossy(), options) {
                self.matching(&next, rest);
            }
        }
    }

    /// `meant`: named as such, so that its ending does not matter.
    fn file_or_folder(&mut self, path: &Path, meant: bool) {
        if path.is_dir() {
            self.named_folder(path);
        } else if meant || is_scenario(path) {
            // A bare file name has the working directory for a folder.
            let full = self.absolute(path);
            let folder = full.parent().unwrap_or(&full);
            let base = base_of(folder).unwrap_or(folder).to_owned();
            self.file(path, &base);
        }
    }

    fn named_folder(&mut self, path: &Path) {
        let full = self.absolute(path);
        let base = base_of(&full).unwrap_or(&full);
        self.folder(path, base, &mut Vec::new());
    }

    fn folder(&mut self, folder: &Path, base: &Path, above: &mut Vec<PathBuf>) {
        let Ok(real) = folder.canonicalize() else {
            return;
        };
        // A symlink to a folder above would lead round for ever, or to what was not named.
        let leads_up = above.first().is_some_and(|top| top.starts_with(&real));
        if leads_up || above.contains(&real) || above.len() >= DEPTH_MAX {
            return;
        }
        let entries = match folder.read_dir() {
            Ok(entries) => entries,
            Err(error) => return self.fault(folder, format!("cannot be read: {error}")),
        };
        above.push(real);
        for entry in entries {
            match entry {
                Ok(entry) if is_hidden(&entry.file_name()) => {}
                Ok(entry) => {
                    let path = entry.path();
                    let kind = entry.file_type().ok();
                    if kind.is_some_and(|kind| kind.is_file()) {
                        if is_scenario(&path) {
                            let real = above
                                .last()
                                .map_or(path.clone(), |at| at.join(entry.file_name()));
                            self.real_file(&path, real, base);
                        }
                    } else if path.is_dir() {
                        self.folder(&path, base, above);
                    } else if is_scenario(&path) {
                        self.file(&path, base);
                    }
                }
                Err(error) => self.fault(folder, format!("cannot be read: {error}")),
            }
        }
        above.pop();
    }

    fn file(&mut self, path: &Path, base: &Path) {
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        self.real_file(path, real, base);
    }

    /// A file of which it is known where it really is.
    fn real_file(&mut self, path: &Path, real: PathBuf, base: &Path) {
        if self.seen.insert(real) {
            let full = self.absolute(path);
            let below = full.strip_prefix(base).unwrap_or(&full).with_extension("");
            self.found.push(FoundFile {
                stem: stem(&below),
                path: path.to_owned(),
            });
        }
    }

    /// A path from the root, `.` and `..` resolved by name, so that ancestors can be named.
    fn absolute(&self, path: &Path) -> PathBuf {
        let mut clean = PathBuf::new();
        if path.is_relative() {
            let here = || std::env::current_dir().unwrap_or_default();
            clean.clone_from(self.here.get_or_init(here));
        }
        for component in path.components() {
            match component {
                Component::ParentDir => {
                    clean.pop();
                }
                Component::CurDir => {}
                Component::Prefix(_) | Component::RootDir | Component::Normal(_) => {
                    clean.push(component);
                }
            }
        }
        clean
    }

    fn fault(&mut self, path: &Path, message: String) {
        self.faults.push(Fault::of_file(path, message));
    }
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

fn is_scenario(path: &Path) -> bool {
    let yaml = path
        .extension()
        .is_some_and(|ending| ending == "yaml" || ending == "yml");
    let name = path.file_name().unwrap_or_default();
    yaml && name != RULES && !is_hidden(name)
}

/// The nearest folder called `scenarios`, from this one upwards, both from the root.
fn base_of(folder: &Path) -> Option<&Path> {
    folder
        .ancestors()
        .find(|ancestor| ancestor.file_name() == Some(OsStr::new(SCENARIOS)))
}

fn stem(below: &Path) -> String {
    let sane = |c: char| {
        if c.is_alphanumeric() || "._+:@~-".contains(c) {
            c
        } else {
            '_'
        }
    };
    let parts: Vec<String> = below
        .components()
        .map(|part| {
            part.as_os_str()
                .to_string_lossy()
                .chars()
                .map(sane)
                .collect()
        })
        .collect();
    parts.join("/")
}
