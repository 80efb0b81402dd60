//! What a system call acts on, and what it changed.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::Process;
use crate::rootfs::OpenFile;
use crate::rootfs::mounts::Location;
use crate::rootfs::walk::Found;
use crate::union::{NodeRef, Result};

/// A path or an open file.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// A path; relative ones start at the working directory.
    Path {
        /// The path.
        path: &'a OsStr,
        /// Follow a final symlink.
        follow: bool,
    },
    /// An open file, whatever its name is by now.
    File(&'a OpenFile),
}

/// Where something was changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Changed {
    /// [`crate::rootfs::Mount::id`] of the mount; [`crate::rootfs::Rootfs::ROOT_ID`] for the root.
    pub mount: u64,
    /// Path in that mount's union, `/` first.
    pub path: PathBuf,
}

impl Changed {
    /// A name in a directory, which may be gone.
    pub(super) fn entry(dir: &Location, name: &OsStr) -> Option<Self> {
        let path = dir.union().path(&dir.node)?.join(name);
        Some(Self {
            mount: dir.mount.id,
            path,
        })
    }

    /// A file by the name by which it was found, as long as it has any name.
    pub(super) fn file(location: &Location, entry: Option<(&NodeRef, &OsStr)>) -> Option<Self> {
        let any = location.union().path(&location.node)?;
        let path = match entry {
            Some((dir, name)) => named(location, dir, name).unwrap_or(any),
            None => any,
        };
        Some(Self {
            mount: location.mount.id,
            path,
        })
    }
}

/// The path of a name, if it still is this file's: one file may have several.
fn named(location: &Location, dir: &NodeRef, name: &OsStr) -> Option<PathBuf> {
    let union = location.union();
    let same = union
        .lookup(dir, name)
        .is_ok_and(|node| node.same(&location.node));
    if same {
        Some(union.path(dir)?.join(name))
    } else {
        None
    }
}

impl Found {
    pub(super) fn changed(&self) -> Option<Changed> {
        Changed::file(&self.location, self.entry())
    }
}

impl Process {
    /// Where a file lies, the last name not followed; `None` for one that has no name there.
    ///
    /// # Errors
    /// Those of the path walk.
    pub fn place(&self, path: &OsStr) -> Result<Option<Changed>> {
        Ok(self.find(path, false)?.changed())
    }

    /// The file at a path.
    pub(super) fn find(&self, path: &OsStr, follow: bool) -> Result<Found> {
        let table = self.table();
        self.walk(&table).find(path, follow)
    }

    /// The file that a subject is. An open file must have been opened for more than its place.
    pub(super) fn found(&self, subject: &Subject<'_>) -> Result<Found> {
        match *subject {
            Subject::Path { path, follow } => self.find(path, follow),
            Subject::File(file) => Ok(opened(file.usable()?)),
        }
    }
}

/// An open file as a walk would have found it.
pub(super) fn opened(file: &OpenFile) -> Found {
    Found {
        location: file.location.clone(),
        entry: file.entry.clone(),
    }
}
