//! What the records hold.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Names a directory or a record of the store. Never used twice.
pub type Number = u64;

/// A read-only layer, as images and containers list it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// Its directory.
    pub number: Number,
    /// Image with which it came to be.
    pub image: String,
    /// Position among that image's layers, 1 at the bottom.
    pub position: usize,
}

/// The parts of a configuration that concern the disk: OCI image-spec, config.md.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// VOLUME, as written.
    pub volumes: Vec<String>,
    /// USER
    pub user: Option<String>,
    /// WORKDIR
    pub working_dir: Option<String>,
}

/// An image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// 64 hexadecimal digits.
    pub id: String,
    /// Its names. An image without a name is dropped.
    pub tags: BTreeSet<String>,
    /// Bottom first.
    pub layers: Vec<Layer>,
    /// Configuration.
    pub config: Config,
    /// `windows`, or `None` for Linux.
    pub platform: Option<String>,
}

/// Docker's names of container states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Never started.
    Created,
    /// Running.
    Running,
    /// Paused.
    Paused,
    /// Not running any more.
    Exited,
}

impl State {
    /// Whether it has processes.
    pub fn is_running(self) -> bool {
        matches!(self, Self::Running | Self::Paused)
    }
}

/// A container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Container {
    /// 64 hexadecimal digits.
    pub id: String,
    /// Name.
    pub name: String,
    /// Image, as it was named.
    pub image: String,
    /// The id of that image.
    pub image_id: String,
    /// Bottom first.
    pub layers: Vec<Layer>,
    /// The image's configuration with the container's own on top.
    pub config: Config,
    /// State.
    pub state: State,
    /// Set when exited.
    pub exit_code: Option<i32>,
    /// Root file system read-only.
    pub read_only: bool,
    /// Remove it when it exits.
    pub remove_on_exit: bool,
    /// In the order in which they were resolved; one for each target.
    pub mounts: Vec<Mount>,
    /// `--tmpfs`: path → options. Beats a mount with the same target (Docker row 99).
    pub tmpfs: BTreeMap<String, String>,
}

/// One resolved mount of a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mount {
    /// Path in the container, cleaned.
    pub target: String,
    /// No writes through it.
    pub read_only: bool,
    /// What is mounted.
    pub source: MountSource,
}

/// What a mount shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MountSource {
    /// A volume.
    Volume(VolumeSource),
    /// A path of the host directory.
    Bind(BindSource),
    /// Memory.
    Tmpfs(TmpfsSource),
    /// An image's layers.
    Image {
        /// Name.
        image: String,
        /// The id of that image.
        image_id: String,
        /// Bottom first.
        layers: Vec<Layer>,
        /// Path in it.
        subpath: Option<String>,
    },
}

/// A volume as mounted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VolumeSource {
    /// Name.
    pub name: String,
    /// Fill it when it is empty.
    pub copy: bool,
    /// Nobody named it: it goes with the container when volumes are asked to (`rm -v`, `--rm`).
    pub anonymous: bool,
    /// Path in the volume.
    pub subpath: Option<String>,
}

/// A bind mount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BindSource {
    /// Path in the host directory, cleaned.
    pub path: String,
    /// Make it at start when it is missing.
    pub create: bool,
    /// Mount propagation.
    pub propagation: Option<Propagation>,
}

/// A tmpfs mount of the long form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TmpfsSource {
    /// At most this many bytes.
    pub size: Option<u64>,
    /// Mode of its root when the target is not there yet.
    pub mode: Option<u32>,
}

/// Mount propagation, by the kernel's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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

/// For which container an anonymous volume was made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// Its name; it may be gone.
    pub container: String,
    /// Where it was first mounted.
    pub target: String,
}

/// A volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// Name; 64 hexadecimal digits for an anonymous one.
    pub name: String,
    /// Nobody named it.
    pub anonymous: bool,
    /// For whom it was made, if a container's creation made it.
    pub owner: Option<Owner>,
    /// The container with which it goes: once that one is gone and nobody else mounts it, nothing can
    /// reach it. `None`: it stays until it is removed.
    pub with: Option<Number>,
    /// Driver.
    pub driver: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Driver options.
    pub options: BTreeMap<String, String>,
}

impl Container {
    /// The volumes that it mounts.
    pub fn volumes(&self) -> impl Iterator<Item = &VolumeSource> {
        self.mounts.iter().filter_map(|mount| match &mount.source {
            MountSource::Volume(volume) => Some(volume),
            _ => None,
        })
    }
}

impl Container {
    /// The ids of the images that it mounts.
    pub fn mounted_images(&self) -> impl Iterator<Item = &str> {
        self.mounts.iter().filter_map(|mount| match &mount.source {
            MountSource::Image { image_id, .. } => Some(image_id.as_str()),
            _ => None,
        })
    }
}

/// A directory of a volume that is being filled, and how it was when it was empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filling {
    /// The volume.
    pub volume: Number,
    /// The directory, as the mount names it; `None` is the volume's root.
    pub subpath: Option<String>,
    /// At most 0o7777.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Last modification: seconds and nanoseconds.
    pub mtime: (i64, u32),
    /// Names of its extended attributes; those that come with the image are new.
    pub xattrs: BTreeSet<String>,
}
