//! A node of a tree, written by a process.

use std::os::fd::AsFd;
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, OFlags, XattrFlags};
use rustix::io::Errno;

use super::super::Result;
use super::batch::{Batch, Resolved};
use super::change::{chmod, chown, set_times, set_xattr, write_all};
use super::names::{mkdir, mknod};
use super::place::is_directory;
use crate::engine::{Content, DeviceKind, Node, NodeKind};

/// Bytes of one write of a pattern.
const CHUNK: usize = 64 << 10;

impl Batch<'_> {
    /// See [`crate::engine::FileAction::Write`].
    pub(super) fn write(&mut self, path: &str, node: &Node) -> Result<()> {
        let mut follow = false;
        match &node.kind {
            NodeKind::File(content) => return self.write_file(path, content, node),
            NodeKind::Directory { opaque: false } => match mkdir(path, 0o777) {
                Err(Errno::EXIST) if is_directory(path, AtFlags::empty()) => follow = true,
                made => {
                    made?;
                    self.note(self.place_of_name(path));
                }
            },
            NodeKind::Symlink { target } => {
                rustix::fs::symlink(target.as_str(), path)?;
                self.note(self.place_of_name(path));
            }
            NodeKind::Hardlink { to } => {
                rustix::fs::link(to.as_str(), path)?;
                self.note(self.place_of_name(path));
            }
            NodeKind::Directory { opaque: true } | NodeKind::Whiteout => return Err(Errno::INVAL),
            NodeKind::Fifo | NodeKind::Socket | NodeKind::Device { .. } => {
                let (kind, device, mode) = new_node(&node.kind).ok_or(Errno::INVAL)?;
                mknod(path, kind, mode, device)?;
                self.note(self.place_of_name(path));
            }
        }
        if has_attributes(node) {
            set_attributes(&Resolved::Path(path), node, follow)?;
            self.note(self.place_of_path(path, follow));
        }
        Ok(())
    }

    fn write_file(&mut self, path: &str, content: &Content, node: &Node) -> Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC;
        let file = self.open_path(path, flags, 0o666)?;
        let kind = FileType::from_raw_mode(file.stat()?.st_mode);
        if kind == FileType::RegularFile {
            self.note(self.place_of_open(&file));
        }
        fill(&file, content)?;
        let file = Arc::new(file);
        set_attributes(&Resolved::File(Arc::clone(&file)), node, true)?;
        if has_attributes(node) {
            self.note(self.place_of_open(&file));
        }
        Ok(())
    }
}

fn has_attributes(node: &Node) -> bool {
    node.mode.is_some()
        || node.uid.is_some()
        || node.gid.is_some()
        || node.mtime.is_some()
        || !node.xattrs.is_empty()
}

/// Writes content at the position of an open file.
pub(in crate::agent) fn fill(file: impl AsFd, content: &Content) -> Result<()> {
    match content {
        Content::Bytes(bytes) => write_all(&file, None, bytes.as_slice()),
        Content::Fill { size, fill: None } => rustix::fs::ftruncate(file, *size),
        Content::Fill {
            size,
            fill: Some(pattern),
        } => {
            if pattern.is_empty() {
                return Err(Errno::INVAL);
            }
            let chunk = pattern.as_slice().repeat((CHUNK / pattern.len()).max(1));
            let mut left = *size;
            while left > 0 {
                let count = usize::try_from(left).unwrap_or(usize::MAX).min(chunk.len());
                write_all(&file, None, chunk.get(..count).unwrap_or_default())?;
                left -= count as u64;
            }
            Ok(())
        }
    }
}

/// Sets the attributes that a node gives. Owner first, since a change of owner clears set-ID bits and file
/// capabilities; the mode after what it might forbid; the time last.
pub(in crate::agent) fn set_attributes(
    target: &Resolved<'_>,
    node: &Node,
    follow: bool,
) -> Result<()> {
    if node.uid.is_some() || node.gid.is_some() {
        chown(target, node.uid, node.gid, follow)?;
    }
    for (name, value) in &node.xattrs {
        set_xattr(target, name, value.as_slice(), XattrFlags::empty(), follow)?;
    }
    if let Some(mode) = node.mode {
        chmod(target, mode)?;
    }
    if node.mtime.is_some() {
        set_times(target, None, node.mtime, false, follow)?;
    }
    Ok(())
}

/// What `mknod` makes of a node: type, device, and the mode (before the umask) that programs ask for:
/// mkfifo(1) and mknod(1) 0666, `bind` 0777.
pub(in crate::agent) fn new_node(kind: &NodeKind) -> Option<(FileType, u64, u32)> {
    match *kind {
        NodeKind::Fifo => Some((FileType::Fifo, 0, 0o666)),
        NodeKind::Socket => Some((FileType::Socket, 0, 0o777)),
        NodeKind::Device { kind, major, minor } => {
            let device = rustix::fs::makedev(major, minor);
            match kind {
                DeviceKind::Char => Some((FileType::CharacterDevice, device, 0o666)),
                DeviceKind::Block => Some((FileType::BlockDevice, device, 0o666)),
            }
        }
        _ => None,
    }
}
