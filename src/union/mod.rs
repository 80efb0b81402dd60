//! The union file system: a stack of directories, merged. Nodes and handles, no paths; no scenario,
//! no container, no volume.
//!
//! A [`Union`] is opened on a [`Stack`]: at most one writable `upper`, any number of read-only
//! `lowers`, topmost first, all kept in kernel overlayfs's own format. A [`NodeRef`] stands for a file
//! as FUSE's `nodeid` does: it stays valid through renames, copy-up and unlink for as long as it is
//! held. Errors are errno values, the ones that kernel overlayfs gives.
//!
//! The same type with [`Options::plain`] serves a single directory without union semantics (a
//! volume, a host directory, a tmpfs), so that whoever walks paths sees one kind of file system.
//!
//! Permissions are not checked here (the kernel's VFS does that above overlayfs); who the caller is
//! matters only for the owner of new files and for the set-ID rules.

mod acl;
mod attributes;
mod changes;
mod copy_tree;
mod copy_up;
mod create;
mod data;
mod descriptors;
mod directory;
pub(crate) mod fault;
mod filesystem;
mod find;
pub mod format;
mod handle;
mod index;
mod link;
mod links;
mod listing;
mod lock;
mod lower;
mod marks;
mod metacopy;
mod mount_options;
mod names;
mod node;
mod options;
mod origin;
mod override_stat;
mod plant;
mod privileges;
mod real;
mod redirect;
mod rename;
mod search;
mod space;
mod symlink;
mod temporary;
mod types;
mod unlink;
mod volatile;
mod whiteout;
mod xattr;

pub use copy_tree::{copy_attributes, copy_tree};
pub use filesystem::Union;
pub use handle::Handle;
pub use mount_options::{MountOptions, NotAnOption};
pub use node::NodeRef;
pub use types::{
    AllocateRange, Attributes, Caller, CallerCapability, ChangeKind, CopyOptions, DirectoryEntry,
    Feature, FileKind, New, NewKind, OpenFlags, Options, Ownership, Provenance, RedirectDir,
    RenameFlags, SetAttributes, SetTime, Space, Stack, Timestamp, UpperChange, XattrFlags,
    XattrNamespace,
};

/// A directory of the real disk, open. Shared: one layer serves many unions.
pub type Directory = std::sync::Arc<std::os::fd::OwnedFd>;

/// What can go wrong: an errno.
pub use rustix::io::Errno;

/// Result with an errno.
pub type Result<T, E = Errno> = std::result::Result<T, E>;
