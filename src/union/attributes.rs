//! What `stat` shows and what `chmod`, `chown`, `truncate` and `utimensat` change.

use std::ffi::OsStr;
use std::sync::atomic::Ordering;

use rustix::fs::{OFlags, XattrFlags, fstat, ftruncate};

use super::acl::{self, Acl};
use super::copy_up::Need;
use super::filesystem::{Union, check_name};
use super::lock::{lock, read, write};
use super::marks::OVERRIDE_STAT;
use super::node::{NodeRef, Upper};
use super::override_stat::OverrideStat;
use super::real::{Facts, Real};
use super::{Attributes, Caller, Errno, FileKind, Result, SetAttributes, privileges};

impl Union {
    /// What `stat` shows.
    ///
    /// # Errors
    /// `ESTALE` when somebody else has replaced the file on the real disk; what reading the disk gives.
    pub fn attributes(&self, node: &NodeRef) -> Result<Attributes> {
        let _names = read(&self.names);
        let real = self.real(node)?;
        let facts = real.stat()?;
        self.check_same(node, &facts)?;
        self.show(node, &real, &facts)
    }

    /// [`Union::lookup`] and [`Union::attributes`] in one, which asks the disk once.
    ///
    /// # Errors
    /// Those of both.
    pub fn lookup_attributes(&self, dir: &NodeRef, name: &OsStr) -> Result<(NodeRef, Attributes)> {
        check_name(name)?;
        let _names = read(&self.names);
        let (node, seen) = self.see(dir, name)?.ok_or(Errno::NOENT)?;
        let (real, facts) = if let Some(seen) = seen {
            seen
        } else {
            let real = self.real(&node)?;
            let facts = real.stat()?;
            self.check_same(&node, &facts)?;
            (real, facts)
        };
        let attributes = self.show(&node, &real, &facts)?;
        Ok((node, attributes))
    }

    /// Notices a name that somebody else has given to another file.
    fn check_same(&self, node: &NodeRef, facts: &Facts) -> Result<()> {
        if !self.options.plain {
            return Ok(());
        }
        let known = lock(&node.0.state).upper_identity;
        let is_directory = facts.kind == FileKind::Directory;
        let is_other = known.is_some_and(|known| known != facts.identity())
            || node.0.is_directory() != is_directory;
        if is_other { Err(Errno::STALE) } else { Ok(()) }
    }

    /// Facts of the real file as the union shows them.
    pub(super) fn show(&self, node: &NodeRef, real: &Real, facts: &Facts) -> Result<Attributes> {
        let owner = self.shown_owner(real, facts)?;
        let (ino, is_merged, entry) = {
            let state = lock(&node.0.state);
            let parts = state.lowers.len() + usize::from(!state.upper.is_absent());
            (state.ino, parts > 1, state.entry.clone())
        };
        Ok(Attributes {
            kind: node.0.kind,
            mode: owner.mode,
            uid: owner.uid,
            gid: owner.gid,
            size: if node.0.kind == FileKind::Regular || owner.device == (0, 0) {
                facts.size
            } else {
                0
            },
            blocks: self.blocks(node, facts)?,
            // A merged directory does not count its subdirectories (union row 147).
            links: if is_merged {
                1
            } else {
                self.links(real, facts, entry.as_deref())?
            },
            ino: if ino == 0 { self.show_ino(facts) } else { ino },
            device: owner.device,
            atime: facts.atime,
            mtime: facts.mtime,
            ctime: facts.ctime,
        })
    }

    /// Owner, mode, type and device as the union shows them.
    pub(super) fn shown_owner(&self, real: &Real, facts: &Facts) -> Result<OverrideStat> {
        let device = match facts.kind {
            FileKind::Character | FileKind::Block => facts.device,
            _ => (0, 0),
        };
        let Facts {
            uid,
            gid,
            mode,
            kind,
            ..
        } = *facts;
        let real_owner = OverrideStat {
            uid,
            gid,
            mode,
            kind: Some(kind),
            device,
        };
        if !self.is_overridden() {
            return Ok(real_owner);
        }
        if matches!(kind, FileKind::Regular | FileKind::Directory)
            && let Some(value) = real.xattr(OVERRIDE_STAT.as_ref())?
            && let Some(stated) = OverrideStat::parse(&value)
        {
            // A directory cannot stand for anything else, and nothing else for a directory.
            let is_believable = kind == FileKind::Regular
                && stated.kind.is_some_and(|kind| kind != FileKind::Directory);
            let kind = if is_believable {
                stated.kind
            } else {
                Some(kind)
            };
            return Ok(OverrideStat { kind, ..stated });
        }
        if uid == self.process_uid {
            return Ok(OverrideStat {
                uid: 0,
                gid: 0,
                ..real_owner
            });
        }
        Ok(real_owner)
    }

    /// Type of a file as the union shows it.
    pub(super) fn shown_kind(&self, real: &Real, facts: &Facts) -> Result<FileKind> {
        if self.is_overridden() && facts.kind == FileKind::Regular {
            return Ok(self.shown_owner(real, facts)?.kind.unwrap_or(facts.kind));
        }
        Ok(facts.kind)
    }

    /// Changes attributes, copying the file up. The set-ID rules of `chown`, `chmod` and `truncate` are
    /// applied for the caller; whether it may change them at all has been decided above.
    ///
    /// # Errors
    /// `EROFS`; `EISDIR` or `EINVAL` for a size of something that has none; `EOPNOTSUPP` for a mode of a
    /// symlink; `EPERM` for an immutable file; what the disk gives.
    pub fn set_attributes(
        &self,
        node: &NodeRef,
        change: &SetAttributes,
        caller: &Caller,
    ) -> Result<Attributes> {
        if change.size.is_some() && node.0.kind != FileKind::Regular {
            return Err(if node.0.is_directory() {
                Errno::ISDIR
            } else {
                Errno::INVAL
            });
        }
        if change.mode.is_some() && node.0.kind == FileKind::Symlink {
            return Err(Errno::OPNOTSUPP);
        }
        self.copy_up(node, change.size.map_or(Need::Attributes, Need::Cut))?;
        let _changing = lock(&node.0.changing);
        if let Some(size) = change.size {
            self.truncate(node, size, caller)?;
        }
        if change.mode.is_some() || change.uid.is_some() || change.gid.is_some() {
            self.set_owner(node, change, caller)?;
            node.0.harmless.store(false, Ordering::Release);
            lock(&node.0.inheritance).take();
        }
        let _names = read(&self.names);
        let real = self.real(node)?;
        if change.atime.is_some() || change.mtime.is_some() {
            real.set_times(change.atime, change.mtime)?;
        }
        let facts = real.stat()?;
        self.show(node, &real, &facts)
    }

    fn truncate(&self, node: &NodeRef, size: u64, caller: &Caller) -> Result<()> {
        let open = {
            let _names = read(&self.names);
            self.real(node)?.open(OFlags::WRONLY)?
        };
        self.remove_privileges(
            node,
            &Real::opened(std::sync::Arc::new(open)),
            caller,
            |open| {
                let before: Facts = fstat(open)?.into();
                ftruncate(open, size)?;
                if let Some(space) = &self.options.space {
                    let after: Facts = fstat(open)?.into();
                    space.give(before.blocks.saturating_sub(after.blocks) * 512);
                }
                Ok(())
            },
        )
    }

    fn set_owner(&self, node: &NodeRef, change: &SetAttributes, caller: &Caller) -> Result<()> {
        let names = read(&self.names);
        let real = self.real(node)?;
        let before = self.shown_owner(&real, &real.stat()?)?;
        let is_chown = change.uid.is_some() || change.gid.is_some();
        let mut after = before;
        after.uid = change.uid.unwrap_or(before.uid);
        after.gid = change.gid.unwrap_or(before.gid);
        if is_chown {
            after.mode = privileges::after_chown(node.0.kind, before.mode, before.gid, caller);
        }
        if let Some(mode) = change.mode {
            after.mode = privileges::after_chmod(mode & 0o7777, after.gid, caller);
        }
        if !self.is_overridden() {
            return set_real_owner(node, &real, change, &before, &after);
        }
        if is_chown && !node.0.is_directory() {
            self.remove_escaped(&real, "security.capability")?;
        }
        if change.mode.is_some() {
            self.change_escaped_acl(&real, after.mode)?;
        }
        let real_kind = real.stat()?.kind;
        let wanted = if real_kind == FileKind::Regular && node.0.kind != FileKind::Regular {
            // Once it is a regular file it stays one: it may have attributes.
            after.carried(node.0.kind)
        } else {
            after.representation(node.0.kind)
        };
        if wanted.kind == real_kind {
            return write_representation(&real, &wanted);
        }
        drop(names);
        let _names = write(&self.names);
        self.convert(node, &after)
    }

    /// Removes an attribute that is kept under an escaped name.
    fn remove_escaped(&self, real: &Real, name: &str) -> Result<()> {
        match real.remove_xattr(&self.marks.to_real(name.as_ref())?) {
            Ok(()) | Err(Errno::NODATA | Errno::OPNOTSUPP | Errno::PERM) => Ok(()),
            Err(errno) => Err(errno),
        }
    }

    fn change_escaped_acl(&self, real: &Real, mode: u32) -> Result<()> {
        let name = self.marks.to_real(acl::ACCESS.as_ref())?;
        if let Some(list) = real.xattr(&name)?.and_then(|value| Acl::parse(&value)) {
            real.set_xattr(&name, &list.with_mode(mode).format(), XattrFlags::empty())?;
        }
        Ok(())
    }

    /// Changes a file's data, then takes its set-ID bits and capabilities away as a write does.
    pub(super) fn remove_privileges<T>(
        &self,
        node: &NodeRef,
        open: &Real,
        caller: &Caller,
        change: impl FnOnce(&super::Directory) -> Result<T>,
    ) -> Result<T> {
        if node.0.harmless.load(Ordering::Acquire) && self.is_alone() {
            return change(&open.directory);
        }
        let before = self.shown_owner(open, &open.stat()?)?;
        let after = privileges::after_write(before.mode, before.gid, caller);
        if after != before.mode {
            let wanted = OverrideStat {
                mode: after,
                ..before
            };
            if self.is_overridden() {
                write_representation(open, &wanted.representation(node.0.kind))?;
            } else {
                open.set_mode(after)?;
            }
        }
        if self.is_overridden() {
            self.remove_escaped(open, "security.capability")?;
        }
        // The real file system takes real capabilities away by itself.
        node.0
            .harmless
            .store(after & 0o6000 == 0, Ordering::Release);
        change(&open.directory)
    }

    /// Replaces a real link, pipe or socket by a regular file that stands for it: a symlink that is given
    /// away becomes a regular file with its target as content. Its directory's times stay. Needs the
    /// namespace lock for writing.
    pub(super) fn convert(&self, node: &NodeRef, owner: &OverrideStat) -> Result<()> {
        if !matches!(lock(&node.0.state).upper, Upper::Named) {
            return Err(Errno::PERM);
        }
        let real = self.real(node)?;
        let old = real.stat()?;
        let content = self.link_text(node, &real)?;
        let birth = super::create::Birth {
            kind: node.0.kind,
            owner: *owner,
            target: content,
            access: None,
            default: None,
            is_carried: true,
        };
        let parent = Real::itself(std::sync::Arc::clone(&real.directory));
        let around = parent.stat()?;
        let temporary = self.temporary_near(&real.directory, |directory, name| {
            self.make_real(directory, name, &birth).map(drop)
        })?;
        temporary.real().set_times(
            Some(super::SetTime::At(old.atime)),
            Some(super::SetTime::At(old.mtime)),
        )?;
        let new = temporary.real().stat()?;
        temporary.replace(&real)?;
        let at = super::SetTime::At;
        parent.set_times(Some(at(around.atime)), Some(at(around.mtime)))?;
        let mut uppers = lock(&self.uppers);
        uppers.nodes.remove(&old.identity());
        uppers.nodes.insert(new.identity(), node);
        if let Some(ino) = uppers.origins.remove(&old.identity()) {
            uppers.origins.insert(new.identity(), ino);
        }
        lock(&node.0.state).upper_identity = Some(new.identity());
        Ok(())
    }
}

fn set_real_owner(
    node: &NodeRef,
    real: &Real,
    change: &SetAttributes,
    before: &OverrideStat,
    after: &OverrideStat,
) -> Result<()> {
    let is_chown = change.uid.is_some() || change.gid.is_some();
    if is_chown {
        real.set_owner(change.uid, change.gid)?;
    }
    let is_symlink = node.0.kind == FileKind::Symlink;
    // The chown by this process may have cleared other bits than the caller's would have.
    let is_unsure = is_chown && before.mode & 0o6000 != 0 && !node.0.is_directory();
    if !is_symlink && (change.mode.is_some() || is_unsure) {
        real.set_mode(after.mode)?;
    }
    Ok(())
}

/// Writes owner, mode and type of a file whose real type is right.
pub(super) fn write_representation(
    real: &Real,
    wanted: &super::override_stat::Representation,
) -> Result<()> {
    let name = OVERRIDE_STAT.as_ref();
    match &wanted.attribute {
        Some(value) => real.set_xattr(name, value, XattrFlags::empty())?,
        None if matches!(wanted.kind, FileKind::Regular | FileKind::Directory) => {
            match real.remove_xattr(name) {
                Ok(()) | Err(Errno::NODATA | Errno::OPNOTSUPP) => {}
                Err(errno) => return Err(errno),
            }
        }
        None => {}
    }
    if wanted.kind != FileKind::Symlink {
        let facts = real.stat()?;
        if facts.mode != wanted.mode {
            real.set_mode(wanted.mode)?;
        }
    }
    Ok(())
}
