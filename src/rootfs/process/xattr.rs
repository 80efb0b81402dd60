//! Extended attributes: xattr(7), `fs/xattr.c` (`xattr_permission`), `security/commoncap.c`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use super::Process;
use super::subject::{Changed, Subject};
use crate::rootfs::acl;
use crate::rootfs::permission::{self, Wish};
use crate::rootfs::walk::Found;
use crate::union::{CallerCapability, Errno, FileKind, Result, XattrFlags};

/// Longest name in bytes (`XATTR_NAME_MAX`).
const NAME_MAX: usize = 255;

/// Longest value in bytes (`XATTR_SIZE_MAX`).
const VALUE_MAX: usize = 65536;

const CAPABILITY: &str = "security.capability";

/// The namespaces of attributes, each with a rule of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Namespace {
    User,
    Trusted,
    Security,
    System,
    Unknown,
}

impl Namespace {
    fn of(name: &OsStr) -> Self {
        let prefix = name
            .as_bytes()
            .split(|byte| *byte == b'.')
            .next()
            .unwrap_or_default();
        if prefix.len() == name.len() {
            return Self::Unknown;
        }
        match prefix {
            b"user" => Self::User,
            b"trusted" => Self::Trusted,
            b"security" => Self::Security,
            b"system" => Self::System,
            _ => Self::Unknown,
        }
    }
}

impl Process {
    /// `setxattr`, `lsetxattr`, `fsetxattr`.
    ///
    /// # Errors
    /// As the system calls.
    pub fn set_xattr(
        &self,
        subject: &Subject<'_>,
        name: &OsStr,
        value: &[u8],
        flags: XattrFlags,
    ) -> Result<Option<Changed>> {
        check_name(name)?;
        if value.len() > VALUE_MAX {
            return Err(Errno::TOOBIG);
        }
        let found = self.found(subject)?;
        found.location.want_write()?;
        check_value(name, value)?;
        self.may_write_xattr(&found, name)?;
        if is_access_list(name) {
            acl::check_entries(value)?;
        }
        found
            .location
            .union()
            .set_xattr(&found.location.node, name, value, flags)?;
        Ok(found.changed())
    }

    /// `removexattr`, `lremovexattr`, `fremovexattr`.
    ///
    /// # Errors
    /// As the system calls.
    pub fn remove_xattr(&self, subject: &Subject<'_>, name: &OsStr) -> Result<Option<Changed>> {
        check_name(name)?;
        let found = self.found(subject)?;
        found.location.want_write()?;
        let held = matches!(
            found.location.node.kind(),
            FileKind::Directory | FileKind::Symlink
        );
        // No file has a default list, and nobody minds its removal.
        if name == acl::DEFAULT && !held {
            return Ok(found.changed());
        }
        self.may_write_xattr(&found, name)?;
        found
            .location
            .union()
            .remove_xattr(&found.location.node, name)?;
        Ok(found.changed())
    }

    /// `getxattr`, `lgetxattr`, `fgetxattr`.
    ///
    /// # Errors
    /// As the system calls.
    pub fn get_xattr(&self, subject: &Subject<'_>, name: &OsStr) -> Result<Vec<u8>> {
        check_name(name)?;
        let found = self.found(subject)?;
        self.may_read_xattr(&found, name)?;
        found.location.union().get_xattr(&found.location.node, name)
    }

    /// `listxattr`, `llistxattr`, `flistxattr`: names, sorted. Nobody's permission is asked, but `trusted.`
    /// names show to `CAP_SYS_ADMIN` only.
    ///
    /// # Errors
    /// As the system calls.
    pub fn list_xattrs(&self, subject: &Subject<'_>) -> Result<Vec<OsString>> {
        let found = self.found(subject)?;
        let mut names = found.location.union().list_xattrs(&found.location.node)?;
        if !self.caller.can(CallerCapability::SysAdmin) {
            names.retain(|name| Namespace::of(name) != Namespace::Trusted);
        }
        Ok(names)
    }

    fn may_read_xattr(&self, found: &Found, name: &OsStr) -> Result<()> {
        match Namespace::of(name) {
            Namespace::Security | Namespace::System => Ok(()),
            Namespace::Trusted if self.caller.can(CallerCapability::SysAdmin) => Ok(()),
            Namespace::Trusted => Err(Errno::NODATA),
            Namespace::User if !holds_user(found) => Err(Errno::NODATA),
            Namespace::User | Namespace::Unknown => found.location.check(&self.caller, Wish::READ),
        }
    }

    fn may_write_xattr(&self, found: &Found, name: &OsStr) -> Result<()> {
        let granted = |granted: bool| if granted { Ok(()) } else { Err(Errno::PERM) };
        let caller = &self.caller;
        match Namespace::of(name) {
            Namespace::Security if name == CAPABILITY => {
                granted(caller.can(CallerCapability::Setfcap))
            }
            Namespace::Trusted | Namespace::Security => {
                granted(caller.can(CallerCapability::SysAdmin))
            }
            Namespace::System => self.may_write_acl(found, name),
            Namespace::User => {
                granted(holds_user(found))?;
                if found.location.node.kind() == FileKind::Directory {
                    let attributes = found.location.union().attributes(&found.location.node)?;
                    if attributes.mode & 0o1000 != 0 {
                        permission::check_owner(&attributes, caller)?;
                    }
                }
                found.location.check(caller, Wish::WRITE)
            }
            Namespace::Unknown => found.location.check(caller, Wish::WRITE),
        }
    }

    /// `vfs_set_acl`: the owner's, and a default list only a directory's.
    fn may_write_acl(&self, found: &Found, name: &OsStr) -> Result<()> {
        let location = &found.location;
        if location.node.kind() == FileKind::Symlink {
            return Err(Errno::OPNOTSUPP);
        }
        if name == acl::DEFAULT && location.node.kind() != FileKind::Directory {
            return Err(Errno::ACCESS);
        }
        permission::check_owner(&location.union().attributes(&location.node)?, &self.caller)
    }
}

/// Values that the kernel reads are checked before permission is asked.
fn check_value(name: &OsStr, value: &[u8]) -> Result<()> {
    if is_access_list(name) {
        return acl::check_form(value);
    }
    if name == CAPABILITY && !value.is_empty() {
        // `vfs_cap_data` of revision 2 or 3, `linux/capability.h`.
        let revision = value
            .first_chunk()
            .map(|magic| u32::from_le_bytes(*magic) >> 24);
        return match (revision, value.len()) {
            (Some(2), 20) | (Some(3), 24) => Ok(()),
            _ => Err(Errno::INVAL),
        };
    }
    Ok(())
}

fn is_access_list(name: &OsStr) -> bool {
    name == acl::ACCESS || name == acl::DEFAULT
}

/// `user.` attributes belong to regular files and directories only.
fn holds_user(found: &Found) -> bool {
    matches!(
        found.location.node.kind(),
        FileKind::Regular | FileKind::Directory
    )
}

fn check_name(name: &OsStr) -> Result<()> {
    if name.as_bytes().contains(&0) {
        return Err(Errno::INVAL);
    }
    if name.is_empty() || name.len() > NAME_MAX {
        Err(Errno::RANGE)
    } else {
        Ok(())
    }
}
