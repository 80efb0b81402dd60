//! Copy-up: a file of a lower layer becomes one of the upper layer, whole or not at all.
//!
//! The copy is made without a name (`O_TMPFILE`) or in the work directory, gets its data, owner, mode,
//! extended attributes and times there, and appears in one step under a name that was free: replacing an
//! existing name is what makes ext4 write data out. Parents come first. The parent directory's times stay,
//! because for the merged view nothing has happened. Nothing is flushed to the disk.
//!
//! A lower hard link is broken: each name gets a file of its own, as without `index` (union row 102).
//! Source: overlayfs.rst "Non-directories"; `fs/overlayfs/copy_up.c`.

use std::ffi::{OsStr, OsString};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustix::fs::{self, Mode, OFlags, XattrFlags};

use super::attributes::write_representation;
use super::filesystem::Union;
use super::lock::{lock, read, write};
use super::marks::{Mark, OVERRIDE_STAT};
use super::node::{NodeRef, Upper};
use super::real::{Facts, Real, type_of_kind};
use super::temporary::Temporary;
use super::{Directory, Errno, FileKind, Result, SetTime, data};

impl Union {
    /// Copies a file up with its parents, unless it is up. Of a regular file only the first `limit` bytes:
    /// for a truncation that follows. Takes the namespace lock by itself.
    pub(super) fn copy_up(&self, node: &NodeRef, limit: Option<u64>) -> Result<()> {
        self.check_writable()?;
        let mut chain = Vec::new();
        let mut next = Some(node.clone());
        while let Some(at) = next.take_if(|at| !at.0.is_in_upper()) {
            next = self.parent(&at);
            chain.push(at);
        }
        while let Some(at) = chain.pop() {
            let limit = if chain.is_empty() { limit } else { None };
            self.copy_up_one(&at, limit)?;
        }
        Ok(())
    }

    fn copy_up_one(&self, node: &NodeRef, limit: Option<u64>) -> Result<()> {
        let _single = lock(&node.0.copying);
        if node.0.is_in_upper() {
            return Ok(());
        }
        let lower = self.lower_real(node)?.ok_or(Errno::STALE)?;
        lower.refuse_immutable()?;
        let facts = lower.stat()?;
        let bytes = match facts.kind {
            FileKind::Regular => (facts.blocks * 512).min(limit.unwrap_or(u64::MAX)),
            _ => 0,
        };
        self.take_space(bytes)?;
        let copied = if facts.kind == FileKind::Regular {
            self.copy_regular(node, &lower, &facts, limit)
        } else {
            self.copy_special(node, &lower, &facts)
        };
        if let (Err(_), Some(space)) = (&copied, &self.options.space) {
            space.give(bytes);
        }
        copied
    }

    fn copy_regular(
        &self,
        node: &NodeRef,
        lower: &Real,
        facts: &Facts,
        limit: Option<u64>,
    ) -> Result<()> {
        let from = open_unseen(lower)?;
        let lower = Real::opened(Arc::new(from));
        let names = self.names_to_copy(&lower)?;
        let (near, is_linked) = self.place_near(node)?;
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let (real, temporary) = match fs::openat(&near, ".", flags, Mode::RUSR | Mode::WUSR) {
            Ok(open) => (Real::opened(Arc::new(open)), None),
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) if is_linked => {
                let temporary = self.temporary(|work, name| {
                    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC;
                    fs::openat(work, name, flags, Mode::RUSR | Mode::WUSR).map(drop)
                })?;
                let open = temporary.real().open(OFlags::RDWR)?;
                (Real::opened(Arc::new(open)), Some(temporary))
            }
            Err(errno) => return Err(errno),
        };
        data::copy(
            &lower.directory,
            &real.directory,
            facts,
            limit,
            &self.clone_refused,
        )?;
        self.copy_attributes(&lower, facts, &real, &names, limit.is_some())?;
        self.publish(node, facts, &real, temporary)
    }

    fn copy_special(&self, node: &NodeRef, lower: &Real, facts: &Facts) -> Result<()> {
        let temporary = self.temporary(|work, name| match facts.kind {
            FileKind::Directory => fs::mkdirat(work, name, Mode::RWXU),
            FileKind::Symlink => fs::symlinkat(lower.read_link()?, work, name),
            kind => {
                let device = fs::makedev(facts.device.0, facts.device.1);
                let mode = Mode::from_raw_mode(facts.mode);
                fs::mknodat(work, name, type_of_kind(kind), mode, device)
            }
        })?;
        let names = self.names_to_copy(lower)?;
        self.copy_attributes(lower, facts, temporary.real(), &names, false)?;
        let real = temporary.real().clone();
        self.publish(node, facts, &real, Some(temporary))
    }

    /// A directory on the upper file system in which to make a nameless file: the future parent, or the
    /// work directory for a file that has no name any more.
    fn place_near(&self, node: &NodeRef) -> Result<(Directory, bool)> {
        let _names = read(&self.names);
        let parent = self.parent(node);
        match parent {
            Some(parent) => Ok((self.upper_directory(&parent)?.ok_or(Errno::STALE)?, true)),
            None => Ok((self.work.clone().ok_or(Errno::ROFS)?, false)),
        }
    }

    /// Gives the copy its name and makes it the node's upper part.
    fn publish(
        &self,
        node: &NodeRef,
        lower: &Facts,
        real: &Real,
        temporary: Option<Temporary>,
    ) -> Result<()> {
        let _names = write(&self.names);
        let copy = real.stat()?;
        let dentry = lock(&node.0.state).dentry.clone();
        let upper = match dentry {
            Some((parent, name)) => {
                self.give_name(&parent, &name, real, temporary)?;
                Upper::Named
            }
            // Removed while it was being copied, or before: the copy lives as long as the node.
            None if node.0.is_directory() => return Err(Errno::NOENT),
            None => Upper::Held(real.hold()?),
        };
        let mut uppers = lock(&self.uppers);
        let mut state = lock(&node.0.state);
        state.upper = upper;
        state.upper_identity = Some(copy.identity());
        if !node.0.is_directory() {
            if lower.links > 1 {
                // Two copies of a hard link must not show the same number.
                state.ino = self.show_ino(&copy);
                uppers.origins.remove(&copy.identity());
            } else {
                uppers.origins.insert(copy.identity(), state.ino);
            }
            uppers.nodes.insert(copy.identity(), node);
        }
        node.0.in_upper.store(true, Ordering::Release);
        Ok(())
    }

    fn give_name(
        &self,
        parent: &NodeRef,
        name: &OsStr,
        real: &Real,
        temporary: Option<Temporary>,
    ) -> Result<()> {
        let directory = self.upper_directory(parent)?.ok_or(Errno::STALE)?;
        let parent = Real::itself(Arc::clone(&directory));
        let before = parent.stat()?;
        match temporary {
            Some(temporary) => temporary.publish(&Real::named(directory, name))?,
            None => real.link_to(&directory, name)?,
        }
        // The copy is published: whatever fails from here on, the file is up.
        let _times = parent.set_times(
            Some(SetTime::At(before.atime)),
            Some(SetTime::At(before.mtime)),
        );
        Ok(())
    }

    /// Copies owner, mode, extended attributes and times, in the order in which none undoes another: a
    /// change of owner takes set-ID bits and capabilities away.
    fn copy_attributes(
        &self,
        lower: &Real,
        facts: &Facts,
        copy: &Real,
        names: &[OsString],
        is_cut: bool,
    ) -> Result<()> {
        let made = copy.stat()?;
        if !self.is_overridden() {
            if (made.uid, made.gid) != (facts.uid, facts.gid) {
                copy.set_owner(Some(facts.uid), Some(facts.gid))?;
            }
            if facts.kind != FileKind::Symlink {
                copy.set_mode(facts.mode)?;
            }
        }
        self.copy_xattrs(lower, copy, names)?;
        if self.is_overridden() {
            let shown = self.shown_owner(lower, facts)?;
            let wanted = shown.representation(shown.kind.unwrap_or(facts.kind));
            if wanted.kind == facts.kind {
                let is_stated = copy.xattr(OVERRIDE_STAT.as_ref())?.is_some();
                if !is_stated || wanted.attribute.is_none() || made.mode != wanted.mode {
                    write_representation(copy, &wanted)?;
                }
            }
        }
        // A truncation follows, which sets the time by itself.
        let mtime = (!is_cut || facts.size == 0).then_some(SetTime::At(facts.mtime));
        copy.set_times(Some(SetTime::At(facts.atime)), mtime)
    }

    /// Names of the extended attributes that go with the file: all but the union's marks.
    fn names_to_copy(&self, lower: &Real) -> Result<Vec<OsString>> {
        let mut names = lower.xattr_names()?;
        if names
            .iter()
            .any(|name| name == self.marks.name(Mark::Metacopy))
        {
            return Err(Errno::PERM);
        }
        names.retain(|name| !self.marks.is_private(name));
        Ok(names)
    }

    fn copy_xattrs(&self, lower: &Real, copy: &Real, names: &[OsString]) -> Result<()> {
        for name in names {
            let Some(value) = lower.xattr(name)? else {
                continue;
            };
            match copy.set_xattr(name, &value, XattrFlags::empty()) {
                Ok(()) => {}
                // Labels of the host, which only it may set.
                Err(Errno::PERM | Errno::OPNOTSUPP) if self.is_overridden() => {}
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    }

    /// Refuses a file whose data are in another layer: without `metacopy` its content would read as zeros
    /// (union row 138).
    pub(super) fn refuse_metacopy(&self, real: &Real) -> Result<()> {
        if self.options.plain || real.xattr(self.marks.name(Mark::Metacopy))?.is_none() {
            return Ok(());
        }
        Err(Errno::PERM)
    }

    /// The same while looking a name up, where it must not cost a system call: a file without data has
    /// fewer blocks than its size asks for. The rare one that has them nevertheless is refused when it is
    /// opened.
    pub(super) fn refuse_metacopy_at_sight(&self, real: &Real, facts: &Facts) -> Result<()> {
        let has_holes = facts.kind == FileKind::Regular && facts.blocks * 512 < facts.size;
        if has_holes {
            self.refuse_metacopy(real)
        } else {
            Ok(())
        }
    }
}

/// Opens a file of a lower layer for reading without a trace: its access time stays (union row 193).
pub(super) fn open_unseen(lower: &Real) -> Result<std::os::fd::OwnedFd> {
    match lower.open(OFlags::RDONLY | OFlags::NOATIME) {
        // Only the owner may ask for that.
        Err(Errno::PERM) => lower.open(OFlags::RDONLY),
        other => other,
    }
}
