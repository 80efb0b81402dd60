//! The kinds of refusal that concern objects: containers, images, volumes, mounts.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($variant:ident $name:literal $doc:literal)+) => {
        /// Why an engine refused an operation on an object. Engines differ in their words; a kind is
        /// what the words mean.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        pub enum Kind {
            $(#[doc = $doc] #[serde(rename = $name)] $variant,)+
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name in scenarios.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// What it means, in one line.
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => $doc),+ }
            }
        }
    };
}

kinds! {
    NoSuchContainer "no-such-container" "No container has this name (Docker row 96)."
    NoSuchImage "no-such-image" "No image has this name (Docker row 18)."
    NoSuchVolume "no-such-volume" "No volume has this name (Docker row 55)."
    NoSuchPath "no-such-path" "cp, export, import: nothing is at the path, or at its parent (Docker row 180)."
    NameInUse "name-in-use" "A container of this name exists (Docker row 33)."
    ContainerRunning "container-running" "Refused while the container runs (Docker row 26)."
    ContainerPaused "container-paused" "Refused while the container is paused (Docker rows 27, 31)."
    ContainerNotRunning "container-not-running" "The container does not run (Docker rows 30, 31)."
    ContainerNotPaused "container-not-paused" "The container is not paused."
    VolumeInUse "volume-in-use" "A container refers to the volume (Docker row 53)."
    ImageInUse "image-in-use" "A container uses the image (Docker row 9)."
    InvalidName "invalid-name" "The name has characters or a length that are not allowed (Docker rows 57 to 59)."
    InvalidMount "invalid-mount" "The mount is wrong in itself: its form, a mode, a relative path, a target of / (Docker rows 130, 152 to 157)."
    DuplicateMount "duplicate-mount" "Two mounts have the same target (Docker row 153)."
    MountSourceMissing "mount-source-missing" "The bind source does not exist (Docker row 121)."
    MountTypeMismatch "mount-type-mismatch" "A directory on a file or a file on a directory (Docker rows 87, 129)."
    MountTargetFailed "mount-target-failed" "The mount point could not be made (Docker row 136)."
    InvalidVolumesFrom "invalid-volumes-from" "The volumes-from specification is wrong (Docker row 98)."
    InvalidFilter "invalid-filter" "No such filter, or not its value (Docker rows 63, 65)."
    InvalidOption "invalid-option" "A driver, tmpfs or storage option is wrong (Docker rows 168, 188)."
    NoSuchDriver "no-such-driver" "No such volume driver (Docker row 68)."
    ReadOnly "read-only" "cp: the root file system or the mount is read-only (Docker row 178)."
    NotADirectory "not-a-directory" "A path component is no directory, of cp, export, import or WORKDIR; or cp would put a directory on a file."
    NotSupported "not-supported" "The engine refuses this form as such (Docker row 182)."
    InvalidUser "invalid-user" "The user or group is not in the image's passwd or group file."
    MaxDepth "max-depth" "More layers than the engine stacks (Docker row 17)."
    NoSpace "no-space" "The disk is full."
    EngineDown "engine-down" "The engine has crashed and was not restarted."
    Other "other" "A refusal that has no kind; the message says which."
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no kind's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a kind of refusal")]
pub struct UnknownKind;

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .iter()
            .copied()
            .find(|k| k.name() == text)
            .ok_or(UnknownKind)
    }
}
