//! Mounts as they are asked for. What is wrong with a request is the engine's to say: a refusal is
//! a behaviour that a scenario may expect.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One mount of a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MountRequest {
    /// Docker's and Compose's short form, as written: `[SOURCE:]TARGET[:OPTIONS]`. A source that
    /// starts with `/` or `.` is a path of the scenario's host directory (`/` is its top).
    Short(String),
    /// The long form.
    Long {
        /// Path in the container.
        target: String,
        /// No writes through this mount.
        read_only: bool,
        /// What is mounted.
        source: MountSource,
    },
}

/// What a long-form mount shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MountSource {
    /// `type: volume`
    Volume(VolumeRequest),
    /// `type: bind`
    Bind(BindRequest),
    /// `type: tmpfs`
    Tmpfs(TmpfsRequest),
    /// `type: image`
    Image {
        /// Name of the image.
        source: String,
        /// Path in it.
        subpath: Option<String>,
    },
}

/// A volume to mount.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VolumeRequest {
    /// `None`: a new anonymous volume.
    pub name: Option<String>,
    /// Do not fill an empty volume with what the image has at the target.
    pub nocopy: bool,
    /// Mount only this path of the volume.
    pub subpath: Option<String>,
    /// Labels, if the mount creates the volume.
    pub labels: BTreeMap<String, String>,
}

/// A host path to mount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BindRequest {
    /// Path in the scenario's host directory; `/` is its top, `./x` is `/x`.
    pub source: String,
    /// Make the source when it is missing, as `-v` does.
    pub create_host_path: bool,
    /// Mount propagation.
    pub propagation: Option<Propagation>,
    /// Compose's `bind.recursive`: `enabled`, `disabled`, `writable` or `readonly`.
    pub recursive: Option<String>,
    /// Compose's `bind.selinux`: `z` or `Z`.
    pub selinux: Option<String>,
}

/// Mount propagation, by the kernel's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Propagation {
    /// Neither way; not recursive.
    Private,
    /// Neither way; the default.
    Rprivate,
    /// Both ways.
    Shared,
    /// Both ways, recursive.
    Rshared,
    /// From the host only.
    Slave,
    /// From the host only, recursive.
    Rslave,
}

/// A file system in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TmpfsRequest {
    /// At most this many bytes.
    pub size: Option<u64>,
    /// Mode of its root, 01777 by default.
    pub mode: Option<u32>,
}
