//! A path of a volume or an image that is mounted alone: Docker rows 185, 186; moby `internal/safepath`.

use std::ffi::OsString;
use std::path::{Component, Path};

use super::refusals::{Result, fault, text};
use crate::engine::Kind;
use crate::union::{self, Errno, FileKind, NodeRef, Union};

/// Most symlinks on the way.
const LINKS_MAX: usize = 40;

/// Finds a relative path below `top`. Symlinks are followed as long as they stay below it; an absolute
/// one leaves.
pub(super) fn find(union: &Union, top: &NodeRef, subpath: &str) -> Result<NodeRef> {
    match walk(union, top, subpath) {
        Ok(Some(node)) => Ok(node),
        Ok(None) => {
            let message = "path concatenation escapes the base directory";
            Err(fault(Kind::InvalidMount, message))
        }
        Err(errno) => {
            let message = format!(
                "cannot access path {subpath}: lstat {subpath}: {}",
                text(errno)
            );
            Err(fault(Kind::MountSourceMissing, message))
        }
    }
}

/// `None` when the path leaves.
fn walk(union: &Union, top: &NodeRef, subpath: &str) -> union::Result<Option<NodeRef>> {
    let mut rest: Vec<OsString> = reversed(Path::new(subpath));
    let mut above = Vec::new();
    let mut at = top.clone();
    let mut links = 0;
    while let Some(name) = rest.pop() {
        if name == "/" {
            return Ok(None);
        }
        if name == ".." {
            match above.pop() {
                Some(parent) => at = parent,
                None => return Ok(None),
            }
            continue;
        }
        if at.kind() != FileKind::Directory {
            return Err(Errno::NOTDIR);
        }
        let next = union.lookup(&at, &name)?;
        if next.kind() == FileKind::Symlink {
            links += 1;
            if links > LINKS_MAX {
                return Err(Errno::LOOP);
            }
            rest.extend(reversed(Path::new(&union.read_link(&next)?)));
        } else {
            above.push(std::mem::replace(&mut at, next));
        }
    }
    Ok(Some(at))
}

/// Components, last first; `/` stands for an absolute path.
fn reversed(path: &Path) -> Vec<OsString> {
    let name = |component: Component<'_>| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir => Some("/".into()),
        _ => None,
    };
    path.components().rev().filter_map(name).collect()
}
