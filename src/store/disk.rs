//! The one door to the store's folder. Everything is a single name in it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;

use rustix::fs::{AtFlags, Mode, OFlags, RawDir, SeekFrom};
use rustix::io::Errno;

use super::remove::{remove_opened, remove_tree};
use crate::union::Directory;

/// Bytes of a listing that are read at a time.
const LISTING: usize = 8 << 10;

/// Most directories of volumes that are kept open: whoever makes thousands may use few. Layers and uppers are open in
/// the unions of the containers that have them.
const VOLUMES_MAX: usize = 64;

/// The folder.
#[derive(Debug)]
pub(super) struct Disk {
    root: Directory,
    /// Directories in it that were made or opened, by name: they are used again until they are removed.
    opened: BTreeMap<String, Directory>,
}

const DIRECTORY: OFlags = OFlags::DIRECTORY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC)
    .union(OFlags::RDONLY);

impl Disk {
    pub(super) fn new(root: Directory) -> Self {
        Self {
            root,
            opened: BTreeMap::new(),
        }
    }

    /// The folder itself.
    pub(super) fn folder(&self) -> &Directory {
        &self.root
    }

    /// Makes a directory; the mode is exact whatever the umask.
    pub(super) fn make(&mut self, name: &str) -> Result<Directory, Errno> {
        let mode = Mode::from_raw_mode(0o755);
        rustix::fs::mkdirat(&self.root, name, mode)?;
        let opened = open(&self.root, name).and_then(|directory| {
            rustix::fs::fchmod(&directory, mode)?;
            Ok(directory)
        });
        match &opened {
            Ok(directory) => self.keep(name, directory),
            // Nobody knows of it; at the latest opening the store removes it.
            Err(_) => drop(rustix::fs::unlinkat(&self.root, name, AtFlags::REMOVEDIR)),
        }
        opened
    }

    pub(super) fn open(&mut self, name: &str) -> Result<Directory, Errno> {
        if let Some(opened) = self.opened.get(name) {
            return Ok(Directory::clone(opened));
        }
        let opened = open(&self.root, name)?;
        self.keep(name, &opened);
        Ok(opened)
    }

    fn keep(&mut self, name: &str, opened: &Directory) {
        let is_volume = |name: &str| name.starts_with('v');
        let others = self.opened.keys();
        if !is_volume(name) || others.filter(|other| is_volume(other)).count() < VOLUMES_MAX {
            let opened = Directory::clone(opened);
            self.opened.insert(name.to_owned(), opened);
        }
    }

    /// Removes files that were being made when a process ended.
    pub(super) fn drop_files_in_the_making(&mut self) -> Result<(), Errno> {
        for name in self.list()? {
            if let Some(name) = name.to_str().filter(|name| name.starts_with('#')) {
                self.remove(name)?;
            }
        }
        Ok(())
    }

    /// Whether a directory was made or opened.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.opened.contains_key(name)
    }

    /// Removes what lies under a name.
    pub(super) fn remove(&mut self, name: &str) -> Result<(), Errno> {
        match self.opened.remove(name) {
            Some(opened) => remove_opened(self.root.as_fd(), name.as_ref(), opened),
            None => remove_tree(self.root.as_fd(), name.as_ref()),
        }
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

fn open(root: &Directory, name: &str) -> Result<Directory, Errno> {
    rustix::fs::openat(root, name, DIRECTORY, Mode::empty()).map(Arc::new)
}
