//! What an engine says back.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Bytes, ContainerSeen, Errno, Kind, SeenKind, Storage, Time, VolumeSeen};

/// The answer to one operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Done, with what it gave.
    Done(Value),
    /// Refused; nothing changed but what the refusal itself says.
    Refused(Refusal),
    /// This engine does not know the operation, and why.
    Unsupported(String),
    /// The engine itself failed: its program died, its disk is broken.
    Broken(String),
}

/// What an operation gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// Nothing to tell.
    Nothing,
    /// Bytes of a file or an extended attribute.
    Bytes(Bytes),
    /// One line of text: a link's target, a name.
    Text(String),
    /// A number: an offset.
    Number(u64),
    /// Names, sorted.
    Names(Vec<String>),
    /// Attributes of a file.
    Stat(StatAnswer),
    /// What a container changed.
    Changes(Vec<Change>),
    /// Volumes.
    Volumes(Vec<VolumeSeen>),
    /// One volume.
    Volume(VolumeSeen),
    /// One container.
    Container(ContainerSeen),
    /// One answer a request, up to the first refusal that stopped the batch.
    Files(Vec<FileAnswer>),
}

/// The answer to one file request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FileAnswer {
    /// What it gave, or the errno.
    #[serde(with = "outcome")]
    #[schemars(with = "outcome::Outcome")]
    pub result: Result<Value, Refusal>,
    /// Where the thing that was changed lies: the storage and the path in it. Only for requests that
    /// changed something. One place, the thing's own, but for a rename: the old place, then the new one; for
    /// `mkdir -p`: every directory that was made; for `rm -r`: everything that was removed.
    #[serde(default)]
    pub changed: Vec<(Storage, String)>,
}

/// A result in the words of [`Answer`].
mod outcome {
    use schemars::JsonSchema;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Refusal, Value};

    #[derive(Serialize)]
    #[serde(rename_all = "kebab-case")]
    enum Given<'a> {
        Done(&'a Value),
        Refused(&'a Refusal),
    }

    /// What came of a file request.
    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "kebab-case")]
    pub(super) enum Outcome {
        /// Done, with what it gave.
        Done(Value),
        /// Refused, with the errno.
        Refused(Refusal),
    }

    pub(super) fn serialize<S: Serializer>(
        result: &Result<Value, Refusal>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match result {
            Ok(value) => Given::Done(value),
            Err(refusal) => Given::Refused(refusal),
        }
        .serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Result<Value, Refusal>, D::Error> {
        Ok(match Outcome::deserialize(deserializer)? {
            Outcome::Done(value) => Ok(value),
            Outcome::Refused(refusal) => Err(refusal),
        })
    }
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    /// Which.
    pub code: Code,
    /// The engine's own words.
    pub message: String,
}

impl Refusal {
    /// A refusal by errno; the message is the errno's name.
    pub fn errno(errno: Errno) -> Self {
        Self {
            code: Code::Errno(errno),
            message: errno.to_string(),
        }
    }

    /// A refusal by kind.
    pub fn kind(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            code: Code::Kind(kind),
            message: message.into(),
        }
    }
}

/// An errno for file operations, a kind for objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// As POSIX names it.
    Errno(Errno),
    /// As layerspec names it.
    Kind(Kind),
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Errno(errno) => errno.fmt(f),
            Self::Kind(kind) => kind.fmt(f),
        }
    }
}

/// One line of `docker diff`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Where.
    pub path: String,
    /// What.
    pub kind: ChangeKind,
}

/// Docker's letters.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// `A`
    Added,
    /// `C`
    Changed,
    /// `D`
    Deleted,
}

/// What `stat` tells, less what differs from run to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatAnswer {
    /// Type, with link text and device numbers.
    pub kind: SeenKind,
    /// At most 0o7777.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Length in bytes.
    pub size: u64,
    /// Allocated, in units of 512 bytes.
    pub blocks: u64,
    /// Number of names.
    pub links: u64,
    /// Inode number: for comparing within a run, never shown.
    pub ino: u64,
    /// Device number: for comparing within a run, never shown.
    pub dev: u64,
    /// Last access.
    pub atime: Time,
    /// Last modification.
    pub mtime: Time,
    /// Extended attributes.
    pub xattrs: BTreeMap<String, Bytes>,
}
