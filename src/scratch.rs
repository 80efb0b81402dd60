//! The private directory of one run: everything that its engines make on the disk lies below it.
//!
//! While the run lives it holds a lock (`flock(2)`) on the directory, by which [`sweep`] knows those whose run was killed.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags, flock, fstat};
use rustix::io::Errno;
use rustix::mount::UnmountFlags;
use tempfile::TempDir;

/// How often a tree is removed in which others are at work.
const ATTEMPTS: usize = 1000;

/// How often the file system may refuse.
const REFUSALS: usize = 3;

/// What the name of a directory starts with that goes away with its run, and of one that is to stay.
const PASSING: &str = "layerspec-run-";
const STAYING: &str = "layerspec-kept-";

/// A private directory, readable by its owner only, that goes away with this value.
#[derive(Debug)]
pub(crate) struct Scratch {
    directory: Option<TempDir>,
    path: PathBuf,
    /// Holds the lock.
    _lock: OwnedFd,
}

impl Scratch {
    /// Makes one in `base`, or in the system's temporary directory. A `base` that does not exist is
    /// not made: it is more likely a typing error.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn new(base: Option<&Path>) -> io::Result<Self> {
        Self::named(PASSING, base)
    }

    /// The same, for somebody who is going to [`keep`](Self::keep) it.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn to_keep(base: Option<&Path>) -> io::Result<Self> {
        Self::named(STAYING, base)
    }

    fn named(prefix: &str, base: Option<&Path>) -> io::Result<Self> {
        let base = default_base(base)?;
        loop {
            let directory = tempfile::Builder::new()
                .prefix(prefix)
                .permissions(fs::Permissions::from_mode(0o700))
                .tempdir_in(&base)?;
            let lock = open(directory.path())?;
            // Where files cannot be locked nothing is swept either.
            let is_swept = flock(&lock, FlockOperation::NonBlockingLockExclusive)
                == Err(Errno::WOULDBLOCK)
                || fstat(&lock)?.st_nlink == 0;
            if is_swept {
                continue;
            }
            let path = directory.path().to_path_buf();
            return Ok(Self {
                directory: Some(directory),
                path,
                _lock: lock,
            });
        }
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

/// What [`sweep`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Swept {
    /// Where it looked.
    pub base: PathBuf,
    /// So many directories were removed,
    pub removed: usize,
    /// so many are in use,
    pub left: usize,
    /// and these could not be removed.
    pub stuck: Vec<(PathBuf, String)>,
}

/// Removes the directories of this user's runs in `base`, or in the system's temporary directory, whose process is
/// gone. Those that were to be kept stay.
///
/// # Errors
/// The directory cannot be read.
pub(crate) fn sweep(base: Option<&Path>) -> io::Result<Swept> {
    let mut swept = Swept {
        base: default_base(base)?,
        ..Swept::default()
    };
    for entry in fs::read_dir(&swept.base)? {
        let entry = entry?;
        if !entry.file_name().as_bytes().starts_with(PASSING.as_bytes()) {
            continue;
        }
        let path = entry.path();
        // Nobody else's, and no link to somewhere else.
        let Some(lock) = open(&path).ok().filter(is_ours) else {
            continue;
        };
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            swept.left += 1;
            continue;
        }
        match remove_tree(&path) {
            Ok(()) => swept.removed += 1,
            Err(error) => swept.stuck.push((path, error.to_string())),
        }
    }
    Ok(swept)
}

/// Engines are given absolute paths, so that a change of directory cannot mislead them.
fn default_base(base: Option<&Path>) -> io::Result<PathBuf> {
    std::path::absolute(base.map_or_else(std::env::temp_dir, Path::to_path_buf))
}

fn open(directory: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::open(directory, flags, Mode::empty())
}

fn is_ours(directory: &OwnedFd) -> bool {
    let owner = rustix::process::geteuid().as_raw();
    fstat(directory).is_ok_and(|found| found.st_uid == owner)
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
    fn what_a_killed_run_left_is_swept_and_nothing_else() {
        let base = tempfile::tempdir().unwrap();
        let place = Some(base.path());
        let alive = Scratch::new(place).unwrap();
        let kept = Scratch::to_keep(place).unwrap();
        fs::write(kept.path().join("file"), "x").unwrap();
        let kept = kept.keep().unwrap();
        let [dead, mine] =
            ["layerspec-run-dead", "layerspec-mine"].map(|name| base.path().join(name));
        for directory in [&dead, &mine] {
            fs::create_dir_all(directory.join("a")).unwrap();
        }
        let link = base.path().join("layerspec-run-link");
        std::os::unix::fs::symlink(&mine, &link).unwrap();
        let expected = Swept {
            base: base.path().to_owned(),
            removed: 1,
            left: 1,
            stuck: Vec::new(),
        };
        assert_eq!(sweep(place).unwrap(), expected);
        assert!(!dead.exists());
        for path in [alive.path(), &kept.join("file"), &mine.join("a"), &link] {
            assert!(path.exists(), "{}", path.display());
        }
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
