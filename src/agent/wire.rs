//! What an engine says to an agent and back: one JSON object a line.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::engine::{Bytes, FileRequest, Refusal, SeenKind, Tree, Value};

/// Version of the protocol; the first word of [`super::VARIABLE`]'s value.
pub const VERSION: &str = "1";

/// One line to the agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Call<A = Ask> {
    /// Comes back with the reply. Replies may overtake one another.
    pub id: u64,
    /// What is asked.
    pub ask: A,
}

/// What is asked of an agent. Paths are those that the agent's process sees.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// File operations by one process, in order, up to a refusal that stops the batch.
    Files {
        /// As whom; `None` is the user of the container's first process, or root where there is none.
        user: Option<String>,
        /// Where relative paths start; `None` is where the agent is.
        directory: Option<String>,
        /// What it does.
        requests: Vec<FileRequest>,
    },
    /// The same by a user whom the engine has looked up.
    FilesAs {
        /// As whom.
        user: Who,
        /// Where relative paths start.
        directory: String,
        /// What it does.
        requests: Vec<FileRequest>,
    },
    /// The first call of an agent that is to become a container's process: the container's disk.
    Enter(Disk),
    /// Everything in a tree, as the superuser sees it.
    Walk {
        /// Its top.
        top: String,
        /// Names below which nothing is looked at, and which are left out themselves.
        without: Vec<String>,
        /// With the content of files.
        content: bool,
    },
    /// What one path of a tree is, the content of a file with it; no symlink is followed on the way.
    Look {
        /// The top of the tree.
        top: String,
        /// The path.
        path: String,
    },
    /// Where a path leads when every symlink is followed.
    Real {
        /// The path.
        path: String,
    },
    /// Where the open file of a handle lies.
    Opened {
        /// The handle.
        handle: String,
    },
    /// The first of these paths that leads out of a directory.
    LeadsOut {
        /// The directory.
        top: String,
        /// Paths in it, which may be missing.
        paths: Vec<String>,
    },
    /// Make this tree below a directory, with every attribute as given, parents implied.
    Plant {
        /// The directory, which is made if it is missing.
        top: String,
        /// The tree.
        tree: Tree,
    },
    /// Remove a whole tree, which may be missing.
    Remove {
        /// Its top.
        top: String,
    },
}

/// A user whom the engine has looked up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
}

/// A container's disk, for its process to mount. The process has its file systems
/// in its hand, as detached mounts (`open_tree(2)`).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Disk {
    /// A directory to mount the root on before it becomes the root.
    pub place: String,
    /// The root, then what is mounted on it, in the order of the detached mounts.
    pub mounts: Vec<MountHere>,
    /// The process is the host's own and keeps every capability.
    pub is_host: bool,
}

/// One mount.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MountHere {
    /// Path in the container; `/` for the root.
    pub target: String,
    /// No writes through it.
    pub read_only: bool,
    /// `noexec`, `nosuid`, as Docker mounts a tmpfs (Docker row 164).
    pub restricted: bool,
}

/// One line from the agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reply<G = Given> {
    /// Of the call.
    pub id: u64,
    /// What it gave, or why the agent could not do it.
    pub given: Result<G, String>,
}

/// What a call gave.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Given {
    /// Done.
    Nothing,
    /// One a request, up to the refusal that stopped the batch.
    Files(Vec<Done>),
    /// The batch as a whole was refused: no such user.
    Refused(Refusal),
    /// The container is entered: where each of its mounts came to lie, symlinks followed.
    Entered(Vec<String>),
    /// A path; `None` when nothing is there.
    Path(Option<String>),
    /// What is in a tree, sorted by the bytes of the path.
    Found(Vec<Found>),
}

/// The answer to one file request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Done {
    /// What it gave, or the errno.
    pub result: Result<Value, Refusal>,
    /// Absolute paths of what was changed, escaped, as [`crate::engine::FileAnswer`] has them.
    pub changed: Vec<String>,
}

/// One entry of a tree.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Found {
    /// Path below the top, `/` first, escaped.
    pub path: String,
    /// Type.
    pub kind: SeenKind,
    /// At most 0o7777.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Extended attributes that the agent can read.
    pub xattrs: BTreeMap<String, Bytes>,
    /// Device and inode number.
    pub inode: (u64, u64),
}
