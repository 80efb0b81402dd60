//! The one door to the store's folder. Everything is a single name in it.

use std::ffi::OsString;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;

use rustix::fs::{AtFlags, Mode, OFlags, RawDir, SeekFrom};
use rustix::io::Errno;

use super::remove::remove_tree;
use crate::union::Directory;

/// Bytes of a listing that are read at a time.
const LISTING: usize = 8 << 10;

/// The folder.
#[derive(Debug)]
pub(super) struct Disk {
    root: Directory,
}

const DIRECTORY: OFlags = OFlags::DIRECTORY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC)
    .union(OFlags::RDONLY);

impl Disk {
    pub(super) fn new(root: Directory) -> Self {
        Self { root }
    }

    /// The folder itself.
    pub(super) fn folder(&self) -> &Directory {
        &self.root
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
