//! Copying trees between unions: an image's files into a new volume, a folder into a container.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use super::{
    Caller, CallerCapability, CopyOptions, Errno, FileKind, New, NewKind, NodeRef, OpenFlags,
    Result, SetAttributes, SetTime, Union, XattrFlags,
};

/// Size of one read.
const PIECE: usize = 128 * 1024;

/// Copies what is in a source directory into a target directory: data with their holes, owner, mode, times,
/// extended attributes, hard links among the copied files, special files. A directory that the target has
/// already is copied into; any other name that it has is an error.
///
/// # Errors
/// `EEXIST`; `EROFS`; `ENOSPC`; what the disks give.
pub fn copy_tree(
    source: (&Union, &NodeRef),
    target: (&Union, &NodeRef),
    options: CopyOptions,
) -> Result<()> {
    let mut copy = Copy {
        source: source.0,
        target: target.0,
        root: root(),
        links: BTreeMap::new(),
        buffer: vec![0; PIECE],
    };
    // Directories still to be filled, and those filled, whose times come last.
    let mut open = vec![(source.1.clone(), target.1.clone())];
    let mut filled = Vec::new();
    let has_attributes = |to: &NodeRef| options.root_attributes || !to.same(target.1);
    while let Some((from, to)) = open.pop() {
        if options.directories_first && has_attributes(&to) {
            copy_attributes((source.0, &from), (target.0, &to))?;
        }
        for entry in copy.source.read_directory(&from)? {
            let child = copy.source.lookup(&from, &entry.name)?;
            let copied = copy.one(&child, &to, &entry.name)?;
            if child.kind() == FileKind::Directory {
                open.push((child, copied));
            }
        }
        if !options.directories_first {
            filled.push((from, to));
        }
    }
    for (from, to) in filled.into_iter().rev() {
        if has_attributes(&to) {
            copy_attributes((source.0, &from), (target.0, &to))?;
        }
    }
    Ok(())
}

/// Copies owner, mode, extended attributes and times, in the order in which none undoes another.
///
/// # Errors
/// What the disks give; that one of them takes no extended attributes is none.
pub fn copy_attributes(source: (&Union, &NodeRef), target: (&Union, &NodeRef)) -> Result<()> {
    let ((source, from), (target, to)) = (source, target);
    let root = root();
    let attributes = source.attributes(from)?;
    let owner = SetAttributes {
        uid: Some(attributes.uid),
        gid: Some(attributes.gid),
        mode: (from.kind() != FileKind::Symlink).then_some(attributes.mode),
        ..SetAttributes::default()
    };
    target.set_attributes(to, &owner, &root)?;
    for name in source.list_xattrs(from)? {
        let value = source.get_xattr(from, &name)?;
        match target.set_xattr(to, &name, &value, XattrFlags::Any) {
            // Labels of the host, or a file system without attributes.
            Err(Errno::OPNOTSUPP) => {}
            other => other?,
        }
    }
    let times = SetAttributes {
        atime: Some(SetTime::At(attributes.atime)),
        mtime: Some(SetTime::At(attributes.mtime)),
        ..SetAttributes::default()
    };
    target.set_attributes(to, &times, &root).map(drop)
}

/// Everything is allowed, nothing is masked.
fn root() -> Caller {
    Caller {
        capabilities: vec![
            CallerCapability::Chown,
            CallerCapability::DacOverride,
            CallerCapability::Fowner,
            CallerCapability::Fsetid,
            CallerCapability::Mknod,
            CallerCapability::Setfcap,
            CallerCapability::SysAdmin,
        ],
        ..Caller::default()
    }
}

struct Copy<'a> {
    source: &'a Union,
    target: &'a Union,
    root: Caller,
    /// Copies of files with several names.
    links: BTreeMap<u64, NodeRef>,
    buffer: Vec<u8>,
}

impl Copy<'_> {
    fn one(&mut self, from: &NodeRef, dir: &NodeRef, name: &OsStr) -> Result<NodeRef> {
        let attributes = self.source.attributes(from)?;
        if from.kind() != FileKind::Directory
            && let Some(copied) = self.links.get(&attributes.ino)
        {
            self.target.link(copied, dir, name)?;
            return Ok(copied.clone());
        }
        let (major, minor) = attributes.device;
        let kind = match from.kind() {
            FileKind::Regular => NewKind::Regular,
            FileKind::Directory => NewKind::Directory,
            FileKind::Symlink => NewKind::Symlink(self.source.read_link(from)?),
            FileKind::Fifo => NewKind::Fifo,
            FileKind::Socket => NewKind::Socket,
            FileKind::Character => NewKind::Character(major, minor),
            FileKind::Block => NewKind::Block(major, minor),
        };
        let new = New {
            kind,
            mode: attributes.mode,
        };
        let to = match self.target.create(dir, name, &new, &self.root) {
            Err(Errno::EXIST) if from.kind() == FileKind::Directory => {
                let there = self.target.lookup(dir, name)?;
                if there.kind() != FileKind::Directory {
                    return Err(Errno::EXIST);
                }
                there
            }
            other => other?,
        };
        match from.kind() {
            FileKind::Directory => {}
            FileKind::Regular => {
                self.data(from, &to, attributes.size)?;
                copy_attributes((self.source, from), (self.target, &to))?;
            }
            _ => copy_attributes((self.source, from), (self.target, &to))?,
        }
        if from.kind() != FileKind::Directory && attributes.links > 1 {
            self.links.insert(attributes.ino, to.clone());
        }
        Ok(to)
    }

    /// Copies extent by extent, so that holes stay holes.
    fn data(&mut self, from: &NodeRef, to: &NodeRef, size: u64) -> Result<()> {
        if size == 0 {
            return Ok(());
        }
        let reading = OpenFlags {
            read: true,
            ..OpenFlags::default()
        };
        let source = self.source.open_file(from, reading)?;
        let writing = OpenFlags {
            write: true,
            ..OpenFlags::default()
        };
        let target = self.target.open_file(to, writing)?;
        let mut at = 0;
        while at < size {
            at = match source.seek_data(at) {
                Ok(start) => start,
                Err(Errno::NXIO) => break,
                Err(errno) => return Err(errno),
            };
            let end = source.seek_hole(at)?.min(size);
            while at < end {
                let want = usize::try_from(end - at).unwrap_or(PIECE).min(PIECE);
                let buffer = self.buffer.get_mut(..want).unwrap_or_default();
                let got = source.read_at(buffer, at)?;
                if got == 0 {
                    return Err(Errno::IO);
                }
                let mut rest: &[u8] = buffer.get(..got).unwrap_or_default();
                while !rest.is_empty() {
                    let written = target.write_at(rest, at, &self.root)?;
                    at += written as u64;
                    rest = rest.get(written..).unwrap_or_default();
                }
            }
        }
        let change = SetAttributes {
            size: Some(size),
            ..SetAttributes::default()
        };
        self.target
            .set_attributes(to, &change, &self.root)
            .map(drop)
    }
}
