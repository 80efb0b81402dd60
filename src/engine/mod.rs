//! The engine contract: operations in, answers out, and a world to observe.
//!
//! Everything in this folder but the engines themselves is plain, serialisable data. It is what the
//! runner says to an engine in process, and what it will say to an adapter in another language over
//! a pipe. An engine never sees YAML.
//!
//! | file | what it holds |
//! |---|---|
//! | `contract` | the two traits: [`Provider`] finds and opens an engine, [`Engine`] is an open one |
//! | `operation` | what can be asked of an engine |
//! | `file` | what a process can do to its disk |
//! | `text` | paths and names as text |
//! | `tree` | a tree of files as data: layers, host folders, writes |
//! | `mount` | mounts as they are asked for |
//! | `answer` | what an engine says back |
//! | `errno`, `kind` | the names of refusals |
//! | `capability` | what an engine can show |
//! | `world` | what is there when one looks |
//! | `link` | calls to a process that serves them on its pipes |

mod answer;
mod bytes;
mod capability;
pub mod cli;
mod contract;
mod errno;
mod file;
mod kind;
mod link;
mod mount;
pub mod native;
mod operation;
pub mod overlayfs;
pub mod process;
mod text;
mod tree;
mod world;

pub use answer::{Answer, Change, ChangeKind, Code, FileAnswer, Refusal, StatAnswer, Value};
pub use bytes::Bytes;
pub use capability::Capability;
pub use contract::{
    Absent, COMMAND_LINES, DEFAULT_ENGINE, Description, Engine, EngineFault, OpenOptions, Provider,
};
pub use errno::Errno;
pub use file::{
    AccessMode, AllocateMode, FileAction, FileFamily, FileRequest, LockKind, OpenFlag, RenameMode,
    Target, XattrMode,
};
pub use kind::Kind;
pub use mount::{BindRequest, MountRequest, MountSource, Propagation, TmpfsRequest, VolumeRequest};
pub use operation::{
    ArchiveFile, CommitSpec, ContainerSpec, CopyEnd, ImageConfig, ImageSpec, Operation, Place,
    VolumeFilter, VolumeRef, VolumeSpec,
};
pub use text::escape;
pub use tree::{Content, DeviceKind, Entry, Node, NodeKind, Time, Tree};
pub use world::{
    ContainerSeen, ContainerState, MountSeen, Seen, SeenKind, Storage, VolumeSeen, World,
};
