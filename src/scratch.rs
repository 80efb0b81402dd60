//! The private directory of one run: everything that its engines make on the disk lies below it.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// How often a tree is removed in which others are at work.
const ATTEMPTS: usize = 1000;

/// How often the file system may refuse.
const REFUSALS: usize = 3;

/// A private directory, readable by its owner only, that goes away with this value.
#[derive(Debug)]
pub struct Scratch {
    directory: Option<TempDir>,
    path: PathBuf,
}

impl Scratch {
    /// What the names of these directories start with.
    pub const PREFIX: &'static str = "layerspec-";

    /// Makes one in `base`, or in the system's temporary directory. A `base` that does not exist is
    /// not made: it is more likely a typing error.
    ///
    /// # Errors
    /// What the file system says.
    pub fn new(base: Option<&Path>) -> io::Result<Self> {
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
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves the directory behind if anything is in it, and tells where it is.
    pub fn keep(mut self) -> Option<PathBuf> {
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
///
/// # Errors
/// What the file system says at the last attempt.
pub fn remove_tree(path: &Path) -> io::Result<()> {
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
