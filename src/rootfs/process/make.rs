//! New names: `mkdir`, `mknod`, `symlink`, `link`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use super::Process;
use super::subject::{Changed, Subject, opened};
use crate::rootfs::mounts::Location;
use crate::rootfs::permission::{self, Wish};
use crate::rootfs::walk::{Found, Last, PATH_MAX};
use crate::rootfs::{OpenFile, OpenFlag};
use crate::union::{CallerCapability, Errno, FileKind, New, NewKind, Result};

/// Permission bits that `mkdir` takes.
const DIRECTORY_MODE: u32 = 0o1777;

/// What `mknod` makes; a UNIX socket as `bind` makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewNode {
    /// A named pipe.
    Fifo,
    /// A UNIX socket.
    Socket,
    /// A character device: major, minor.
    Character(u32, u32),
    /// A block device: major, minor.
    Block(u32, u32),
}

/// A path without its last name, `.` and `..` being names like any other: of `a/b/.` it is `a/b`, which has to be there
/// first. `None` where nothing is left to make.
pub fn textual_parent(path: &OsStr) -> Option<&OsStr> {
    let bytes = path.as_bytes();
    let is_name = |byte: &u8| *byte != b'/';
    let last = bytes.iter().rposition(is_name)?;
    let slash = bytes.get(..last)?.iter().rposition(|byte| *byte == b'/')?;
    let end = bytes.get(..slash)?.iter().rposition(is_name)?;
    bytes.get(..=end).map(OsStr::from_bytes)
}

impl Process {
    /// `mkdir`; the mode is before the umask.
    ///
    /// # Errors
    /// As the system call.
    pub fn mkdir(&self, path: &OsStr, mode: u32) -> Result<Option<Changed>> {
        let (dir, name) = self.new_name(path, true)?;
        self.create(&dir, &name, NewKind::Directory, mode & DIRECTORY_MODE)
    }

    /// `mkdir -p`: missing parents too, with mode 0777 before the umask but always writable and searchable
    /// by their owner; a directory that exists is left as it is. Gives every directory that was
    /// made, parents first.
    ///
    /// # Errors
    /// As the system calls; `EEXIST` when the path is there and no directory.
    pub fn make_directories(&self, path: &OsStr, mode: u32) -> Result<Vec<Changed>> {
        let mut made = Vec::new();
        self.add_directories(path, mode, &mut made)?;
        Ok(made)
    }

    /// [`Self::make_directories`] for one who wants to know of what was made before it failed, too.
    ///
    /// # Errors
    /// As [`Self::make_directories`].
    pub fn add_directories(&self, path: &OsStr, mode: u32, made: &mut Vec<Changed>) -> Result<()> {
        let mut missing = vec![(path, mode)];
        while let Some((path, mode)) = missing.last().copied() {
            match self.mkdir(path, mode) {
                Err(Errno::NOENT) => {
                    let parent = textual_parent(path).ok_or(Errno::NOENT)?;
                    missing.push((parent, 0o777));
                    if missing.len() > PATH_MAX {
                        return Err(Errno::NOENT);
                    }
                    continue;
                }
                Err(Errno::EXIST) if self.is_directory(path) => {}
                created => {
                    made.extend(created?);
                    self.open_to_owner(path, missing.len() > 1)?;
                }
            }
            missing.pop();
        }
        Ok(())
    }

    /// `mknod`, `mkfifo`, `bind`; the mode is before the umask.
    ///
    /// # Errors
    /// As the system call; `EPERM` for a device without `CAP_MKNOD`.
    pub fn mknod(&self, path: &OsStr, node: NewNode, mode: u32) -> Result<Option<Changed>> {
        let (dir, name) = self.new_name(path, false)?;
        self.may_create(&dir)?;
        let (kind, device) = match node {
            NewNode::Fifo => (NewKind::Fifo, false),
            NewNode::Socket => (NewKind::Socket, false),
            // 0:0 is a whiteout, which the kernel lets everyone make; a union refuses it.
            NewNode::Character(0, 0) => (NewKind::Character(0, 0), false),
            NewNode::Character(major, minor) => (NewKind::Character(major, minor), true),
            NewNode::Block(major, minor) => (NewKind::Block(major, minor), true),
        };
        if device && !self.caller.can(CallerCapability::Mknod) {
            return Err(Errno::PERM);
        }
        self.create(&dir, &name, kind, mode)
    }

    /// `symlink`.
    ///
    /// # Errors
    /// As the system call.
    pub fn symlink(&self, text: &OsStr, path: &OsStr) -> Result<Option<Changed>> {
        match text.len() {
            0 => return Err(Errno::NOENT),
            PATH_MAX.. => return Err(Errno::NAMETOOLONG),
            _ if text.as_bytes().contains(&0) => return Err(Errno::INVAL),
            _ => {}
        }
        let (dir, name) = self.new_name(path, false)?;
        self.create(&dir, &name, NewKind::Symlink(text.to_owned()), 0o777)
    }

    /// `link`, which does not follow a final symlink.
    ///
    /// # Errors
    /// As the system call, with `fs.protected_hardlinks=1`.
    pub fn link(&self, from: &OsStr, to: &OsStr) -> Result<Option<Changed>> {
        let source = self.find(from, false)?;
        self.link_found(&source, to)
    }

    /// `linkat` of an open file (`AT_EMPTY_PATH`): gives a nameless file a name.
    ///
    /// # Errors
    /// As the system call; `ENOENT` for a file whose last name is gone, and for one that was opened with
    /// `O_TMPFILE|O_EXCL`.
    pub fn link_file(&self, file: &OpenFile, to: &OsStr) -> Result<Option<Changed>> {
        if file.how.has(OpenFlag::Tmpfile) && file.how.has(OpenFlag::Exclusive) {
            return Err(Errno::NOENT);
        }
        self.link_found(&opened(file), to)
    }

    fn link_found(&self, source: &Found, to: &OsStr) -> Result<Option<Changed>> {
        let (dir, name) = self.new_name(to, false)?;
        let Location { mount, node } = &source.location;
        if !std::sync::Arc::ptr_eq(mount, &dir.mount) {
            return Err(Errno::XDEV);
        }
        let union = source.location.union();
        let attributes = union.attributes(node)?;
        permission::check_link_source(union, node, &attributes, &self.caller)?;
        self.may_create(&dir)?;
        if node.kind() == FileKind::Directory {
            return Err(Errno::PERM);
        }
        union.link(node, &dir.node, &name)?;
        Ok(Changed::entry(&dir, &name))
    }

    /// `filename_create`: the directory of a name that is not there yet. Permission to the directory
    /// is not asked here, since the callers differ in what they refuse first.
    fn new_name(&self, path: &OsStr, directory: bool) -> Result<(Location, OsString)> {
        let table = self.table();
        let mut walk = self.walk(&table);
        let parent = walk.parent(path)?;
        let Last::Name(name, slash) = parent.last else {
            return Err(Errno::EXIST);
        };
        match walk.step(&parent.dir, &name) {
            Ok(_) => return Err(Errno::EXIST),
            Err(Errno::NOENT) if slash && !directory => return Err(Errno::NOENT),
            Err(Errno::NOENT) => parent.dir.union().check_alive(&parent.dir.node)?,
            Err(errno) => return Err(errno),
        }
        parent.dir.want_write()?;
        Ok((parent.dir, name))
    }

    /// `may_create`.
    pub(super) fn may_create(&self, dir: &Location) -> Result<()> {
        dir.check(&self.caller, Wish::WRITE | Wish::EXECUTE)
    }

    fn create(
        &self,
        dir: &Location,
        name: &OsStr,
        kind: NewKind,
        mode: u32,
    ) -> Result<Option<Changed>> {
        self.may_create(dir)?;
        let mode = self.creation_mode(dir, mode)?;
        drop(
            dir.union()
                .create(&dir.node, name, &New { kind, mode }, &self.caller)?,
        );
        Ok(Changed::entry(dir, name))
    }

    /// See [`permission::mode_to_create`].
    pub(super) fn creation_mode(&self, dir: &Location, mode: u32) -> Result<u32> {
        if mode & 0o2000 == 0 || self.caller.can(CallerCapability::Fsetid) {
            return Ok(mode);
        }
        let attributes = dir.union().attributes(&dir.node)?;
        Ok(permission::mode_to_create(&attributes, &self.caller, mode))
    }

    fn is_directory(&self, path: &OsStr) -> bool {
        let found = self.find(path, true);
        found.is_ok_and(|found| found.location.node.kind() == FileKind::Directory)
    }

    /// A parent that a strict umask would close to its own maker.
    fn open_to_owner(&self, path: &OsStr, parent: bool) -> Result<()> {
        if !parent || self.caller.umask & 0o300 == 0 {
            return Ok(());
        }
        let mode = 0o777 & !self.caller.umask | 0o300;
        self.chmod(&Subject::Path { path, follow: true }, mode)
            .map(drop)
    }
}
