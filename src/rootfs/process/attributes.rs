//! `stat`, `access`, `chmod`, `chown`, `utimensat`, `readlink`.

use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use super::Process;
use super::subject::{Changed, Subject, opened};
use crate::rootfs::open_file::{OpenFlag, OpenHow};
use crate::rootfs::permission::{self, Wish};
use crate::rootfs::walk::Found;
use crate::union::{
    Attributes, CallerCapability, Errno, FileKind, Result, SetAttributes, SetTime, Timestamp,
};

/// What `stat` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// As the union tells.
    pub attributes: Attributes,
    /// Device number: the same for two files of one union.
    pub dev: u64,
}

/// Times to set; an absent one stays (`UTIME_OMIT`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// Last access.
    pub atime: Option<Timestamp>,
    /// Last modification.
    pub mtime: Option<Timestamp>,
}

impl Process {
    /// `stat`, `lstat`, `fstat`.
    ///
    /// # Errors
    /// As the system calls.
    pub fn stat(&self, subject: &Subject<'_>) -> Result<Stat> {
        let found = match *subject {
            Subject::Path { path, follow } => self.find(path, follow)?,
            Subject::File(file) => opened(file),
        };
        let union = &found.location.mount.union;
        let attributes = union.attributes(&found.location.node)?;
        Ok(Stat {
            attributes,
            dev: Arc::as_ptr(union) as u64,
        })
    }

    /// `access`: asks for reading, writing, executing.
    ///
    /// # Errors
    /// As the system call.
    pub fn access(&self, path: &OsStr, read: bool, write: bool, execute: bool) -> Result<()> {
        let location = self.find(path, true)?.location;
        let regular = location.node.kind() == FileKind::Regular;
        if execute && regular && location.mount.restricted {
            return Err(Errno::ACCESS);
        }
        let mut wish = Wish::NONE;
        for (asked, one) in [
            (read, Wish::READ),
            (write, Wish::WRITE),
            (execute, Wish::EXECUTE),
        ] {
            if asked {
                wish = wish | one;
            }
        }
        location.check(&self.caller, wish)?;
        let special = !matches!(
            location.node.kind(),
            FileKind::Regular | FileKind::Directory | FileKind::Symlink
        );
        if write && !special {
            location.want_write()
        } else {
            Ok(())
        }
    }

    /// `readlink`.
    ///
    /// # Errors
    /// As the system call: `EINVAL` for what is no symlink.
    pub fn read_link(&self, path: &OsStr) -> Result<OsString> {
        let location = self.find(path, false)?.location;
        if location.node.kind() != FileKind::Symlink {
            return Err(Errno::INVAL);
        }
        location.union().read_link(&location.node)
    }

    /// `chmod`, `fchmod`.
    ///
    /// # Errors
    /// As the system calls; `EOPNOTSUPP` for a symlink.
    pub fn chmod(&self, subject: &Subject<'_>, mode: u32) -> Result<Option<Changed>> {
        let found = self.found(subject)?;
        found.location.want_write()?;
        let attributes = attributes_of(&found)?;
        if attributes.kind == FileKind::Symlink {
            return Err(Errno::OPNOTSUPP);
        }
        permission::check_owner(&attributes, &self.caller)?;
        let mode = permission::mode_to_set(&attributes, &self.caller, mode & 0o7777);
        self.set(
            &found,
            &SetAttributes {
                mode: Some(mode),
                ..SetAttributes::default()
            },
        )
    }

    /// `chown`, `lchown`, `fchown`; `None` leaves one as it is. Set-ID bits of what is no directory are
    /// cleared, for the superuser too.
    ///
    /// # Errors
    /// As the system calls.
    pub fn chown(
        &self,
        subject: &Subject<'_>,
        uid: Option<u32>,
        gid: Option<u32>,
    ) -> Result<Option<Changed>> {
        let found = self.found(subject)?;
        found.location.want_write()?;
        let attributes = attributes_of(&found)?;
        permission::check_chown(&attributes, &self.caller, uid, gid)?;
        let mode = self.mode_after_chown(&attributes);
        if mode.is_some() {
            permission::check_owner(&attributes, &self.caller)?;
        }
        let changed = self.set(
            &found,
            &SetAttributes {
                uid,
                gid,
                ..SetAttributes::default()
            },
        )?;
        if mode.is_some() {
            self.set(
                &found,
                &SetAttributes {
                    mode,
                    ..SetAttributes::default()
                },
            )?;
        }
        Ok(changed)
    }

    /// `utimensat` with times: needs the owner.
    ///
    /// # Errors
    /// As the system call.
    pub fn set_times(&self, subject: &Subject<'_>, times: Times) -> Result<Option<Changed>> {
        let found = self.found(subject)?;
        if times == Times::default() {
            return Ok(None);
        }
        found.location.want_write()?;
        permission::check_owner(&attributes_of(&found)?, &self.caller)?;
        let change = SetAttributes {
            atime: times.atime.map(SetTime::At),
            mtime: times.mtime.map(SetTime::At),
            ..SetAttributes::default()
        };
        self.set(&found, &change)
    }

    /// `utimensat` without times: to now, for the owner and for whoever may write.
    ///
    /// # Errors
    /// As the system call.
    pub fn set_times_now(&self, subject: &Subject<'_>) -> Result<Option<Changed>> {
        let found = self.found(subject)?;
        found.location.want_write()?;
        if permission::check_owner(&attributes_of(&found)?, &self.caller).is_err() {
            found.location.check(&self.caller, Wish::WRITE)?;
        }
        let now = Some(SetTime::Now);
        self.set(
            &found,
            &SetAttributes {
                atime: now,
                mtime: now,
                ..SetAttributes::default()
            },
        )
    }

    /// As touch(1): [`Self::set_times_now`], making an empty file that is missing.
    ///
    /// # Errors
    /// As the system calls.
    pub fn touch(&self, path: &OsStr, follow: bool) -> Result<Option<Changed>> {
        match self.set_times_now(&Subject::Path { path, follow }) {
            Err(Errno::NOENT) if follow => {
                let how = OpenHow::new(&[OpenFlag::Write, OpenFlag::Create]);
                Ok(self.open(path, how, 0o666)?.changed)
            }
            touched => touched,
        }
    }

    fn set(&self, found: &Found, change: &SetAttributes) -> Result<Option<Changed>> {
        let location = &found.location;
        location
            .union()
            .set_attributes(&location.node, change, &self.caller)?;
        Ok(found.changed())
    }

    /// `setattr_should_drop_suidgid`: the mode without set-ID bits, if it has any to lose.
    fn mode_after_chown(&self, attributes: &Attributes) -> Option<u32> {
        if attributes.kind == FileKind::Directory {
            return None;
        }
        let outsider =
            !self.caller.in_group(attributes.gid) && !self.caller.can(CallerCapability::Fsetid);
        let set_group = if attributes.mode & 0o010 != 0 || outsider {
            0o2000
        } else {
            0
        };
        let mode = attributes.mode & !(0o4000 | set_group);
        (mode != attributes.mode).then_some(mode)
    }
}

fn attributes_of(found: &Found) -> Result<Attributes> {
    found.location.union().attributes(&found.location.node)
}
