//! Redirects: where a renamed directory continues in the lower layers.
//!
//! The value is a name in the same parent, or an absolute path from the root of the layers. Source:
//! overlayfs.rst "renaming directories", `ovl_get_redirect_xattr` in `fs/overlayfs/util.c`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use super::lock::lock;
use super::node::NodeRef;
use super::{Errno, Result};

/// Longest value that is written (`redirect_max`); a longer one falls back to `EXDEV`.
const MAXIMUM: usize = 256;

/// Takes a redirect apart: whether it is absolute, and its components.
///
/// # Errors
/// `EINVAL` for a value that could leave the layer: empty components, `.` and `..`, a relative path of
/// several components.
pub(super) fn parse(redirect: &OsStr) -> Result<(bool, Vec<OsString>)> {
    let bytes = redirect.as_bytes();
    let (is_absolute, rest) = match bytes.strip_prefix(b"/") {
        Some(rest) => (true, rest),
        None => (false, bytes),
    };
    let parts: Vec<OsString> = rest
        .split(|byte| *byte == b'/')
        .map(|part| OsString::from_vec(part.to_vec()))
        .collect();
    let is_name = |part: &OsString| !matches!(part.as_bytes(), b"" | b"." | b"..");
    if !parts.iter().all(is_name) || (!is_absolute && parts.len() != 1) {
        return Err(Errno::INVAL);
    }
    Ok((is_absolute, parts))
}

/// The redirect that a directory needs when it moves away from its present name: relative while it
/// stays in its parent, else absolute.
///
/// # Errors
/// `EXDEV` when it would be too long, or when the file has no name.
pub(super) fn redirect_for(node: &NodeRef, same_parent: bool) -> Result<OsString> {
    let mut parts: Vec<OsString> = Vec::new();
    let mut at = node.clone();
    loop {
        let (parent, name) = {
            let state = lock(&at.0.state);
            let found_by = at.1.as_ref().map(|it| (it.dir.clone(), it.name.clone()));
            let Some((parent, name)) = found_by.or_else(|| state.dentry.clone()) else {
                break;
            };
            (parent, state.redirect.clone().unwrap_or(name))
        };
        if same_parent && parts.is_empty() && !name.as_bytes().starts_with(b"/") {
            return checked(name);
        }
        if let Some(rest) = name.as_bytes().strip_prefix(b"/") {
            parts.push(OsString::from_vec(rest.to_vec()));
            break;
        }
        parts.push(name);
        at = parent;
    }
    let mut path = Vec::new();
    for part in parts.iter().rev() {
        path.push(b'/');
        path.extend_from_slice(part.as_bytes());
    }
    checked(OsString::from_vec(path))
}

fn checked(redirect: OsString) -> Result<OsString> {
    if redirect.is_empty() || redirect.len() > MAXIMUM {
        Err(Errno::XDEV)
    } else {
        Ok(redirect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_redirects_are_refused() {
        for value in ["", "/", "a/b", "..", "/..", "/a//b", "/a/../b", ".", "/a/"] {
            assert_eq!(parse(OsStr::new(value)), Err(Errno::INVAL), "{value}");
        }
        assert_eq!(parse(OsStr::new("a")), Ok((false, vec!["a".into()])));
        assert_eq!(
            parse(OsStr::new("/a/b")),
            Ok((true, vec!["a".into(), "b".into()]))
        );
    }
}
