//! Attributes of what was unpacked.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::sync::Arc;

use super::error::{ArchiveError, ArchiveFault, Result, shown};
use super::header::Entry;
use super::unpack::{Number, Unpacker, everything};
use crate::union::{
    Errno, FileKind, NodeRef, SetAttributes, SetTime, Timestamp, XattrFlags, XattrNamespace,
};

const DEFAULT_ACL: &[u8] = b"system.posix_acl_default";

/// Attributes that would change what is made in a directory, or be changed by that.
#[derive(Debug)]
pub(super) struct Dress {
    mode: u32,
    uid: u32,
    gid: u32,
    mtime: Timestamp,
    default_acl: Option<Vec<u8>>,
}

/// Whether an attribute marks an opaque directory. Other marks of an overlay are refused.
pub(super) fn is_opaque_mark(name: &[u8], value: &[u8], is_directory: bool) -> Result<bool> {
    let Some(mark) = name.strip_prefix(b"trusted.overlay.") else {
        return Ok(false);
    };
    if mark == b"opaque" && value == b"y" && is_directory {
        return Ok(true);
    }
    let message = format!("it has {}, a mark of the file system", shown(name));
    Err(ArchiveFault::refused(message))
}

impl Unpacker<'_> {
    /// Sets a directory's attributes, those that can be set now.
    pub(super) fn dress(&mut self, number: Number, node: &NodeRef, entry: &Entry) -> Result<()> {
        let default_acl = entry
            .xattrs
            .iter()
            .find(|(name, _)| name == DEFAULT_ACL)
            .map(|(_, value)| value.clone());
        self.attributes(node, entry)?;
        if let Some(folder) = self.folders.get_mut(number) {
            folder.dress = Some(Dress {
                mode: entry.mode,
                uid: entry.uid,
                gid: entry.gid,
                mtime: entry.mtime,
                default_acl,
            });
        }
        Ok(())
    }

    /// Extended attributes. Those that the disk does not take are left out, as Docker does.
    pub(super) fn attributes(&self, node: &NodeRef, entry: &Entry) -> Result<()> {
        for (name, value) in &entry.xattrs {
            if name == DEFAULT_ACL && node.kind() == FileKind::Directory {
                continue;
            }
            let Some(name) = self.attribute_name(node, name, value)? else {
                continue;
            };
            let name = OsString::from_vec(name);
            self.set_xattr(node, &name, value)?;
        }
        Ok(())
    }

    fn set_xattr(&self, node: &NodeRef, name: &OsStr, value: &[u8]) -> Result<()> {
        match self.union.set_xattr(node, name, value, XattrFlags::Any) {
            Ok(()) | Err(Errno::OPNOTSUPP | Errno::PERM) => Ok(()),
            // An access list that is none: what the kernel says about it depends on who keeps it.
            Err(Errno::INVAL) if name.as_bytes().starts_with(b"system.posix_acl_") => Ok(()),
            Err(errno) => {
                let attribute = format!("attribute {}", shown(name.as_bytes()));
                Err(ArchiveError::from(errno).within(attribute))
            }
        }
    }

    /// The name under which an attribute is kept, marks of an overlay kept apart; `None` when it was a mark
    /// that has taken effect.
    fn attribute_name(&self, node: &NodeRef, name: &[u8], value: &[u8]) -> Result<Option<Vec<u8>>> {
        if is_opaque_mark(name, value, node.kind() == FileKind::Directory)? {
            self.union.mark_opaque(node)?;
            return Ok(None);
        }
        let is_ours = self.namespace == XattrNamespace::User;
        Ok(Some(match name.strip_prefix(b"user.overlay.") {
            // A program's own, one level up as overlayfs keeps it.
            Some(rest) if is_ours => [b"user.overlay.overlay.", rest].concat(),
            _ => name.to_vec(),
        }))
    }

    /// Gives directories their attributes.
    pub(super) fn finish(mut self) -> Result<()> {
        for number in (0..self.folders.len()).rev() {
            let Some(dress) = self.folders.get_mut(number).and_then(|f| f.dress.take()) else {
                continue;
            };
            let mut path = Vec::new();
            let mut at = number;
            while let Some(folder) = self.folders.get(at).filter(|_| at != 0) {
                path.push(Arc::clone(&folder.name));
                at = folder.parent;
            }
            path.reverse();
            let path: Vec<&[u8]> = path.iter().map(AsRef::as_ref).collect();
            let (_, node) = self.directory(&path)?;
            if let Some(list) = &dress.default_acl {
                self.set_xattr(&node, OsStr::from_bytes(DEFAULT_ACL), list)?;
            }
            let change = SetAttributes {
                uid: Some(dress.uid),
                gid: Some(dress.gid),
                mode: Some(dress.mode),
                mtime: Some(SetTime::At(dress.mtime)),
                ..SetAttributes::default()
            };
            let caller = everything((dress.uid, dress.gid));
            self.union.set_attributes(&node, &change, &caller)?;
        }
        Ok(())
    }
}
