//! Requests that change data, open files or attributes.

use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::sync::Arc;

use rustix::fs::{
    Access, AtFlags, CWD, FallocateFlags, FileType, Gid, Mode, OFlags, Timespec, Timestamps,
    UTIME_NOW, UTIME_OMIT, Uid, XattrFlags,
};
use rustix::io::Errno;

use super::super::Result;
use super::batch::{Batch, Resolved, flags, open};
use crate::engine::{AllocateMode, FileAction, LockKind, Target, Time, XattrMode};
use crate::sys::RecordLock;

impl Batch<'_> {
    pub(super) fn change_data(&mut self, action: &FileAction) -> Result<()> {
        let file = match action {
            FileAction::WriteAt {
                target,
                offset,
                bytes,
            } => {
                let file = self.open(target, OFlags::WRONLY)?;
                write_all(&*file, *offset, bytes.as_slice())?;
                file
            }
            FileAction::Append { target, bytes } => {
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND;
                let file = self.open(target, flags)?;
                write_all(&*file, None, bytes.as_slice())?;
                file
            }
            FileAction::Truncate { target, size } => {
                let file = match target {
                    Target::Path(path) => Arc::new(open_to_truncate(path)?.into()),
                    Target::Handle(name) => self.handle(name)?,
                };
                rustix::fs::ftruncate(&*file, *size)?;
                file
            }
            FileAction::Allocate {
                target,
                offset,
                length,
                mode,
            } => {
                let file = self.open(target, OFlags::WRONLY)?;
                rustix::fs::fallocate(&*file, allocate_flags(*mode), *offset, *length)?;
                file
            }
            FileAction::Sync { target } => {
                return rustix::fs::fsync(&*self.open(target, OFlags::RDONLY)?);
            }
            _ => return Err(Errno::NOSYS),
        };
        let stat = file.stat()?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
            self.note(self.place_of_open(&file));
        }
        Ok(())
    }

    pub(super) fn use_handle(&mut self, action: &FileAction) -> Result<()> {
        match action {
            FileAction::Open {
                path,
                flags: given,
                mode,
                handle,
            } => {
                let there = self.place_of_path(path, true);
                let file = self.open_path(path, flags(given), mode.unwrap_or(0o666))?;
                let asked = flags(given);
                let made = there.is_none() && asked.contains(OFlags::CREATE);
                let is_file =
                    FileType::from_raw_mode(file.stat()?.st_mode) == FileType::RegularFile;
                let is_cut = asked.contains(OFlags::TRUNC) && is_file;
                if !asked.contains(OFlags::PATH) && (made || is_cut) {
                    self.note(self.place_of_open(&file));
                }
                self.keep(handle, Some(file))
            }
            FileAction::Close { handle } => self.keep(handle, None),
            FileAction::Lock { handle, kind } => {
                let lock = match kind {
                    LockKind::Shared => RecordLock::Shared,
                    LockKind::Exclusive => RecordLock::Exclusive,
                    LockKind::Unlock => RecordLock::Unlock,
                };
                self.handle(handle)?.lock(lock)
            }
            FileAction::LinkHandle { handle, to } => {
                let file = self.handle(handle)?;
                // As open(2) has it for O_TMPFILE; AT_EMPTY_PATH would ask for CAP_DAC_READ_SEARCH.
                let number = file.itself().as_raw_fd().to_string();
                let descriptors = &self.shared.descriptors;
                rustix::fs::linkat(
                    descriptors,
                    number,
                    CWD,
                    to.as_str(),
                    AtFlags::SYMLINK_FOLLOW,
                )?;
                if self.place_of_open(&file).is_none()
                    && let Ok(name) = open(to, OFlags::PATH | OFlags::NOFOLLOW, 0)
                {
                    file.remember_name(name);
                }
                self.note(self.place_of_name(to));
                Ok(())
            }
            _ => Err(Errno::NOSYS),
        }
    }

    pub(super) fn change_attributes(&mut self, action: &FileAction) -> Result<()> {
        let (target, follow) = match action {
            FileAction::Access { path, mode } => {
                let mut access = Access::EXISTS;
                access.set(Access::READ_OK, mode.read);
                access.set(Access::WRITE_OK, mode.write);
                access.set(Access::EXEC_OK, mode.execute);
                return rustix::fs::access(path.as_str(), access);
            }
            FileAction::Touch {
                target,
                atime,
                mtime,
                follow,
            } => return self.touch(target, *atime, *mtime, *follow),
            FileAction::Chown { target, follow, .. } => (target, *follow),
            FileAction::Chmod { target, .. }
            | FileAction::SetXattr { target, .. }
            | FileAction::RemoveXattr { target, .. } => (target, true),
            _ => return Err(Errno::NOSYS),
        };
        let target = self.resolve(target)?;
        match action {
            FileAction::Chmod { mode, .. } => chmod(&target, *mode)?,
            FileAction::Chown { uid, gid, .. } => chown(&target, *uid, *gid, follow)?,
            FileAction::SetXattr {
                name, value, mode, ..
            } => {
                let flags = match mode {
                    XattrMode::Any => XattrFlags::empty(),
                    XattrMode::Create => XattrFlags::CREATE,
                    XattrMode::Replace => XattrFlags::REPLACE,
                };
                set_xattr(&target, name, value.as_slice(), flags, true)?;
            }
            FileAction::RemoveXattr { name, .. } => match &target {
                Resolved::Path(path) => rustix::fs::removexattr(*path, name.as_str())?,
                Resolved::File(file) => file.remove_xattr(name)?,
            },
            _ => return Err(Errno::NOSYS),
        }
        self.note(self.place(&target, follow));
        Ok(())
    }

    fn touch(
        &mut self,
        target: &Target,
        atime: Option<Time>,
        mtime: Option<Time>,
        follow: bool,
    ) -> Result<()> {
        let target = self.resolve(target)?;
        let now = atime.is_none() && mtime.is_none();
        match (set_times(&target, atime, mtime, now, follow), &target) {
            (Err(Errno::NOENT), Resolved::Path(path)) if now && follow => {
                drop(open(path, OFlags::WRONLY | OFlags::CREATE, 0o666)?);
            }
            (touched, _) => touched?,
        }
        self.note(self.place(&target, follow));
        Ok(())
    }
}

/// `truncate` looks at the type before it asks for permission; opening a pipe would do otherwise.
fn open_to_truncate(path: &str) -> Result<OwnedFd> {
    let stat = rustix::fs::stat(path)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => open(path, OFlags::WRONLY, 0),
        FileType::Directory => Err(Errno::ISDIR),
        _ => Err(Errno::INVAL),
    }
}

/// `write` or `pwrite` until everything is written.
pub(super) fn write_all(file: impl AsFd, offset: Option<u64>, bytes: &[u8]) -> Result<()> {
    let mut rest = bytes;
    let mut at = offset;
    // A call even for nothing: it tells whether one may write.
    loop {
        let count = match at {
            Some(at) => rustix::io::pwrite(&file, rest, at),
            None => rustix::io::write(&file, rest),
        };
        let count = match count {
            Err(Errno::INTR) => continue,
            count => count?,
        };
        if count == 0 && !rest.is_empty() {
            return Err(Errno::IO);
        }
        rest = rest.get(count..).unwrap_or_default();
        at = at.map(|at| at + count as u64);
        if rest.is_empty() {
            return Ok(());
        }
    }
}

fn allocate_flags(mode: AllocateMode) -> FallocateFlags {
    match mode {
        AllocateMode::Grow => FallocateFlags::empty(),
        AllocateMode::KeepSize => FallocateFlags::KEEP_SIZE,
        AllocateMode::PunchHole => FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE,
        AllocateMode::Zero => FallocateFlags::ZERO_RANGE,
    }
}

pub(super) fn chmod(target: &Resolved<'_>, mode: u32) -> Result<()> {
    let mode = Mode::from_raw_mode(mode);
    match target {
        Resolved::Path(path) => rustix::fs::chmod(*path, mode),
        Resolved::File(file) => file.chmod(mode),
    }
}

pub(super) fn chown(
    target: &Resolved<'_>,
    uid: Option<u32>,
    gid: Option<u32>,
    follow: bool,
) -> Result<()> {
    let (uid, gid) = (uid.map(Uid::from_raw), gid.map(Gid::from_raw));
    match target {
        Resolved::Path(path) => rustix::fs::chownat(CWD, *path, uid, gid, at_flags(follow)),
        Resolved::File(file) => file.chown(uid, gid),
    }
}

pub(super) fn set_xattr(
    target: &Resolved<'_>,
    name: &str,
    value: &[u8],
    flags: XattrFlags,
    follow: bool,
) -> Result<()> {
    match target {
        Resolved::Path(path) if follow => rustix::fs::setxattr(*path, name, value, flags),
        Resolved::Path(path) => rustix::fs::lsetxattr(*path, name, value, flags),
        Resolved::File(file) => file.set_xattr(name, value, flags),
    }
}

pub(super) fn set_times(
    target: &Resolved<'_>,
    atime: Option<Time>,
    mtime: Option<Time>,
    now: bool,
    follow: bool,
) -> Result<()> {
    let time = |time: Option<Time>| match time {
        Some(time) => Timespec {
            tv_sec: time.seconds,
            tv_nsec: time.nanos.into(),
        },
        None => Timespec {
            tv_sec: 0,
            tv_nsec: if now { UTIME_NOW } else { UTIME_OMIT },
        },
    };
    let times = Timestamps {
        last_access: time(atime),
        last_modification: time(mtime),
    };
    match target {
        Resolved::Path(path) => rustix::fs::utimensat(CWD, *path, &times, at_flags(follow)),
        Resolved::File(file) => file.set_times(&times),
    }
}

fn at_flags(follow: bool) -> AtFlags {
    if follow {
        AtFlags::empty()
    } else {
        AtFlags::SYMLINK_NOFOLLOW
    }
}
