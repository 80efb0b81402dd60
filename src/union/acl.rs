//! POSIX ACLs in the form of their extended attributes: `linux/posix_acl_xattr.h`.
//!
//! The real file system applies them where it knows of them. This is for what it does not see: files made
//! in the work directory, and ACLs that are kept under an escaped name.

const VERSION: [u8; 4] = [2, 0, 0, 0];
const USER_OBJ: u16 = 0x01;
const USER: u16 = 0x02;
const GROUP_OBJ: u16 = 0x04;
const GROUP: u16 = 0x08;
const MASK: u16 = 0x10;
const OTHER: u16 = 0x20;

/// Name of a file's own ACL.
pub(super) const ACCESS: &str = "system.posix_acl_access";

/// Name of the ACL that new files in a directory get.
pub(super) const DEFAULT: &str = "system.posix_acl_default";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    tag: u16,
    permissions: u16,
    id: [u8; 4],
}

/// An access control list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Acl(Vec<Entry>);

impl Acl {
    /// Parses the attribute; `None` when it is not in that form.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let entries = value.strip_prefix(&VERSION)?;
        if entries.len() % 8 != 0 {
            return None;
        }
        let entry = |bytes: &[u8]| match bytes {
            &[t0, t1, p0, p1, i0, i1, i2, i3] => Some(Entry {
                tag: u16::from_le_bytes([t0, t1]),
                permissions: u16::from_le_bytes([p0, p1]) & 7,
                id: [i0, i1, i2, i3],
            }),
            _ => None,
        };
        entries
            .chunks_exact(8)
            .map(entry)
            .collect::<Option<Vec<_>>>()
            .map(Self)
    }

    /// The attribute's value.
    pub(super) fn format(&self) -> Vec<u8> {
        let mut value = VERSION.to_vec();
        for entry in &self.0 {
            value.extend(entry.tag.to_le_bytes());
            value.extend(entry.permissions.to_le_bytes());
            value.extend(entry.id);
        }
        value
    }

    fn find(&mut self, tag: u16) -> Option<&mut Entry> {
        self.0.iter_mut().find(|entry| entry.tag == tag)
    }

    /// The entry that the group bits of the mode stand for.
    fn group_class(&mut self) -> Option<&mut Entry> {
        let tag = if self.0.iter().any(|entry| entry.tag == MASK) {
            MASK
        } else {
            GROUP_OBJ
        };
        self.find(tag)
    }

    /// Whether it says no more than a mode can.
    pub(super) fn is_minimal(&self) -> bool {
        !self
            .0
            .iter()
            .any(|entry| matches!(entry.tag, USER | GROUP | MASK))
    }

    /// Permission bits of the mode that goes with it (`posix_acl_equiv_mode`).
    pub(super) fn mode(&self) -> u32 {
        let mut acl = self.clone();
        let class =
            |entry: Option<&mut Entry>| entry.map_or(0, |entry| u32::from(entry.permissions));
        let user = class(acl.find(USER_OBJ));
        let group = class(acl.group_class());
        let other = class(acl.find(OTHER));
        user << 6 | group << 3 | other
    }

    /// As `chmod` changes it (`__posix_acl_chmod_masq`).
    #[must_use]
    pub(super) fn with_mode(mut self, mode: u32) -> Self {
        let set = |entry: Option<&mut Entry>, bits: u32| {
            if let Some(entry) = entry {
                entry.permissions = bits_of(bits);
            }
        };
        set(self.find(USER_OBJ), mode >> 6);
        set(self.group_class(), mode >> 3);
        set(self.find(OTHER), mode);
        self
    }

    /// For a new file, from its parent's default ACL: the file's ACL, unless the mode says it all, and the
    /// file's mode (`posix_acl_create_masq`).
    pub(super) fn for_new(mut self, mode: u32) -> (Option<Self>, u32) {
        let both = |entry: Option<&mut Entry>, bits: u32| match entry {
            Some(entry) => {
                entry.permissions &= bits_of(bits);
                u32::from(entry.permissions)
            }
            None => bits & 7,
        };
        let user = both(self.find(USER_OBJ), mode >> 6);
        let group = both(self.group_class(), mode >> 3);
        let other = both(self.find(OTHER), mode);
        let mode = mode & !0o777 | user << 6 | group << 3 | other;
        if self.is_minimal() {
            (None, mode)
        } else {
            (Some(self), mode)
        }
    }
}

fn bits_of(bits: u32) -> u16 {
    // Three bits always fit.
    u16::try_from(bits & 7).unwrap_or(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acl(entries: &[(u16, u16)]) -> Acl {
        let entry = |&(tag, permissions)| Entry {
            tag,
            permissions,
            id: [255; 4],
        };
        Acl(entries.iter().map(entry).collect())
    }

    #[test]
    fn there_and_back() {
        let list = acl(&[
            (USER_OBJ, 6),
            (USER, 7),
            (GROUP_OBJ, 4),
            (MASK, 7),
            (OTHER, 0),
        ]);
        assert_eq!(Acl::parse(&list.format()), Some(list.clone()));
        assert_eq!(list.mode(), 0o670);
        assert_eq!(Acl::parse(b"\x02\0\0\0\x01"), None);
        assert_eq!(Acl::parse(b""), None);
    }

    #[test]
    fn masks() {
        let list = acl(&[
            (USER_OBJ, 7),
            (USER, 7),
            (GROUP_OBJ, 5),
            (MASK, 7),
            (OTHER, 5),
        ]);
        let (own, mode) = list.clone().for_new(0o2644);
        assert_eq!(mode, 0o2644);
        assert_eq!(own.map(|own| own.mode()), Some(0o644));
        let minimal = acl(&[(USER_OBJ, 7), (GROUP_OBJ, 0), (OTHER, 0)]);
        assert_eq!(minimal.for_new(0o666), (None, 0o600));
        assert_eq!(list.with_mode(0o751).mode(), 0o751);
    }
}
