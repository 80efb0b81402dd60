//! One container's disk as its processes see it: a mount table over unions, path walks confined to
//! its root, credentials and permissions, and one method per system call.
//!
//! What the kernel's VFS does above a file system is done here, errno for errno and in the kernel's order
//! of checks; what the file system does is the union's. The host directory and a volume seen from
//! outside are a [`Rootfs`] too, whose root is a plain union.
//!
//! Nothing here opens a real path. A walk goes from node to node, so a hostile symlink or `..` ends
//! at the root of the table.
//!
//! Two processes see one another's changes, and their record locks, through the unions that they share:
//! a storage that several containers mount must be one `Arc<Union>`.

mod acl;
mod credentials;
mod device;
mod locks;
mod mounts;
mod open_file;
mod permission;
mod pipe;
mod process;
mod target;
mod visit;
mod walk;

pub use credentials::{
    InvalidUser, UMASK, container, container_user, host_root, host_user, resolve,
};
pub use locks::{LockKind, Locks};
pub use mounts::{Mount, MountInfo, Rootfs};
pub use open_file::{OpenFile, OpenFlag, OpenHow};
pub use process::{Changed, NewNode, Opened, Process, Stat, Subject, Times, textual_parent};
pub use target::TargetKind;
pub use visit::Visited;

#[cfg(test)]
mod testing;
