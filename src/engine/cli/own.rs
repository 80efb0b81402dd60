//! What engines put into every container themselves: no behaviour of its disk, and shown nowhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, statat, unlinkat};

use super::disk::{opened, real};
use super::engine::{Cli, Known};
use super::layers::{self, is_there, is_whiteout, of_upper};
use super::mirror::Mirror;
use super::names::{below, clean, seen};
use super::places::{base, landing};
use crate::agent::wire::{Ask, Found, Given};
use crate::agent::{link_to, parent_of};
use crate::engine::{CopyEnd, FileAction, FileAnswer, FileRequest, Place, Target, Value};

/// What engines put into every container: no behaviour of its disk.
pub(super) const OWN: &[&str] = &[
    "/.layerspec",
    "/.dockerenv",
    "/dev",
    "/proc",
    "/sys",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/mtab",
    "/etc/resolv.conf",
    "/run/.containerenv",
    "/run/secrets",
];

/// Directories that engines make for their own files only.
pub(super) const OWN_PARENTS: &[&str] = &["/etc", "/run"];

/// How the directory ends in which Docker puts files of its own between an image and the writable layer (moby
/// `daemon/initlayer`).
const INIT_LAYER: &str = "-init/diff";

impl Cli {
    /// Leaves the names of what the engine put there itself out of a listing.
    pub(super) fn hide_own(&self, container: &str, action: &FileAction, answer: &mut FileAnswer) {
        let FileAction::List { target } = action else {
            return;
        };
        let Ok(Value::Names(names)) = &mut answer.result else {
            return;
        };
        let may_be_own = |name: &String| {
            let mut own = OWN.iter().chain(OWN_PARENTS);
            own.any(|own| own.rsplit('/').next() == Some(name))
        };
        if !names.iter().any(may_be_own) {
            return;
        }
        // Where that is the agent knows that has just listed it.
        let Some(link) = self.link_to(&Place::Container(container.to_owned())) else {
            return;
        };
        let listed = match target {
            Target::Path(path) => {
                let directory = self.known(container).directory;
                // An absolute path takes the place of the directory.
                let path = Path::new(&directory).join(path);
                real(&link, &path.to_string_lossy())
            }
            Target::Handle(handle) => opened(&link, handle),
        };
        let Some(listed) = listed else {
            return;
        };
        names.retain(|name| {
            let path = clean(&format!("{listed}/{name}"));
            let is_own = OWN.contains(&path.as_str())
                || (OWN_PARENTS.contains(&path.as_str()) && self.has_only_own(container, &path));
            !is_own || self.is_wanted(container, &path)
        });
    }

    /// Whether there is nothing in a directory but what the engine put there itself.
    fn has_only_own(&self, container: &str, directory: &str) -> bool {
        let target = Target::Path(directory.to_owned());
        let list = FileRequest {
            action: FileAction::List { target },
            stop_on_refusal: false,
        };
        let place = Place::Container(container.to_owned());
        let ask = Ask::Files {
            user: Some("0".to_owned()),
            directory: None,
            requests: vec![list],
        };
        let Ok(Given::Files(done)) = self.ask(&place, ask) else {
            return false;
        };
        let names = done.into_iter().next().map(|done| done.result);
        let own = |name: &String| OWN.contains(&format!("{directory}/{name}").as_str());
        matches!(names, Some(Ok(Value::Names(names))) if names.iter().all(own))
    }

    /// Whether a path of a container is shown, although it is one of the engine's own: the image has it, or it is mounted.
    fn is_wanted(&self, container: &str, path: &str) -> bool {
        let known = self.known(container);
        let path = &seen(path);
        let sees_layers = known
            .disk
            .as_ref()
            .is_some_and(|disk| self.ground.in_world(&disk.upper).is_some());
        let declared = is_there(&known.layers, path)
            // A layer can have a whiteout there.
            && (!sees_layers || self.in_image(&known, path).is_some());
        let mut mounts = known.mounts.iter();
        declared || mounts.any(|mount| below(path, &mount.at).is_some())
    }

    /// What an image has at the paths of the engine's own files and directories: the engine mounts over it, so that no process of the
    /// container sees it, but its layers have it.
    pub(super) fn with_own_of_image(&self, known: &Known, mut found: Vec<Found>) -> Vec<Found> {
        let is_mounted = |path: &str| {
            let mut mounts = known.mounts.iter();
            mounts.any(|mount| below(path, &seen(&mount.at)).is_some())
        };
        let paths: BTreeSet<&str> = known
            .layers
            .iter()
            .flat_map(|layer| layer.paths.keys())
            .map(String::as_str)
            .filter(|path| OWN.iter().any(|own| below(path, own).is_some()))
            .filter(|path| is_there(&known.layers, path) && !is_mounted(path))
            .collect();
        if paths.is_empty() {
            return found;
        }
        found.extend(paths.iter().filter_map(|path| self.in_image(known, path)));
        found.sort_by(|one, other| one.path.cmp(&other.path));
        found
    }

    /// What the topmost layer of an image that has a path has there.
    fn in_image(&self, known: &Known, path: &str) -> Option<Found> {
        let disk = known.disk.as_ref()?;
        let mut layers = disk
            .lowers
            .iter()
            .filter(|lower| !lower.ends_with(INIT_LAYER));
        let there = layers.find_map(|lower| {
            let top = self.ground.in_world(lower)?;
            let path = path.to_owned();
            match self.ground.ask(Ask::Look { top, path }) {
                Ok(Given::Found(found)) => found.into_iter().next(),
                _ => None,
            }
        })?;
        (!is_whiteout(&there)).then_some(there)
    }

    /// What of the engine's own a copy is about to bring to a place on the host where nothing like it is.
    pub(super) fn strays(&self, mirror: &Mirror, from: &CopyEnd, to: &CopyEnd) -> Strays {
        let mut strays = Strays::default();
        let (CopyEnd::Container { container, path }, CopyEnd::Host(to)) = (from, to) else {
            return strays;
        };
        let (Ok(top), Some(landing)) = (
            fs::canonicalize(mirror.top()),
            landing(mirror, to, base(path)),
        ) else {
            return strays;
        };
        strays.top = top;
        let source = clean(path);
        // What is in a directory comes before it.
        for (own, is_parent) in
            (OWN.iter().map(|own| (own, false))).chain(OWN_PARENTS.iter().map(|own| (own, true)))
        {
            let Some(inner) = below(own, &source).filter(|_| !self.is_wanted(container, own))
            else {
                continue;
            };
            let brought = match inner {
                "/" => landing.clone(),
                inner => landing.join(inner.trim_start_matches('/')),
            };
            if fs::symlink_metadata(&brought).is_err() {
                strays.brought.push((brought, is_parent));
            }
        }
        strays
    }
}

/// The paths of a writable layer. A directory is left out that Podman has copied up only to put files of its own there: with nothing else
/// in it, and otherwise as in the image.
pub(super) fn changed_paths(known: &Known, upper: &[Found]) -> BTreeSet<String> {
    let mut paths = of_upper(upper);
    for &directory in OWN_PARENTS {
        let inside =
            |found: &&Found| below(&found.path, directory).is_some_and(|inner| inner != "/");
        let is_own = |found: &Found| OWN.iter().any(|own| below(&found.path, own).is_some());
        let mut inside = upper.iter().filter(inside).map(is_own);
        let is_for_own = inside.next() == Some(true) && inside.all(|own| own);
        let as_in_image = layers::directory(&known.layers, directory);
        if is_for_own && paths.get(directory).and_then(Option::as_ref) == as_in_image {
            paths.remove(directory);
        }
    }
    paths.into_keys().collect()
}

/// Files of the engine's own that a copy may have brought along.
#[derive(Default)]
pub(super) struct Strays {
    top: PathBuf,
    /// Each with whether it is removed only when nothing is left in it.
    brought: Vec<(PathBuf, bool)>,
}

impl Strays {
    /// Removes those that have come.
    pub(super) fn remove(&self) {
        for (path, only_empty) in &self.brought {
            // A link that was copied leads nowhere.
            let inner = path.strip_prefix(&self.top).ok();
            let Some((directory, name)) = inner.and_then(|inner| parent_of(&self.top, inner))
            else {
                continue;
            };
            let is_directory = statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW)
                .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory);
            // What cannot be removed is seen, and told as a difference.
            if *only_empty {
                unlinkat(&directory, name, AtFlags::REMOVEDIR).ok();
            } else if is_directory {
                fs::remove_dir_all(Path::new(&link_to(&directory)).join(name)).ok();
            } else {
                unlinkat(&directory, name, AtFlags::empty()).ok();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::engine::cli::layers::Layer;
    use crate::engine::{SeenKind, Storage};

    #[test]
    fn strays_are_removed_and_nothing_else_is() {
        let host = tempfile::tempdir().unwrap();
        let at = |path: &str| host.path().join(path);
        for directory in ["copy/dev/pts", "copy/run", "copy/empty", "elsewhere"] {
            fs::create_dir_all(at(directory)).unwrap();
        }
        for file in ["copy/.dockerenv", "copy/run/kept", "elsewhere/hosts"] {
            fs::write(at(file), "").unwrap();
        }
        std::os::unix::fs::symlink("../elsewhere", at("copy/etc")).unwrap();
        let brought = |path: &str, only_empty| (at(path), only_empty);
        let strays = Strays {
            top: host.path().to_owned(),
            brought: vec![
                brought("copy/dev", false),
                brought("copy/.dockerenv", false),
                brought("copy/etc/hosts", false),
                brought("copy/never/came", false),
                brought("copy/run", true),
                brought("copy/empty", true),
            ],
        };
        strays.remove();
        let is_there = |path: &str| fs::symlink_metadata(at(path)).is_ok();
        for gone in ["copy/dev", "copy/.dockerenv", "copy/empty"] {
            assert!(!is_there(gone), "{gone}");
        }
        for kept in ["copy/run/kept", "elsewhere/hosts", "copy/etc"] {
            assert!(is_there(kept), "{kept}");
        }
    }

    #[test]
    fn a_directory_that_was_copied_up_for_own_files_only_is_the_images() {
        let found = |path: &str, mode: u32, kind: SeenKind| Found {
            path: path.to_owned(),
            kind,
            mode,
            uid: 0,
            gid: 0,
            xattrs: BTreeMap::new(),
            inode: (0, 0),
        };
        let directory = |path: &str, mode| found(path, mode, SeenKind::Directory);
        let file = |path: &str| found(path, 0o644, SeenKind::Fifo);
        let of_image = [directory("/", 0o755), directory("/run", 0o755)];
        let known = Known {
            layers: vec![Arc::new(Layer {
                storage: Storage::Host,
                paths: of_upper(&of_image),
            })],
            ..Known::default()
        };
        let (run, own) = (directory("/run", 0o755), file("/run/.containerenv"));
        let is_changed = |upper: &[Found]| changed_paths(&known, upper).contains("/run");
        assert!(!is_changed(&[run.clone(), own.clone()]));
        // What a process did.
        assert!(is_changed(&[directory("/run", 0o700), own.clone()]));
        assert!(is_changed(&[run.clone(), own, file("/run/lock")]));
        assert!(is_changed(&[run]));
    }
}
