//! Looking at a whole tree, as the superuser and without changing anything.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

use super::Rootfs;
use super::mounts::{Location, Table};
use crate::union::{Attributes, DirectoryEntry, Errno, FileKind, NodeRef, Result, Union};

/// One file of a tree.
#[derive(Debug)]
pub struct Visited<'a> {
    /// Path in the tree, `/` first.
    pub path: &'a [u8],
    /// [`super::Mount::id`] of the mount that it belongs to.
    pub mount: u64,
    /// The union of that mount.
    pub union: &'a Arc<Union>,
    /// The file.
    pub node: &'a NodeRef,
    /// What `stat` shows of it.
    pub attributes: Attributes,
    /// Path in that union, `/` first.
    pub inner: &'a [u8],
}

/// What is called with every file.
type Visitor<'a> = &'a mut dyn FnMut(&Visited<'_>) -> Result<()>;

/// A directory whose entries are being visited. Kept in a list of our own, since an image decides how
/// deep a tree is.
struct Level {
    at: Location,
    entries: std::vec::IntoIter<DirectoryEntry>,
    /// Path in the tree and in the union, without a trailing slash.
    path: Vec<u8>,
    inner: Vec<u8>,
}

impl Rootfs {
    /// Visits every file, the root included, each directory before what is in it and names in
    /// order. What a mount hides is not seen. A file that goes away meanwhile is left out.
    ///
    /// # Errors
    /// The visitor's, and those of the unions.
    pub fn visit(&self, visitor: Visitor<'_>) -> Result<()> {
        let table = self.table();
        let root = table.root();
        let inner = top_path(&root);
        let attributes = root.union().attributes(&root.node)?;
        let top = (root, attributes);
        let mut levels = Vec::from_iter(visit_file(visitor, top, Vec::new(), inner)?);
        while let Some(level) = levels.last_mut() {
            let Some(entry) = level.entries.next() else {
                levels.pop();
                continue;
            };
            let child = match look(&table, &level.at, &entry.name) {
                // It went away since it was listed, or another file has its name.
                Err(Errno::NOENT | Errno::STALE) => continue,
                child => child?,
            };
            let path = joined(&level.path, entry.name.as_bytes());
            let inner = if Arc::ptr_eq(&child.0.mount, &level.at.mount) {
                joined(&level.inner, entry.name.as_bytes())
            } else {
                top_path(&child.0)
            };
            levels.extend(visit_file(visitor, child, path, inner)?);
        }
        Ok(())
    }
}

/// One name in a directory, or what is mounted there, and what `stat` shows of it.
fn look(table: &Table, dir: &Location, name: &OsStr) -> Result<(Location, Attributes)> {
    let (node, attributes) = dir.union().lookup_attributes(&dir.node, name)?;
    let there = table.cross(dir.beside(node), Some((&dir.node, name)));
    if Arc::ptr_eq(&there.mount, &dir.mount) {
        return Ok((there, attributes));
    }
    let attributes = there.union().attributes(&there.node)?;
    Ok((there, attributes))
}

/// Visits one file; gives the level below it when it is a directory.
fn visit_file(
    visitor: Visitor<'_>,
    (at, attributes): (Location, Attributes),
    path: Vec<u8>,
    inner: Vec<u8>,
) -> Result<Option<Level>> {
    visitor(&Visited {
        path: or_root(&path),
        mount: at.mount.id,
        union: &at.mount.union,
        node: &at.node,
        attributes,
        inner: or_root(&inner),
    })?;
    if at.node.kind() != FileKind::Directory {
        return Ok(None);
    }
    match at.union().read_directory(&at.node) {
        Ok(entries) => Ok(Some(Level {
            at,
            entries: entries.into_iter(),
            path,
            inner,
        })),
        Err(Errno::NOENT | Errno::STALE) => Ok(None),
        Err(errno) => Err(errno),
    }
}

fn joined(dir: &[u8], name: &[u8]) -> Vec<u8> {
    [dir, b"/", name].concat()
}

fn or_root(path: &[u8]) -> &[u8] {
    if path.is_empty() { b"/" } else { path }
}

/// Path of a mount's top in its union, without a trailing slash.
fn top_path(top: &Location) -> Vec<u8> {
    let path = top.mount.top_path();
    let bytes = path.as_os_str().as_bytes();
    if bytes == b"/" {
        Vec::new()
    } else {
        bytes.to_vec()
    }
}
