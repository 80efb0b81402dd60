//! Whether a path stays in a directory, and finding one that does.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use crate::sys::open_scoped;

/// Whether a path of a directory leads out of it, by `..`, or by a symlink at any of its components. What is
/// missing leads nowhere. Not sure is out.
pub(crate) fn leads_out(top: &Path, path: &str) -> bool {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let Ok(directory) = rustix::fs::openat(CWD, top, flags | OFlags::DIRECTORY, Mode::empty())
    else {
        return true;
    };
    let mut inner = PathBuf::from(".");
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => inner.push(name),
            Component::ParentDir => inner.push(".."),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => continue,
        }
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        match open_scoped(&directory, &inner, flags, resolve) {
            Ok(_) => {}
            // A dangling link has led somewhere, if only as far as it could be followed.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return false,
            Err(_) => return true,
        }
    }
    false
}

/// The directory below `top` in which a path lies, and the path's name there, if no symlink leads there.
pub(crate) fn parent_of<'a>(top: &Path, path: &'a Path) -> Option<(OwnedFd, &'a OsStr)> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let top = rustix::fs::openat(CWD, top, flags, Mode::empty()).ok()?;
    let parent = Path::new(".").join(path.parent()?);
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    let directory = open_scoped(&top, &parent, flags, resolve).ok()?;
    Some((directory, path.file_name()?))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_and_dots_are_followed_no_further_than_the_top() {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path();
        fs::create_dir(top.join("d")).unwrap();
        for (name, target) in [
            ("absolute", "/etc"),
            ("nowhere", "/no/such/place"),
            ("up", "../.."),
            ("inside", "d"),
            ("dangling", "d/missing"),
            ("again", "absolute"),
        ] {
            symlink(target, top.join(name)).unwrap();
        }
        for (path, out) in [
            ("/", false),
            ("./d/x", false),
            ("/d/../d", false),
            ("/inside/x", false),
            ("/dangling", false),
            ("/missing/x", false),
            ("/absolute", true),
            ("/absolute/passwd", true),
            ("/nowhere", true),
            ("/up", true),
            ("/again/x", true),
            ("/../x", true),
            ("d/../../x", true),
        ] {
            assert_eq!(leads_out(top, path), out, "{path}");
        }
        assert!(leads_out(Path::new("/no/such/top"), "/x"));
    }
}
