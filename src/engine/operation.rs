//! What can be asked of an engine.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FileRequest, MountRequest, Tree};

/// One thing to do. Names are the scenario's; an engine that shares a daemon translates them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Set-up, before the first step: an image from its layers.
    LoadImage(ImageSpec),
    /// Set-up: make this tree in a place, with every attribute as given, parents implied, nobody's
    /// permissions asked.
    Plant(Place, Tree),
    /// File operations by one process, in order. Answer: [`super::Value::Files`].
    Files {
        /// Where the process runs.
        place: Place,
        /// As whom: `user`, `user:group`, names or numbers; `None` is the container's user, root
        /// elsewhere.
        user: Option<String>,
        /// What it does.
        requests: Vec<FileRequest>,
    },
    /// `docker create`
    Create(ContainerSpec),
    /// `docker run -d`: create and start.
    Run(ContainerSpec),
    /// `docker start`
    Start(String),
    /// `docker stop`
    Stop(String),
    /// `docker kill`
    Kill(String),
    /// `docker restart`
    Restart(String),
    /// `docker pause`
    Pause(String),
    /// `docker unpause`
    Unpause(String),
    /// `docker rm`
    Remove {
        /// The container.
        container: String,
        /// Also when it is running.
        force: bool,
        /// Its anonymous volumes too.
        volumes: bool,
    },
    /// `docker container prune`
    ContainerPrune,
    /// `docker inspect`. Answer: [`super::Value::Container`].
    Inspect(String),
    /// `docker commit`
    Commit(CommitSpec),
    /// `docker diff`. Answer: [`super::Value::Changes`], sorted by path.
    Diff(String),
    /// `docker cp`. Answer: [`super::Value::Files`] with one [`super::FileAnswer`] whose `changed` tells where
    /// the copied thing (its top) lies now, or [`super::Value::Nothing`] where that is not known.
    Copy {
        /// From here.
        from: CopyEnd,
        /// To here.
        to: CopyEnd,
        /// `-a`: keep owners.
        archive: bool,
        /// `-L`: follow a symlink at `from`.
        follow: bool,
    },
    /// `docker export`: the container's tree, without its mounts, as a tar file on the host. Answer: as
    /// that of [`Self::Copy`].
    Export {
        /// The container.
        container: String,
        /// Path in the host directory.
        to: String,
    },
    /// `docker import`: a tar file on the host as a new image of one layer.
    Import {
        /// Path in the host directory.
        from: String,
        /// The new image's name.
        image: String,
    },
    /// `docker image rm`
    ImageRemove {
        /// The image.
        image: String,
        /// Although containers use it.
        force: bool,
    },
    /// `docker tag`
    ImageTag {
        /// The image.
        image: String,
        /// Its further name.
        tag: String,
    },
    /// `docker volume create`. Answer: [`super::Value::Text`], the name.
    VolumeCreate(VolumeSpec),
    /// `docker volume rm`
    VolumeRemove {
        /// Which.
        volume: VolumeRef,
        /// `-f`
        force: bool,
    },
    /// `docker volume prune`. Answer: [`super::Value::Volumes`], those that were removed.
    VolumePrune {
        /// `--all`: named ones too (API 1.42 and later; earlier daemons always do).
        all: bool,
        /// `--filter`
        filters: Vec<VolumeFilter>,
    },
    /// `docker volume ls`. Answer: [`super::Value::Volumes`], named ones first, each by name.
    VolumeList {
        /// `--filter`
        filters: Vec<VolumeFilter>,
    },
    /// `docker volume inspect`. Answer: [`super::Value::Volume`].
    VolumeInspect(VolumeRef),
    /// The engine dies here, no goodbye. Until [`Operation::RestartEngine`] it refuses everything
    /// with `engine-down`.
    Crash,
    /// Stop the engine if it runs, and start it again on the same state.
    RestartEngine,
    /// From here on nothing more can be allocated on the disk that holds layers and volumes:
    /// `ENOSPC`.
    FillDisk,
    /// The end of [`Operation::FillDisk`].
    FreeDisk,
}

/// Where a file operation happens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// In a running container.
    Container(String),
    /// In the scenario's host directory, which is the file operation's `/`.
    Host,
    /// In a volume's directory, from the host's side.
    Volume(VolumeRef),
}

/// A volume, by name or as the anonymous one of a container.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VolumeRef {
    /// By name.
    Named(String),
    /// The one that was made for this container at this path.
    Anonymous {
        /// Container for which it was made; it may be gone.
        container: String,
        /// Path at which it was first mounted.
        target: String,
    },
}

/// An image: its layers, bottom first, and its configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImageSpec {
    /// Name.
    pub name: String,
    /// Another image whose layers and configuration come first.
    pub from: Option<String>,
    /// An archive in the place of `from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<Box<ArchiveFile>>,
    /// Layers, bottom first.
    pub layers: Vec<Tree>,
    /// Configuration; an absent part is that of `from` or of the archive.
    pub config: ImageConfig,
    /// `linux` (default) or `windows`.
    pub platform: Option<String>,
}

/// An image archive: an OCI image layout, as a folder or a tar file, or a tar file of `docker save`. Whoever
/// opens it keeps to the folder: `path` may not lead out of it, by `..`, as an absolute path or by a symlink.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArchiveFile {
    /// The folder of whoever named it.
    pub folder: PathBuf,
    /// Path below the folder.
    pub path: String,
    /// Which of its images; `None` is the only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// The parts of an image's configuration that concern its disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImageConfig {
    /// VOLUME, added to those of `from`.
    #[serde(default)]
    pub volumes: Vec<String>,
    /// USER
    #[serde(default)]
    pub user: Option<String>,
    /// WORKDIR
    #[serde(default)]
    pub working_dir: Option<String>,
}

/// A container to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContainerSpec {
    /// Name.
    pub name: String,
    /// Image.
    pub image: String,
    /// `-v` and `--mount`, in order.
    #[serde(default)]
    pub mounts: Vec<MountRequest>,
    /// `--volumes-from`, as written: `CONTAINER[:MODE]`.
    #[serde(default)]
    pub volumes_from: Vec<String>,
    /// `--tmpfs`, as written: `PATH[:OPTIONS]`.
    #[serde(default)]
    pub tmpfs: Vec<String>,
    /// `--read-only`
    #[serde(default)]
    pub read_only: bool,
    /// `--user`
    #[serde(default)]
    pub user: Option<String>,
    /// `--workdir`
    #[serde(default)]
    pub working_dir: Option<String>,
    /// `--rm`
    #[serde(default)]
    pub remove_on_exit: bool,
}

/// `docker commit`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommitSpec {
    /// The container.
    pub container: String,
    /// The new image's name.
    pub image: String,
    /// `--change`: VOLUME is added, USER and WORKDIR replace.
    #[serde(default)]
    pub change: ImageConfig,
}

/// One end of `docker cp`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CopyEnd {
    /// `CONTAINER:PATH`
    Container {
        /// The container.
        container: String,
        /// Path in it.
        path: String,
    },
    /// A path in the host directory.
    Host(String),
}

/// A volume to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VolumeSpec {
    /// Name; `None` makes an anonymous one.
    pub name: Option<String>,
    /// Driver; `None` is `local`.
    #[serde(default)]
    pub driver: Option<String>,
    /// Driver options.
    #[serde(default)]
    pub driver_opts: BTreeMap<String, String>,
    /// Labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// `--filter KEY=VALUE`, as written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VolumeFilter {
    /// `name`, `label`, `label!`, `driver`, `dangling`.
    pub key: String,
    /// Value.
    pub value: String,
}
