//! The private directory of one run: everything that its engines make on the disk lies below it.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::mount::UnmountFlags;
use tempfile::TempDir;

/// How often a tree is removed in which others are at work.
const ATTEMPTS: usize = 1000;

/// How often the file system may refuse.
const REFUSALS: usize = 3;

/// A private directory, readable by its owner only, that goes away with this value.
#[derive(Debug)]
pub(crate) struct Scratch {
    directory: Option<TempDir>,
    path: PathBuf,
}

impl Scratch {
    /// What the names of these directories start with.
    pub(crate) const PREFIX: &'static str = "layerspec-";

    /// Makes one in `base`, or in the system's temporary directory. A `base` that does not exist is
    /// not made: it is more likely a typing error.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn new(base: Option<&Path>) -> io::Result<Self> {
        let base = base.map_or_else(std::env::temp_dir, Path::to_path_buf);
        // Engines are given absolute paths, so that a change of directory cannot mislead them.
        let base = std::path::absolute(base)?;
        let directory = tempfile::Builder::new()
            .prefix(Self::PREFIX)
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(base)?;
        let path = directory.path().to_path_buf();
        Ok(Self {
            directory: Some(directory),
            path,
        })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves the directory behind if anything is in it, and tells where it is.
    pub(crate) fn keep(mut self) -> Option<PathBuf> {
        let filled = fs::read_dir(&self.path).is_ok_and(|mut entries| entries.next().is_some());
        if !filled {
            return None;
        }
        self.directory.take().map(TempDir::keep)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(directory) = self.directory.take() {
            let path = directory.keep();
            // An engine that failed may leave directories that cannot be entered; nobody is left
            // to tell, and the next run is not disturbed by what stays.
            drop(remove_tree(&path));
        }
    }
}

/// Removes a tree that this process made, also when directories in it deny access to their owner, and
/// also when something is still being made in it: whoever makes it finds its directories gone, one after the other.
/// What is mounted in it is not ours to remove: it is detached first.
///
/// # Errors
/// What the file system says at the last attempt; that something is mounted in the tree and cannot be detached.
pub(crate) fn remove_tree(path: &Path) -> io::Result<()> {
    detach_mounts(path)?;
    let mut refusals = 0;
    for _ in 0..ATTEMPTS {
        let removed = fs::remove_dir_all(path);
        // Others who remove in it make things vanish, and that is no sign that all of it has.
        if fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return Ok(());
        }
        let Err(error) = removed else { continue };
        if !matches!(
            error.kind(),
            io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotFound
        ) {
            refusals += 1;
            if refusals == REFUSALS {
                return Err(error);
            }
            open_up(path);
        }
    }
    fs::remove_dir_all(path)
}

/// Detaches everything that is mounted below a directory, in this mount namespace.
fn detach_mounts(top: &Path) -> io::Result<()> {
    let Ok(top) = fs::canonicalize(top) else {
        return Ok(());
    };
    // What was mounted last covers what was mounted before.
    for mount in mounts_below(&top)?.into_iter().rev() {
        rustix::mount::unmount(&*mount, UnmountFlags::DETACH).ok();
    }
    match mounts_below(&top)?.first() {
        None => Ok(()),
        Some(mount) => Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            format!("something is mounted on {}", mount.display()),
        )),
    }
}

/// Mount points below a directory, in the order in which they were mounted (`proc_pid_mountinfo(5)`).
fn mounts_below(top: &Path) -> io::Result<Vec<PathBuf>> {
    let table = fs::read("/proc/self/mountinfo")?;
    let points = table
        .split(|byte| *byte == b'\n')
        .filter_map(|line| line.split(|byte| *byte == b' ').nth(4))
        .map(|point| PathBuf::from(OsString::from_vec(unescaped(point))));
    Ok(points
        .filter(|point| point != top && point.starts_with(top))
        .collect())
}

/// Blanks and the like stand as `\040`.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, tail)) = rest.split_first() {
        let digits = tail
            .get(..3)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let code = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        let code = code.filter(|_| *first == b'\\');
        bytes.push(code.unwrap_or(*first));
        rest = code.map_or(tail, |_| tail.get(3..).unwrap_or_default());
    }
    bytes
}

/// Gives the owner every permission on every directory of a tree, without following links.
fn open_up(directory: &Path) {
    drop(fs::set_permissions(
        directory,
        fs::Permissions::from_mode(0o700),
    ));
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_mounted_in_a_tree_survives_it() {
        assert_eq!(unescaped(br"/a\040b\134c\0"), br"/a b\c\0");
        if !rustix::process::geteuid().is_root() {
            // Only root can mount in the name space of the tests.
            return;
        }
        let place = tempfile::tempdir().unwrap();
        let outside = place.path().join("outside");
        let inside = place.path().join("in side");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("file"), "x").unwrap();
        for point in ["a", "a/b"] {
            fs::create_dir_all(inside.join(point)).unwrap();
        }
        if rustix::mount::mount_bind(&outside, inside.join("a")).is_err() {
            // Nor may every root: not that of a container.
            return;
        }
        fs::create_dir(inside.join("a/again")).unwrap();
        rustix::mount::mount_bind(&outside, inside.join("a/again")).unwrap();
        assert_eq!(
            mounts_below(&fs::canonicalize(&inside).unwrap())
                .unwrap()
                .len(),
            2
        );
        remove_tree(&inside).unwrap();
        assert!(!inside.exists());
        assert_eq!(fs::read(outside.join("file")).unwrap(), b"x");
        assert!(mounts_below(place.path()).unwrap().is_empty());
    }

    #[test]
    fn it_is_private_and_goes_away() {
        let base = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(Some(base.path())).unwrap();
        let path = scratch.path().to_path_buf();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o700
        );
        let sealed = path.join("a/b");
        fs::create_dir_all(&sealed).unwrap();
        fs::write(sealed.join("file"), "x").unwrap();
        for directory in [&sealed, &path.join("a")] {
            fs::set_permissions(directory, fs::Permissions::from_mode(0o000)).unwrap();
        }
        drop(scratch);
        assert!(!path.exists());
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
    }

    #[test]
    fn removal_does_not_follow_links() {
        let base = tempfile::tempdir().unwrap();
        let outside = base.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("precious"), "x").unwrap();
        fs::set_permissions(&outside, fs::Permissions::from_mode(0o755)).unwrap();
        let scratch = Scratch::new(Some(base.path())).unwrap();
        std::os::unix::fs::symlink(&outside, scratch.path().join("link")).unwrap();
        open_up(scratch.path());
        drop(scratch);
        assert!(outside.join("precious").exists());
        assert_eq!(
            fs::metadata(&outside).unwrap().permissions().mode() & 0o777,
            0o755
        );
    }

    #[test]
    fn keep_leaves_only_what_is_filled() {
        let base = tempfile::tempdir().unwrap();
        assert_eq!(Scratch::new(Some(base.path())).unwrap().keep(), None);
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
        let scratch = Scratch::new(Some(base.path())).unwrap();
        fs::write(scratch.path().join("x"), "").unwrap();
        let path = scratch.path().to_path_buf();
        assert_eq!(scratch.keep(), Some(path.clone()));
        assert!(path.exists());
    }

    #[test]
    fn a_missing_base_is_not_made() {
        let base = tempfile::tempdir().unwrap();
        assert!(Scratch::new(Some(&base.path().join("missing"))).is_err());
    }
}
