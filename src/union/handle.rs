//! Open files. Data go through the real file's own descriptor, outside all locks.

use std::io::IoSlice;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rustix::fs::{self, FallocateFlags, OFlags, SeekFrom};
use rustix::io::{self, ReadWriteFlags};

use super::copy_up::{Need, open_unseen};
use super::filesystem::Union;
use super::lock::{lock, read};
use super::metacopy::CAPABILITY;
use super::node::NodeRef;
use super::real::Real;
use super::{AllocateRange, Attributes, Caller, Directory, Errno, FileKind, OpenFlags, Result};

/// An open regular file. It has no position and no access mode: the caller keeps both. It follows the
/// file through copy-up: what was opened for reading before sees what is written afterwards (union rows
/// 86, 89).
#[derive(Debug)]
pub struct Handle {
    union: Arc<Union>,
    node: NodeRef,
    open: Mutex<Directory>,
    is_lower: AtomicBool,
}

impl Union {
    /// Opens a regular file. For writing, it is copied up first; when it is to be truncated, without its
    /// data. Truncation is done as by a caller who keeps set-ID bits (`CAP_FSETID`); for another one, use
    /// [`Union::set_attributes`] with a size of 0, then open.
    ///
    /// # Errors
    /// `EISDIR` for writing a directory and `EINVAL` for reading one; `ELOOP` for a symlink; `ENXIO` for
    /// other kinds; `EROFS`; `EPERM` for an immutable file or one whose data are elsewhere (union row 138).
    pub fn open_file(&self, node: &NodeRef, flags: OpenFlags) -> Result<Handle> {
        let is_writing = flags.write || flags.truncate;
        match node.0.kind {
            FileKind::Regular => {}
            FileKind::Directory if is_writing => return Err(Errno::ISDIR),
            FileKind::Directory => return Err(Errno::INVAL),
            FileKind::Symlink => return Err(Errno::LOOP),
            _ => return Err(Errno::NXIO),
        }
        let union = self.shared()?;
        if is_writing {
            let need = if flags.truncate {
                Need::Cut(0)
            } else {
                Need::Data
            };
            self.copy_up(node, need)?;
        }
        let _names = read(&self.names);
        let real = self.data(node)?;
        let is_lower = !node.0.has_upper_data();
        let open = if is_lower {
            open_unseen(&real)?
        } else {
            let access = match (flags.read, is_writing) {
                (true, true) => OFlags::RDWR,
                (false, true) => OFlags::WRONLY,
                (_, false) => OFlags::RDONLY,
            };
            real.open(access)?
        };
        let open = Arc::new(open);
        self.refuse_metacopy(&Real::opened(Arc::clone(&open)))?;
        if flags.truncate {
            let before = super::space::allocated(&open);
            fs::ftruncate(&open, 0)?;
            self.give_space(before.saturating_sub(super::space::allocated(&open)));
        }
        Ok(Handle {
            union,
            node: node.clone(),
            open: Mutex::new(open),
            is_lower: AtomicBool::new(is_lower),
        })
    }

    /// Writes a file's data, as far as it is in the upper layer, to the disk, unless the union is
    /// volatile. Nothing is written by itself.
    ///
    /// # Errors
    /// What the disk gives.
    pub fn sync(&self, node: &NodeRef) -> Result<()> {
        if self.options.volatile {
            return Ok(());
        }
        let open = {
            let _names = read(&self.names);
            let Some(real) = self.upper_real(node)? else {
                return Ok(());
            };
            match node.0.kind {
                FileKind::Directory => real.open(OFlags::RDONLY | OFlags::DIRECTORY)?,
                FileKind::Regular => real.open(OFlags::RDONLY)?,
                _ => return Ok(()),
            }
        };
        fs::fsync(open)
    }
}

impl Handle {
    /// Of a file of the upper layer that was just made.
    pub(super) fn of_new(union: Arc<Union>, node: NodeRef, open: Directory) -> Self {
        Self {
            union,
            node,
            open: Mutex::new(open),
            is_lower: AtomicBool::new(false),
        }
    }

    /// The file.
    pub fn node(&self) -> &NodeRef {
        &self.node
    }

    /// The descriptor to use now.
    fn descriptor(&self) -> Result<Directory> {
        let mut open = lock(&self.open);
        if self.is_lower.load(Ordering::Acquire) && self.node.0.has_upper_data() {
            let _names = read(&self.union.names);
            *open = Arc::new(self.union.real(&self.node)?.open(OFlags::RDONLY)?);
            self.is_lower.store(false, Ordering::Release);
        }
        Ok(Arc::clone(&open))
    }

    /// Reads at an offset in bytes. Returns the number of bytes; 0 at the end.
    ///
    /// # Errors
    /// What reading the disk gives.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize> {
        io::pread(self.descriptor()?, buffer, offset)
    }

    /// Writes at an offset in bytes. Returns the number of bytes, fewer than asked for when the disk gets
    /// full. Set-ID bits and capabilities go as they do on Linux (union row 175).
    ///
    /// # Errors
    /// `ENOSPC`; `EBADF` when it was not opened for writing; what the disk gives.
    pub fn write_at(&self, bytes: &[u8], offset: u64, caller: &Caller) -> Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        self.change(caller, |open| {
            self.union
                .write_within_space(open, bytes.len(), Some(offset), |length| {
                    io::pwrite(open, bytes.get(..length).unwrap_or(bytes), offset)
                })
        })
    }

    /// Writes at the end, wherever that is, in one step.
    ///
    /// # Errors
    /// As [`Handle::write_at`].
    pub fn append(&self, bytes: &[u8], caller: &Caller) -> Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        self.change(caller, |open| {
            self.union
                .write_within_space(open, bytes.len(), None, |length| {
                    let slices = [IoSlice::new(bytes.get(..length).unwrap_or(bytes))];
                    io::pwritev2(open, &slices, 0, ReadWriteFlags::APPEND)
                })
        })
    }

    fn change<T>(&self, caller: &Caller, change: impl FnOnce(&OwnedFd) -> Result<T>) -> Result<T> {
        let real = Real::opened(self.descriptor()?);
        self.union
            .remove_privileges(&self.node, &real, caller, |open| change(open))
    }

    /// `fallocate` over a range in bytes. Set-ID bits and capabilities go as in a write, whatever the range is
    /// and also when the disk then refuses (measured on 6.18; an empty range is refused before).
    ///
    /// # Errors
    /// `EINVAL` for an empty range; `ENOSPC`; `EOPNOTSUPP` where the file system cannot; what the disk gives.
    pub fn allocate(
        &self,
        range: AllocateRange,
        offset: u64,
        length: u64,
        caller: &Caller,
    ) -> Result<()> {
        if length == 0 {
            return Err(Errno::INVAL);
        }
        let flags = match range {
            AllocateRange::Grow => FallocateFlags::empty(),
            AllocateRange::KeepSize => FallocateFlags::KEEP_SIZE,
            AllocateRange::PunchHole => FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE,
            AllocateRange::Zero => FallocateFlags::ZERO_RANGE,
        };
        self.change(caller, |open| {
            self.allocate_within_space(open, range, flags, offset, length)
        })
    }

    fn allocate_within_space(
        &self,
        open: &OwnedFd,
        range: AllocateRange,
        flags: FallocateFlags,
        offset: u64,
        length: u64,
    ) -> Result<()> {
        let before = super::space::allocated(open);
        let asked = if range == AllocateRange::PunchHole {
            0
        } else {
            length
        };
        self.union.take_space(asked)?;
        let done = fs::fallocate(open, flags, offset, length);
        if done.is_err() && !self.union.options.plain {
            // A disk that refuses at once, as a tmpfs does with some ranges, leaves what overlayfs has taken before.
            fs::fremovexattr(open, CAPABILITY).ok();
        }
        let after = super::space::allocated(open);
        let grown = after.saturating_sub(before);
        self.union
            .give_space(asked.saturating_sub(grown) + before.saturating_sub(after));
        done
    }

    /// Offset of the first byte of data at or after an offset.
    ///
    /// # Errors
    /// `ENXIO` when there is none.
    pub fn seek_data(&self, offset: u64) -> Result<u64> {
        fs::seek(self.descriptor()?, SeekFrom::Data(offset))
    }

    /// Offset of the first hole at or after an offset; the end of the file counts as one.
    ///
    /// # Errors
    /// `ENXIO` at or beyond the end.
    pub fn seek_hole(&self, offset: u64) -> Result<u64> {
        fs::seek(self.descriptor()?, SeekFrom::Hole(offset))
    }

    /// What `fstat` shows, for an unlinked file too.
    ///
    /// # Errors
    /// What reading the disk gives.
    pub fn attributes(&self) -> Result<Attributes> {
        let real = Real::opened(self.descriptor()?);
        if self.is_lower.load(Ordering::Acquire) {
            // The rest may be in another layer than the data.
            return self.union.attributes(&self.node);
        }
        let facts = real.stat()?;
        self.union.show(&self.node, &real, &facts)
    }

    /// `fsync`; nothing in a volatile union.
    ///
    /// # Errors
    /// What the disk gives.
    pub fn sync(&self) -> Result<()> {
        if self.union.options.volatile {
            return Ok(());
        }
        fs::fsync(self.descriptor()?)
    }
}
