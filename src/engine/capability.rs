//! What an engine can show. A scenario names what it needs; an engine that lacks it skips, with the
//! reason, before the run.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! capabilities {
    ($($variant:ident $name:literal $doc:literal)+) => {
        /// Something that not every engine, or not every disk under it, can show.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        pub enum Capability {
            $(#[doc = $doc] #[serde(rename = $name)] $variant,)+
        }

        impl Capability {
            /// Every capability.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name in scenarios.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// What it is, in one line.
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => $doc),+ }
            }
        }
    };
}

capabilities! {
    HardLinks "hard-links" "Several names of one file."
    SteadyInodes "steady-inodes" "A lower file and a link that is made to it show one inode number."
    Devices "devices" "Device nodes."
    Owners "owners" "Files of any user and group, and processes of any."
    Fifos "fifos" "Named pipes and sockets."
    Xattrs "xattrs" "Extended attributes in the user namespace."
    SecurityXattrs "security-xattrs" "File capabilities and POSIX ACLs."
    RenameFlags "rename-flags" "renameat2 with EXCHANGE and NOREPLACE."
    Sparse "sparse" "Files with holes that stay holes."
    TmpfileLink "tmpfile-link" "`O_TMPFILE`, and giving such a file a name."
    Handles "handles" "Open files held from one step to the next."
    Locks "locks" "Record locks between processes."
    Concurrent "concurrent" "Operations that really run side by side."
    Crash "crash" "The engine can be killed and restarted on its state."
    FillDisk "fill-disk" "The disk under the engine can be filled."
    TmpfsSize "tmpfs-size" "A tmpfs with a size limit."
    Pause "pause" "Containers can be paused."
    PrivateMounts "private-mounts" "Host directories are on a mount that is shared with no other mount namespace."
    HostView "host-view" "Host directory and volumes can be acted on from outside a container."
    VolumeSubpath "volume-subpath" "A path of a volume can be mounted."
    ImageMount "image-mount" "An image can be mounted."
    ImageArchive "image-archive" "An image can be taken from an archive."
    AnonymousPrune "anonymous-prune" "volume prune takes anonymous volumes only, unless told --all (API 1.42)."
    Windows "windows" "Windows containers."
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no capability's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a capability")]
pub struct UnknownCapability;

impl FromStr for Capability {
    type Err = UnknownCapability;

    fn from_str(text: &str) -> Result<Self, UnknownCapability> {
        Self::ALL
            .iter()
            .copied()
            .find(|c| c.name() == text)
            .ok_or(UnknownCapability)
    }
}
