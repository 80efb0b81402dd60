//! Open files, and how they are opened.

use std::ffi::OsString;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::device::Device;
use super::locks::{LockKind, Locks, Owner};
use super::mounts::Location;
use super::pipe::PipeEnd;
use crate::union::{Errno, Handle, NodeRef, Result};

/// One flag of `open`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenFlag {
    /// For reading.
    Read,
    /// For writing.
    Write,
    /// `O_APPEND`
    Append,
    /// `O_CREAT`
    Create,
    /// `O_EXCL`
    Exclusive,
    /// `O_TRUNC`
    Truncate,
    /// `O_DIRECTORY`
    Directory,
    /// `O_NOFOLLOW`
    Nofollow,
    /// `O_PATH`
    Path,
    /// `O_TMPFILE`
    Tmpfile,
}

/// A set of flags. Neither for reading nor for writing is for reading, as `O_RDONLY` is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenHow(u16);

impl OpenHow {
    /// Exactly these flags.
    pub fn new(flags: &[OpenFlag]) -> Self {
        Self(flags.iter().fold(0, |bits, flag| bits | bit(*flag)))
    }

    /// Whether a flag is in the set.
    pub fn has(self, flag: OpenFlag) -> bool {
        self.0 & bit(flag) != 0
    }

    pub(super) fn reads(self) -> bool {
        self.has(OpenFlag::Read) || !self.has(OpenFlag::Write)
    }

    /// `build_open_flags`: combinations that make no sense, and flags that `O_PATH` makes mean nothing.
    ///
    /// # Errors
    /// `EINVAL`
    pub(super) fn checked(self) -> Result<Self> {
        let with_create = self.has(OpenFlag::Directory) || self.has(OpenFlag::Tmpfile);
        let unwritten = self.has(OpenFlag::Tmpfile) && !self.has(OpenFlag::Write);
        if self.has(OpenFlag::Path) {
            let kept = [OpenFlag::Path, OpenFlag::Directory, OpenFlag::Nofollow];
            return Ok(Self(self.0 & Self::new(&kept).0));
        }
        if (self.has(OpenFlag::Create) && with_create) || unwritten {
            return Err(Errno::INVAL);
        }
        Ok(self)
    }
}

fn bit(flag: OpenFlag) -> u16 {
    1 << (flag as u16)
}

/// An open file. It outlives its name; dropping it closes it and gives its record locks back.
#[derive(Debug)]
pub struct OpenFile {
    pub(super) location: Location,
    /// Directory and name by which it was opened.
    pub(super) entry: Option<(NodeRef, OsString)>,
    pub(super) how: OpenHow,
    pub(super) data: Data,
    position: Mutex<u64>,
    locks: Arc<Locks>,
    owner: Owner,
}

/// What an open file reads and writes.
#[derive(Debug)]
pub(super) enum Data {
    Regular(Handle),
    Directory,
    Device(Device),
    /// Opened as with `O_NONBLOCK`.
    Fifo(PipeEnd),
    /// `O_PATH`: a place in the tree, and no more.
    Place,
}

impl OpenFile {
    pub(super) fn new(
        location: Location,
        entry: Option<(NodeRef, OsString)>,
        how: OpenHow,
        data: Data,
        locks: &Arc<Locks>,
    ) -> Self {
        let owner = locks.new_owner();
        let position = Mutex::new(0);
        Self {
            location,
            entry,
            how,
            data,
            position,
            locks: Arc::clone(locks),
            owner,
        }
    }

    /// Takes or (with `None`) gives back a record lock over the whole file, never waiting.
    ///
    /// # Errors
    /// `EAGAIN` when another open file holds one that is in the way; `EBADF` when the file is not
    /// open for reading (shared) or writing (exclusive).
    pub fn lock(&self, kind: Option<LockKind>) -> Result<()> {
        let allowed = match (&self.data, kind) {
            (Data::Place, _) => false,
            (_, None) => true,
            (_, Some(LockKind::Shared)) => self.how.reads(),
            (_, Some(LockKind::Exclusive)) => self.how.has(OpenFlag::Write),
        };
        if !allowed {
            return Err(Errno::BADF);
        }
        self.locks.set(&self.location.node, self.owner, kind)
    }

    /// The file's position, held for as long as one call uses it.
    pub(super) fn position(&self) -> MutexGuard<'_, u64> {
        self.position.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `EBADF` for `O_PATH`.
    pub(super) fn usable(&self) -> Result<&Self> {
        if matches!(self.data, Data::Place) {
            Err(Errno::BADF)
        } else {
            Ok(self)
        }
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        // Giving a lock back cannot be refused.
        let _: Result<()> = self.locks.set(&self.location.node, self.owner, None);
    }
}
