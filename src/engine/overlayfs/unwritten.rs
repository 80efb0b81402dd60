//! A writable layer for an image that is mounted. Docker gives it one and lets nobody write there: the mount is read-only,
//! not the file system. Only then does the kernel ask first whether the mode lets the caller write, and after that
//! whether anybody may.
//!
//! Source: moby `daemon/volumes.go`, `registerMountPoints` (`CreateLayerFromImage`, `mp.RW = false`).

use std::os::fd::OwnedFd;

use rustix::fs::{Gid, Mode, Timespec, Timestamps, Uid, XattrFlags};

use crate::union::{Directory, Errno};

/// Longest list of names, and longest value, of extended attributes (xattr(7)).
const XATTR_MAX: usize = 64 << 10;

/// What a layer is marked with, which is no attribute of the tree's.
const MARKS: &[&[u8]] = &[b"trusted.overlay.", b"user.overlay."];

/// Gives an empty layer the attributes of the topmost one's root: they show.
pub(super) fn dress(layer: &OwnedFd, topmost: &Directory) -> Result<(), Errno> {
    let stat = rustix::fs::fstat(topmost)?;
    let (uid, gid) = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
    rustix::fs::fchown(layer, Some(uid), Some(gid))?;
    rustix::fs::fchmod(layer, Mode::from_raw_mode(stat.st_mode & 0o7777))?;
    let names = filled(|buffer| rustix::fs::flistxattr(topmost, buffer))?;
    let names = names.split(|byte| *byte == 0).filter(|name| {
        let is_mark = MARKS.iter().any(|mark| name.starts_with(mark));
        !name.is_empty() && !is_mark
    });
    for name in names {
        let value = filled(|buffer| rustix::fs::fgetxattr(topmost, name, buffer))?;
        rustix::fs::fsetxattr(layer, name, &value, XattrFlags::empty())?;
    }
    let times = Timestamps {
        last_access: time(stat.st_atime, stat.st_atime_nsec)?,
        last_modification: time(stat.st_mtime, stat.st_mtime_nsec)?,
    };
    rustix::fs::futimens(layer, &times)
}

fn time(seconds: i64, nanos: impl TryInto<i64>) -> Result<Timespec, Errno> {
    Ok(Timespec {
        tv_sec: seconds,
        tv_nsec: nanos.try_into().map_err(|_| Errno::INVAL)?,
    })
}

/// What a call that fills a buffer gives.
fn filled(fill: impl FnOnce(&mut [u8]) -> Result<usize, Errno>) -> Result<Vec<u8>, Errno> {
    let mut buffer = vec![0; XATTR_MAX];
    let length = fill(&mut buffer)?;
    buffer.truncate(length);
    Ok(buffer)
}
