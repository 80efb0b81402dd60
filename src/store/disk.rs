//! The one door to the store's folder. Everything is a single name in it.

use std::ffi::OsString;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;

use rustix::fs::{AtFlags, Mode, OFlags, RawDir, SeekFrom};
use rustix::io::Errno;

use super::remove::remove_tree;
use crate::union::Directory;

const NEW: &str = "new";

/// Bytes of a listing that are read at a time.
const LISTING: usize = 8 << 10;

/// Largest record that is read back, in bytes. Records are written by the store; one that is longer is damaged.
const RECORD_MAX: u64 = 16 << 20;

/// The folder.
#[derive(Debug)]
pub(super) struct Disk {
    root: OwnedFd,
    durable: bool,
}

const DIRECTORY: OFlags = OFlags::DIRECTORY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC)
    .union(OFlags::RDONLY);

impl Disk {
    pub(super) fn new(root: OwnedFd, durable: bool) -> Self {
        Self { root, durable }
    }

    /// Makes a directory; the mode is exact whatever the umask.
    pub(super) fn make(&self, name: &str) -> Result<Directory, Errno> {
        let mode = Mode::from_raw_mode(0o755);
        rustix::fs::mkdirat(&self.root, name, mode)?;
        let opened = self.open(name).and_then(|directory| {
            rustix::fs::fchmod(&directory, mode)?;
            Ok(directory)
        });
        if opened.is_err() {
            // Nobody knows of it; at the latest opening the store removes it.
            let _unmade = rustix::fs::unlinkat(&self.root, name, AtFlags::REMOVEDIR);
        }
        opened
    }

    pub(super) fn open(&self, name: &str) -> Result<Directory, Errno> {
        rustix::fs::openat(&self.root, name, DIRECTORY, Mode::empty()).map(Arc::new)
    }

    /// Writes a record so that it is there as a whole or not at all.
    pub(super) fn publish(&self, name: &str, record: &[u8]) -> Result<(), Errno> {
        let published = self
            .write(record)
            .and_then(|()| rustix::fs::renameat(&self.root, NEW, &self.root, name));
        if published.is_err() {
            // The next record starts afresh anyway.
            let _gone = self.unlink(NEW);
            return published;
        }
        if self.durable {
            rustix::fs::fsync(&self.root)?;
        }
        Ok(())
    }

    fn write(&self, record: &[u8]) -> Result<(), Errno> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.root, NEW, flags, Mode::from_raw_mode(0o600))?;
        let mut rest = record;
        while !rest.is_empty() {
            let written = rustix::io::write(&file, rest)?;
            rest = rest.get(written..).unwrap_or_default();
        }
        if self.durable {
            rustix::fs::fsync(&file)?;
        }
        Ok(())
    }

    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>, Errno> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.root, name, flags, Mode::empty())?;
        let size = u64::try_from(rustix::fs::fstat(&file)?.st_size).unwrap_or(u64::MAX);
        if size > RECORD_MAX {
            return Err(Errno::FBIG);
        }
        let mut bytes = Vec::new();
        let mut reader = std::io::Read::take(std::fs::File::from(file), RECORD_MAX);
        std::io::Read::read_to_end(&mut reader, &mut bytes)
            .map_err(|e| e.raw_os_error().map_or(Errno::IO, Errno::from_raw_os_error))?;
        Ok(bytes)
    }

    pub(super) fn unlink(&self, name: &str) -> Result<(), Errno> {
        match rustix::fs::unlinkat(&self.root, name, AtFlags::empty()) {
            Err(Errno::NOENT) => Ok(()),
            other => other,
        }
    }

    pub(super) fn remove(&self, name: &str) -> Result<(), Errno> {
        remove_tree(self.root.as_fd(), name.as_ref())
    }

    /// Every name in the folder.
    pub(super) fn list(&self) -> Result<Vec<OsString>, Errno> {
        // The position is shared with whoever gave the descriptor.
        rustix::fs::seek(&self.root, SeekFrom::Start(0))?;
        let mut names = Vec::new();
        let mut buffer = [MaybeUninit::uninit(); LISTING];
        let mut entries = RawDir::new(&self.root, &mut buffer);
        while let Some(entry) = entries.next() {
            let name = entry?.file_name().to_bytes().to_vec();
            if name != b"." && name != b".." {
                names.push(OsString::from_vec(name));
            }
        }
        names.sort();
        Ok(names)
    }
}
