//! What a caller may do to a file: Linux's discretionary access control with POSIX access lists and
//! capability overrides (`fs/namei.c`, `fs/attr.c`, `fs/posix_acl.c`; capabilities(7), acl(5)).

use std::ops::BitOr;

use super::acl;
use crate::union::{Attributes, Caller, CallerCapability, Errno, FileKind, NodeRef, Result, Union};

const STICKY: u32 = 0o1000;
const SET_GROUP_ID: u32 = 0o2000;
const GROUP_EXECUTE: u32 = 0o010;

/// A set of wishes: read, write, execute (search, for a directory).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wish(pub(super) u32);

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
    } else if let Some(list) = acl::of(union, node, mode)? {
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
