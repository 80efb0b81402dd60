//! Whiteouts: recognising them, and making them.
//!
//! A whiteout is a character device 0:0. Linux lets anyone make one since 5.8. The other form, an empty
//! regular file with `overlay.whiteout` in a directory whose `overlay.opaque` is `x`, is read in every
//! layer, and written where devices are refused. The kernel (measured on 6.18) reads it in lower layers only:
//! in an upper layer it shows the empty file; and a directory in which nothing else is left it shows as empty,
//! but does not remove. Source: overlayfs.rst "whiteouts and opaque directories"; union rows 19-43.

use std::ffi::OsStr;
use std::sync::Arc;

use rustix::fs::{self, FileType, Mode, OFlags, XattrFlags};

use super::filesystem::Union;
use super::lock::lock;
use super::lower::LowerDirectory;
use super::marks::Mark;
use super::node::NodeRef;
use super::real::{Facts, Real};
use super::{Directory, Errno, Feature, FileKind, Result};

impl Union {
    /// Whether a file of the upper layer, in this directory, is a whiteout.
    pub(super) fn is_upper_whiteout(
        &self,
        dir: &NodeRef,
        real: &Real,
        facts: &Facts,
    ) -> Result<bool> {
        if self.options.plain {
            return Ok(false);
        }
        if facts.is_whiteout() {
            return Ok(true);
        }
        if !may_be_xattr_whiteout(facts) || lock(&dir.0.state).lowers.is_empty() {
            return Ok(false);
        }
        let parent = Real::itself(Arc::clone(&real.directory));
        Ok(self.has_xattr_whiteouts(&parent)? && self.has_whiteout_mark(real)?)
    }

    /// Whether a file of a lower layer is a whiteout.
    pub(super) fn is_lower_whiteout(
        &self,
        directory: &LowerDirectory,
        real: &Real,
        facts: &Facts,
    ) -> Result<bool> {
        if facts.is_whiteout() {
            return Ok(true);
        }
        if !may_be_xattr_whiteout(facts) {
            return Ok(false);
        }
        let announced = if let Some(known) = directory.xattr_whiteouts.get() {
            *known
        } else {
            let announced = self.has_xattr_whiteouts(&directory.real(&self.descriptors)?)?;
            *directory.xattr_whiteouts.get_or_init(|| announced)
        };
        Ok(announced && self.has_whiteout_mark(real)?)
    }

    fn has_xattr_whiteouts(&self, directory: &Real) -> Result<bool> {
        let value = directory.xattr(self.marks.name(Mark::Opaque))?;
        Ok(value.is_some_and(|value| value == b"x"))
    }

    /// Whether a file of a directory that announces whiteouts in the xattr form is one.
    pub(super) fn is_marked_whiteout(&self, real: &Real, facts: &Facts) -> Result<bool> {
        Ok(may_be_xattr_whiteout(facts) && self.has_whiteout_mark(real)?)
    }

    fn has_whiteout_mark(&self, real: &Real) -> Result<bool> {
        Ok(real.xattr(self.marks.name(Mark::Whiteout))?.is_some())
    }

    /// Makes a whiteout under a free name. `shown_in` is the directory in which it will take effect: the
    /// xattr form has to be announced there.
    pub(super) fn make_whiteout(
        &self,
        directory: &Directory,
        name: &OsStr,
        shown_in: &Directory,
    ) -> Result<()> {
        let mut shared = lock(&self.whiteout);
        let held = shared
            .as_ref()
            .filter(|_| self.may_use(Feature::WhiteoutLink));
        if let Some(held) = held {
            match Real::itself(Arc::clone(held)).link_to(directory, name) {
                Err(Errno::EXIST) => return Err(Errno::EXIST),
                Ok(()) => return Ok(()),
                // All its names are gone, it has too many, or links are refused here: a new one.
                Err(_) => *shared = None,
            }
        }
        let real = Real::named(Arc::clone(directory), name);
        let made = if self.may_use(Feature::WhiteoutDevice) {
            fs::mknodat(directory, name, FileType::CharacterDevice, Mode::empty(), 0)
        } else {
            Err(Errno::PERM)
        };
        match made {
            Ok(()) => {
                *shared = real.hold().ok();
                Ok(())
            }
            Err(Errno::PERM) => self.make_xattr_whiteout(&real, shown_in),
            Err(errno) => Err(errno),
        }
    }

    fn make_xattr_whiteout(&self, real: &Real, shown_in: &Directory) -> Result<()> {
        self.announce_xattr_whiteouts(shown_in)?;
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        drop(fs::openat(&real.directory, &real.name, flags, mode)?);
        let marked = real.set_xattr(self.marks.name(Mark::Whiteout), b"y", XattrFlags::empty());
        if marked.is_err() {
            real.unlink()?;
        }
        marked
    }

    /// Marks a real directory as one in which empty files may be whiteouts. Without the mark they are files,
    /// to this union and to the kernel.
    fn announce_xattr_whiteouts(&self, directory: &Directory) -> Result<()> {
        let announcement = Real::itself(Arc::clone(directory));
        let opaque = self.marks.name(Mark::Opaque);
        if announcement.xattr(opaque)?.is_none() {
            announcement.set_xattr(opaque, b"x", XattrFlags::empty())?;
        }
        Ok(())
    }

    /// Prepares a directory for a whiteout that is to move into it as it is.
    pub(super) fn announce_arrival(&self, whiteout: &Real, directory: &Directory) -> Result<()> {
        if whiteout.stat()?.is_whiteout() {
            return Ok(());
        }
        self.announce_xattr_whiteouts(directory)
    }

    /// Marks a real directory opaque.
    pub(super) fn set_opaque(&self, real: &Real) -> Result<()> {
        real.set_xattr(self.marks.name(Mark::Opaque), b"y", XattrFlags::empty())
    }
}

fn may_be_xattr_whiteout(facts: &Facts) -> bool {
    facts.kind == FileKind::Regular && facts.size == 0
}
