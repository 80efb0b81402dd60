//! What a scratch directory can hold, found by trying.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, FileType, Gid, Mode, OFlags, RenameFlags, SeekFrom, Uid, XattrFlags,
};
use rustix::io::Errno;

use super::ground::Keeping;
use super::private::Private;
use crate::engine::{Absent, Capability, Description};
use crate::union::{MountOptions, Ownership, XattrNamespace};

/// The name by which the engine is chosen.
pub(super) const NAME: &str = "native";

/// Tries everything in a private directory that goes away again.
pub(super) fn probe(scratch: &Path, mount: MountOptions) -> Result<(Description, Keeping), Absent> {
    let shown = scratch.display();
    let private = Private::make(scratch, false).map_err(|error| Absent {
        reason: format!("cannot write to the scratch directory {shown}: {error}"),
        remedy: "choose a scratch directory that you may write to".to_owned(),
    })?;
    let directory = private.directory();
    let has_user_xattrs = takes_xattr(directory, "user.layerspec");
    let is_root = rustix::process::geteuid().is_root();
    let is_real = is_root
        && takes_xattr(directory, "trusted.overlay.layerspec")
        && takes_device(directory)
        && takes_owner(directory);
    if !is_real && !has_user_xattrs {
        return Err(Absent {
            reason: format!("the file system of {shown} has no extended attributes"),
            remedy: "choose a scratch directory on another file system".to_owned(),
        });
    }
    let (ownership, namespace) = if is_real {
        (Ownership::Real, XattrNamespace::Trusted)
    } else {
        (Ownership::Override, XattrNamespace::User)
    };
    let keeping = Keeping {
        ownership,
        namespace,
        mount,
    };
    if mount.volatile {
        return Err(Absent {
            reason: format!(
                "cannot merge with {mount}: containers that start again open their layer again, which volatile forbids"
            ),
            remedy: "leave it out, or use overlayfs, whose mounts stay".to_owned(),
        });
    }
    if let Err(errno) = keeping.options().check() {
        let why = std::io::Error::from(errno);
        return Err(Absent {
            reason: format!("cannot merge with {mount}: {why}"),
            remedy: "leave out options that do not go together, or need root".to_owned(),
        });
    }
    let asked = mount.to_string();
    let (name, driver) = match asked.as_str() {
        "" => (NAME.to_owned(), "union".to_owned()),
        asked => (format!("{NAME}:{asked}"), format!("union ({asked})")),
    };
    let uname = rustix::system::uname();
    let description = Description {
        form_of: (!asked.is_empty()).then(|| NAME.to_owned()),
        name,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        kernel: uname.release().to_string_lossy().into_owned(),
        driver,
        file_system: file_system(directory),
        capabilities: capabilities(directory, has_user_xattrs, ownership),
    };
    Ok((description, keeping))
}

/// What an engine without a way of its own to keep owners and devices can do in a directory, by trying.
#[derive(Debug)]
pub(in crate::engine) struct Survey {
    pub(in crate::engine) capabilities: BTreeSet<Capability>,
    pub(in crate::engine) file_system: String,
}

/// Tries a directory, which is the caller's to remove.
pub(in crate::engine) fn survey(directory: &OwnedFd) -> Survey {
    let has_user_xattrs = takes_xattr(directory, "user.layerspec");
    let mut capabilities = capabilities(directory, has_user_xattrs, Ownership::Real);
    for (capability, found) in [
        (Capability::Devices, takes_device(directory)),
        (Capability::Owners, takes_owner(directory)),
    ] {
        if !found {
            capabilities.remove(&capability);
        }
    }
    Survey {
        capabilities,
        file_system: file_system(directory),
    }
}

fn capabilities(
    directory: &OwnedFd,
    has_user_xattrs: bool,
    ownership: Ownership,
) -> BTreeSet<Capability> {
    // What the union does by itself, whatever is under it; as an ordinary user devices, owners and attributes that need
    // a privilege are kept in attributes.
    let has_security = ownership == Ownership::Override || takes_capability(directory);
    let mut capabilities = BTreeSet::from([
        Capability::Devices,
        Capability::Owners,
        Capability::SteadyInodes,
        Capability::Handles,
        Capability::Locks,
        Capability::Concurrent,
        Capability::Crash,
        Capability::FillDisk,
        Capability::TmpfsSize,
        Capability::Pause,
        Capability::PrivateMounts,
        Capability::HostView,
        Capability::VolumeSubpath,
        Capability::ImageMount,
        Capability::ImageArchive,
        Capability::AnonymousPrune,
    ]);
    for (capability, found) in [
        (Capability::HardLinks, takes_link(directory)),
        (Capability::Fifos, takes_fifo(directory)),
        (Capability::Xattrs, has_user_xattrs),
        (Capability::SecurityXattrs, has_security),
        (Capability::RenameFlags, takes_exchange(directory)),
        (Capability::Sparse, keeps_holes(directory).unwrap_or(false)),
        (Capability::TmpfileLink, takes_nameless(directory)),
    ] {
        if found {
            capabilities.insert(capability);
        }
    }
    capabilities
}

fn takes_xattr(directory: &OwnedFd, name: &str) -> bool {
    rustix::fs::fsetxattr(directory, name, b"x", XattrFlags::empty()).is_ok()
}

fn file(directory: &OwnedFd, name: &str) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC;
    rustix::fs::openat(directory, name, flags, Mode::RUSR | Mode::WUSR)
}

fn takes_device(directory: &OwnedFd) -> bool {
    let null = rustix::fs::makedev(1, 3);
    let kind = FileType::CharacterDevice;
    rustix::fs::mknodat(directory, "device", kind, Mode::RUSR, null).is_ok()
}

fn takes_owner(directory: &OwnedFd) -> bool {
    let owner = (Some(Uid::from_raw(12345)), Some(Gid::from_raw(12346)));
    file(directory, "owned").is_ok_and(|file| rustix::fs::fchown(&file, owner.0, owner.1).is_ok())
}

fn takes_link(directory: &OwnedFd) -> bool {
    file(directory, "linked").is_ok()
        && rustix::fs::linkat(directory, "linked", directory, "link", AtFlags::empty()).is_ok()
}

fn takes_fifo(directory: &OwnedFd) -> bool {
    rustix::fs::mknodat(directory, "fifo", FileType::Fifo, Mode::RUSR, 0).is_ok()
}

/// A file capability of version 2: `cap_net_bind_service=ep`.
fn takes_capability(directory: &OwnedFd) -> bool {
    let value = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    file(directory, "capable").is_ok_and(|file| {
        rustix::fs::fsetxattr(&file, "security.capability", &value, XattrFlags::empty()).is_ok()
    })
}

fn takes_exchange(directory: &OwnedFd) -> bool {
    let flags = RenameFlags::EXCHANGE;
    file(directory, "one").is_ok()
        && file(directory, "two").is_ok()
        && rustix::fs::renameat_with(directory, "one", directory, "two", flags).is_ok()
}

fn keeps_holes(directory: &OwnedFd) -> Result<bool, Errno> {
    const MEBIBYTE: u64 = 1 << 20;
    let file = file(directory, "sparse")?;
    rustix::io::pwrite(&file, b"x", MEBIBYTE)?;
    let data = rustix::fs::seek(&file, SeekFrom::Data(0))?;
    Ok(data > 0)
}

fn takes_nameless(directory: &OwnedFd) -> bool {
    use std::os::fd::AsRawFd as _;
    let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
    rustix::fs::openat(directory, ".", flags, Mode::RUSR | Mode::WUSR).is_ok_and(|file| {
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        rustix::fs::linkat(CWD, path, directory, "named", AtFlags::SYMLINK_FOLLOW).is_ok()
    })
}

/// The usual name of a file system, by its magic number (statfs(2)).
fn file_system(directory: &OwnedFd) -> String {
    let Ok(statfs) = rustix::fs::fstatfs(directory) else {
        return "unknown".to_owned();
    };
    #[expect(clippy::cast_sign_loss, reason = "a magic number is a bit pattern")]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "magic numbers have 32 bits"
    )]
    let magic = statfs.f_type as u32;
    match magic {
        0xef53 => "ext4".to_owned(),
        0x0102_1994 => "tmpfs".to_owned(),
        0x9123_683e => "btrfs".to_owned(),
        0x5846_5342 => "xfs".to_owned(),
        0x794c_7630 => "overlay".to_owned(),
        0x2fc1_2fc1 => "zfs".to_owned(),
        0xf2f5_2010 => "f2fs".to_owned(),
        0x6573_5546 => "fuse".to_owned(),
        0x6969 => "nfs".to_owned(),
        other => format!("{other:#x}"),
    }
}
