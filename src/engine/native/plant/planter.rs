//! Entry by entry, in a plain union.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::sync::Arc;

use super::super::files::convert;
use super::error::{PlantError, Reason, Result};
use super::inherit;
use crate::engine::{Content, DeviceKind, Entry, Node, NodeKind, Time, Tree};
use crate::rootfs::host_root;
use crate::union::{
    Caller, Errno, FileKind, Handle, New, NewKind, NodeRef, SetAttributes, SetTime, Union,
    XattrFlags,
};

/// Bytes of one write of a pattern.
const CHUNK: usize = 64 << 10;

/// Makes a tree in a plain union. Whiteouts and opaque marks are made as the union's options say.
///
/// Directories are made first, hard links after everything else, times set last of all. A directory that exists keeps
/// what is in it; a file that exists is replaced.
///
/// # Errors
/// [`PlantError`]; what was made before it stays.
pub(in crate::engine::native) fn plant(union: &Arc<Union>, tree: &Tree) -> Result<(), PlantError> {
    plant_with(Planter::new(union), tree)
}

/// [`plant`] for a layer above others: parents that the tree implies keep what `below`, the layers below
/// merged, has there. A time before 1970 is 1970, as it is when Docker unpacks a layer.
///
/// # Errors
/// As [`plant`].
pub(in crate::engine::native) fn plant_layer(
    union: &Arc<Union>,
    tree: &Tree,
    below: Option<Arc<Union>>,
) -> Result<(), PlantError> {
    let mut planter = Planter::new(union);
    planter.below = below;
    planter.earliest = 0;
    plant_with(planter, tree)
}

fn plant_with<'a>(mut planter: Planter<'a>, tree: &'a Tree) -> Result<(), PlantError> {
    let mut links = Vec::new();
    let mut directories = Vec::new();
    let mut others = Vec::new();
    for entry in &tree.0 {
        match &entry.node.kind {
            NodeKind::Hardlink { to } => links.push((entry, to.as_str())),
            NodeKind::Directory { .. } => directories.push(entry),
            _ => others.push(entry),
        }
    }
    // What is said of a directory goes for it wherever that stands, and nothing is implied of it.
    directories.sort_by_key(|entry| entry.path.as_str());
    for entry in directories.into_iter().chain(others) {
        planter
            .entry(entry)
            .map_err(|reason| fault(entry, reason))?;
    }
    planter.links(links)?;
    planter.times()
}

fn fault(entry: &Entry, reason: Reason) -> PlantError {
    PlantError {
        path: entry.path.clone(),
        reason,
    }
}

struct Planter<'a> {
    union: &'a Union,
    superuser: Caller,
    /// Directories of which it is known that they exist, by path; `""` is the root.
    directories: BTreeMap<&'a str, NodeRef>,
    /// The layers below, merged.
    below: Option<Arc<Union>>,
    /// Directories that hide what is below them in the layers below.
    opaque: Vec<&'a str>,
    /// Times to set when nothing is made any more.
    times: Vec<(&'a Entry, NodeRef)>,
    /// Seconds since 1970 of the earliest time that is set.
    earliest: i64,
}

impl<'a> Planter<'a> {
    fn new(union: &'a Union) -> Self {
        Self {
            union,
            superuser: Caller {
                umask: 0,
                ..host_root()
            },
            directories: BTreeMap::from([("", union.root())]),
            below: None,
            opaque: Vec::new(),
            times: Vec::new(),
            earliest: i64::MIN,
        }
    }

    fn entry(&mut self, entry: &'a Entry) -> Result<()> {
        let Some((parent, name)) = split(&entry.path)? else {
            return self.root(entry);
        };
        let dir = self.directory(parent)?;
        let mut is_made = true;
        let node = match &entry.node.kind {
            NodeKind::Whiteout => {
                self.clear(&dir, name)?;
                return Ok(self.union.plant_whiteout(&dir, name)?);
            }
            NodeKind::Directory { opaque } => {
                let (node, is_new) = self.make_directory(&dir, name, entry.node.mode)?;
                is_made = is_new;
                self.directories.insert(&entry.path, node.clone());
                if *opaque {
                    self.opaque.push(&entry.path);
                    self.union.mark_opaque(&node)?;
                }
                node
            }
            kind => {
                self.clear(&dir, name)?;
                self.make(&dir, name, kind, entry.node.mode)?
            }
        };
        // What was just made has the mode that was asked for, unless set-ID bits are in play.
        let is_plain = entry.node.mode.is_none_or(|mode| mode <= 0o1777);
        let is_right = is_made && is_plain && !self.union.passes_on(&dir)?;
        self.attributes(entry, node, is_right)
    }

    /// `/`: only its attributes.
    fn root(&mut self, entry: &'a Entry) -> Result<()> {
        let NodeKind::Directory { opaque } = entry.node.kind else {
            return Err(Reason::Path);
        };
        let root = self.union.root();
        if opaque {
            self.below = None;
            self.union.mark_opaque(&root)?;
        }
        self.attributes(entry, root, false)
    }

    /// A directory by its path, made where it is missing.
    fn directory(&mut self, path: &'a str) -> Result<NodeRef> {
        let mut known = path;
        let mut at = loop {
            match (self.directories.get(known), known.rsplit_once('/')) {
                (Some(node), _) => break node.clone(),
                (None, Some((parent, _))) => known = parent,
                (None, None) => return Err(Reason::Path),
            }
        };
        while known.len() < path.len() {
            let rest = path.get(known.len() + 1..).ok_or(Reason::Path)?;
            let name = rest.split('/').next().unwrap_or(rest);
            known = path
                .get(..known.len() + 1 + name.len())
                .ok_or(Reason::Path)?;
            let (node, is_new) = self.make_directory(&at, OsStr::new(name), None)?;
            let below = self.below.as_ref().filter(|_| !self.is_cut_off(known));
            if is_new && (below.is_some() || self.union.passes_on(&at)?) {
                let below = below.map(|below| (below, known));
                inherit::attributes(self.union, &node, below, &self.superuser)?;
            }
            at = node;
            self.directories.insert(known, at.clone());
        }
        Ok(at)
    }

    /// Whether a directory of this layer above `path` is opaque.
    fn is_cut_off(&self, path: &str) -> bool {
        let above = |opaque: &&str| {
            path.strip_prefix(*opaque)
                .is_some_and(|p| p.starts_with('/'))
        };
        self.opaque.iter().any(above)
    }

    /// A directory, and whether it was made: one that exists is left as it is.
    fn make_directory(
        &self,
        dir: &NodeRef,
        name: &OsStr,
        mode: Option<u32>,
    ) -> Result<(NodeRef, bool)> {
        match self.union.lookup(dir, name) {
            Ok(node) if node.kind() == FileKind::Directory => Ok((node, false)),
            Ok(_) => Err(Reason::Parent),
            Err(Errno::NOENT) => {
                let mode = mode.unwrap_or(0o755);
                Ok((self.create(dir, name, NewKind::Directory, mode)?, true))
            }
            Err(errno) => Err(errno.into()),
        }
    }

    /// Removes what is there and no directory.
    fn clear(&self, dir: &NodeRef, name: &OsStr) -> Result<()> {
        match self.union.lookup(dir, name) {
            Ok(node) if node.kind() == FileKind::Directory => Err(Errno::EXIST.into()),
            Ok(_) => Ok(self.union.unlink(dir, name)?),
            Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    fn make(
        &self,
        dir: &NodeRef,
        name: &OsStr,
        kind: &NodeKind,
        mode: Option<u32>,
    ) -> Result<NodeRef> {
        let new = match kind {
            NodeKind::Symlink { target } => NewKind::Symlink(target.into()),
            NodeKind::Fifo => NewKind::Fifo,
            NodeKind::Socket => NewKind::Socket,
            NodeKind::Device {
                kind: DeviceKind::Char,
                major,
                minor,
            } => NewKind::Character(*major, *minor),
            NodeKind::Device {
                kind: DeviceKind::Block,
                major,
                minor,
            } => NewKind::Block(*major, *minor),
            _ => NewKind::Regular,
        };
        let default = if matches!(new, NewKind::Symlink(_)) {
            0o777
        } else {
            0o644
        };
        let mode = mode.unwrap_or(default);
        let NodeKind::File(content) = kind else {
            return self.create(dir, name, new, mode);
        };
        let superuser = &self.superuser;
        let handle = self.union.create_open(dir, name, mode, superuser)?;
        self.fill(&handle, content)?;
        Ok(handle.node().clone())
    }

    fn create(&self, dir: &NodeRef, name: &OsStr, kind: NewKind, mode: u32) -> Result<NodeRef> {
        Ok(self
            .union
            .create(dir, name, &New { kind, mode }, &self.superuser)?)
    }

    fn fill(&self, handle: &Handle, content: &Content) -> Result<()> {
        match content {
            Content::Bytes(bytes) if bytes.is_empty() => Ok(()),
            Content::Bytes(bytes) => self.write(handle, bytes.as_slice(), bytes.len() as u64),
            Content::Fill {
                size,
                fill: Some(pattern),
            } => {
                if pattern.is_empty() {
                    return Err(Errno::INVAL.into());
                }
                let chunk = pattern.as_slice().repeat((CHUNK / pattern.len()).max(1));
                self.write(handle, &chunk, *size)
            }
            Content::Fill { size, fill: None } => {
                let change = SetAttributes {
                    size: Some(*size),
                    ..SetAttributes::default()
                };
                self.union
                    .set_attributes(handle.node(), &change, &self.superuser)?;
                Ok(())
            }
        }
    }

    /// Writes a chunk over and over, `size` bytes in all.
    fn write(&self, handle: &Handle, chunk: &[u8], size: u64) -> Result<()> {
        let mut offset = 0;
        while offset < size {
            let length = chunk.len() as u64;
            let start = offset % length;
            let end = length.min(start + (size - offset));
            let part = usize::try_from(start).ok().zip(usize::try_from(end).ok());
            let part = part
                .and_then(|(start, end)| chunk.get(start..end))
                .unwrap_or_default();
            let count = handle.write_at(part, offset, &self.superuser)?;
            if count == 0 {
                return Err(Errno::IO.into());
            }
            offset += count as u64;
        }
        Ok(())
    }

    /// Owner and mode as given or by default, whatever a set-group-ID parent or its default access list
    /// have made of them; then extended attributes. `is_right`: it is 0:0 and has the mode already.
    fn attributes(&mut self, entry: &'a Entry, node: NodeRef, is_right: bool) -> Result<()> {
        let Node {
            kind,
            mode,
            uid,
            gid,
            mtime,
            xattrs,
        } = &entry.node;
        let wanted_mode = match kind {
            NodeKind::Symlink { .. } => None,
            NodeKind::Directory { .. } => Some(mode.unwrap_or(0o755)),
            _ => Some(mode.unwrap_or(0o644)),
        };
        let (uid, gid) = (uid.unwrap_or(0), gid.unwrap_or(0));
        let is_right = if is_right {
            (uid, gid) == (0, 0)
        } else {
            let now = self.union.attributes(&node)?;
            (uid, gid) == (now.uid, now.gid) && wanted_mode.is_none_or(|mode| mode == now.mode)
        };
        if !is_right {
            let change = SetAttributes {
                // A change of owner may clear set-ID bits.
                mode: wanted_mode,
                uid: Some(uid),
                gid: Some(gid),
                ..SetAttributes::default()
            };
            self.union.set_attributes(&node, &change, &self.superuser)?;
        }
        for (name, value) in xattrs {
            let name = OsStr::new(name);
            self.union
                .set_xattr(&node, name, value.as_slice(), XattrFlags::Any)?;
        }
        if mtime.is_some() {
            self.times.push((entry, node));
        }
        Ok(())
    }

    /// Hard links, each as soon as the name to which it links is there.
    fn links(&mut self, links: Vec<(&'a Entry, &'a str)>) -> Result<(), PlantError> {
        let mut pending = links;
        while let [(first, _), ..] = pending.as_slice() {
            let first = *first;
            let before = pending.len();
            let mut waiting = Vec::new();
            for (entry, to) in pending {
                match self.link(entry, to) {
                    Ok(()) => {}
                    Err(Reason::Link) => waiting.push((entry, to)),
                    Err(reason) => return Err(fault(entry, reason)),
                }
            }
            pending = waiting;
            if pending.len() == before {
                return Err(fault(first, Reason::Link));
            }
        }
        Ok(())
    }

    fn link(&mut self, entry: &'a Entry, to: &'a str) -> Result<()> {
        let source = self.find(to)?.ok_or(Reason::Link)?;
        let (parent, name) = split(&entry.path)?.ok_or(Reason::Path)?;
        let dir = self.directory(parent)?;
        self.clear(&dir, name)?;
        self.union.link(&source, &dir, name)?;
        let Node { mode, uid, gid, .. } = entry.node;
        if mode.is_some() || uid.is_some() || gid.is_some() {
            let change = SetAttributes {
                mode,
                uid,
                gid,
                ..SetAttributes::default()
            };
            self.union
                .set_attributes(&source, &change, &self.superuser)?;
        }
        if entry.node.mtime.is_some() {
            self.times.push((entry, source));
        }
        Ok(())
    }

    fn find(&self, path: &str) -> Result<Option<NodeRef>> {
        let Some((parent, name)) = split(path)? else {
            return Ok(None);
        };
        let mut at = self.union.root();
        let components = parent.split('/').skip(1).map(OsStr::new).chain([name]);
        for name in components {
            if at.kind() != FileKind::Directory {
                return Err(Reason::Parent);
            }
            at = match self.union.lookup(&at, name) {
                Err(Errno::NOENT) => return Ok(None),
                found => found?,
            };
        }
        Ok(Some(at))
    }

    fn times(self) -> Result<(), PlantError> {
        for (entry, node) in &self.times {
            let Some(mtime) = entry.node.mtime else {
                continue;
            };
            let mtime = if mtime.seconds < self.earliest {
                Time {
                    seconds: self.earliest,
                    nanos: 0,
                }
            } else {
                mtime
            };
            let at = SetTime::At(convert::timestamp(mtime));
            let change = SetAttributes {
                mtime: Some(at),
                ..SetAttributes::default()
            };
            self.union
                .set_attributes(node, &change, &self.superuser)
                .map_err(|errno| fault(entry, errno.into()))?;
        }
        Ok(())
    }
}

/// The path of the parent (`""` is the root) and the name; `None` for `/`.
fn split(path: &str) -> Result<Option<(&str, &OsStr)>> {
    let below = path.strip_prefix('/').ok_or(Reason::Path)?;
    if below.is_empty() {
        return Ok(None);
    }
    let plain = |name: &str| !matches!(name, "" | "." | "..") && !name.contains('\0');
    if !below.split('/').all(plain) {
        return Err(Reason::Path);
    }
    Ok(path
        .rsplit_once('/')
        .map(|(parent, name)| (parent, OsStr::new(name))))
}
