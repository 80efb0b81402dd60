//! Copy-up: a file of a lower layer becomes one of the upper layer, whole or not at all.
//!
//! The copy is made without a name (`O_TMPFILE`) or in the work directory, gets its data, owner, mode,
//! extended attributes and times there, and appears in one step under a name that was free: replacing an
//! existing name is what makes ext4 write data out. Parents come first. The parent directory's times stay,
//! because for the merged view nothing has happened. Nothing is flushed to the disk.
//!
//! A lower hard link is broken: each name gets a file of its own (union row 102); unless the union has an index, where
//! the copy appears first: see [`links`](super::links).
//! Source: overlayfs.rst "Non-directories"; `fs/overlayfs/copy_up.c`.

use std::ffi::{OsStr, OsString};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustix::fs::{self, Mode, OFlags, XattrFlags};

use super::attributes::write_representation;
use super::fault::{Fault, is_planted};
use super::filesystem::Union;
use super::lock::{lock, read, write};
use super::marks::{Mark, OVERRIDE_STAT};
use super::node::{NodeRef, Upper};
use super::real::{Facts, Real, type_of_kind};
use super::temporary::Temporary;
use super::{Directory, Errno, Feature, FileKind, Result, SetTime};

/// A finished copy that is to appear.
struct Copied<'a> {
    real: &'a Real,
    /// It has its data, or never has any.
    has_data: bool,
    /// Where it lies, if it has a name already.
    temporary: Option<Temporary>,
    /// What it will be called in the index.
    entry: Option<OsString>,
}

/// What of a file has to be in the upper layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// All but the data of a regular file.
    Attributes,
    /// Everything.
    Data,
    /// Of the data so many bytes: a truncation follows.
    Cut(u64),
}

impl Need {
    fn limit(self) -> Option<u64> {
        match self {
            Self::Attributes | Self::Data => None,
            Self::Cut(limit) => Some(limit),
        }
    }
}

impl Union {
    /// Copies a file up with its parents, as far as it is not up. Takes the namespace lock by itself.
    pub(super) fn copy_up(&self, node: &NodeRef, need: Need) -> Result<()> {
        self.check_writable()?;
        if need == Need::Attributes && !node.is_up() && self.is_removed(node) {
            self.check_place(node)?;
        }
        let mut chain = Vec::new();
        let mut next = Some(node.clone());
        while let Some(at) = next.take_if(|at| !at.is_up()) {
            next = match &at.1 {
                Some(alias) => Some(alias.dir.clone()),
                None => self.parent(&at),
            };
            chain.push(at);
        }
        while let Some(at) = chain.pop() {
            let need = if chain.is_empty() {
                need
            } else {
                Need::Attributes
            };
            self.copy_up_one(&at, need)?;
        }
        match need {
            Need::Attributes => Ok(()),
            Need::Data | Need::Cut(_) => self.fetch_data(node, need.limit()),
        }
    }

    fn copy_up_one(&self, node: &NodeRef, need: Need) -> Result<()> {
        let _single = lock(&node.0.copying);
        if !node.0.is_in_upper() {
            self.copy_lower(node, need)?;
        }
        self.link_up(node)
    }

    fn copy_lower(&self, node: &NodeRef, need: Need) -> Result<()> {
        let lower = self.lower_real(node)?.ok_or(Errno::STALE)?;
        lower.refuse_immutable()?;
        let facts = lower.stat()?;
        let leaves_data =
            need == Need::Attributes && self.options.metacopy && node.0.kind == FileKind::Regular;
        let bytes = match facts.kind {
            FileKind::Regular if !leaves_data => {
                (self.blocks(node, &facts)? * 512).min(need.limit().unwrap_or(u64::MAX))
            }
            _ => 0,
        };
        self.take_space(bytes)?;
        let copied = if facts.kind == FileKind::Regular {
            self.copy_regular(node, &lower, &facts, (!leaves_data).then_some(need))
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
        data: Option<Need>,
    ) -> Result<()> {
        let from = open_unseen(lower)?;
        let lower = Real::opened(Arc::new(from));
        let names = self.names_to_copy(&lower)?;
        let (near, is_linked) = self.place_near(node)?;
        let nameless = if self.may_use(Feature::Tmpfile) || !is_linked {
            let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
            fs::openat(&near, ".", flags, Mode::RUSR | Mode::WUSR)
        } else {
            Err(Errno::OPNOTSUPP)
        };
        let (real, temporary) = match nameless {
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
        let limit = data.and_then(Need::limit);
        match data {
            None => self.leave_data(&real, facts.size)?,
            Some(_) => self.copy_all_data(node, &lower, &real, facts, limit)?,
        }
        self.copy_attributes(&lower, facts, &real, &names, limit.is_some())?;
        let copied = Copied {
            real: &real,
            has_data: data.is_some(),
            temporary,
            entry: self.future_entry(node, &lower, facts, &real)?,
        };
        self.publish(node, facts, copied)
    }

    fn future_entry(
        &self,
        node: &NodeRef,
        lower: &Real,
        facts: &Facts,
        copy: &Real,
    ) -> Result<Option<OsString>> {
        if node.0.is_shared {
            return self.mark_for_index(lower, facts, copy).map(Some);
        }
        Ok(None)
    }

    fn copy_all_data(
        &self,
        node: &NodeRef,
        lower: &Real,
        copy: &Real,
        facts: &Facts,
        limit: Option<u64>,
    ) -> Result<()> {
        if lock(&node.0.state).data.is_none() {
            return self.copy_data(&lower.directory, &copy.directory, facts, limit);
        }
        let from = open_unseen(&self.data(node)?)?;
        let facts = fs::fstat(&from)?.into();
        self.copy_data(&from, &copy.directory, &facts, limit)
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
        let copied = Copied {
            real: &real,
            has_data: true,
            entry: self.future_entry(node, lower, facts, &real)?,
            temporary: Some(temporary),
        };
        self.publish(node, facts, copied)
    }

    /// The directory in which to make a nameless file, and whether it will get a name. Not the future parent, whose
    /// default ACL it would inherit.
    fn place_near(&self, node: &NodeRef) -> Result<(Directory, bool)> {
        if let Some(index) = self.index.as_ref().filter(|_| node.0.is_shared) {
            return Ok((Arc::clone(&index.directory), true));
        }
        let work = self.work.clone().ok_or(Errno::ROFS)?;
        let _names = read(&self.names);
        Ok((work, self.parent(node).is_some()))
    }

    /// Gives the copy its name and makes it the node's upper part.
    fn publish(&self, node: &NodeRef, lower: &Facts, copied: Copied<'_>) -> Result<()> {
        let Copied {
            real,
            has_data,
            temporary,
            entry,
        } = copied;
        let _names = write(&self.names);
        let copy = real.stat()?;
        let (upper, entry) = if let Some(name) = entry {
            let entry = self.publish_in_index(name, lower, (real, &copy), temporary)?;
            (Upper::Indexed(entry.name.clone()), Some(entry))
        } else {
            if !has_data && let Some(parent) = self.parent(node) {
                self.set_impure(&self.real(&parent)?)?;
            }
            (self.publish_by_name(node, real, temporary)?, None)
        };
        let mut uppers = lock(&self.uppers);
        let mut state = lock(&node.0.state);
        state.upper = upper;
        state.upper_identity = Some(copy.identity());
        state.data = match state.data.take() {
            _ if has_data => None,
            None => state.lower.clone(),
            below => below,
        };
        if node.0.is_directory() {
            Self::learn_empty_upper(node);
        } else {
            if lower.links > 1 && entry.is_none() {
                // Two copies of a hard link must not show the same number.
                state.ino = self.show_ino(&copy);
                uppers.origins.remove(&copy.identity());
            } else {
                uppers.origins.insert(copy.identity(), state.ino);
            }
            uppers.nodes.insert(copy.identity(), node);
        }
        state.entry = entry;
        node.0.data_in_upper.store(has_data, Ordering::Release);
        node.0.in_upper.store(true, Ordering::Release);
        Ok(())
    }

    fn publish_by_name(
        &self,
        node: &NodeRef,
        real: &Real,
        temporary: Option<Temporary>,
    ) -> Result<Upper> {
        let dentry = lock(&node.0.state).dentry.clone();
        let Some((parent, name)) = dentry else {
            // Removed while it was being copied: the copy lives as long as the node.
            if node.0.is_directory() {
                self.check_place(node)?;
            }
            return real.hold().map(Upper::Held);
        };
        self.give_name(&parent, &name, real, temporary)?;
        Ok(Upper::Named)
    }

    /// Whether a file has lost its name. Not one that is known by another of its names, which has a place of its own.
    pub(super) fn is_removed(&self, node: &NodeRef) -> bool {
        node.1.is_none() && self.parent(node).is_none()
    }

    /// Refuses the copy of a removed file as the kernel does, which gives it the name all the same (measured on 6.18):
    /// a whiteout is there, which no regular file is linked over (`EEXIST`) and no directory moved over (`ENOTDIR`),
    /// or the directory is gone as well (`ENOENT`, `EIO`). Another file comes back there; ours does not.
    fn check_place(&self, node: &NodeRef) -> Result<()> {
        let parent = lock(&node.0.state).gone_from.clone();
        let has_place = parent.is_some_and(|parent| self.check_alive(&parent).is_ok());
        match (node.0.kind, has_place) {
            (FileKind::Regular, true) => Err(Errno::EXIST),
            (FileKind::Regular, false) => Err(Errno::NOENT),
            (FileKind::Directory, true) => Err(Errno::NOTDIR),
            (_, true) => Ok(()),
            (_, false) => Err(Errno::IO),
        }
    }

    fn give_name(
        &self,
        parent: &NodeRef,
        name: &OsStr,
        real: &Real,
        temporary: Option<Temporary>,
    ) -> Result<()> {
        let directory = self.upper_directory(parent)?.ok_or(Errno::STALE)?;
        Self::learn_used(parent, name);
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
        let mark = self.marks.name(Mark::Metacopy);
        if !self.options.metacopy && names.iter().any(|name| name == mark) {
            return Err(Errno::PERM);
        }
        names.retain(|name| !self.marks.is_private(name));
        Ok(names)
    }

    fn copy_xattrs(&self, lower: &Real, copy: &Real, names: &[OsString]) -> Result<()> {
        for name in names.iter().filter(|_| !is_planted(Fault::NoXattrs)) {
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
}

/// Opens a file of a lower layer for reading without a trace: its access time stays (union row 193).
pub(super) fn open_unseen(lower: &Real) -> Result<std::os::fd::OwnedFd> {
    match lower.open(OFlags::RDONLY | OFlags::NOATIME) {
        // Only the owner may ask for that.
        Err(Errno::PERM) => lower.open(OFlags::RDONLY),
        other => other,
    }
}
