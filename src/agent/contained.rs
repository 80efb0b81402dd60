//! Entering a container: a process mounts its disk in a name space of its own, makes it its root, and keeps
//! the capabilities that Docker leaves to a container's root.

use std::os::fd::OwnedFd;

use rustix::fs::{CWD, OFlags, ResolveFlags, StatVfsMountFlags};
use rustix::io::Errno;
use rustix::mount::{MountFlags, MountPropagationFlags, MoveMountFlags, UnmountFlags};
use rustix::thread::{CapabilitySet, CapabilitySets};

use super::Result;
use super::descriptors::link_to;
use super::wire::{Disk, MountHere};
use crate::engine::escape;
use crate::sys::{NameSpace, enter_own};

/// Docker's default capabilities (moby `oci/caps/defaults.go`).
const KEPT: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::MKNOD)
    .union(CapabilitySet::NET_RAW)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETFCAP)
    .union(CapabilitySet::SETPCAP)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::SYS_CHROOT)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::AUDIT_WRITE);

/// Enters a disk made of detached mounts, one for each that it tells. Gives where each came to lie. Whatever fails, the
/// process is of no use any more.
///
/// # Errors
/// What was done, to what, and the errno's words.
pub(super) fn enter(disk: &Disk, detached: &[OwnedFd]) -> std::result::Result<Vec<String>, String> {
    let told = |what: &str| {
        let what = what.to_owned();
        move |errno: Errno| format!("{what}: {}", std::io::Error::from(errno))
    };
    enter_own(NameSpace::Mount).map_err(told("unshare mounts"))?;
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    rustix::mount::mount_change("/", private).map_err(told("make mounts private"))?;
    if detached.len() != disk.mounts.len() {
        return Err(format!(
            "{} mounts for {}",
            detached.len(),
            disk.mounts.len()
        ));
    }
    let mut mounts = disk.mounts.iter().zip(detached);
    let (root, root_mount) = mounts.next().ok_or("a disk without a root")?;
    attach(root_mount, &disk.place).map_err(told("mount /"))?;
    rustix::process::chdir(&*disk.place).map_err(told("enter the root"))?;
    let mut targets = vec!["/".to_owned()];
    for (mount, detached) in mounts {
        let target =
            mount_on_root(mount, detached).map_err(told(&format!("mount {}", mount.target)))?;
        targets.push(target);
    }
    seal(root, root_mount).map_err(told("mount / again"))?;
    // What the name space was copied with goes with the old root: not even the mounts of other containers stay.
    rustix::process::pivot_root(".", ".").map_err(told("pivot_root"))?;
    rustix::mount::unmount(".", UnmountFlags::DETACH).map_err(told("unmount the old root"))?;
    rustix::process::chdir("/").map_err(told("enter /"))?;
    let sets = CapabilitySets {
        effective: KEPT,
        permitted: KEPT,
        inheritable: CapabilitySet::empty(),
    };
    if !disk.is_host {
        rustix::thread::set_capabilities(None, sets).map_err(told("give up capabilities"))?;
    }
    Ok(targets)
}

/// Mounts what is detached on a path.
fn attach(detached: &OwnedFd, path: &str) -> Result<()> {
    let from = link_to(detached);
    let flags = MoveMountFlags::MOVE_MOUNT_F_SYMLINKS | MoveMountFlags::MOVE_MOUNT_T_SYMLINKS;
    rustix::mount::move_mount(CWD, from, CWD, path, flags)
}

/// Mounts on a target in the root, which is the working directory. Symlinks and `..` lead no further than that.
fn mount_on_root(mount: &MountHere, detached: &OwnedFd) -> Result<String> {
    let open = |path: &str| {
        crate::sys::open_scoped(
            CWD,
            path,
            OFlags::PATH | OFlags::CLOEXEC,
            ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
        )
    };
    let target = open(&mount.target)?;
    attach(detached, &link_to(&target))?;
    seal(mount, detached)?;
    below(&open("/")?, &target)
}

/// The path of a file below the root.
fn below(root: &OwnedFd, file: &OwnedFd) -> Result<String> {
    let path = |file: &OwnedFd| rustix::fs::readlink(link_to(file), Vec::new());
    let (root, file) = (path(root)?, path(file)?);
    let inner = file
        .to_bytes()
        .strip_prefix(root.to_bytes())
        .ok_or(Errno::XDEV)?;
    Ok(escape(if inner.is_empty() { b"/" } else { inner }))
}

/// Sets a mount's flags. No device of a container is real: one that a scenario makes must not lead to the
/// machine's own disks.
fn seal(mount: &MountHere, attached: &OwnedFd) -> Result<()> {
    let path = link_to(attached);
    let mut flags = MountFlags::BIND | MountFlags::NODEV;
    if mount.read_only {
        flags |= MountFlags::RDONLY;
    }
    if mount.restricted {
        flags |= MountFlags::NOSUID | MountFlags::NOEXEC;
    }
    // A user name space may not take away what its mounts were given outside.
    let given = rustix::fs::statvfs(&*path)?.f_flag;
    for (had, keep) in [
        (StatVfsMountFlags::RDONLY, MountFlags::RDONLY),
        (StatVfsMountFlags::NOSUID, MountFlags::NOSUID),
        (StatVfsMountFlags::NOEXEC, MountFlags::NOEXEC),
    ] {
        if given.contains(had) {
            flags |= keep;
        }
    }
    rustix::mount::mount_remount(&*path, flags, "")
}
