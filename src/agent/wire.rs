//! What an engine says to an agent and back: one JSON object a line.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::engine::{Bytes, FileRequest, Refusal, SeenKind, Tree, Value};

/// Version of the protocol; the first word of [`super::VARIABLE`]'s value.
pub const VERSION: &str = "1";

/// One line to the agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Call {
    /// Comes back with the reply. Replies may overtake one another.
    pub id: u64,
    /// What is asked.
    pub ask: Ask,
}

/// What is asked of an agent. Paths are those that the agent's process sees.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// File operations by one process, in order, up to a refusal that stops the batch.
    Files {
        /// As whom; `None` is the user of the container's first process, or root where there is none.
        user: Option<String>,
        /// What it does.
        requests: Vec<FileRequest>,
    },
    /// Everything in a tree, as the superuser sees it.
    Walk {
        /// Its top.
        top: String,
        /// Names below which nothing is looked at, and which are left out themselves.
        without: Vec<String>,
        /// With the content of files.
        content: bool,
    },
    /// Where a path leads when every symlink is followed.
    Real {
        /// The path.
        path: String,
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

/// One line from the agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reply {
    /// Of the call.
    pub id: u64,
    /// What it gave, or why the agent could not do it.
    pub given: Result<Given, String>,
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
