//! Names that go: `unlink`, `rmdir`, `rm -r`.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use super::Process;
use super::subject::Changed;
use crate::rootfs::mounts::{Location, Table};
use crate::rootfs::permission::{self, Wish};
use crate::rootfs::walk::{Last, lookup};
use crate::union::{CallerCapability, Errno, FileKind, Result};

impl Process {
    /// `unlink`.
    ///
    /// # Errors
    /// As the system call; `EBUSY` for a mount point (Docker row 128).
    pub fn unlink(&self, path: &OsStr) -> Result<Option<Changed>> {
        let table = self.table();
        let parent = self.walk(&table).parent(path)?;
        let Last::Name(name, slash) = parent.last else {
            return Err(Errno::ISDIR);
        };
        parent.dir.want_write()?;
        let victim = lookup(&parent.dir, &name)?;
        let directory = victim.node.kind() == FileKind::Directory;
        if slash {
            return Err(if directory {
                Errno::ISDIR
            } else {
                Errno::NOTDIR
            });
        }
        self.may_delete(&parent.dir, &victim)?;
        if directory {
            return Err(Errno::ISDIR);
        }
        not_mounted_on(&table, &parent.dir, &name, &victim)?;
        let changed = Changed::entry(&parent.dir, &name);
        parent.dir.union().unlink(&parent.dir.node, &name)?;
        Ok(changed)
    }

    /// `rmdir`.
    ///
    /// # Errors
    /// As the system call; `EBUSY` for a mount point.
    pub fn rmdir(&self, path: &OsStr) -> Result<Option<Changed>> {
        let table = self.table();
        let parent = self.walk(&table).parent(path)?;
        let name = match parent.last {
            Last::Name(name, _) => name,
            Last::DotDot => return Err(Errno::NOTEMPTY),
            Last::Dot => return Err(Errno::INVAL),
            Last::Root => return Err(Errno::BUSY),
        };
        parent.dir.want_write()?;
        let victim = lookup(&parent.dir, &name)?;
        self.may_delete(&parent.dir, &victim)?;
        if victim.node.kind() != FileKind::Directory {
            return Err(Errno::NOTDIR);
        }
        not_mounted_on(&table, &parent.dir, &name, &victim)?;
        let changed = Changed::entry(&parent.dir, &name);
        parent
            .dir
            .union()
            .remove_directory(&parent.dir.node, &name)?;
        Ok(changed)
    }

    /// `rm -r`: a file, or a directory and everything below it, names in order, no symlink followed.
    /// As rm does, it goes on after a refusal.
    ///
    /// Gives what was removed, and the first refusal.
    pub fn remove_tree(&self, path: &OsStr) -> (Vec<Changed>, Result<()>) {
        // rm looks before it deletes, so that what is missing is missing on a read-only disk too.
        if let Err(errno) = self.find(path, false) {
            return (Vec::new(), Err(errno));
        }
        let mut removed = Vec::new();
        let mut first = Ok(());
        // Directories to empty, each with whether its names have been added after it.
        let mut todo = vec![(path.to_owned(), false)];
        while let Some((path, emptied)) = todo.pop() {
            if emptied {
                note(&mut removed, &mut first, self.rmdir(&path));
                continue;
            }
            let found = self.find(&path, false);
            if !found.is_ok_and(|found| found.location.node.kind() == FileKind::Directory) {
                note(&mut removed, &mut first, self.unlink(&path));
                continue;
            }
            match self.names_in(&path) {
                Ok(names) => {
                    todo.push((path.clone(), true));
                    let below = |name| PathBuf::from(&path).join(name).into_os_string();
                    todo.extend(names.into_iter().rev().map(|name| (below(name), false)));
                }
                // An unreadable directory goes if it is empty.
                Err(errno) => match self.rmdir(&path) {
                    Ok(changed) => removed.extend(changed),
                    Err(_) => first = first.and(Err(errno)),
                },
            }
        }
        (removed, first)
    }

    fn names_in(&self, path: &OsStr) -> Result<Vec<OsString>> {
        self.list(&super::Subject::Path {
            path,
            follow: false,
        })
    }

    /// The part of `may_delete` that is about permission; whether the victim is a directory is the
    /// callers'.
    pub(super) fn may_delete(&self, dir: &Location, victim: &Location) -> Result<()> {
        dir.check(&self.caller, Wish::WRITE | Wish::EXECUTE)?;
        if self.caller.can(CallerCapability::Fowner) {
            return Ok(());
        }
        let directory = dir.union().attributes(&dir.node)?;
        let file = victim.union().attributes(&victim.node)?;
        permission::check_sticky(&directory, &file, &self.caller)
    }
}

/// `is_local_mountpoint`: `EBUSY`.
pub(super) fn not_mounted_on(
    table: &Table,
    dir: &Location,
    name: &OsStr,
    victim: &Location,
) -> Result<()> {
    if table.is_mounted_on(&victim.node, (&dir.node, name)) {
        Err(Errno::BUSY)
    } else {
        Ok(())
    }
}

/// Keeps the first refusal. A directory that is not empty because of an earlier refusal is none.
fn note(removed: &mut Vec<Changed>, first: &mut Result<()>, result: Result<Option<Changed>>) {
    match result {
        Ok(changed) => removed.extend(changed),
        Err(errno) if first.is_ok() => *first = Err(errno),
        Err(_) => {}
    }
}
