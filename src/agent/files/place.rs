//! Where a thing lies, as the process sees it: the kernel's own answer, through `/proc/self/fd`.

use std::os::fd::{AsFd, AsRawFd as _};

use rustix::fs::{AtFlags, CWD, OFlags};

use super::batch::{Batch, Resolved, open};
use super::file::OpenFile;
use crate::engine::escape;

impl Batch<'_> {
    /// The path of an open file; `None` when it has none any more, or never had.
    pub(super) fn place_of_file(&self, file: impl AsFd) -> Option<String> {
        let number = file.as_fd().as_raw_fd().to_string();
        let path = rustix::fs::readlinkat(&self.shared.descriptors, number, Vec::new()).ok()?;
        let path = path.to_bytes();
        let gone = path.ends_with(b" (deleted)") && !has_name(&file, path);
        // What is no file of a tree has no path that starts at the root: `pipe:[1]`.
        (path.starts_with(b"/") && !gone).then(|| escape(path))
    }

    /// The path of a name: of its directory, links followed, and the name itself, which may be missing.
    pub(super) fn place_of_name(&self, path: &str) -> Option<String> {
        let trimmed = path.trim_end_matches('/');
        let (parent, name) = match trimmed.rsplit_once('/') {
            Some(("", name)) => ("/", name),
            Some((parent, name)) => (parent, name),
            None => (".", trimmed),
        };
        if matches!(name, "" | "." | "..") {
            return self.place_of_path(path, true);
        }
        let directory = self.place_of_path(parent, true)?;
        let slash = if directory == "/" { "" } else { "/" };
        Some(format!("{directory}{slash}{}", escape(name.as_bytes())))
    }

    /// The path of what is there.
    pub(super) fn place_of_path(&self, path: &str, follow: bool) -> Option<String> {
        let nofollow = if follow {
            OFlags::empty()
        } else {
            OFlags::NOFOLLOW
        };
        self.place_of_file(open(path, OFlags::PATH | nofollow, 0).ok()?)
    }

    /// The path of a target.
    pub(super) fn place(&self, target: &Resolved<'_>, follow: bool) -> Option<String> {
        match target {
            Resolved::Path(path) => self.place_of_path(path, follow),
            Resolved::File(file) => self.place_of_open(file),
        }
    }

    /// The path of the open file of a handle.
    pub(in crate::agent) fn place_of_handle(&self, name: &str) -> Option<String> {
        let file = self.handle(name).ok()?;
        self.place_of_open(&file)
    }

    /// The path of what is held open, also when it got its name only after it was opened.
    pub(super) fn place_of_open(&self, file: &OpenFile) -> Option<String> {
        let opened = self.place_of_file(file.itself());
        opened.or_else(|| self.place_of_file(file.name()?))
    }
}

/// Whether a file is the one that has this path. Its number of links does not tell: overlayfs shows a merged
/// directory with one, also when it is removed.
fn has_name(file: impl AsFd, path: &[u8]) -> bool {
    let identity = |stat: rustix::fs::Stat| (stat.st_dev, stat.st_ino);
    let named = rustix::fs::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW).map(identity);
    named.is_ok_and(|named| rustix::fs::fstat(file).map(identity) == Ok(named))
}

/// Whether a path leads to a directory.
pub(super) fn is_directory(path: &str, flags: AtFlags) -> bool {
    rustix::fs::statat(CWD, path, flags).is_ok_and(|stat| {
        rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::Directory
    })
}
