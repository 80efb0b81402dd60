//! What a caller may do to a file: Linux's discretionary access control with POSIX access lists and
//! capability overrides (`fs/namei.c`, `fs/attr.c`, `fs/posix_acl.c`; capabilities(7), acl(5)).

use std::ffi::OsStr;
use std::ops::BitOr;

use crate::union::{Attributes, Caller, CallerCapability, Errno, FileKind, NodeRef, Result, Union};

const ACL_ACCESS: &str = "system.posix_acl_access";
const STICKY: u32 = 0o1000;
const SET_GROUP_ID: u32 = 0o2000;
const GROUP_EXECUTE: u32 = 0o010;

/// A set of wishes: read, write, execute (search, for a directory).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wish(u32);

impl Wish {
    pub(super) const NONE: Self = Self(0);
    pub(super) const EXECUTE: Self = Self(1);
    pub(super) const WRITE: Self = Self(2);
    pub(super) const READ: Self = Self(4);

    fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitOr for Wish {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// `inode_permission`: `EACCES` unless every wish is granted. Reads attributes only when the caller's
/// capabilities do not decide, so that a superuser's walk costs nothing here.
pub(super) fn check(union: &Union, node: &NodeRef, caller: &Caller, wish: Wish) -> Result<()> {
    if wish == Wish::NONE || (node.kind() == FileKind::Directory && searches_all(caller, wish)) {
        return Ok(());
    }
    let attributes = union.attributes(node)?;
    check_known(union, node, &attributes, caller, wish)
}

/// [`check`] with attributes at hand.
pub(super) fn check_known(
    union: &Union,
    node: &NodeRef,
    attributes: &Attributes,
    caller: &Caller,
    wish: Wish,
) -> Result<()> {
    if wish == Wish::NONE || overrides(attributes, caller, wish) {
        return Ok(());
    }
    let mode = attributes.mode;
    let granted = if attributes.uid == caller.uid {
        mode >> 6
    } else if let Some(list) = access_list(union, node, mode)? {
        return list.check(attributes, caller, wish);
    } else if caller.in_group(attributes.gid) {
        mode >> 3
    } else {
        mode
    };
    if wish.0 & !granted == 0 {
        Ok(())
    } else {
        Err(Errno::ACCESS)
    }
}

/// The capability half of `generic_permission`. It is asked first, since it reads nothing; the order
/// cannot be observed.
fn overrides(attributes: &Attributes, caller: &Caller, wish: Wish) -> bool {
    if attributes.kind == FileKind::Directory {
        return searches_all(caller, wish);
    }
    if caller.can(CallerCapability::DacReadSearch) && wish == Wish::READ {
        return true;
    }
    let executable = attributes.mode & 0o111 != 0;
    caller.can(CallerCapability::DacOverride) && (!wish.has(Wish::EXECUTE) || executable)
}

fn searches_all(caller: &Caller, wish: Wish) -> bool {
    caller.can(CallerCapability::DacOverride)
        || (caller.can(CallerCapability::DacReadSearch) && !wish.has(Wish::WRITE))
}

/// `inode_owner_or_capable`: `EPERM` unless the caller owns the file.
pub(super) fn check_owner(attributes: &Attributes, caller: &Caller) -> Result<()> {
    let owner = attributes.uid == caller.uid || caller.can(CallerCapability::Fowner);
    if owner { Ok(()) } else { Err(Errno::PERM) }
}

/// `check_sticky`: in a sticky directory only the owner of the file or of the directory takes the
/// file away, else `EPERM`.
pub(super) fn check_sticky(dir: &Attributes, file: &Attributes, caller: &Caller) -> Result<()> {
    let free = dir.mode & STICKY == 0 || file.uid == caller.uid || dir.uid == caller.uid;
    if free || caller.can(CallerCapability::Fowner) {
        Ok(())
    } else {
        Err(Errno::PERM)
    }
}

/// Owner checks of `chown` (`setattr_prepare`): the user only with `CAP_CHOWN`, the group also by the
/// owner to one of its own groups. `EPERM`.
pub(super) fn check_chown(
    attributes: &Attributes,
    caller: &Caller,
    uid: Option<u32>,
    gid: Option<u32>,
) -> Result<()> {
    if caller.can(CallerCapability::Chown) {
        return Ok(());
    }
    let owner = attributes.uid == caller.uid;
    let user_stays = uid.is_none_or(|uid| owner && uid == attributes.uid);
    let own_group = gid.is_none_or(|gid| owner && (gid == attributes.gid || caller.in_group(gid)));
    if user_stays && own_group {
        Ok(())
    } else {
        Err(Errno::PERM)
    }
}

/// The mode that `chmod` leaves: without set-group-ID when the caller is not in the file's group.
pub(super) fn mode_to_set(attributes: &Attributes, caller: &Caller, mode: u32) -> u32 {
    if caller.in_group(attributes.gid) || caller.can(CallerCapability::Fsetid) {
        mode
    } else {
        mode & !SET_GROUP_ID
    }
}

/// The mode with which a file is made in a directory (`mode_strip_sgid`): a set-group-ID program for
/// somebody else's group cannot be made through a set-group-ID directory.
pub(super) fn mode_to_create(dir: &Attributes, caller: &Caller, mode: u32) -> u32 {
    let program = mode & (SET_GROUP_ID | GROUP_EXECUTE) == SET_GROUP_ID | GROUP_EXECUTE;
    let inherited = dir.mode & SET_GROUP_ID != 0;
    if program && inherited && !caller.in_group(dir.gid) && !caller.can(CallerCapability::Fsetid) {
        mode & !SET_GROUP_ID
    } else {
        mode
    }
}

/// `may_linkat` with `fs.protected_hardlinks=1`, which every distribution sets: another's file can be
/// linked only when it is a plain one that the caller could also read and write. `EPERM`.
pub(super) fn check_link_source(
    union: &Union,
    node: &NodeRef,
    attributes: &Attributes,
    caller: &Caller,
) -> Result<()> {
    if check_owner(attributes, caller).is_ok() {
        return Ok(());
    }
    let set_group_program = SET_GROUP_ID | GROUP_EXECUTE;
    let safe = attributes.kind == FileKind::Regular
        && attributes.mode & 0o4000 == 0
        && attributes.mode & set_group_program != set_group_program;
    let both = Wish::READ | Wish::WRITE;
    if safe && check_known(union, node, attributes, caller, both).is_ok() {
        Ok(())
    } else {
        Err(Errno::PERM)
    }
}

/// The access list of a file. As the kernel, not even asked for when the group bits (its mask) are empty.
fn access_list(union: &Union, node: &NodeRef, mode: u32) -> Result<Option<AccessList>> {
    if mode & 0o070 == 0 || node.kind() == FileKind::Symlink {
        return Ok(None);
    }
    match union.get_xattr(node, OsStr::new(ACL_ACCESS)) {
        Ok(bytes) => AccessList::parse(&bytes).map(Some),
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// A POSIX access control list in the order in which it is stored.
struct AccessList(Vec<AccessEntry>);

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
        if u32::from_le_bytes(*version) != 2 || !rest.is_empty() {
            return Err(Errno::OPNOTSUPP);
        }
        let entry = |[t0, t1, p0, p1, i0, i1, i2, i3]: &[u8; 8]| AccessEntry {
            tag: u16::from_le_bytes([*t0, *t1]),
            granted: u32::from(u16::from_le_bytes([*p0, *p1])),
            id: u32::from_le_bytes([*i0, *i1, *i2, *i3]),
        };
        Ok(Self(chunks.iter().map(entry).collect()))
    }

    /// `posix_acl_permission`, for a caller who is not the owner or who is.
    fn check(&self, attributes: &Attributes, caller: &Caller, wish: Wish) -> Result<()> {
        let grants = |granted: u32| granted & wish.0 == wish.0;
        let mut in_some_group = false;
        for entry in &self.0 {
            let applies = match entry.tag {
                tag::USER_OBJ if attributes.uid == caller.uid => {
                    return verdict(grants(entry.granted));
                }
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
