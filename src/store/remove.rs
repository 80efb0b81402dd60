//! Removing a tree of the real disk, whatever is in it.

use std::ffi::{CStr, CString, OsStr, OsString};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, SeekFrom};
use rustix::io::Errno;

use crate::union::Directory;

/// Bytes of a listing that are read at a time.
const LISTING: usize = 8 << 10;

/// Most descriptors that are open at a time.
const OPEN_MAX: usize = 16;

/// So few entries come in one listing, and that there are no more shows when the directory is removed.
const FEW: usize = 16;

/// A directory on the way down.
struct Frame {
    /// Its name in its parent.
    name: CString,
    /// Itself, unless it is far up.
    directory: Option<Directory>,
    /// The directories in it that are left.
    below: Vec<CString>,
    /// It was listed to the end.
    is_whole: bool,
}

impl Frame {
    fn clear(name: CString, directory: Directory, is_whole: bool) -> Result<Self, Errno> {
        Ok(Self {
            below: clear(&directory, is_whole)?,
            name,
            directory: Some(directory),
            is_whole,
        })
    }
}

/// Removes what `parent` has under `name`, be it a file or a tree; fine when there is nothing. Symbolic
/// links are unlinked, never followed. Directories that do not let their owner in are made to. A few
/// descriptors are open at a time, however deep the tree is; nobody else may move its directories meanwhile.
///
/// # Errors
/// The errno of what could not be removed.
pub fn remove_tree(parent: BorrowedFd<'_>, name: &OsStr) -> Result<(), Errno> {
    let name = CString::new(name.as_encoded_bytes()).map_err(|_| Errno::INVAL)?;
    let top = match enter(parent, &name) {
        Err(Errno::NOENT) => return Ok(()),
        Err(Errno::NOTDIR | Errno::LOOP) => {
            return rustix::fs::unlinkat(parent, &name, AtFlags::empty());
        }
        other => other?,
    };
    remove_frames(parent, Frame::clear(name, top, false)?)
}

/// The same of a directory that is there and open for reading.
///
/// # Errors
/// The errno of what could not be removed.
pub fn remove_opened(
    parent: BorrowedFd<'_>,
    name: &OsStr,
    directory: Directory,
) -> Result<(), Errno> {
    let name = CString::new(name.as_encoded_bytes()).map_err(|_| Errno::INVAL)?;
    remove_frames(parent, Frame::clear(name, directory, false)?)
}

/// Removes everything in a directory that is open for reading, but for the directories of these names.
///
/// # Errors
/// The errno of what could not be removed.
pub fn clear_opened(directory: &Directory, but: &[OsString]) -> Result<(), Errno> {
    rustix::fs::seek(directory, SeekFrom::Start(0))?;
    for name in clear(directory, true)? {
        let stays = but.iter().any(|but| but.as_bytes() == name.to_bytes());
        if !stays && unlink(directory, &name, AtFlags::REMOVEDIR).is_err() {
            remove_tree(directory.as_fd(), OsStr::from_bytes(name.to_bytes()))?;
        }
    }
    Ok(())
}

fn remove_frames(parent: BorrowedFd<'_>, top: Frame) -> Result<(), Errno> {
    let mut frames = vec![top];
    while let Some(mut frame) = frames.pop() {
        let Some(here) = frame.directory.as_ref() else {
            return Err(Errno::STALE);
        };
        if let Some(child) = frame.below.pop() {
            // An empty directory, the commonest case, takes one call.
            let below = match unlink(here, &child, AtFlags::REMOVEDIR) {
                Ok(()) => None,
                Err(_) => Some(Frame::clear(
                    child.clone(),
                    enter(here.as_fd(), &child)?,
                    false,
                )?),
            };
            frames.push(frame);
            frames.extend(below);
            let far = frames.len().checked_sub(OPEN_MAX);
            if let Some(frame) = far.and_then(|far| frames.get_mut(far)) {
                frame.directory = None;
            }
            continue;
        }
        let removed = match frames.last_mut() {
            None => rustix::fs::unlinkat(parent, &frame.name, AtFlags::REMOVEDIR),
            Some(above) => {
                let directory = match above.directory.take() {
                    Some(directory) => directory,
                    None => open(here.as_fd(), c"..")?,
                };
                unlink(
                    above.directory.insert(directory),
                    &frame.name,
                    AtFlags::REMOVEDIR,
                )
            }
        };
        match (removed, frame.directory) {
            (Err(Errno::NOTEMPTY), Some(directory)) if !frame.is_whole => {
                rustix::fs::seek(&directory, SeekFrom::Start(0))?;
                frames.push(Frame::clear(frame.name, directory, true)?);
            }
            (removed, _) => removed?,
        }
    }
    Ok(())
}

fn open(parent: BorrowedFd<'_>, name: &CStr) -> Result<Directory, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, Mode::empty()).map(Directory::new)
}

/// Opens a directory that may lack the permissions to be emptied.
fn enter(parent: BorrowedFd<'_>, name: &CStr) -> Result<Directory, Errno> {
    match open(parent, name) {
        Err(Errno::ACCESS) => {
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let held = rustix::fs::openat(parent, name, flags, Mode::empty())?;
            // Not by its name, which may be a link by now.
            let path = format!("/proc/self/fd/{}", held.as_raw_fd());
            rustix::fs::chmod(path, Mode::RWXU)?;
            open(parent, name)
        }
        other => other,
    }
}

/// Unlinks everything in a directory but its directories, which it returns. Unless all is to be listed, the
/// call that would only tell that there is no more is spared.
fn clear(directory: &OwnedFd, is_whole: bool) -> Result<Vec<CString>, Errno> {
    let mut below = Vec::new();
    let mut buffer = [MaybeUninit::uninit(); LISTING];
    let mut entries = RawDir::new(directory, &mut buffer);
    let mut listed = 0;
    while is_whole || listed == 0 || listed > FEW || !entries.is_buffer_empty() {
        let Some(entry) = entries.next() else { break };
        let entry = entry?;
        listed += 1;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        if entry.file_type() != FileType::Directory {
            match unlink(directory, name, AtFlags::empty()) {
                // A file system that does not tell types in its listings.
                Err(Errno::ISDIR) => {}
                other => {
                    other?;
                    continue;
                }
            }
        }
        below.push(name.to_owned());
    }
    Ok(below)
}

/// Unlinks a name of a directory that may not let its owner.
fn unlink(directory: &OwnedFd, name: &CStr, flags: AtFlags) -> Result<(), Errno> {
    match rustix::fs::unlinkat(directory, name, flags) {
        Err(Errno::ACCESS) => {
            rustix::fs::fchmod(directory, Mode::RWXU)?;
            rustix::fs::unlinkat(directory, name, flags)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn removes_trees_that_do_not_want_to_be_removed() {
        let scratch = tempfile::tempdir().unwrap();
        let top = scratch.path().join("top");
        std::fs::create_dir_all(top.join("a/b/c")).unwrap();
        std::fs::write(top.join("a/b/c/file"), "x").unwrap();
        std::fs::write(top.join("a/file"), "x").unwrap();
        std::fs::create_dir(scratch.path().join("other")).unwrap();
        std::fs::write(scratch.path().join("other/kept"), "x").unwrap();
        symlink("../../other", top.join("a/link")).unwrap();
        for (path, mode) in [("a/b/c", 0o000), ("a/b", 0o500), ("a", 0o000), ("", 0o555)] {
            std::fs::set_permissions(top.join(path), PermissionsExt::from_mode(mode)).unwrap();
        }
        let parent = std::fs::File::open(scratch.path()).unwrap();
        remove_tree(parent.as_fd(), "top".as_ref()).unwrap();
        assert!(!top.exists());
        assert!(scratch.path().join("other/kept").exists());
        remove_tree(parent.as_fd(), "top".as_ref()).unwrap();
    }

    /// A name that was listed as a directory may be a link when it is opened.
    #[test]
    fn a_directory_that_became_a_link_is_not_entered() {
        let scratch = tempfile::tempdir().unwrap();
        std::fs::create_dir(scratch.path().join("other")).unwrap();
        symlink("other", scratch.path().join("link")).unwrap();
        let parent = std::fs::File::open(scratch.path()).unwrap();
        assert_eq!(open(parent.as_fd(), c"link").err(), Some(Errno::NOTDIR));
    }

    #[test]
    fn depth_costs_no_descriptors_and_no_stack() {
        let scratch = tempfile::tempdir().unwrap();
        let parent = std::fs::File::open(scratch.path()).unwrap();
        let mut here = open(parent.as_fd(), c".").unwrap();
        for _ in 0..3000 {
            rustix::fs::mkdirat(&here, c"d", Mode::RWXU).unwrap();
            here = open(here.as_fd(), c"d").unwrap();
        }
        remove_tree(parent.as_fd(), "d".as_ref()).unwrap();
        assert!(!scratch.path().join("d").exists());
    }
}
