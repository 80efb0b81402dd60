//! From the entries of a layer to a layer on the disk.
//!
//! What Docker 20.10 (`docker load`, overlay2) was seen to do, and is done here:
//!
//! | in the layer | becomes |
//! |---|---|
//! | absolute names, `..` | paths below the top; `..` does not lead above it |
//! | parents that no entry names | directories 0755 0:0, whatever the layers below have there |
//! | `./` | nothing: only `/` gives the top its attributes |
//! | a path a second time | refused |
//! | a hard link | to a name that came before in the same layer, whose attributes it sets; otherwise refused |
//! | `.wh.NAME`, of any type | a whiteout; one whose name is there already is refused |
//! | a file over a whiteout of the same layer | replaces it; so does a directory, which is then merged with those below |
//! | `.wh..wh..opq` | an opaque directory |
//! | a character device 0:0 | a whiteout |
//! | attributes that the disk does not take | left out |
//! | the times of 1970 and earlier, and beyond 2262 | 1970 |
//!
//! Not as Docker does it: a path through a symlink of the same layer is refused (there it is followed, inside
//! the top); `trusted.overlay.opaque` is a mark as it is there, but other marks of an overlay are refused (there
//! they take effect: a layer can redirect a directory); owners beyond 32 bits are refused (there they are
//! cut off); what AUFS kept for itself is left out, and other files below a `.wh.` name are refused.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::sync::Arc;

use super::dress::Dress;
use super::entries::Entries;
use super::error::{ArchiveFault, Result, shown};
use super::header::{Body, Entry};
use super::input::Input;
use super::limits::Budget;
use super::names::{self, Meaning};
use crate::union::{
    Caller, CallerCapability, Errno, FileKind, New, NewKind, NodeRef, SetAttributes, SetTime,
    Union, XattrNamespace,
};

/// Unpacks every entry of a stream.
pub(super) fn unpack<I: Input>(
    input: &mut I,
    union: &Union,
    namespace: XattrNamespace,
    budget: &mut Budget,
) -> Result<()> {
    let mut entries = Entries::new(input);
    let mut unpacker = Unpacker::new(union, namespace);
    while let Some(entry) = entries.next(|| budget.entry())? {
        unpacker
            .entry(&entry, &mut entries, budget)
            .and_then(|()| unpacker.count_implied(budget))
            .map_err(|error| error.within(format!("entry {}", shown(&entry.path))))?;
    }
    unpacker.finish()
}

/// Names a directory of the layer; 0 is the top.
pub(super) type Number = usize;

/// What is known of a name of the layer.
#[derive(Clone, Copy, Debug)]
enum Known {
    Directory(Number),
    Whiteout,
}

/// A directory of the layer.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) parent: Number,
    pub(super) name: Arc<[u8]>,
    /// What its entry says, to be set when everything in it is there. `None`: no entry has named it.
    pub(super) dress: Option<Dress>,
}

pub(super) struct Unpacker<'a> {
    pub(super) union: &'a Union,
    pub(super) namespace: XattrNamespace,
    known: BTreeMap<(Number, Arc<[u8]>), Known>,
    pub(super) folders: Vec<Folder>,
    /// The directory that was used last, with those above it: most entries are in it, or near.
    open: Vec<(Number, NodeRef)>,
    /// Directories that were made since they were counted, because paths lead through them.
    implied: u64,
}

impl<'a> Unpacker<'a> {
    fn new(union: &'a Union, namespace: XattrNamespace) -> Self {
        let top = Folder {
            parent: 0,
            name: Arc::from(&b""[..]),
            dress: None,
        };
        Self {
            union,
            namespace,
            known: BTreeMap::new(),
            folders: vec![top],
            open: vec![(0, union.root())],
            implied: 0,
        }
    }

    /// Directories count like the entries that they would have: a few long paths must not become very many.
    fn count_implied(&mut self, budget: &mut Budget) -> Result<()> {
        (0..std::mem::take(&mut self.implied)).try_for_each(|_| budget.entry())
    }

    fn entry<I: Input>(
        &mut self,
        entry: &Entry,
        entries: &mut Entries<I>,
        budget: &mut Budget,
    ) -> Result<()> {
        let path = names::clean(&entry.path);
        names::check(&path, &budget.limits)?;
        let Some((last, parents)) = path.split_last() else {
            return self.top(entry);
        };
        match names::meaning(&path)? {
            Meaning::Nothing => Ok(()),
            Meaning::Opaque => {
                let (_, node) = self.directory(parents)?;
                Ok(self.union.mark_opaque(&node)?)
            }
            Meaning::Whiteout(name) => self.whiteout(parents, name),
            Meaning::File => {
                let (number, parent) = self.directory(parents)?;
                match &entry.body {
                    Body::Directory => self.folder(number, &parent, last, entry),
                    Body::Character(0, 0) => self.whiteout(parents, last),
                    Body::Hardlink(target) => self.link(number, &parent, last, target, entry),
                    Body::File(size) => {
                        budget.take(*size)?;
                        self.make_room(number, &parent, last)?;
                        self.file(&parent, last, *size, entry, entries)
                    }
                    body => {
                        self.make_room(number, &parent, last)?;
                        self.other(&parent, last, body, entry)
                    }
                }
            }
        }
    }

    /// `/` has attributes; `./` means nothing, as in Docker.
    fn top(&mut self, entry: &Entry) -> Result<()> {
        if !entry.path.starts_with(b"/") {
            return Ok(());
        }
        if entry.body != Body::Directory {
            return Err(ArchiveFault::refused("the top of a layer is a directory"));
        }
        self.dress(0, &self.union.root(), entry)
    }

    /// The directory at a path, made as far as it is missing.
    pub(super) fn directory(&mut self, path: &[&[u8]]) -> Result<(Number, NodeRef)> {
        let same = self
            .open
            .iter()
            .skip(1)
            .zip(path)
            .take_while(|((number, _), name)| {
                let folder = self.folders.get(*number);
                folder.is_some_and(|folder| *folder.name == ***name)
            })
            .count();
        self.open.truncate(same + 1);
        for name in path.iter().skip(same) {
            let (number, node) = self.innermost();
            let below = self.step(number, &node, name)?;
            self.open.push(below);
        }
        Ok(self.innermost())
    }

    fn innermost(&self) -> (Number, NodeRef) {
        self.open
            .last()
            .cloned()
            .unwrap_or_else(|| (0, self.union.root()))
    }

    /// One name further down.
    fn step(&mut self, number: Number, dir: &NodeRef, name: &[u8]) -> Result<(Number, NodeRef)> {
        let key = (number, Arc::from(name));
        if let Some(Known::Directory(known)) = self.known.get(&key) {
            let node = self.union.lookup(dir, OsStr::from_bytes(name))?;
            if node.kind() != FileKind::Directory {
                return Err(Errno::NOTDIR.into());
            }
            return Ok((*known, node));
        }
        let made = self.make(dir, name, NewKind::Directory, 0o755, (0, 0));
        let node = made.map_err(|error| match error.errno() {
            Some(Errno::EXIST) => below_what(self.union, dir, name),
            _ => error,
        })?;
        self.implied += 1;
        Ok((self.enter(key, None), node))
    }

    fn enter(&mut self, key: (Number, Arc<[u8]>), dress: Option<Dress>) -> Number {
        let number = self.folders.len();
        self.folders.push(Folder {
            parent: key.0,
            name: Arc::clone(&key.1),
            dress,
        });
        self.known.insert(key, Known::Directory(number));
        number
    }

    fn make(
        &self,
        dir: &NodeRef,
        name: &[u8],
        kind: NewKind,
        mode: u32,
        owner: (u32, u32),
    ) -> Result<NodeRef> {
        let new = New { kind, mode };
        let made = self
            .union
            .create(dir, OsStr::from_bytes(name), &new, &everything(owner));
        Ok(made?)
    }

    /// Takes a whiteout of this layer out of the way; anything else must not be there.
    fn make_room(&mut self, number: Number, dir: &NodeRef, name: &[u8]) -> Result<()> {
        let key = (number, Arc::from(name));
        match self.known.get(&key) {
            Some(Known::Directory(_)) => Err(twice()),
            Some(Known::Whiteout) => {
                self.union.unlink(dir, OsStr::from_bytes(name))?;
                self.known.remove(&key);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn folder(&mut self, number: Number, dir: &NodeRef, name: &[u8], entry: &Entry) -> Result<()> {
        let key = (number, Arc::from(name));
        if let Some(Known::Directory(known)) = self.known.get(&key) {
            let known = *known;
            if self.folders.get(known).is_some_and(|f| f.dress.is_some()) {
                return Err(twice());
            }
            let node = self.union.lookup(dir, OsStr::from_bytes(name))?;
            return self.dress(known, &node, entry);
        }
        self.make_room(number, dir, name)?;
        let node = self
            .make(dir, name, NewKind::Directory, 0o755, (0, 0))
            .map_err(taken)?;
        let known = self.enter(key, None);
        self.dress(known, &node, entry)
    }

    fn whiteout(&mut self, parents: &[&[u8]], name: &[u8]) -> Result<()> {
        let (number, dir) = self.directory(parents)?;
        self.union
            .plant_whiteout(&dir, OsStr::from_bytes(name))
            .map_err(|errno| taken(errno.into()))?;
        self.known
            .insert((number, Arc::from(name)), Known::Whiteout);
        Ok(())
    }

    fn file<I: Input>(
        &self,
        dir: &NodeRef,
        name: &[u8],
        size: u64,
        entry: &Entry,
        entries: &mut Entries<I>,
    ) -> Result<()> {
        let caller = everything((entry.uid, entry.gid));
        let handle = self
            .union
            .create_open(dir, OsStr::from_bytes(name), entry.mode, &caller)
            .map_err(|errno| taken(errno.into()))?;
        let mut written = 0;
        entries.data(|at, mut bytes| {
            written = at + bytes.len() as u64;
            let mut at = at;
            while !bytes.is_empty() {
                let count = handle.write_at(bytes, at, &caller)?;
                if count == 0 {
                    return Err(Errno::IO.into());
                }
                at += count as u64;
                bytes = bytes.get(count..).unwrap_or_default();
            }
            Ok(())
        })?;
        self.attributes(handle.node(), entry)?;
        let change = SetAttributes {
            // A hole at the end.
            size: (written < size).then_some(size),
            // An access list may have changed it.
            mode: (!entry.xattrs.is_empty()).then_some(entry.mode),
            mtime: Some(SetTime::At(entry.mtime)),
            ..SetAttributes::default()
        };
        self.union.set_attributes(handle.node(), &change, &caller)?;
        Ok(())
    }

    fn other(&self, dir: &NodeRef, name: &[u8], body: &Body, entry: &Entry) -> Result<()> {
        let kind = match body {
            Body::Symlink(target) => NewKind::Symlink(OsString::from_vec(target.clone())),
            Body::Character(major, minor) => NewKind::Character(*major, *minor),
            Body::Block(major, minor) => NewKind::Block(*major, *minor),
            _ => NewKind::Fifo,
        };
        let node = self
            .make(dir, name, kind, entry.mode, (entry.uid, entry.gid))
            .map_err(taken)?;
        self.attributes(&node, entry)?;
        let change = SetAttributes {
            mtime: Some(SetTime::At(entry.mtime)),
            ..SetAttributes::default()
        };
        let caller = everything((entry.uid, entry.gid));
        self.union.set_attributes(&node, &change, &caller)?;
        Ok(())
    }

    /// A further name of a file, and the attributes that the entry gives that file.
    fn link(
        &mut self,
        number: Number,
        dir: &NodeRef,
        name: &[u8],
        target: &[u8],
        entry: &Entry,
    ) -> Result<()> {
        let path = names::clean(target);
        let node = self.find(&path).map_err(|_| {
            ArchiveFault::refused(format!("it links to {}, which is not there", shown(target)))
        })?;
        if node.kind() == FileKind::Directory {
            let message = format!("it links to {}, a directory", shown(target));
            return Err(ArchiveFault::refused(message));
        }
        self.make_room(number, dir, name)?;
        self.union
            .link(&node, dir, OsStr::from_bytes(name))
            .map_err(|errno| taken(errno.into()))?;
        let now = self.union.attributes(&node)?;
        let mode = (node.kind() != FileKind::Symlink).then_some(entry.mode);
        let is_other = (now.uid, now.gid) != (entry.uid, entry.gid)
            || mode.is_some_and(|mode| mode != now.mode);
        let owner = is_other.then_some((entry.uid, entry.gid));
        let change = SetAttributes {
            uid: owner.map(|owner| owner.0),
            gid: owner.map(|owner| owner.1),
            mode: mode.filter(|_| is_other),
            mtime: Some(SetTime::At(entry.mtime)),
            ..SetAttributes::default()
        };
        let caller = everything((entry.uid, entry.gid));
        self.union.set_attributes(&node, &change, &caller)?;
        self.attributes(&node, entry)
    }

    /// A file of this layer, no symlink followed. Whiteouts are none.
    fn find(&self, path: &[&[u8]]) -> Result<NodeRef> {
        let (mut number, mut node) = (0, self.union.root());
        for name in path {
            node = self.union.lookup(&node, OsStr::from_bytes(name))?;
            match self.known.get(&(number, Arc::from(*name))) {
                Some(Known::Directory(below)) => number = *below,
                Some(Known::Whiteout) => return Err(Errno::NOENT.into()),
                // A file, below which nothing is found.
                None => {}
            }
        }
        Ok(node)
    }
}

/// Who may do everything, and whose the new files are.
pub(super) fn everything((uid, gid): (u32, u32)) -> Caller {
    use CallerCapability::{Chown, DacOverride, Fowner, Fsetid, Mknod, Setfcap, SysAdmin};
    Caller {
        uid,
        gid,
        groups: Vec::new(),
        capabilities: vec![Chown, DacOverride, Fowner, Fsetid, Mknod, Setfcap, SysAdmin],
        umask: 0,
    }
}

/// Docker's tar-split: "duplicates of file paths not supported".
pub(super) fn twice() -> super::ArchiveError {
    ArchiveFault::refused("its path comes a second time")
}

fn taken(error: super::ArchiveError) -> super::ArchiveError {
    match error.errno() {
        Some(Errno::EXIST) => twice(),
        _ => error,
    }
}

/// What is where a directory should be.
fn below_what(union: &Union, dir: &NodeRef, name: &[u8]) -> super::ArchiveError {
    let is_link = union
        .lookup(dir, OsStr::from_bytes(name))
        .is_ok_and(|node| node.kind() == FileKind::Symlink);
    below(name, is_link)
}

pub(super) fn below(name: &[u8], is_link: bool) -> super::ArchiveError {
    let what = if is_link { "a symbolic link" } else { "a file" };
    ArchiveFault::refused(format!("it lies below {}, {what}", shown(name)))
}
