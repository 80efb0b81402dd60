//! New files.

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustix::fs::{self, Mode, OFlags, XattrFlags};

use super::acl::{self, Acl};
use super::copy_up::Need;
use super::fault::{Fault, is_planted};
use super::filesystem::{Step, Union, check_name};
use super::find::UpperSight;
use super::lock::{lock, read};
use super::marks::OVERRIDE_STAT;
use super::names::Known;
use super::node::{Inheritance, Node, NodeRef, State, Upper};
use super::override_stat::{OverrideStat, Representation};
use super::real::{Facts, Real, type_of_kind};
use super::{Caller, Directory, Errno, FileKind, Handle, New, NewKind, Result, privileges};

/// Everything about a file that is to be.
#[derive(Debug)]
pub(super) struct Birth {
    pub(super) kind: FileKind,
    pub(super) owner: OverrideStat,
    /// Of a symlink.
    pub(super) target: Option<OsString>,
    pub(super) access: Option<Acl>,
    pub(super) default: Option<Acl>,
    /// It has to be a regular file, so that it can have attributes.
    pub(super) is_carried: bool,
}

impl Birth {
    /// What new files will take from this one, a directory.
    fn inheritance(&self) -> Inheritance {
        Inheritance {
            gid: self.owner.gid,
            mode: self.owner.mode,
            default_acl: self.default.clone(),
        }
    }

    /// How it is kept when ownership is overridden.
    fn representation(&self) -> Representation {
        let can_carry = matches!(self.kind, FileKind::Regular | FileKind::Directory);
        if self.is_carried || (self.access.is_some() && !can_carry) {
            self.owner.carried(self.kind)
        } else {
            self.owner.representation(self.kind)
        }
    }
}

/// A file that was made: what it is, and, of a regular one, its descriptor.
type Made = (Facts, Option<Directory>);

impl Union {
    /// Makes a file, over a whiteout if there is one. Its owner is the caller; group, set-group-ID bit
    /// and mode follow the parent's set-group-ID bit and default ACL, or the umask.
    ///
    /// # Errors
    /// `EEXIST`; `ENOENT` in a removed directory; `EROFS`; `EPERM` for a character device 0:0, which would
    /// be a whiteout (union row 27); `ENOSPC`; what the disk gives.
    pub fn create(
        &self,
        dir: &NodeRef,
        name: &OsStr,
        new: &New,
        caller: &Caller,
    ) -> Result<NodeRef> {
        check_name(name)?;
        let (node, _) = self.change_names(|| self.try_create(dir, name, new, caller))?;
        Ok(node)
    }

    /// Makes a regular file as [`Union::create`] does, and opens it for reading and writing as it is made,
    /// whatever its mode.
    ///
    /// # Errors
    /// As [`Union::create`].
    pub fn create_open(
        &self,
        dir: &NodeRef,
        name: &OsStr,
        mode: u32,
        caller: &Caller,
    ) -> Result<Handle> {
        check_name(name)?;
        let union = self.shared()?;
        let new = New {
            kind: NewKind::Regular,
            mode,
        };
        let (node, open) = self.change_names(|| self.try_create(dir, name, &new, caller))?;
        Ok(Handle::of_new(union, node, open.ok_or(Errno::IO)?))
    }

    fn try_create(
        &self,
        dir: &NodeRef,
        name: &OsStr,
        new: &New,
        caller: &Caller,
    ) -> Result<Step<(NodeRef, Option<Directory>)>> {
        let whiteout = self.free_name(dir, name)?;
        if matches!(new.kind, NewKind::Character(0, 0)) && !self.options.plain {
            return Err(Errno::PERM);
        }
        self.check_writable()?;
        let Some(directory) = self.upper_directory(dir)? else {
            return Ok(Step::CopyUp(dir.clone()));
        };
        self.take_space(0)?;
        let birth = self.birth(dir, new, caller)?;
        let place = Real::named(directory, name);
        let is_directory = birth.kind == FileKind::Directory;
        let is_over_lowers = !lock(&dir.0.state).lowers.is_empty();
        // Where the layers are nobody else's to change (`ovl_allow_offline_changes`).
        let is_final = self.rules.writes_redirects || self.index.is_some();
        let is_opaque = is_directory && (whiteout.is_some() || (is_final && is_over_lowers));
        let (facts, open) = match whiteout {
            None => {
                let made = self.make_real(&place.directory, name, &birth)?;
                if is_opaque {
                    // Only spares later lookups the lower layers, so it may fail.
                    let _marked = self.set_opaque(&place);
                }
                made
            }
            Some(_) => self.make_over_whiteout(&place, &birth)?,
        };
        let state = State {
            dentry: Some((dir.clone(), name.to_owned())),
            upper: Upper::Named,
            upper_identity: Some(facts.identity()),
            ino: self.show_ino(&facts),
            opaque: is_opaque,
            ..State::default()
        };
        let node = self.enter(dir, name, Node::create(birth.kind, state));
        if is_directory {
            *lock(&node.0.inheritance) = Some(Arc::new(birth.inheritance()));
            Self::learn_empty_upper(&node);
        } else if birth.kind == FileKind::Regular {
            let is_harmless = birth.owner.mode & 0o6000 == 0;
            node.0.harmless.store(is_harmless, Ordering::Release);
        }
        Ok(Step::Done((node, open)))
    }

    /// Makes a node known under its name.
    fn enter(&self, dir: &NodeRef, name: &OsStr, node: NodeRef) -> NodeRef {
        dir.0.remember_child(name, &node);
        // Read here, so that the lock is not held below.
        let identity = lock(&node.0.state).upper_identity;
        if node.0.is_directory() {
            self.keep_recent(&node);
        } else if let Some(identity) = identity {
            let mut uppers = lock(&self.uppers);
            uppers.nodes.insert(identity, &node);
            uppers.origins.remove(&identity);
        }
        node
    }

    fn make_over_whiteout(&self, place: &Real, birth: &Birth) -> Result<Made> {
        let mut made = None;
        let temporary = self.temporary(|work, name| {
            made = Some(self.make_real(work, name, birth)?);
            Ok(())
        })?;
        if birth.kind == FileKind::Directory {
            // What the whiteout hid must stay hidden (union rows 35, 36).
            if !is_planted(Fault::NotOpaque) {
                self.set_opaque(temporary.real())?;
            }
            temporary.exchange(place)?;
        } else {
            temporary.replace(place)?;
        }
        made.ok_or(Errno::IO)
    }

    /// Makes a regular file that has no name yet, as `open` with `O_TMPFILE` does.
    ///
    /// # Errors
    /// `EOPNOTSUPP` where the file system cannot; else as [`Union::create`].
    pub fn create_nameless(&self, dir: &NodeRef, mode: u32, caller: &Caller) -> Result<NodeRef> {
        if !dir.0.is_directory() {
            return Err(Errno::NOTDIR);
        }
        self.check_writable()?;
        self.copy_up(dir, Need::Attributes)?;
        let _names = read(&self.names);
        self.check_alive(dir)?;
        let directory = self.upper_directory(dir)?.ok_or(Errno::STALE)?;
        self.take_space(0)?;
        let new = New {
            kind: NewKind::Regular,
            mode,
        };
        let birth = self.birth(dir, &new, caller)?;
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let open = Arc::new(fs::openat(&directory, ".", flags, Mode::RUSR | Mode::WUSR)?);
        let real = Real::opened(Arc::clone(&open));
        let facts = self.equip(&real, &birth)?;
        let state = State {
            orphan: self.orphan(&open),
            upper: Upper::Held(open),
            upper_identity: Some(facts.identity()),
            ino: self.show_ino(&facts),
            ..State::default()
        };
        let node = Node::create(FileKind::Regular, state);
        lock(&self.uppers).nodes.insert(facts.identity(), &node);
        Ok(node)
    }

    /// Checks that a name is free, so that it can be used, and returns the whiteout that is there.
    pub(super) fn free_name(&self, dir: &NodeRef, name: &OsStr) -> Result<Option<Real>> {
        if !dir.0.is_directory() {
            return Err(Errno::NOTDIR);
        }
        self.check_alive(dir)?;
        match self.known(dir, name) {
            Known::Node(_) => return Err(Errno::EXIST),
            Known::Absent => {
                Self::learn_used(dir, name);
                return Ok(None);
            }
            Known::Unknown => {}
        }
        match self.upper_sight(dir, name)? {
            UpperSight::Whiteout(real) => Ok(Some(real)),
            UpperSight::File(..) => Err(Errno::EXIST),
            UpperSight::Nothing if self.lower_sight(dir, name)?.is_some() => Err(Errno::EXIST),
            UpperSight::Nothing => {
                Self::learn_used(dir, name);
                Ok(None)
            }
        }
    }

    /// Refuses to work in a directory that was removed, before anybody asks for permissions (`IS_DEADDIR` in
    /// `fs/namei.c`).
    ///
    /// # Errors
    /// `ENOENT`.
    pub fn check_alive(&self, dir: &NodeRef) -> Result<()> {
        if dir.same(&self.root) || lock(&dir.0.state).dentry.is_some() {
            Ok(())
        } else {
            Err(Errno::NOENT)
        }
    }

    /// Decides owner, mode and ACLs of a new file.
    fn birth(&self, dir: &NodeRef, new: &New, caller: &Caller) -> Result<Birth> {
        let (kind, device, target) = match &new.kind {
            NewKind::Regular => (FileKind::Regular, (0, 0), None),
            NewKind::Directory => (FileKind::Directory, (0, 0), None),
            NewKind::Symlink(target) => (FileKind::Symlink, (0, 0), Some(target.clone())),
            NewKind::Fifo => (FileKind::Fifo, (0, 0), None),
            NewKind::Socket => (FileKind::Socket, (0, 0), None),
            NewKind::Character(major, minor) => (FileKind::Character, (*major, *minor), None),
            NewKind::Block(major, minor) => (FileKind::Block, (*major, *minor), None),
        };
        let parent = self.inheritance(dir)?;
        let inherited = match kind {
            FileKind::Symlink => None,
            _ => parent.default_acl.clone(),
        };
        let mode = match kind {
            FileKind::Symlink => 0o777,
            // mkdir takes no set-ID bits.
            FileKind::Directory => new.mode & 0o1777,
            _ => new.mode & 0o7777,
        };
        let (access, mode) = match (&inherited, kind) {
            (_, FileKind::Symlink) => (None, mode),
            (Some(list), _) => list.clone().for_new(mode),
            (None, _) => (None, mode & !caller.umask),
        };
        let around = (parent.gid, parent.mode);
        let (gid, mode) = privileges::of_new(kind, mode, around, caller);
        let owner = OverrideStat {
            uid: caller.uid,
            gid,
            mode,
            kind: Some(kind),
            device,
        };
        let default = inherited.filter(|_| kind == FileKind::Directory);
        Ok(Birth {
            kind,
            owner,
            target,
            access,
            default,
            is_carried: false,
        })
    }

    /// What new files take from a directory. Remembered, unless others may change it.
    fn inheritance(&self, dir: &NodeRef) -> Result<Arc<Inheritance>> {
        let mut known = lock(&dir.0.inheritance);
        if let Some(known) = known.as_ref().filter(|_| self.is_alone()) {
            return Ok(Arc::clone(known));
        }
        let real = self.real(dir)?;
        let facts = real.stat()?;
        let owner = self.shown_owner(&real, &facts)?;
        let is_root = dir.same(&self.root);
        if is_root {
            self.learn_device(&facts);
        }
        // Asked of the disk also where the layer is fresh: the root may have been given one since.
        let default_acl = self.default_acl(&real)?;
        let found = Arc::new(Inheritance {
            gid: owner.gid,
            mode: owner.mode,
            default_acl,
        });
        *known = Some(Arc::clone(&found));
        Ok(found)
    }

    /// Whether new files in a directory take something from it: its group, or its default ACL.
    ///
    /// # Errors
    /// What reading the disk gives.
    pub fn passes_on(&self, dir: &NodeRef) -> Result<bool> {
        let _names = read(&self.names);
        let found = self.inheritance(dir)?;
        Ok(found.mode & 0o2000 != 0 || found.default_acl.is_some())
    }

    fn default_acl(&self, real: &Real) -> Result<Option<Acl>> {
        let name = self.marks.to_real(acl::DEFAULT.as_ref())?;
        Ok(real.xattr(&name)?.and_then(|value| Acl::parse(&value)))
    }

    /// Makes a file of the real disk with all its attributes, or nothing.
    pub(super) fn make_real(
        &self,
        directory: &Directory,
        name: &OsStr,
        birth: &Birth,
    ) -> Result<Made> {
        let (kind, mode) = if self.is_overridden() {
            let wanted = birth.representation();
            (wanted.kind, wanted.mode)
        } else {
            (birth.kind, birth.owner.mode)
        };
        let mode = Mode::from_raw_mode(mode);
        let mut open = None;
        match kind {
            FileKind::Regular => open = Some(Arc::new(make_regular(directory, name, mode)?)),
            FileKind::Directory => fs::mkdirat(directory, name, mode)?,
            FileKind::Symlink => {
                let target = birth.target.as_deref().ok_or(Errno::INVAL)?;
                fs::symlinkat(target, directory, name)?;
            }
            FileKind::Fifo | FileKind::Socket | FileKind::Character | FileKind::Block => {
                let (major, minor) = birth.owner.device;
                let device = fs::makedev(major, minor);
                fs::mknodat(directory, name, type_of_kind(kind), mode, device)?;
            }
        }
        let named = Real::named(Arc::clone(directory), name);
        let real = match &open {
            Some(open) => Real::opened(Arc::clone(open)),
            None => named.clone(),
        };
        let made = self.equip(&real, birth);
        if made.is_err() {
            let is_directory = kind == FileKind::Directory;
            let _gone = if is_directory {
                named.remove_directory()
            } else {
                named.unlink()
            };
        }
        Ok((made?, open))
    }

    /// Gives a file that was just made its owner, mode and ACLs.
    fn equip(&self, real: &Real, birth: &Birth) -> Result<Facts> {
        let mut facts = real.stat()?;
        let OverrideStat { uid, gid, mode, .. } = birth.owner;
        if self.is_overridden() {
            let wanted = birth.representation();
            if let Some(value) = &wanted.attribute {
                real.set_xattr(OVERRIDE_STAT.as_ref(), value, XattrFlags::empty())?;
            }
            if birth.kind == FileKind::Symlink && wanted.kind == FileKind::Regular {
                let target = birth.target.as_deref().ok_or(Errno::INVAL)?;
                write_all(real, target.as_bytes())?;
            }
            if facts.mode != wanted.mode && wanted.kind != FileKind::Symlink {
                real.set_mode(wanted.mode)?;
            }
        } else {
            if (facts.uid, facts.gid) != (uid, gid) {
                real.set_owner(Some(uid), Some(gid))?;
                // Which may have cleared set-ID bits.
                facts.mode = u32::MAX;
            }
            if facts.mode != mode && birth.kind != FileKind::Symlink {
                real.set_mode(mode)?;
            }
        }
        for (name, list) in [(acl::ACCESS, &birth.access), (acl::DEFAULT, &birth.default)] {
            if let Some(list) = list {
                let name = self.marks.to_real(name.as_ref())?;
                real.set_xattr(&name, &list.format(), XattrFlags::empty())?;
            }
        }
        Ok(facts)
    }
}

fn make_regular(directory: &Directory, name: &OsStr, mode: Mode) -> Result<OwnedFd> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    fs::openat(directory, name, flags, mode)
}

fn write_all(real: &Real, mut bytes: &[u8]) -> Result<()> {
    let open = real.open(OFlags::WRONLY)?;
    while !bytes.is_empty() {
        let written = rustix::io::write(&open, bytes)?;
        bytes = bytes.get(written..).unwrap_or_default();
    }
    Ok(())
}
