//! Removing a tree of the real disk, whatever is in it.

use std::ffi::{CStr, CString, OsStr};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir};

use rustix::io::Errno;

/// Bytes of a listing that are read at a time.
const LISTING: usize = 8 << 10;

/// A directory on the way down: its name in its parent, and the directories in it that are left.
struct Frame {
    name: CString,
    below: Vec<CString>,
}

/// Removes what `parent` has under `name`, be it a file or a tree; fine when there is nothing. Symbolic
/// links are unlinked, never followed. Directories that do not let their owner in are made to. At most
/// two descriptors are open at a time, however deep the tree is; nobody else may move its directories meanwhile.
///
/// # Errors
/// The errno of what could not be removed.
pub fn remove_tree(parent: BorrowedFd<'_>, name: &OsStr) -> Result<(), Errno> {
    let name = CString::new(name.as_encoded_bytes()).map_err(|_| Errno::INVAL)?;
    // An empty directory, the commonest case, takes one call.
    match rustix::fs::unlinkat(parent, &name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::NOTDIR) => return rustix::fs::unlinkat(parent, &name, AtFlags::empty()),
        Err(_) => {}
    }
    let mut here = enter(parent, &name)?;
    let mut frames = vec![Frame {
        name,
        below: clear(&here)?,
    }];
    while let Some(frame) = frames.last_mut() {
        if let Some(child) = frame.below.pop() {
            if unlink(&here, &child, AtFlags::REMOVEDIR).is_err() {
                here = enter(here.as_fd(), &child)?;
                frames.push(Frame {
                    below: clear(&here)?,
                    name: child,
                });
            }
            continue;
        }
        let Some(done) = frames.pop() else { break };
        if frames.is_empty() {
            return rustix::fs::unlinkat(parent, &done.name, AtFlags::REMOVEDIR);
        }
        here = open(here.as_fd(), c"..")?;
        unlink(&here, &done.name, AtFlags::REMOVEDIR)?;
    }
    Ok(())
}

fn open(parent: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, Mode::empty())
}

/// Opens a directory that may lack the permissions to be emptied.
fn enter(parent: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    match open(parent, name) {
        Err(Errno::ACCESS) => {
            rustix::fs::chmodat(parent, name, Mode::RWXU, AtFlags::empty())?;
            open(parent, name)
        }
        other => other,
    }
}

/// Unlinks everything in a directory but its directories, which it returns.
fn clear(directory: &OwnedFd) -> Result<Vec<CString>, Errno> {
    let mut below = Vec::new();
    let mut buffer = [MaybeUninit::uninit(); LISTING];
    let mut entries = RawDir::new(directory, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
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

    #[test]
    fn depth_costs_no_descriptors_and_no_stack() {
        let scratch = tempfile::tempdir().unwrap();
        let parent = std::fs::File::open(scratch.path()).unwrap();
        let mut here: OwnedFd = open(parent.as_fd(), c".").unwrap();
        for _ in 0..3000 {
            rustix::fs::mkdirat(&here, c"d", Mode::RWXU).unwrap();
            here = open(here.as_fd(), c"d").unwrap();
        }
        remove_tree(parent.as_fd(), "d".as_ref()).unwrap();
        assert!(!scratch.path().join("d").exists());
    }
}
