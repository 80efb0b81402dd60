//! POSIX access control lists: acl(5), `fs/posix_acl.c`.

use std::ffi::OsStr;

use super::permission::Wish;
use crate::union::{Attributes, Caller, Errno, FileKind, NodeRef, Result, Union};

/// Where a file's access list is kept.
pub(super) const ACCESS: &str = "system.posix_acl_access";

/// Where a directory's default list is kept, which new files in it inherit.
pub(super) const DEFAULT: &str = "system.posix_acl_default";

/// The access list of a file. As the kernel, not even asked for when the group bits (its mask) are empty.
pub(super) fn of(union: &Union, node: &NodeRef, mode: u32) -> Result<Option<AccessList>> {
    if mode & 0o070 == 0 || node.kind() == FileKind::Symlink {
        return Ok(None);
    }
    match union.get_xattr(node, OsStr::new(ACCESS)) {
        Ok(bytes) => AccessList::parse(&bytes).map(Some),
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// `posix_acl_from_xattr`: whether a value can be read as an access list.
///
/// # Errors
/// `EINVAL`; `EOPNOTSUPP` for another version.
pub(super) fn check_form(value: &[u8]) -> Result<()> {
    if value.is_empty() {
        return Ok(());
    }
    let known = [
        tag::USER_OBJ,
        tag::USER,
        tag::GROUP_OBJ,
        tag::GROUP,
        tag::MASK,
        tag::OTHER,
    ];
    let list = AccessList::parse(value)?;
    if list.0.iter().all(|entry| known.contains(&entry.tag)) {
        Ok(())
    } else {
        Err(Errno::INVAL)
    }
}

/// `posix_acl_valid`: the entries are complete and in their order.
///
/// # Errors
/// `EINVAL`
pub(super) fn check_entries(value: &[u8]) -> Result<()> {
    if value.is_empty() {
        return Ok(());
    }
    let list = AccessList::parse(value)?;
    // What may come next, and whether a mask must.
    let (mut next, mut needs_mask) = (Some(tag::USER_OBJ), false);
    for entry in &list.0 {
        let of_many = matches!(entry.tag, tag::USER | tag::GROUP);
        needs_mask |= of_many;
        next = match (next, entry.tag) {
            _ if entry.granted > 7 => return Err(Errno::INVAL),
            (Some(tag::USER_OBJ), tag::USER_OBJ) | (Some(tag::USER), tag::USER) => Some(tag::USER),
            (Some(tag::USER), tag::GROUP_OBJ) | (Some(tag::GROUP), tag::GROUP) => Some(tag::GROUP),
            (Some(tag::GROUP), tag::MASK) => Some(tag::OTHER),
            (Some(tag::OTHER), tag::OTHER) => None,
            (Some(tag::GROUP), tag::OTHER) if !needs_mask => None,
            _ => return Err(Errno::INVAL),
        };
    }
    if next.is_none() {
        Ok(())
    } else {
        Err(Errno::INVAL)
    }
}

/// A POSIX access control list in the order in which it is stored.
pub(super) struct AccessList(Vec<AccessEntry>);

#[derive(Clone, Copy)]
struct AccessEntry {
    tag: u16,
    granted: u32,
    id: u32,
}

/// Tags of `linux/posix_acl.h`.
mod tag {
    pub(super) const USER_OBJ: u16 = 0x01;
    pub(super) const USER: u16 = 0x02;
    pub(super) const GROUP_OBJ: u16 = 0x04;
    pub(super) const GROUP: u16 = 0x08;
    pub(super) const MASK: u16 = 0x10;
    pub(super) const OTHER: u16 = 0x20;
}

impl AccessList {
    /// `linux/posix_acl_xattr.h`: version 2, then entries of tag (u16), permissions (u16), id (u32),
    /// little-endian.
    fn parse(bytes: &[u8]) -> Result<Self> {
        let (version, entries) = bytes.split_first_chunk::<4>().ok_or(Errno::INVAL)?;
        let (chunks, rest) = entries.as_chunks::<8>();
        if u32::from_le_bytes(*version) != 2 {
            return Err(Errno::OPNOTSUPP);
        }
        if !rest.is_empty() {
            return Err(Errno::INVAL);
        }
        let entry = |[t0, t1, p0, p1, i0, i1, i2, i3]: &[u8; 8]| AccessEntry {
            tag: u16::from_le_bytes([*t0, *t1]),
            granted: u32::from(u16::from_le_bytes([*p0, *p1])),
            id: u32::from_le_bytes([*i0, *i1, *i2, *i3]),
        };
        Ok(Self(chunks.iter().map(entry).collect()))
    }

    /// `posix_acl_permission`, for a caller who is not the owner: the owner's permissions are in the mode.
    pub(super) fn check(&self, attributes: &Attributes, caller: &Caller, wish: Wish) -> Result<()> {
        let grants = |granted: u32| granted & wish.0 == wish.0;
        let mut in_some_group = false;
        for entry in &self.0 {
            let applies = match entry.tag {
                tag::USER => caller.uid == entry.id,
                tag::GROUP_OBJ | tag::GROUP => {
                    let gid = if entry.tag == tag::GROUP {
                        entry.id
                    } else {
                        attributes.gid
                    };
                    let member = caller.in_group(gid);
                    in_some_group |= member;
                    member && grants(entry.granted)
                }
                tag::OTHER => return verdict(!in_some_group && grants(entry.granted)),
                _ => false,
            };
            if applies {
                return verdict(grants(entry.granted & self.mask()));
            }
        }
        Err(Errno::ACCESS)
    }

    fn mask(&self) -> u32 {
        self.0
            .iter()
            .find(|entry| entry.tag == tag::MASK)
            .map_or(7, |entry| entry.granted)
    }
}

fn verdict(granted: bool) -> Result<()> {
    if granted { Ok(()) } else { Err(Errno::ACCESS) }
}
