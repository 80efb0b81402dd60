//! A tree of files as data: the layers of an image, a host folder, the content of a write.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Bytes;

/// Entries in the order in which they were written down. Parents that no entry names are implied:
/// directories, in a layer with the attributes that the layers below have there, else mode 0755,
/// owner 0:0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Tree(pub Vec<Entry>);

/// One path of a tree and what is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// Absolute in the tree, `/` first, without `.`, `..`, a doubled or a trailing slash.
    pub path: String,
    /// What is there.
    #[serde(flatten)]
    pub node: Node,
}

/// What is at one path. An attribute that is absent has its default: mode 0644 for a file, 0755
/// for a directory, 0777 for a symlink; owner 0:0; in a step, what the process's umask and
/// credentials give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Node {
    /// The type, with what belongs to it.
    pub kind: NodeKind,
    /// Permission bits with set-user-ID, set-group-ID and sticky, at most 0o7777.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
    /// Owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// Group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gid: Option<u32>,
    /// Time of last modification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtime: Option<Time>,
    /// Extended attributes by full name (`user.note`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub xattrs: BTreeMap<String, Bytes>,
}

impl Node {
    /// A node of this kind with every attribute at its default.
    pub fn new(kind: NodeKind) -> Self {
        Self {
            kind,
            mode: None,
            uid: None,
            gid: None,
            mtime: None,
            xattrs: BTreeMap::new(),
        }
    }
}

/// The type of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NodeKind {
    /// A regular file.
    File(Content),
    /// A directory. `opaque` (layers only): what lower layers have below this path is hidden.
    Directory {
        /// See the variant.
        #[serde(default)]
        opaque: bool,
    },
    /// A symbolic link.
    Symlink {
        /// The text of the link.
        target: String,
    },
    /// Another name of a file that this tree holds.
    Hardlink {
        /// The path of the other name in the same tree.
        to: String,
    },
    /// A named pipe.
    Fifo,
    /// A UNIX socket.
    Socket,
    /// A device node.
    Device {
        /// Character or block.
        kind: DeviceKind,
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// Layers only: the name is deleted by this layer.
    Whiteout,
}

/// Character or block device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceKind {
    /// `c`
    Char,
    /// `b`
    Block,
}

/// What a regular file holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// These bytes.
    Bytes(Bytes),
    /// `size` bytes, `fill` over and over; `None` is a hole (sparse).
    Fill {
        /// Length in bytes.
        size: u64,
        /// The pattern, not empty.
        fill: Option<Bytes>,
    },
}

/// A point in time, seconds and nanoseconds since 1970-01-01 UTC. `nanos` counts forward, so half
/// a second before 1970 is `-1 s + 500_000_000 ns`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct Time {
    /// Whole seconds, negative before 1970.
    pub seconds: i64,
    /// 0 to 999,999,999.
    pub nanos: u32,
}
