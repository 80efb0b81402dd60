//! Mounts as they are asked for: what `-v`, `--mount`, `--tmpfs` and `--volumes-from` mean, and what is
//! wrong with them in themselves. Functions of text; nothing here looks at a disk.
//!
//! The rules and texts are those of moby `daemon/volume/mounts/linux_parser.go` and `validate.go`, and for
//! the short form of the command line's `cli/compose/loader/volume.go` that reads it first.

mod long;
mod mode;
pub mod path;
mod short;
mod tmpfs;
mod volumes_from;

use std::collections::BTreeMap;

pub use long::check;
pub use mode::Mode;
pub use short::parse_short;
pub use tmpfs::{TmpfsOptions, TmpfsRefusal, parse_tmpfs, parse_tmpfs_options};
pub use volumes_from::{VolumesFrom, parse_volumes_from};

use super::{Propagation, Reason, Refusal};

/// One mount, well-formed but not yet resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Path in the container, as written.
    pub target: String,
    /// No writes through it.
    pub read_only: bool,
    /// What is mounted.
    pub source: Source,
}

/// What a mount shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `-v PATH`: as if the image had a VOLUME there. The weakest of all: anything else mounted there
    /// takes its place without a word (Docker row 88).
    Anonymous,
    /// A volume.
    Volume {
        /// `None`: a new one that nobody named.
        name: Option<String>,
        /// Fill it when it is empty.
        copy: bool,
        /// Path in it.
        subpath: Option<String>,
        /// Labels, if the mount makes the volume.
        labels: BTreeMap<String, String>,
    },
    /// A path of the host.
    Bind {
        /// Absolute; `.` is the host directory's top.
        path: String,
        /// Make it when it is missing.
        create: bool,
        /// Propagation.
        propagation: Option<Propagation>,
        /// `bind-recursive`: `enabled`, `disabled`, `writable` or `readonly`.
        recursive: Option<String>,
    },
    /// Memory.
    Tmpfs {
        /// At most this many bytes.
        size: Option<u64>,
        /// Mode of its root.
        mode: Option<u32>,
    },
    /// An image.
    Image {
        /// Its name.
        image: String,
        /// Path in it.
        subpath: Option<String>,
    },
}

impl Source {
    /// The name of its type in messages.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Anonymous | Self::Volume { .. } => "volume",
            Self::Bind { .. } => "bind",
            Self::Tmpfs { .. } => "tmpfs",
            Self::Image { .. } => "image",
        }
    }
}

/// `linuxValidateNotRoot` and `linuxValidateAbsolute`, in this order: Docker rows 130, 152, 207.
///
/// # Errors
/// The text without any prefix.
fn check_target(target: &str) -> Result<(), String> {
    let slashed = target.replace('\\', "/");
    if path::clean(&slashed) == "/" {
        return Err("invalid specification: destination can't be '/'".to_owned());
    }
    check_absolute(&slashed)
}

fn check_absolute(path: &str) -> Result<(), String> {
    let slashed = path.replace('\\', "/");
    if slashed.starts_with('/') {
        return Ok(());
    }
    Err(format!(
        "invalid mount path: '{slashed}' mount path must be absolute"
    ))
}

/// Two mounts have one target: Docker row 153.
pub fn duplicate(target: &str) -> Refusal {
    Refusal::new(
        Reason::Duplicate,
        format!("Duplicate mount point: {target}"),
    )
}
