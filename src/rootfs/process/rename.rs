//! `renameat2`.

use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use super::Process;
use super::remove::not_mounted_on;
use super::subject::Changed;
use crate::rootfs::mounts::{Location, Table};
use crate::rootfs::permission::Wish;
use crate::rootfs::walk::{Last, is_below, lookup};
use crate::union::{Errno, FileKind, RenameFlags, Result};

/// One end of a rename.
struct End {
    dir: Location,
    name: OsString,
    /// Slashes follow the name.
    slash: bool,
    file: Option<Location>,
}

impl Process {
    /// `renameat2`. Gives both names, the old one first; nothing when both were names of one file.
    ///
    /// # Errors
    /// As the system call: `EXDEV` across mounts, `EBUSY` for mount points (Docker row 128).
    pub fn rename(&self, from: &OsStr, to: &OsStr, flags: RenameFlags) -> Result<Vec<Changed>> {
        let table = self.table();
        let (old, new) = self.rename_ends(&table, from, to, flags)?;
        let Some(source) = &old.file else {
            return Err(Errno::NOENT);
        };
        check_shape(&old, source, &new, flags)?;
        if new
            .file
            .as_ref()
            .is_some_and(|target| target.node.same(&source.node))
        {
            return Ok(Vec::new());
        }
        self.check_rename(&old, source, &new, flags)?;
        not_mounted_on(&table, &old.dir, &old.name, source)?;
        if let Some(target) = &new.file {
            not_mounted_on(&table, &new.dir, &new.name, target)?;
        }
        let union = old.dir.union();
        union.rename(
            (&old.dir.node, &old.name),
            (&new.dir.node, &new.name),
            flags,
        )?;
        let names = [
            Changed::entry(&old.dir, &old.name),
            Changed::entry(&new.dir, &new.name),
        ];
        Ok(names.into_iter().flatten().collect())
    }

    /// Both ends, as far as they can be found without asking whether the rename is allowed.
    fn rename_ends(
        &self,
        table: &Table,
        from: &OsStr,
        to: &OsStr,
        flags: RenameFlags,
    ) -> Result<(End, End)> {
        let old = self.walk(table).parent(from)?;
        let new = self.walk(table).parent(to)?;
        if !Arc::ptr_eq(&old.dir.mount, &new.dir.mount) {
            return Err(Errno::XDEV);
        }
        let Last::Name(old_name, old_slash) = old.last else {
            return Err(Errno::BUSY);
        };
        let Last::Name(new_name, new_slash) = new.last else {
            let exists = flags == RenameFlags::NoReplace;
            return Err(if exists { Errno::EXIST } else { Errno::BUSY });
        };
        old.dir.want_write()?;
        let source = lookup(&old.dir, &old_name)?;
        let target = match lookup(&new.dir, &new_name) {
            Ok(target) => Some(target),
            Err(Errno::NOENT) => {
                new.dir.union().check_alive(&new.dir.node)?;
                None
            }
            Err(errno) => return Err(errno),
        };
        Ok((
            End {
                dir: old.dir,
                name: old_name,
                slash: old_slash,
                file: Some(source),
            },
            End {
                dir: new.dir,
                name: new_name,
                slash: new_slash,
                file: target,
            },
        ))
    }

    /// The permission half of `vfs_rename`.
    fn check_rename(
        &self,
        old: &End,
        source: &Location,
        new: &End,
        flags: RenameFlags,
    ) -> Result<()> {
        let exchange = flags == RenameFlags::Exchange;
        let directory = is_directory(source);
        self.may_delete(&old.dir, source)?;
        match &new.file {
            None => self.may_create(&new.dir)?,
            Some(target) => {
                self.may_delete(&new.dir, target)?;
                match (directory, is_directory(target)) {
                    (true, false) if !exchange => return Err(Errno::NOTDIR),
                    (false, true) if !exchange => return Err(Errno::ISDIR),
                    _ => {}
                }
            }
        }
        if old.dir.node.same(&new.dir.node) {
            return Ok(());
        }
        // A directory that gets another parent has its `..` rewritten.
        if directory {
            source.check(&self.caller, Wish::WRITE)?;
        }
        match &new.file {
            Some(target) if exchange && is_directory(target) => {
                target.check(&self.caller, Wish::WRITE)
            }
            _ => Ok(()),
        }
    }
}

/// What `do_renameat2` refuses before it asks for permission.
fn check_shape(old: &End, source: &Location, new: &End, flags: RenameFlags) -> Result<()> {
    let exchange = flags == RenameFlags::Exchange;
    match &new.file {
        Some(_) if flags == RenameFlags::NoReplace => return Err(Errno::EXIST),
        None if exchange => return Err(Errno::NOENT),
        Some(target) if exchange && !is_directory(target) && new.slash => {
            return Err(Errno::NOTDIR);
        }
        _ => {}
    }
    if !is_directory(source) && (old.slash || (new.slash && !exchange)) {
        return Err(Errno::NOTDIR);
    }
    let union = source.union();
    if is_directory(source) && is_below(union, &new.dir.node, &source.node) {
        return Err(Errno::INVAL);
    }
    match &new.file {
        Some(target) if is_directory(target) && is_below(union, &old.dir.node, &target.node) => {
            Err(if exchange {
                Errno::INVAL
            } else {
                Errno::NOTEMPTY
            })
        }
        _ => Ok(()),
    }
}

fn is_directory(location: &Location) -> bool {
    location.node.kind() == FileKind::Directory
}
