//! The objects and the life cycle of the embedded engine on disks that the kernel merges, with real processes: what
//! `docker run` leaves to the kernel is left to it here.
//!
//! An engine has a process to itself ([`crate::agent::Mode::Overlayfs`]) in a mount name space of its own, and in a user
//! name space where the user is not root; so nothing that it mounts can be seen outside or can outlive it. It
//! serves the contract on its pipes, and when its engine is closed, waits for the next one. A running container is one more process, which a zygote ([`crate::agent::Mode::Zygote`]) forks: it
//! mounts its disk, makes it its root, gives up what Docker takes from a container's root, and
//! then performs file requests by system calls. So does one at the root of the host directory, and of each
//! volume that is acted on from outside.
//!
//! | file | what it holds |
//! |---|---|
//! | `provider` | starting the engine's process; the engine as others see it |
//! | `protocol` | what is said to that process and back |
//! | `serve` | that process |
//! | `mapping` | the users of its user name space |
//! | `kernel` | `overlay` and `tmpfs` mounts, and processes on them |
//! | `residents` | those processes |
//! | `unwritten` | the writable layer of an image that is mounted |
//!
//! Every container's overlay is mounted from its creation to its removal, for the daemon to copy into and out of:
//! to change an upper behind the kernel's back is undefined (overlayfs.rst, "Changes to underlying
//! filesystems"). Only a look at a stopped container unmounts it for a moment, to merge it below a layer
//! that takes the mount points. Where a file lies is asked of our own union of the same layers.
//!
//! An ordinary user's name space maps the users that subuid(5) sets aside for it, through newuidmap(1); without them it
//! maps one user and one group, which show as 0:0, and other owners are `EINVAL`. Devices are `EPERM` in any case, and
//! without `trusted.overlay.origin` a copied-up file's further names show another inode number. So the capabilities
//! `owners`, `devices` and `steady-inodes` are found by trying, and may be missing there. `fill-disk` is always missing:
//! the disk under the layers is the machine's, and not ours to fill.

mod kernel;
mod mapping;
mod protocol;
mod provider;
mod residents;
mod serve;
mod unwritten;

pub use provider::OverlayfsProvider;
pub(crate) use serve::serve;
