//! What an engine that shares the objects and the life cycle does otherwise: the kernel merges instead of our
//! union, and real processes do what is played here.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::{Bytes, FileRequest, Refusal, SeenKind, Value};
use crate::union::{Caller, Directory, Errno};

/// A directory in which something is mounted.
#[derive(Debug)]
pub(in crate::engine) struct Merged {
    /// Its root.
    pub(in crate::engine) root: Directory,
    /// Unmounts it when dropped.
    pub(in crate::engine) keep: Arc<dyn Any + Send + Sync>,
}

/// A mount for a process.
#[derive(Debug)]
pub(in crate::engine) struct Part {
    /// What is mounted, held.
    pub(in crate::engine) source: Directory,
    /// Path in the container.
    pub(in crate::engine) target: String,
    /// No writes through it.
    pub(in crate::engine) read_only: bool,
    /// A tmpfs.
    pub(in crate::engine) in_memory: bool,
}

/// Mounts and processes.
pub(in crate::engine) trait Kernel: std::fmt::Debug + Send + Sync {
    /// Merges layers, topmost first, below an upper on the same file system as this engine's directory, or below one of
    /// its own.
    fn merge(&self, upper: Option<&Directory>, lowers: &[Directory]) -> Result<Merged, Errno>;

    /// An empty tmpfs, with at most so many bytes.
    fn memory(&self, size: Option<u64>) -> Result<Merged, Errno>;

    /// A process on a disk: the root, then what is mounted on it. One of the host keeps every capability, one of
    /// a container those that Docker leaves it. Gives where each mount came to lie too.
    fn contain(
        &self,
        parts: &[Part],
        is_host: bool,
    ) -> Result<(Arc<dyn Actor>, Vec<String>), String>;
}

/// One request done: what it gave, and the paths that it changed, as the process sees them.
pub(in crate::engine) type Act = (Result<Value, Refusal>, Vec<String>);

/// A file of a tree as a process sees it.
#[derive(Clone, Debug)]
pub(in crate::engine) struct Sight {
    pub(in crate::engine) path: String,
    pub(in crate::engine) kind: SeenKind,
    pub(in crate::engine) mode: u32,
    pub(in crate::engine) uid: u32,
    pub(in crate::engine) gid: u32,
    pub(in crate::engine) xattrs: BTreeMap<String, Bytes>,
    /// Device and inode number.
    pub(in crate::engine) inode: (u64, u64),
}

/// A process that does what it is asked. Dropping it ends the process.
pub(in crate::engine) trait Actor: std::fmt::Debug + Send + Sync {
    /// Performs requests in order, up to a refusal that stops the batch. A refusal is one of the whole batch:
    /// the working directory is gone.
    fn perform(
        &self,
        caller: &Caller,
        directory: &str,
        requests: &[FileRequest],
    ) -> Result<Result<Vec<Act>, Refusal>, String>;

    /// Everything that there is to see, sorted by the bytes of the path.
    fn walk(&self) -> Result<Vec<Sight>, String>;
}
