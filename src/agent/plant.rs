//! A tree of files made as the superuser, nobody's permissions asked; and removed again.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;

use super::Result;
use super::files::{Resolved, fill, new_node, set_attributes};
use crate::engine::{Entry, Node, NodeKind, Tree};

/// Makes a tree below `top`. Hard links are made after everything else, times set last of all. A directory
/// that exists keeps what is in it; a file that exists is replaced.
///
/// # Errors
/// The path and what went wrong with it; what was made before it stays.
pub(super) fn plant(top: &str, tree: &Tree) -> std::result::Result<(), (String, Errno)> {
    let top = Path::new(top);
    directories(top).map_err(|errno| (top.display().to_string(), errno))?;
    let link = |entry: &&Entry| matches!(entry.node.kind, NodeKind::Hardlink { .. });
    let late = |entry: &Entry| Node {
        mtime: entry.node.mtime,
        ..Node::new(entry.node.kind.clone())
    };
    let (links, others): (Vec<_>, Vec<_>) = tree.0.iter().partition(link);
    for entry in others.into_iter().chain(links) {
        make(top, entry).map_err(|errno| (entry.path.clone(), errno))?;
    }
    for entry in tree.0.iter().filter(|entry| entry.node.mtime.is_some()) {
        let path = below(top, &entry.path);
        let path = path.to_str().unwrap_or_default();
        set_attributes(&Resolved::Path(path), &late(entry), false)
            .map_err(|errno| (entry.path.clone(), errno))?;
    }
    Ok(())
}

fn below(top: &Path, path: &str) -> PathBuf {
    top.join(path.trim_start_matches('/'))
}

/// A directory and its missing parents, 0755.
fn directories(path: &Path) -> Result<()> {
    match rustix::fs::mkdir(path, Mode::from_raw_mode(0o755)) {
        Err(Errno::NOENT) => {
            directories(path.parent().ok_or(Errno::NOENT)?)?;
            rustix::fs::mkdir(path, Mode::from_raw_mode(0o755))?;
        }
        Err(Errno::EXIST) => return Ok(()),
        made => made?,
    }
    disown(path)
}

/// Takes back what a set-group-ID parent has given to something new: its group, and to a directory its mode.
fn disown(path: &Path) -> Result<()> {
    let (new, group) = (rustix::fs::lstat(path)?, rustix::process::getegid());
    if new.st_gid != group.as_raw() {
        rustix::fs::chownat(CWD, path, None, Some(group), AtFlags::SYMLINK_NOFOLLOW)?;
    }
    if Mode::from_raw_mode(new.st_mode).contains(Mode::SGID) {
        rustix::fs::chmod(path, Mode::from_raw_mode(0o755))?;
    }
    Ok(())
}

fn make(top: &Path, entry: &Entry) -> Result<()> {
    let path = below(top, &entry.path);
    let text = path.to_str().ok_or(Errno::ILSEQ)?;
    if let Some(parent) = path.parent().filter(|_| path != top) {
        directories(parent)?;
    }
    if !matches!(entry.node.kind, NodeKind::Directory { .. }) {
        match rustix::fs::unlink(&path) {
            Err(Errno::NOENT) => {}
            gone => gone?,
        }
    }
    let default = match &entry.node.kind {
        NodeKind::Directory { .. } => {
            directories(&path)?;
            None
        }
        NodeKind::File(content) => {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            fill(
                &rustix::fs::open(&path, flags, Mode::from_raw_mode(0o600))?,
                content,
            )?;
            Some(0o644)
        }
        NodeKind::Symlink { target } => {
            rustix::fs::symlink(target.as_str(), &path)?;
            None
        }
        // It has its file's attributes.
        NodeKind::Hardlink { to } => return rustix::fs::link(below(top, to), &path),
        kind => {
            let (kind, device, _) = new_node(kind).ok_or(Errno::INVAL)?;
            rustix::fs::mknodat(CWD, &path, kind, Mode::from_raw_mode(0o600), device)?;
            Some(0o644)
        }
    };
    if !matches!(entry.node.kind, NodeKind::Directory { .. }) {
        disown(&path)?;
    }
    let node = Node {
        mode: match entry.node.kind {
            NodeKind::Symlink { .. } => None,
            _ => entry.node.mode.or(default),
        },
        mtime: None,
        ..entry.node.clone()
    };
    set_attributes(&Resolved::Path(text), &node, false)
}

/// Removes a whole tree, which may be missing.
pub(super) fn remove(top: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(top) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;
    use crate::engine::Content;

    #[test]
    fn nothing_is_inherited_from_a_set_group_id_parent() {
        let top = tempfile::tempdir().unwrap();
        let entry = |path: &str, kind: NodeKind| Entry {
            path: path.to_owned(),
            node: Node::new(kind),
        };
        let mut parent = entry("/d", NodeKind::Directory { opaque: false });
        parent.node.mode = Some(0o2750);
        let text = || NodeKind::File(Content::Bytes("x".into()));
        let tree = Tree(vec![parent, entry("/d/in/file", text())]);
        plant(top.path().to_str().unwrap(), &tree).unwrap();
        let mode = |path: &str| top.path().join(path).metadata().unwrap().mode() & 0o7777;
        assert_eq!(["d", "d/in", "d/in/file"].map(mode), [0o2750, 0o755, 0o644]);
    }
}
