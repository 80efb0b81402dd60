//! Extended attributes of the merged view. How names are kept is decided in `marks`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::atomic::Ordering;

use rustix::fs::XattrFlags as Native;

use super::acl::{self, Acl};
use super::attributes::write_representation;
use super::copy_up::Need;
use super::filesystem::Union;
use super::lock::{lock, read, write};
use super::node::NodeRef;
use super::override_stat::OverrideStat;
use super::real::Real;
use super::{Errno, FileKind, Result, XattrFlags};

impl Union {
    /// The value of an extended attribute.
    ///
    /// # Errors
    /// `ENODATA`; `EOPNOTSUPP`; what reading the disk gives.
    pub fn get_xattr(&self, node: &NodeRef, name: &OsStr) -> Result<Vec<u8>> {
        let name = match self.marks.to_real(name) {
            // The override's own: nobody sees it.
            Err(Errno::PERM) => return Err(Errno::NODATA),
            other => other?,
        };
        let _names = read(&self.names);
        match self.real(node)?.get_xattr(&name) {
            // Links and devices cannot have the `user.` attributes that stand for others.
            Err(Errno::PERM) if self.is_overridden() => Err(Errno::NODATA),
            other => other,
        }
    }

    /// Sets an extended attribute, copying the file up.
    ///
    /// # Errors
    /// `EROFS`; `EEXIST` or `ENODATA` as the flags ask for; `EPERM` for a `user.` attribute of something
    /// that is neither a regular file nor a directory (union row 63); what the disk gives.
    pub fn set_xattr(
        &self,
        node: &NodeRef,
        name: &OsStr,
        value: &[u8],
        flags: XattrFlags,
    ) -> Result<()> {
        let real_name = self.marks.to_real(name)?;
        self.check_writable()?;
        check_kind(node, name)?;
        if name == acl::DEFAULT && !node.0.is_directory() {
            return Err(Errno::ACCESS);
        }
        self.copy_up_for_xattr(node)?;
        let _changing = lock(&node.0.changing);
        if self.is_overridden() && name != acl::DEFAULT {
            let _names = write(&self.names);
            self.make_carrier(node)?;
        }
        let _names = read(&self.names);
        let real = self.real(node)?;
        let native = match flags {
            XattrFlags::Any => Native::empty(),
            XattrFlags::Create => Native::CREATE,
            XattrFlags::Replace => Native::REPLACE,
        };
        node.0.harmless.store(false, Ordering::Release);
        let set = if self.is_overridden() && (name == acl::ACCESS || name == acl::DEFAULT) {
            self.set_escaped_acl(node, &real, (name, &real_name), value, native)
        } else {
            real.set_xattr(&real_name, value, native)
        };
        lock(&node.0.inheritance).take();
        set
    }

    /// Makes a file one that can have `user.` attributes, in which all others are kept. Needs the
    /// namespace lock for writing.
    pub(super) fn make_carrier(&self, node: &NodeRef) -> Result<()> {
        if matches!(node.0.kind, FileKind::Regular | FileKind::Directory) {
            return Ok(());
        }
        let real = self.real(node)?;
        let facts = real.stat()?;
        if facts.kind == FileKind::Regular {
            return Ok(());
        }
        let owner = self.shown_owner(&real, &facts)?;
        self.convert(node, &owner)
    }

    /// Keeps an ACL under its escaped name, and the mode in step with it, as `posix_acl_update_mode` does.
    fn set_escaped_acl(
        &self,
        node: &NodeRef,
        real: &Real,
        (name, real_name): (&OsStr, &OsStr),
        value: &[u8],
        flags: Native,
    ) -> Result<()> {
        if node.0.kind == FileKind::Symlink {
            return Err(Errno::OPNOTSUPP);
        }
        let list = Acl::parse(value).ok_or(Errno::INVAL)?;
        if name == acl::DEFAULT {
            return real.set_xattr(real_name, value, flags);
        }
        if list.is_minimal() {
            match real.remove_xattr(real_name) {
                Ok(()) | Err(Errno::NODATA) => {}
                Err(errno) => return Err(errno),
            }
        } else {
            real.set_xattr(real_name, value, flags)?;
        }
        let owner = self.shown_owner(real, &real.stat()?)?;
        let mode = owner.mode & !0o777 | list.mode();
        let owner = OverrideStat { mode, ..owner };
        let wanted = match node.0.kind {
            kind @ (FileKind::Regular | FileKind::Directory) => owner.representation(kind),
            kind => owner.carried(kind),
        };
        write_representation(real, &wanted)
    }

    /// Removes an extended attribute, copying the file up if it has it. An ACL that is not there is removed all the same from a
    /// file of the upper layer, but not from one of a lower (`ovl_set_or_remove_acl`).
    ///
    /// # Errors
    /// `EROFS`; `ENODATA`; `EPERM`; what the disk gives.
    pub fn remove_xattr(&self, node: &NodeRef, name: &OsStr) -> Result<()> {
        let real_name = self.marks.to_real(name)?;
        self.check_writable()?;
        check_kind(node, name)?;
        if !node.0.is_in_upper() {
            // What is not there needs no copy.
            self.get_xattr(node, name)?;
        }
        self.copy_up_for_xattr(node)?;
        let _names = read(&self.names);
        let removed = self.real(node)?.remove_xattr(&real_name);
        lock(&node.0.inheritance).take();
        match removed {
            Err(Errno::NODATA) if name == acl::ACCESS || name == acl::DEFAULT => Ok(()),
            removed => removed,
        }
    }

    /// As the kernel does, an attribute leaves the name alone by which a file of the index was found
    /// (`ovl_xattr_set`).
    fn copy_up_for_xattr(&self, node: &NodeRef) -> Result<()> {
        self.check_writable()?;
        if node.0.is_in_upper() {
            return Ok(());
        }
        self.copy_up(node, Need::Attributes)
    }

    /// Names of the extended attributes, sorted, without the union's own.
    ///
    /// # Errors
    /// What reading the disk gives.
    pub fn list_xattrs(&self, node: &NodeRef) -> Result<Vec<OsString>> {
        let _names = read(&self.names);
        let names = self.real(node)?.xattr_names()?;
        let mut shown: Vec<_> = names
            .iter()
            .filter_map(|name| self.marks.to_shown(name))
            .collect();
        shown.sort();
        Ok(shown)
    }
}

/// `user.` attributes are for regular files and directories: xattr(7).
fn check_kind(node: &NodeRef, name: &OsStr) -> Result<()> {
    let can_have = matches!(node.0.kind, FileKind::Regular | FileKind::Directory);
    if !can_have && name.as_bytes().starts_with(b"user.") {
        return Err(Errno::PERM);
    }
    Ok(())
}
