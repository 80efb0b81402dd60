//! The private directory of an engine. Where its provider outlives it, it is emptied and given to the next engine: making
//! one and removing it takes as long as a container.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use rustix::fs::{Mode, OFlags};

use super::spares::Spares;
use crate::store::{clear_opened, remove_opened};
use crate::union::{Directory, Errno, Result};

const DEFAULT_ACL: &str = "system.posix_acl_default";

/// Most directories that wait for an engine. Each holds two descriptors.
const IDLE_MAX: usize = 64;

/// Nobody but the owner gets in.
const MODE: u32 = 0o700;

/// A private directory, removed when dropped unless it is kept, or emptied for the next engine.
#[derive(Debug)]
pub(super) struct Private {
    place: Place,
    keep: bool,
    /// Who gives it to the next engine.
    pool: Weak<Pool>,
    /// What may stay in it for that.
    spares: Mutex<Spares>,
}

/// Where a directory is.
#[derive(Clone, Debug)]
struct Place {
    parent: Arc<OwnedFd>,
    path: PathBuf,
    directory: Directory,
}

fn open_directory(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty())
}

impl Place {
    fn make(scratch: &Path) -> std::io::Result<Self> {
        let parent = Arc::new(open_directory(scratch)?);
        let only_owner = std::fs::Permissions::from_mode(MODE);
        let made = tempfile::Builder::new()
            .prefix("layerspec-")
            .permissions(only_owner)
            .tempdir_in(scratch)?;
        let directory = Arc::new(open_directory(made.path())?);
        // A default ACL of the scratch directory is the host's affair.
        match rustix::fs::fremovexattr(&directory, DEFAULT_ACL) {
            Ok(()) | Err(Errno::NODATA | Errno::OPNOTSUPP) => {}
            Err(errno) => return Err(errno.into()),
        }
        Ok(Self {
            parent,
            path: made.keep(),
            directory,
        })
    }

    /// Whether it is still there, for its owner only. Engines change what is in it, never itself.
    fn is_as_made(&self) -> bool {
        let found = rustix::fs::fstat(&self.directory);
        found.is_ok_and(|found| found.st_nlink > 0 && found.st_mode & 0o7777 == MODE)
    }

    fn remove(self) {
        if let Some(name) = self.path.file_name() {
            // There is nobody to tell; the directory is named so that it can be found.
            let _ = remove_opened(self.parent.as_fd(), name, self.directory);
        }
    }
}

impl Private {
    /// Makes one, mode 0700.
    pub(super) fn make(scratch: &Path, keep: bool) -> std::io::Result<Self> {
        Ok(Self::of(Place::make(scratch)?, keep))
    }

    /// One that an earlier process made. It is kept.
    pub(super) fn adopt(path: &Path) -> std::io::Result<Self> {
        let path = std::path::absolute(path)?;
        let parent = path.parent().ok_or(std::io::ErrorKind::NotADirectory)?;
        let place = Place {
            parent: Arc::new(open_directory(parent)?),
            directory: Arc::new(open_directory(&path)?),
            path,
        };
        Ok(Self::of(place, true))
    }

    fn of(place: Place, keep: bool) -> Self {
        Self {
            place,
            keep,
            pool: Weak::new(),
            spares: Mutex::default(),
        }
    }

    /// The directory that it lies in.
    pub(super) fn scratch(&self) -> &Path {
        self.path().parent().unwrap_or(self.path())
    }

    pub(super) fn directory(&self) -> &Directory {
        &self.place.directory
    }

    pub(super) fn path(&self) -> &Path {
        &self.place.path
    }

    pub(super) fn kept(&self) -> Option<PathBuf> {
        self.keep.then(|| self.place.path.clone())
    }

    /// The layers in it that an earlier engine left, for an engine that begins.
    pub(super) fn take_spares(&self) -> Spares {
        std::mem::take(&mut *self.spares.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Says which layers are to stay for the next engine.
    pub(super) fn leave_spares(&self, spares: Spares) {
        *self.spares.lock().unwrap_or_else(PoisonError::into_inner) = spares;
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        if self.keep {
            return;
        }
        let (place, spares) = (self.place.clone(), self.take_spares());
        match self.pool.upgrade() {
            // What could not be emptied is nobody's any more.
            Some(pool) if clear_opened(&place.directory, &spares.names()).is_ok() => {
                pool.put(place, spares);
            }
            _ => place.remove(),
        }
    }
}

/// Directories that wait for an engine. They go with it.
#[derive(Debug, Default)]
pub(in crate::engine) struct Pool(Mutex<Vec<(Place, Spares)>>);

impl Pool {
    /// A directory for a new engine, to come back here when that is gone.
    pub(super) fn take(self: &Arc<Self>, scratch: &Path) -> std::io::Result<Private> {
        let mut private = match self.find(scratch) {
            Some((place, spares)) => {
                let private = Private::of(place, false);
                private.leave_spares(spares);
                private
            }
            None => Private::make(scratch, false)?,
        };
        private.pool = Arc::downgrade(self);
        Ok(private)
    }

    fn find(&self, scratch: &Path) -> Option<(Place, Spares)> {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(at) =
            (idle.iter()).rposition(|(place, _)| place.path.parent() == Some(scratch))
        {
            let (place, spares) = idle.swap_remove(at);
            if place.is_as_made() {
                return Some((place, spares));
            }
            place.remove();
        }
        None
    }

    /// Removes those that wait.
    pub(in crate::engine) fn clear(&self) {
        let idle = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for (place, _) in idle {
            place.remove();
        }
    }

    fn put(&self, place: Place, spares: Spares) {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX {
            idle.push((place, spares));
        } else {
            drop(idle);
            place.remove();
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(folder: &Path) -> usize {
        std::fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn nobody_else_gets_in_and_nothing_stays() {
        let scratch = tempfile::tempdir().unwrap();
        let private = Private::make(scratch.path(), false).unwrap();
        let mode = std::fs::metadata(private.path())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o7777, 0o700);
        std::fs::create_dir_all(private.path().join("a/b")).unwrap();
        drop(private);
        assert_eq!(count(scratch.path()), 0);
        let kept = Private::make(scratch.path(), true).unwrap().kept();
        assert!(kept.is_some_and(|kept| kept.is_dir()));
    }

    #[test]
    fn a_pool_gives_the_same_directory_again_and_takes_it_along() {
        let scratch = tempfile::tempdir().unwrap();
        let pool = Arc::new(Pool::default());
        let first = pool.take(scratch.path()).unwrap();
        let second = pool.take(scratch.path()).unwrap();
        std::fs::create_dir_all(first.path().join("a/b/c")).unwrap();
        for number in 0..1000 {
            std::fs::write(first.path().join(number.to_string()), "x").unwrap();
        }
        let path = first.path().to_owned();
        drop(first);
        assert_eq!(count(&path), 0);
        let again = pool.take(scratch.path()).unwrap();
        assert_eq!(again.path(), path);
        assert_ne!(second.path(), path);
        drop(again);
        assert_eq!(count(scratch.path()), 2);
        drop(pool);
        assert_eq!(count(scratch.path()), 1);
        // One that outlives its pool is removed.
        drop(second);
        assert_eq!(count(scratch.path()), 0);
    }

    #[test]
    fn a_directory_that_somebody_changed_is_not_given_again() {
        let scratch = tempfile::tempdir().unwrap();
        let pool = Arc::new(Pool::default());
        let path = pool.take(scratch.path()).unwrap().path().to_owned();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let other = pool.take(scratch.path()).unwrap();
        assert_eq!(count(scratch.path()), 1);
        std::fs::remove_dir(other.path()).unwrap();
        drop(other);
        assert_eq!(count(scratch.path()), 0);
        let third = pool.take(scratch.path()).unwrap();
        assert!(third.path().is_dir());
    }
}
