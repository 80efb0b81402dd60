//! Files whose metadata are in one layer and whose data are in a layer below.
//!
//! With `metacopy` on, a change that does not touch the data copies up the rest only, and marks the copy; the
//! data follow when the file is opened for writing. Where they are is found as the lower part of a directory
//! is: by name, or by the redirect that a rename or a link has left on the copy. With `metacopy` off, such a
//! file is refused, because its content would read as zeros (union row 138).
//!
//! As in the kernel (measured on 6.18): an empty file is copied in the same way; the redirect stays when the
//! data have come; their coming counts as a modification. Source: overlayfs.rst "Metadata only copy up";
//! `ovl_lookup` in `fs/overlayfs/namei.c`.

use std::ffi::{OsStr, OsString};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustix::fs::{self, OFlags, XattrFlags};

use super::copy_up::open_unseen;
use super::filesystem::Union;
use super::find::LowerSight;
use super::lock::{lock, read, write};
use super::lower::LowerDirectory;
use super::marks::Mark;
use super::node::NodeRef;
use super::real::{Facts, Real};
use super::search::Search;
use super::{Directory, Errno, FileKind, Result};

/// A file of a lower layer.
pub(super) type LowerPlace = (Arc<LowerDirectory>, OsString);

/// The attribute that a write takes away.
pub(super) const CAPABILITY: &str = "security.capability";

/// What a file's marks say about its data.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    /// Where the data are, unless they are with the file.
    pub(super) data: Option<LowerPlace>,
    /// The redirect of the file itself.
    pub(super) redirect: Option<OsString>,
}

impl Union {
    /// Where the data of a file of the upper layer are. Needs the namespace lock.
    ///
    /// # Errors
    /// `EPERM` with `metacopy` off; `EIO` when no layer has the data.
    pub(super) fn data_of_upper(
        &self,
        dir: &NodeRef,
        name: &OsStr,
        real: &Real,
        facts: &Facts,
    ) -> Result<Elsewhere> {
        if !self.may_be_metacopy(real, facts)? {
            return Ok(Elsewhere::default());
        }
        let marks = self.marks_of(real)?;
        if !marks.metacopy {
            return Ok(Elsewhere::default());
        }
        let lowers = Arc::clone(&lock(&dir.0.state).lowers);
        let mut search = Search::new(self, lowers, name);
        search.follow(&marks)?;
        Ok(Elsewhere {
            data: Some(search.data()?),
            redirect: marks.redirect,
        })
    }

    /// The same for a file of a lower layer.
    pub(super) fn data_of_lower(
        &self,
        dir: &NodeRef,
        name: &OsStr,
        sight: &LowerSight,
    ) -> Result<Option<LowerPlace>> {
        if !self.may_be_metacopy(&sight.real, &sight.facts)? {
            return Ok(None);
        }
        let marks = self.marks_of(&sight.real)?;
        if !marks.metacopy {
            return Ok(None);
        }
        let lowers = Arc::clone(&lock(&dir.0.state).lowers);
        let search = Search::new(self, lowers, name);
        search.data_below(&sight.directory, &marks).map(Some)
    }

    /// The same for a file of the index that was found by a name of a lower layer.
    pub(super) fn data_of_indexed(
        &self,
        dir: &NodeRef,
        name: &OsStr,
        sight: &LowerSight,
        (real, facts): (&Real, &Facts),
    ) -> Result<Elsewhere> {
        if !self.may_be_metacopy(real, facts)? {
            return Ok(Elsewhere::default());
        }
        let marks = self.marks_of(real)?;
        if !marks.metacopy {
            return Ok(Elsewhere::default());
        }
        let below = self.data_of_lower(dir, name, sight)?;
        let here = || (Arc::clone(&sight.directory), name.to_owned());
        Ok(Elsewhere {
            data: Some(below.unwrap_or_else(here)),
            redirect: marks.redirect,
        })
    }

    fn may_be_metacopy(&self, real: &Real, facts: &Facts) -> Result<bool> {
        if facts.kind != FileKind::Regular || self.options.plain {
            return Ok(false);
        }
        if self.options.metacopy {
            return Ok(true);
        }
        // Looking a name up must not cost another system call: a file without data has fewer blocks than its
        // size asks for. The rare one that has them nevertheless, for its attributes, is refused when it is
        // opened, copied up, linked or renamed.
        if facts.blocks * 512 < facts.size {
            self.refuse_metacopy(real)?;
        }
        Ok(false)
    }

    /// Refuses a file whose data are in another layer, unless the union knows where.
    ///
    /// # Errors
    /// `EPERM`
    pub(super) fn refuse_metacopy(&self, real: &Real) -> Result<()> {
        if self.options.plain
            || self.options.metacopy
            || real.xattr(self.marks.name(Mark::Metacopy))?.is_none()
        {
            return Ok(());
        }
        Err(Errno::PERM)
    }

    /// Where a file's data are to be read. Needs the namespace lock.
    pub(super) fn data(&self, node: &NodeRef) -> Result<Real> {
        let elsewhere = lock(&node.0.state).data.clone();
        match elsewhere {
            Some((directory, name)) => directory.child(&self.descriptors, &name),
            None => self.real(node),
        }
    }

    /// Blocks that a file's data occupy, wherever they are.
    pub(super) fn blocks(&self, node: &NodeRef, facts: &Facts) -> Result<u64> {
        let elsewhere = lock(&node.0.state).data.clone();
        match elsewhere {
            Some((directory, name)) => {
                let data = directory.child(&self.descriptors, &name)?;
                Ok(data.stat()?.blocks)
            }
            None => Ok(facts.blocks),
        }
    }

    /// What the copy of a regular file has instead of data.
    pub(super) fn leave_data(&self, copy: &Real, size: u64) -> Result<()> {
        fs::ftruncate(&copy.directory, size)?;
        copy.set_xattr(self.marks.name(Mark::Metacopy), b"", XattrFlags::empty())
    }

    /// Brings the data of a file that is in the upper layer without them; only the first `limit` bytes, and
    /// cuts it there, for a truncation that follows.
    pub(super) fn fetch_data(&self, node: &NodeRef, limit: Option<u64>) -> Result<()> {
        if node.0.kind != FileKind::Regular || node.0.has_upper_data() {
            return Ok(());
        }
        let _single = lock(&node.0.copying);
        if node.0.has_upper_data() {
            return Ok(());
        }
        let (from, to) = {
            let _names = read(&self.names);
            let to = self.upper_real(node)?.ok_or(Errno::STALE)?;
            (open_unseen(&self.data(node)?)?, to.open(OFlags::RDWR)?)
        };
        let facts: Facts = fs::fstat(&from)?.into();
        let bytes = (facts.blocks * 512).min(limit.unwrap_or(u64::MAX));
        self.take_space(bytes)?;
        let copy = Real::opened(Arc::new(to));
        let fetched = self.fetch(&Arc::new(from), &copy, &facts, limit);
        if fetched.is_err() {
            self.give_space(bytes);
            return fetched;
        }
        let _names = write(&self.names);
        lock(&node.0.state).data = None;
        node.0.data_in_upper.store(true, Ordering::Release);
        Ok(())
    }

    fn fetch(
        &self,
        from: &Directory,
        copy: &Real,
        facts: &Facts,
        limit: Option<u64>,
    ) -> Result<()> {
        let capability = copy.xattr(CAPABILITY.as_ref())?;
        self.copy_data(from, &copy.directory, facts, limit)?;
        if let Some(limit) = limit.filter(|limit| *limit < facts.size) {
            fs::ftruncate(&copy.directory, limit)?;
        }
        if let Some(value) = capability {
            copy.set_xattr(CAPABILITY.as_ref(), &value, XattrFlags::empty())?;
        }
        copy.remove_xattr(self.marks.name(Mark::Metacopy))
    }
}
