//! Which set-ID bits survive, as `fs/attr.c` and `fs/inode.c` decide it.

use super::{Caller, CallerCapability, FileKind};

const SET_UID: u32 = 0o4000;
const SET_GID: u32 = 0o2000;
const GROUP_EXECUTE: u32 = 0o010;

fn owns_group(gid: u32, caller: &Caller) -> bool {
    caller.in_group(gid) || caller.can(CallerCapability::Fsetid)
}

/// Without the bits that any change of owner takes away (`setattr_should_drop_sgid`): a set-group-ID bit
/// without group execution means mandatory locking and stays for members of the group.
fn dropped(mode: u32, gid: u32, caller: &Caller) -> u32 {
    let mode = mode & !SET_UID;
    if mode & SET_GID != 0 && (mode & GROUP_EXECUTE != 0 || !owns_group(gid, caller)) {
        return mode & !SET_GID;
    }
    mode
}

/// The mode that `chmod` really sets (`setattr_copy`).
pub(super) fn after_chmod(mode: u32, gid: u32, caller: &Caller) -> u32 {
    if owns_group(gid, caller) {
        mode
    } else {
        mode & !SET_GID
    }
}

/// The mode after a change of owner (`chown_common`). Directories keep theirs.
pub(super) fn after_chown(kind: FileKind, mode: u32, gid: u32, caller: &Caller) -> u32 {
    if kind == FileKind::Directory {
        mode
    } else {
        dropped(mode, gid, caller)
    }
}

/// The mode after a write or truncation (`file_remove_privs`).
pub(super) fn after_write(mode: u32, gid: u32, caller: &Caller) -> u32 {
    if caller.can(CallerCapability::Fsetid) {
        mode
    } else {
        dropped(mode, gid, caller)
    }
}

/// Group and mode of a new file (`inode_init_owner`, `mode_strip_sgid`); the mode is one that the umask or
/// a default ACL has been applied to.
pub(super) fn of_new(kind: FileKind, mode: u32, parent: (u32, u32), caller: &Caller) -> (u32, u32) {
    let (parent_gid, parent_mode) = parent;
    if parent_mode & SET_GID == 0 {
        return (caller.gid, mode);
    }
    let inherits_bit = kind == FileKind::Directory;
    let is_foreign = mode & (SET_GID | GROUP_EXECUTE) == SET_GID | GROUP_EXECUTE
        && !owns_group(parent_gid, caller);
    let mode = match (inherits_bit, is_foreign) {
        (true, _) => mode | SET_GID,
        (false, true) => mode & !SET_GID,
        (false, false) => mode,
    };
    (parent_gid, mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_id_bits() {
        let root = Caller {
            capabilities: vec![CallerCapability::Fsetid],
            ..Caller::default()
        };
        let user = Caller {
            uid: 5,
            gid: 5,
            groups: vec![6],
            ..Caller::default()
        };
        let file = FileKind::Regular;
        for (what, got, expected) in [
            ("chmod in group", after_chmod(0o2755, 6, &user), 0o2755),
            ("chmod out of group", after_chmod(0o6755, 7, &user), 0o4755),
            ("chmod by root", after_chmod(0o2755, 7, &root), 0o2755),
            ("chown by root", after_chown(file, 0o6755, 0, &root), 0o755),
            (
                "chown keeps mandatory locking",
                after_chown(file, 0o6745, 0, &root),
                0o2745,
            ),
            (
                "chown of a directory",
                after_chown(FileKind::Directory, 0o6755, 0, &root),
                0o6755,
            ),
            ("write by user", after_write(0o6777, 5, &user), 0o777),
            ("write by root", after_write(0o6777, 5, &root), 0o6777),
        ] {
            assert_eq!(got, expected, "{what}");
        }
        let parent = (7, 0o2755);
        assert_eq!(of_new(file, 0o644, parent, &user), (7, 0o644));
        assert_eq!(of_new(file, 0o2755, parent, &user), (7, 0o755));
        assert_eq!(
            of_new(FileKind::Directory, 0o755, parent, &user),
            (7, 0o2755)
        );
        assert_eq!(of_new(file, 0o2755, (7, 0o755), &user), (5, 0o2755));
    }
}
