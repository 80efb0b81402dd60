//! Open files.

use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::sync::OnceLock;

use rustix::fs::{AtFlags, Gid, Mode, OFlags, Stat, Timestamps, Uid, XattrFlags};
use rustix::io::Errno;

use super::super::Result;
use crate::sys::{NameSpace, RecordLock, enter_own, lock_record};

/// An open file. What a memory device leads to is the machine's own, opened outside of the container (`devices`); who and
/// when and what mode are those of the container's node, so that nobody changes the machine's.
#[derive(Debug)]
pub(in crate::agent) struct OpenFile {
    data: OwnedFd,
    node: Option<DeviceNode>,
    /// Of one that was opened without a name: the first name that it was given, opened with `O_PATH`. To the kernel the
    /// open file itself stays one without a name; this one's follows where it is moved.
    name: OnceLock<OwnedFd>,
}

/// The node by which a device was opened.
#[derive(Debug)]
struct DeviceNode {
    /// Opened with `O_PATH`.
    file: OwnedFd,
    /// What is locked instead of the machine's device, open for this handle alone.
    locks: OwnedFd,
    /// `/proc/self/fd`: calls that take no such descriptor take its name there.
    descriptors: OwnedFd,
}

impl From<OwnedFd> for OpenFile {
    fn from(data: OwnedFd) -> Self {
        Self {
            data,
            node: None,
            name: OnceLock::new(),
        }
    }
}

impl AsFd for OpenFile {
    /// What is read and written.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.data.as_fd()
    }
}

impl DeviceNode {
    fn name(&self) -> String {
        self.file.as_raw_fd().to_string()
    }

    /// Makes a call by a path to the node. Those for extended attributes take neither a descriptor of this kind nor a
    /// directory (`setxattrat` came with Linux 6.13), so the path begins at the working directory, which all threads
    /// share: one that has its own makes the call. It acts as who started it.
    fn by_name<T: Send>(&self, call: impl FnOnce(&str) -> Result<T> + Send) -> Result<T> {
        let act = || {
            enter_own(NameSpace::WorkingDirectory)?;
            rustix::process::fchdir(&self.descriptors)?;
            call(&self.name())
        };
        std::thread::scope(|threads| threads.spawn(act).join().unwrap_or(Err(Errno::IO)))
    }
}

impl OpenFile {
    /// A device and the container's node for it, with what is locked in its stead.
    pub(in crate::agent) fn device(
        data: OwnedFd,
        (node, locks): (OwnedFd, OwnedFd),
        descriptors: impl AsFd,
    ) -> Result<Self> {
        let descriptors = rustix::io::fcntl_dupfd_cloexec(descriptors, 0)?;
        Ok(Self {
            data,
            node: Some(DeviceNode {
                file: node,
                locks,
                descriptors,
            }),
            name: OnceLock::new(),
        })
    }

    /// The file of the container's tree.
    pub(super) fn itself(&self) -> BorrowedFd<'_> {
        self.node
            .as_ref()
            .map_or(self.data.as_fd(), |node| node.file.as_fd())
    }

    /// The name that it was given after it was opened without one.
    pub(super) fn name(&self) -> Option<BorrowedFd<'_>> {
        self.name.get().map(AsFd::as_fd)
    }

    /// Remembers such a name, opened with `O_PATH`, unless there is one.
    pub(super) fn remember_name(&self, name: OwnedFd) {
        self.name.get_or_init(|| name);
    }

    pub(super) fn stat(&self) -> Result<Stat> {
        rustix::fs::fstat(self.itself())
    }

    /// Takes a record lock, or gives it back. The handles of one process stand for processes here, so a lock is the open
    /// file's.
    pub(super) fn lock(&self, lock: RecordLock) -> Result<()> {
        let Some(node) = &self.node else {
            return lock_record(&self.data, lock, None);
        };
        let access = rustix::fs::fcntl_getfl(&self.data)? & OFlags::ACCMODE;
        match (lock, access) {
            (RecordLock::Shared, OFlags::WRONLY) | (RecordLock::Exclusive, OFlags::RDONLY) => {
                Err(Errno::BADF)
            }
            _ => lock_record(&node.locks, lock, Some(byte_of(&self.stat()?))),
        }
    }

    pub(super) fn chmod(&self, mode: Mode) -> Result<()> {
        match &self.node {
            None => rustix::fs::fchmod(&self.data, mode),
            Some(node) => {
                rustix::fs::chmodat(&node.descriptors, node.name(), mode, AtFlags::empty())
            }
        }
    }

    pub(super) fn chown(&self, uid: Option<Uid>, gid: Option<Gid>) -> Result<()> {
        match &self.node {
            None => rustix::fs::fchown(&self.data, uid, gid),
            Some(node) => rustix::fs::chownat(&node.file, "", uid, gid, AtFlags::EMPTY_PATH),
        }
    }

    pub(super) fn set_times(&self, times: &Timestamps) -> Result<()> {
        match &self.node {
            None => rustix::fs::futimens(&self.data, times),
            Some(node) => {
                rustix::fs::utimensat(&node.descriptors, node.name(), times, AtFlags::empty())
            }
        }
    }

    pub(super) fn set_xattr(&self, name: &str, value: &[u8], flags: XattrFlags) -> Result<()> {
        match &self.node {
            None => rustix::fs::fsetxattr(&self.data, name, value, flags),
            Some(node) => node.by_name(|path| rustix::fs::setxattr(path, name, value, flags)),
        }
    }

    pub(super) fn remove_xattr(&self, name: &str) -> Result<()> {
        match &self.node {
            None => rustix::fs::fremovexattr(&self.data, name),
            Some(node) => node.by_name(|path| rustix::fs::removexattr(path, name)),
        }
    }

    pub(super) fn get_xattr(&self, name: &str, buffer: &mut [u8]) -> Result<usize> {
        match &self.node {
            None => rustix::fs::fgetxattr(&self.data, name, buffer),
            Some(node) => node.by_name(|path| rustix::fs::getxattr(path, name, buffer)),
        }
    }

    pub(super) fn list_xattr(&self, buffer: &mut [u8]) -> Result<usize> {
        match &self.node {
            None => rustix::fs::flistxattr(&self.data, buffer),
            Some(node) => node.by_name(|path| rustix::fs::listxattr(path, buffer)),
        }
    }
}

/// An offset in the file of locks that hardly another device has. Mounts have device numbers of their own, so containers are
/// told apart, and those that share a volume are not.
fn byte_of(stat: &Stat) -> i64 {
    let mixed = stat.st_dev.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ stat.st_ino;
    i64::try_from(mixed >> 2).unwrap_or(0)
}
