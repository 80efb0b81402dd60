//! The memory devices that every container may open (moby `oci/devices`, the default allow list). A container's
//! disk is mounted `nodev`, so that no other device that a scenario makes can be reached; these few
//! were opened before.

use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};

use rustix::fs::{Access, AtFlags, CWD, FileType, Mode, OFlags, StatVfsMountFlags};
use rustix::io::Errno;

use super::Result;
use super::files::OpenFile;

const ALLOWED: &[(&str, (u32, u32))] = &[
    ("/dev/null", (1, 3)),
    ("/dev/zero", (1, 5)),
    ("/dev/full", (1, 7)),
    ("/dev/random", (1, 8)),
    ("/dev/urandom", (1, 9)),
];

/// A terminal, which nobody has here.
const TERMINAL: (u32, u32) = (5, 0);

/// The file on which devices are locked, beside the containers' disks.
const LOCKS: &str = "locks";

/// The devices, open, by their numbers.
#[derive(Debug)]
pub(super) struct Devices {
    open: Vec<((u32, u32), OwnedFd)>,
    /// Locks on the machine's own devices are the machine's; those of an engine's containers are taken on this file.
    locks: OwnedFd,
}

impl Devices {
    /// Opens those that the machine has; what all containers of an engine share lies in a directory of its.
    ///
    /// # Errors
    /// What opening a file there gives.
    pub(super) fn new(shared: &str) -> Result<Self> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let shared = rustix::fs::open(shared, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        let locks = rustix::fs::openat(&shared, LOCKS, flags, Mode::RUSR | Mode::WUSR)?;
        // Whoever acts in a container opens it once more.
        rustix::fs::fchmod(&locks, Mode::from_raw_mode(0o666))?;
        let open = |(path, number): &(&str, (u32, u32))| {
            let flags = OFlags::PATH | OFlags::CLOEXEC;
            let file = rustix::fs::open(*path, flags, Mode::empty()).ok()?;
            (numbers(&file).ok()? == Some((FileType::CharacterDevice, *number)))
                .then_some((*number, file))
        };
        Ok(Self {
            open: ALLOWED.iter().filter_map(open).collect(),
            locks,
        })
    }

    /// Opens a path that the kernel would not open, if that was for being a device.
    ///
    /// # Errors
    /// `EACCES` when it was for something else, a mount without devices among it; `EPERM` for a device that a container
    /// may not open, as its device rules have it; `ENXIO` for a terminal.
    pub(super) fn open(
        &self,
        descriptors: impl AsFd,
        path: &str,
        flags: OFlags,
    ) -> Result<OpenFile> {
        let nofollow = flags & OFlags::NOFOLLOW;
        let there = OFlags::PATH | OFlags::CLOEXEC | nofollow;
        let there = rustix::fs::open(path, there, Mode::empty()).map_err(|_| Errno::ACCESS)?;
        let Some((kind, number)) = numbers(&there)? else {
            return Err(Errno::ACCESS);
        };
        if is_on_tmpfs_of_container(&there)? {
            return Err(Errno::ACCESS);
        }
        let mut access = match flags & OFlags::ACCMODE {
            OFlags::RDWR => Access::READ_OK | Access::WRITE_OK,
            OFlags::WRONLY => Access::WRITE_OK,
            _ => Access::READ_OK,
        };
        if flags.contains(OFlags::TRUNC) {
            access |= Access::WRITE_OK;
        }
        rustix::fs::accessat(CWD, path, access, AtFlags::EACCESS)?;
        let mut devices = self.open.iter();
        match devices.find(|(own, _)| kind == FileType::CharacterDevice && *own == number) {
            Some((_, device)) => {
                let flags = flags - OFlags::CREATE - OFlags::TRUNC - OFlags::NOFOLLOW;
                let link = device.as_raw_fd().to_string();
                let file = rustix::fs::openat(&descriptors, link, flags, Mode::empty())?;
                let locks = self.locks.as_raw_fd().to_string();
                let locking = OFlags::RDWR | OFlags::CLOEXEC;
                let locks = rustix::fs::openat(&descriptors, locks, locking, Mode::empty())?;
                OpenFile::device(file, (there, locks), &descriptors)
            }
            None if kind == FileType::CharacterDevice && number == TERMINAL => Err(Errno::NXIO),
            None => Err(Errno::PERM),
        }
    }
}

/// Whether a device lies where none can be opened, which is asked before the device rules (Docker row 164). All mounts
/// are without devices here; those that the container has so are without programs too, unlike its root.
fn is_on_tmpfs_of_container(file: impl AsFd) -> Result<bool> {
    let no_programs = |flags: StatVfsMountFlags| flags.contains(StatVfsMountFlags::NOEXEC);
    Ok(no_programs(rustix::fs::fstatvfs(file)?.f_flag)
        && !no_programs(rustix::fs::statvfs("/")?.f_flag))
}

/// Type and numbers of a device.
fn numbers(file: impl AsFd) -> Result<Option<(FileType, (u32, u32))>> {
    let stat = rustix::fs::fstat(file)?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    let number = (
        rustix::fs::major(stat.st_rdev),
        rustix::fs::minor(stat.st_rdev),
    );
    let is_device = matches!(kind, FileType::CharacterDevice | FileType::BlockDevice);
    Ok(is_device.then_some((kind, number)))
}
