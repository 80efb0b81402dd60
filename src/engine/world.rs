//! What is there when one looks.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Bytes, DeviceKind, VolumeRef};

/// Everything that an engine holds for a scenario at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct World {
    /// Containers, sorted by name, each with the tree that its processes see, or would see if it ran.
    pub containers: Vec<(ContainerSeen, Vec<Seen>)>,
    /// Volumes, named first, each with its content.
    pub volumes: Vec<(VolumeSeen, Vec<Seen>)>,
    /// The scenario's host directory.
    pub host: Vec<Seen>,
    /// Names of images, sorted.
    pub images: Vec<String>,
}

/// A container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContainerSeen {
    /// Name.
    pub name: String,
    /// Image, as named at its creation.
    pub image: String,
    /// State.
    pub state: ContainerState,
    /// Exit code, when exited.
    pub exit_code: Option<i32>,
    /// Its mounts, sorted by target.
    pub mounts: Vec<MountSeen>,
}

/// Docker's names of container states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ContainerState {
    /// Never started.
    Created,
    /// Running.
    Running,
    /// Paused.
    Paused,
    /// Stopped, killed or crashed.
    Exited,
}

/// One mount of a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MountSeen {
    /// Path in the container.
    pub target: String,
    /// What is mounted.
    pub storage: Storage,
    /// No writes through it.
    pub read_only: bool,
}

/// A volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VolumeSeen {
    /// Which.
    pub volume: VolumeRef,
    /// Driver.
    pub driver: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Driver options.
    pub options: BTreeMap<String, String>,
    /// Containers that refer to it, sorted.
    pub used_by: Vec<String>,
}

/// A storage: something that holds files and has a life of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Storage {
    /// A layer of an image, 1 at the bottom.
    Layer {
        /// The image that declares or committed the layer.
        image: String,
        /// Position among the layers of the image, base included.
        number: usize,
    },
    /// The writable layer of a container.
    Writable {
        /// The container.
        container: String,
    },
    /// A volume.
    Volume(VolumeRef),
    /// The scenario's host directory.
    Host,
    /// A tmpfs mount of a container.
    Tmpfs {
        /// The container.
        container: String,
        /// Where it is mounted.
        target: String,
    },
}

/// One entry of a tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Seen {
    /// Path as seen, `/` first, escaped by [`super::escape`].
    pub path: String,
    /// Type.
    pub kind: SeenKind,
    /// At most 0o7777.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Extended attributes; the union's own and security labels of the host are left out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub xattrs: BTreeMap<String, Bytes>,
    /// First path, in this tree's order, of the same inode; `None` for the first itself, and for
    /// directories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_file_as: Option<String>,
    /// Where it lies. For a merged directory the topmost place.
    pub storage: Storage,
    /// Path in that storage, `/` first, escaped likewise.
    pub inner: String,
}

/// Type of a file, with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SeenKind {
    /// A regular file.
    File {
        /// Length in bytes.
        size: u64,
        /// The content, when it is at most [`Self::CONTENT_MAX`] bytes long.
        content: Option<Bytes>,
        /// SHA-256 of the content in lower-case hexadecimal, when it is longer.
        sha256: Option<String>,
    },
    /// A directory.
    Directory,
    /// A symbolic link and its text, escaped.
    Symlink(String),
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
}

impl SeenKind {
    /// Longest content that is kept whole, in bytes.
    pub const CONTENT_MAX: u64 = 4096;
}
