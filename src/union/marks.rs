//! Names of extended attributes: which are the union's own marks, how a program's attributes of the same
//! name are kept apart from them, and where privileged ones go when ownership is overridden.
//!
//! Source: overlayfs.rst "Nesting overlayfs mounts" and "User xattr"; `fs/overlayfs/xattrs.c`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use super::{Errno, Options, Ownership, Result, XattrNamespace};

/// A mark of the union, by the part of its name after the prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// `y`: nothing below is merged. `x`: empty files below may be whiteouts.
    Opaque,
    /// An empty regular file with it is a whiteout.
    Whiteout,
    /// Where a renamed directory continues in the lower layers.
    Redirect,
    /// The file's data are in a lower layer.
    Metacopy,
    /// The file was copied up from here; its inode number is the lower file's. Of the root: it was used with this
    /// lower layer. Written with an index only, though the kernel always does.
    Origin,
    /// `y`: files with an origin are in this directory, so that a listing has to look up their numbers.
    Impure,
    /// Of an index: the upper layer that it belongs to.
    Upper,
    /// How many names a file has in the merged view.
    Links,
}

/// The prefix below which `containers/storage` and fuse-overlayfs keep what an ordinary user cannot set.
const OVERRIDE_PREFIX: &[u8] = b"user.containers.override_";

/// Owner, mode and type, when they cannot be real.
pub(super) const OVERRIDE_STAT: &str = "user.containers.override_stat";

/// Naming rules of one union.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks {
    namespace: XattrNamespace,
    overridden: bool,
    plain: bool,
}

impl Marks {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            namespace: options.namespace,
            overridden: options.ownership == Ownership::Override,
            plain: options.plain,
        }
    }

    /// `trusted.overlay.` or `user.overlay.`
    fn prefix(self) -> &'static [u8] {
        match self.namespace {
            XattrNamespace::Trusted => b"trusted.overlay.",
            XattrNamespace::User => b"user.overlay.",
        }
    }

    /// Real name of a mark.
    pub(super) fn name(self, mark: Mark) -> &'static OsStr {
        let name = match (self.namespace, mark) {
            (XattrNamespace::Trusted, Mark::Opaque) => "trusted.overlay.opaque",
            (XattrNamespace::Trusted, Mark::Whiteout) => "trusted.overlay.whiteout",
            (XattrNamespace::Trusted, Mark::Redirect) => "trusted.overlay.redirect",
            (XattrNamespace::Trusted, Mark::Metacopy) => "trusted.overlay.metacopy",
            (XattrNamespace::Trusted, Mark::Origin) => "trusted.overlay.origin",
            (XattrNamespace::Trusted, Mark::Impure) => "trusted.overlay.impure",
            (XattrNamespace::User, Mark::Opaque) => "user.overlay.opaque",
            (XattrNamespace::User, Mark::Whiteout) => "user.overlay.whiteout",
            (XattrNamespace::User, Mark::Redirect) => "user.overlay.redirect",
            (XattrNamespace::User, Mark::Metacopy) => "user.overlay.metacopy",
            (XattrNamespace::User, Mark::Origin) => "user.overlay.origin",
            (XattrNamespace::User, Mark::Impure) => "user.overlay.impure",
            (XattrNamespace::Trusted, Mark::Upper) => "trusted.overlay.upper",
            (XattrNamespace::Trusted, Mark::Links) => "trusted.overlay.nlink",
            (XattrNamespace::User, Mark::Upper) => "user.overlay.upper",
            (XattrNamespace::User, Mark::Links) => "user.overlay.nlink",
        };
        OsStr::new(name)
    }

    /// Whether a real attribute is one of the union's own marks. The escaped form `overlay.overlay.` is a
    /// program's attribute and belongs to the file (union rows 54, 55, 230).
    pub(super) fn is_private(self, real: &OsStr) -> bool {
        if self.plain {
            return false;
        }
        real.as_bytes()
            .strip_prefix(self.prefix())
            .is_some_and(|rest| !rest.starts_with(b"overlay."))
    }

    /// Where a program's attribute is really kept.
    ///
    /// # Errors
    /// `EPERM` for names that the override keeps for itself, `EOPNOTSUPP` for unknown namespaces, and
    /// `ERANGE` when escaping makes the name longer than 255 bytes.
    pub(super) fn to_real(self, shown: &OsStr) -> Result<OsString> {
        let mut name = shown.as_bytes().to_vec();
        if self.overridden && name.starts_with(OVERRIDE_PREFIX) {
            return Err(Errno::PERM);
        }
        if !self.plain && name.starts_with(self.prefix()) {
            let at = self.prefix().len();
            name.splice(at..at, *b"overlay.");
        }
        if self.overridden && !name.starts_with(b"user.") {
            if !is_privileged(&name) {
                return Err(Errno::OPNOTSUPP);
            }
            name.splice(0..0, OVERRIDE_PREFIX.iter().copied());
        }
        if name.len() > 255 {
            return Err(Errno::RANGE);
        }
        Ok(OsString::from_vec(name))
    }

    /// What a program sees of a real attribute: its name, or nothing.
    pub(super) fn to_shown(self, real: &OsStr) -> Option<OsString> {
        if self.is_private(real) {
            return None;
        }
        let mut name = real.as_bytes().to_vec();
        if self.overridden {
            if let Some(rest) = name.strip_prefix(OVERRIDE_PREFIX) {
                if !is_privileged(rest) {
                    return None;
                }
                name = rest.to_vec();
            } else if !name.starts_with(b"user.") {
                // What the real disk says about security (labels of the host) is not the file's own.
                return None;
            }
        }
        if !self.plain && name.starts_with(self.prefix()) {
            let at = self.prefix().len();
            name.drain(at..at + b"overlay.".len());
        }
        Some(OsString::from_vec(name))
    }
}

/// Names that need a privilege, or that the kernel interprets.
fn is_privileged(name: &[u8]) -> bool {
    name.starts_with(b"trusted.")
        || name.starts_with(b"security.")
        || name == b"system.posix_acl_access"
        || name == b"system.posix_acl_default"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(namespace: XattrNamespace, ownership: Ownership) -> Marks {
        Marks::new(&Options {
            namespace,
            ownership,
            ..Options::default()
        })
    }

    #[test]
    fn names_go_there_and_back() {
        use Ownership::{Override, Real};
        use XattrNamespace::{Trusted, User};
        for (namespace, ownership, shown, real) in [
            (Trusted, Real, "user.a", "user.a"),
            (
                Trusted,
                Real,
                "trusted.overlay.opaque",
                "trusted.overlay.overlay.opaque",
            ),
            (
                Trusted,
                Real,
                "trusted.overlay.overlay.x",
                "trusted.overlay.overlay.overlay.x",
            ),
            (Trusted, Real, "trusted.overlayfoo", "trusted.overlayfoo"),
            (Trusted, Real, "user.overlay.zz", "user.overlay.zz"),
            (User, Real, "user.overlay.zz", "user.overlay.overlay.zz"),
            (
                User,
                Override,
                "trusted.t",
                "user.containers.override_trusted.t",
            ),
            (
                User,
                Override,
                "security.capability",
                "user.containers.override_security.capability",
            ),
            (User, Override, "user.overlay.zz", "user.overlay.overlay.zz"),
        ] {
            let marks = marks(namespace, ownership);
            assert_eq!(marks.to_real(OsStr::new(shown)).unwrap(), real);
            assert_eq!(marks.to_shown(OsStr::new(real)).unwrap(), shown);
        }
    }

    #[test]
    fn own_marks_are_hidden() {
        let trusted = marks(XattrNamespace::Trusted, Ownership::Real);
        assert_eq!(trusted.to_shown(OsStr::new("trusted.overlay.opaque")), None);
        let overridden = marks(XattrNamespace::User, Ownership::Override);
        assert_eq!(overridden.to_shown(OsStr::new(OVERRIDE_STAT)), None);
        assert_eq!(overridden.to_shown(OsStr::new("security.selinux")), None);
        assert_eq!(
            overridden.to_real(OsStr::new(OVERRIDE_STAT)),
            Err(Errno::PERM)
        );
    }
}
