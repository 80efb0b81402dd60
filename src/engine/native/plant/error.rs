//! Why a tree could not be made.

use crate::union::Errno;

/// A tree that could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub(in crate::engine::native) struct PlantError {
    /// The entry.
    pub(in crate::engine::native) path: String,
    /// Why not.
    pub(in crate::engine::native) reason: Reason,
}

/// Why an entry could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::engine::native) enum Reason {
    /// Not absolute, or with an empty component, `.` or `..`.
    #[error("is not a plain absolute path")]
    Path,
    /// A parent is a file or a symlink.
    #[error("lies below something that is no directory")]
    Parent,
    /// A hard link to something that the tree does not hold.
    #[error("links to a path that is not in the tree")]
    Link,
    /// The disk refused.
    #[error("{}", crate::engine::Errno::from(*.0))]
    Errno(Errno),
}

impl From<Errno> for Reason {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

pub(super) type Result<T, E = Reason> = std::result::Result<T, E>;
