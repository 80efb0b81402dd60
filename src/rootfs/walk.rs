//! From a path to a file: `fs/namei.c`, `path_resolution(7)`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use super::mounts::{Location, Table};
use super::permission::Wish;
use crate::union::{Caller, Errno, FileKind, NodeRef, Result, Union};

/// Most symlinks that one walk follows (`MAXSYMLINKS`).
const LINKS_MAX: u32 = 40;

/// Longest path in bytes, its terminating zero included (`PATH_MAX`).
pub(super) const PATH_MAX: usize = 4096;

/// Longest name in bytes (`NAME_MAX`).
const NAME_MAX: usize = 255;

/// One walk by one caller. Every directory on the way must grant search.
pub(super) struct Walk<'a> {
    caller: &'a Caller,
    table: &'a Table,
    start: Location,
    links: u32,
}

/// All of a path but its last component.
#[derive(Debug)]
pub(super) struct Parent {
    pub(super) dir: Location,
    pub(super) last: Last,
}

/// The last component of a path (`LAST_NORM` and its like).
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Last {
    /// A name, and whether slashes follow it.
    Name(OsString, bool),
    /// `.`
    Dot,
    /// `..`
    DotDot,
    /// Nothing but slashes.
    Root,
}

/// A file that a path leads to.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) location: Location,
    /// Directory and name in the same mount; none at the top of a mount.
    pub(super) entry: Option<(NodeRef, OsString)>,
}

impl<'a> Walk<'a> {
    /// A walk whose relative paths start at `start`.
    pub(super) fn new(caller: &'a Caller, table: &'a Table, start: Location) -> Self {
        Self {
            caller,
            table,
            start,
            links: 0,
        }
    }

    /// The file at a path. A final symlink is followed when asked, or when slashes come after it.
    pub(super) fn find(&mut self, path: &OsStr, follow: bool) -> Result<Found> {
        let parent = self.parent(path)?;
        self.resolve(parent, follow)
    }

    /// The directory of a path's last component.
    pub(super) fn parent(&mut self, path: &OsStr) -> Result<Parent> {
        let bytes = path.as_bytes();
        if bytes.is_empty() {
            return Err(Errno::NOENT);
        }
        if bytes.len() >= PATH_MAX {
            return Err(Errno::NAMETOOLONG);
        }
        if bytes.contains(&0) {
            return Err(Errno::INVAL);
        }
        let start = self.start.clone();
        self.prefix(start, bytes)
    }

    /// Finishes a walk that [`Self::parent`] began.
    pub(super) fn resolve(&mut self, parent: Parent, follow: bool) -> Result<Found> {
        let mut parent = parent;
        let mut follow = follow;
        let mut directory = false;
        loop {
            let Parent { dir, last } = parent;
            let (name, slash) = match last {
                Last::Root | Last::Dot => {
                    return Ok(Found {
                        location: dir,
                        entry: None,
                    });
                }
                Last::DotDot => {
                    return Ok(Found {
                        location: self.up(&dir)?,
                        entry: None,
                    });
                }
                Last::Name(name, slash) => (name, slash),
            };
            follow |= slash;
            directory |= slash;
            let location = self.step(&dir, &name)?;
            let kind = location.node.kind();
            if kind == FileKind::Symlink && follow {
                parent = self.follow(&dir, &location)?;
            } else if directory && kind != FileKind::Directory {
                return Err(Errno::NOTDIR);
            } else {
                let here = std::sync::Arc::ptr_eq(&dir.mount, &location.mount);
                let entry = here.then_some((dir.node, name));
                return Ok(Found { location, entry });
            }
        }
    }

    /// Where a symlink in a directory leads, up to its last component.
    pub(super) fn follow(&mut self, dir: &Location, link: &Location) -> Result<Parent> {
        self.links += 1;
        if self.links > LINKS_MAX {
            return Err(Errno::LOOP);
        }
        let text = link.union().read_link(&link.node)?;
        if text.is_empty() {
            return Err(Errno::NOENT);
        }
        self.prefix(dir.clone(), text.as_bytes())
    }

    /// One name in a directory, and what is mounted there.
    pub(super) fn step(&self, dir: &Location, name: &OsStr) -> Result<Location> {
        let location = lookup(dir, name)?;
        Ok(self.table.cross(location, Some((&dir.node, name))))
    }

    /// `link_path_walk`: every component but the last, following symlinks.
    fn prefix(&mut self, from: Location, path: &[u8]) -> Result<Parent> {
        let mut at = if path.first() == Some(&b'/') {
            self.table.root()
        } else {
            from
        };
        let mut rest = path.trim_ascii_start_slashes();
        if rest.is_empty() {
            return Ok(Parent {
                dir: at,
                last: Last::Root,
            });
        }
        loop {
            at.check(self.caller, Wish::EXECUTE)?;
            let end = rest
                .iter()
                .position(|byte| *byte == b'/')
                .unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            rest = after.trim_ascii_start_slashes();
            let name = OsStr::from_bytes(name);
            if rest.is_empty() {
                return Ok(Parent {
                    dir: at,
                    last: Last::new(name, !after.is_empty()),
                });
            }
            at = self.enter(at, name)?;
        }
    }

    /// A component that is not the last: it must be a directory.
    fn enter(&mut self, dir: Location, name: &OsStr) -> Result<Location> {
        match name.as_bytes() {
            b"." => return Ok(dir),
            b".." => return self.up(&dir),
            _ => {}
        }
        let mut location = self.step(&dir, name)?;
        if location.node.kind() == FileKind::Symlink {
            let parent = self.follow(&dir, &location)?;
            location = self.resolve(parent, true)?.location;
        }
        if location.node.kind() == FileKind::Directory {
            Ok(location)
        } else {
            Err(Errno::NOTDIR)
        }
    }

    /// `..`: the parent of a mount's top is that of its mount point; the root is its own.
    pub(super) fn up(&self, from: &Location) -> Result<Location> {
        let root = self.table.root();
        let mut at = from.clone();
        loop {
            if at.is(&root) {
                return Ok(at);
            }
            match &at.mount.point {
                Some(point) if at.node.same(&at.mount.root) => {
                    at = Location {
                        mount: point.mount.clone(),
                        node: point.node.clone(),
                    };
                }
                _ => break,
            }
        }
        let parent = at.union().parent(&at.node).ok_or(Errno::NOENT)?;
        // A directory that was moved out of the part of its file system that is mounted here has no
        // way up from here (`path_connected`).
        if !is_below(at.union(), &parent, &at.mount.root) {
            return Err(Errno::NOENT);
        }
        Ok(self.table.cross(at.beside(parent), None))
    }
}

impl Last {
    fn new(name: &OsStr, slash: bool) -> Self {
        match name.as_bytes() {
            b"." => Self::Dot,
            b".." => Self::DotDot,
            _ => Self::Name(name.to_owned(), slash),
        }
    }
}

impl Found {
    /// Directory and name, borrowed.
    pub(super) fn entry(&self) -> Option<(&NodeRef, &OsStr)> {
        self.entry
            .as_ref()
            .map(|(dir, name)| (dir, name.as_os_str()))
    }
}

/// One name in a directory, without regard to mounts.
pub(super) fn lookup(dir: &Location, name: &OsStr) -> Result<Location> {
    if name.len() > NAME_MAX {
        return Err(Errno::NAMETOOLONG);
    }
    Ok(dir.beside(dir.union().lookup(&dir.node, name)?))
}

/// Whether `node` is `top` or a directory below it.
pub(super) fn is_below(union: &Union, node: &NodeRef, top: &NodeRef) -> bool {
    let root = union.root();
    if top.same(&root) {
        return true;
    }
    let mut at = node.clone();
    loop {
        if at.same(top) {
            return true;
        }
        match union.parent(&at) {
            Some(parent) => at = parent,
            None => return false,
        }
    }
}

trait Slashes {
    fn trim_ascii_start_slashes(&self) -> &Self;
}

impl Slashes for [u8] {
    fn trim_ascii_start_slashes(&self) -> &Self {
        let start = self
            .iter()
            .position(|byte| *byte != b'/')
            .unwrap_or(self.len());
        self.get(start..).unwrap_or_default()
    }
}
