//! From one tree to another as `docker cp`, `commit`, `export` and `import` do it: through a tar archive.
//!
//! What an archive of Docker's does not keep is lost on the way (moby `pkg/archive`): sockets; fractions of a
//! second, and times before 1970; access times; extended attributes but `security.capability`. Seen on Docker 20.10.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::rootfs::{NewNode, OpenFile, OpenFlag, OpenHow, Process, Rootfs, Subject, Times};
use crate::union::{Attributes, Errno, FileKind, Result, Timestamp, XattrFlags};

/// Bytes that are copied at a time.
const CHUNK: u64 = 1 << 20;

/// The one extended attribute that archives keep.
pub(super) const CAPABILITY: &str = "security.capability";

/// One file of a tree.
#[derive(Debug)]
pub(super) struct Item {
    /// Path below the top; empty for the top itself.
    pub(super) path: PathBuf,
    pub(super) body: Body,
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Whole seconds.
    pub(super) mtime: i64,
    pub(super) xattrs: Vec<(OsString, Vec<u8>)>,
}

/// What a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Body {
    Directory,
    /// Length in bytes.
    File(u64),
    Symlink(OsString),
    /// Another name of a file that came before, below the same top.
    Hardlink(PathBuf),
    Fifo,
    Character(u32, u32),
    Block(u32, u32),
    /// A mark in a layer: the name is deleted.
    Whiteout,
}

/// A tree to read: files below a path, as one process sees them.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) process: &'a Process,
    pub(super) top: PathBuf,
    /// Extended attributes to take.
    pub(super) xattrs: &'a [&'a str],
    /// The tree is a layer, whose devices 0:0 are whiteouts.
    pub(super) is_layer: bool,
}

/// Where the content of a file comes from.
pub(super) enum Content<'a> {
    /// An open file.
    Open(&'a Process, OpenFile),
    /// A stream.
    Stream(&'a mut dyn std::io::Read),
}

impl Source<'_> {
    fn full(&self, path: &Path) -> PathBuf {
        if path.as_os_str().is_empty() {
            self.top.clone()
        } else {
            self.top.join(path)
        }
    }

    /// Gives every file, each directory before what is in it, names in order.
    pub(super) fn walk<E: From<Errno>>(
        &self,
        mut visit: impl FnMut(Item) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let mut seen: BTreeMap<(u64, u64), PathBuf> = BTreeMap::new();
        let mut todo = vec![PathBuf::new()];
        while let Some(path) = todo.pop() {
            let Some(item) = self.item(&path, &mut seen)? else {
                continue;
            };
            let is_directory = item.body == Body::Directory;
            visit(item)?;
            if is_directory {
                let full = self.full(&path);
                let subject = Subject::Path {
                    path: full.as_os_str(),
                    follow: false,
                };
                let names = self.process.list(&subject)?;
                todo.extend(names.into_iter().rev().map(|name| path.join(name)));
            }
        }
        Ok(())
    }

    /// `None` for what an archive leaves out, and for what is gone by now.
    fn item(&self, path: &Path, seen: &mut BTreeMap<(u64, u64), PathBuf>) -> Result<Option<Item>> {
        let full = self.full(path);
        let subject = Subject::Path {
            path: full.as_os_str(),
            follow: false,
        };
        let stat = match self.process.stat(&subject) {
            Err(Errno::NOENT) if !path.as_os_str().is_empty() => return Ok(None),
            stat => stat?,
        };
        let Attributes {
            kind,
            mode,
            uid,
            gid,
            size,
            links,
            ino,
            device,
            mtime,
            ..
        } = stat.attributes;
        let first = (links > 1 && kind != FileKind::Directory)
            .then(|| seen.insert((stat.dev, ino), path.to_owned()))
            .flatten();
        let body = match (first, kind) {
            (_, FileKind::Socket) => return Ok(None),
            // Whiteouts may be links of one another.
            (_, FileKind::Character) if self.is_layer && device == (0, 0) => Body::Whiteout,
            (Some(first), _) => {
                seen.insert((stat.dev, ino), first.clone());
                Body::Hardlink(first)
            }
            (None, FileKind::Regular) => Body::File(size),
            (None, FileKind::Directory) => Body::Directory,
            (None, FileKind::Symlink) => Body::Symlink(self.process.read_link(full.as_os_str())?),
            (None, FileKind::Fifo) => Body::Fifo,
            (None, FileKind::Character) => Body::Character(device.0, device.1),
            (None, FileKind::Block) => Body::Block(device.0, device.1),
        };
        let mut xattrs = Vec::new();
        for name in self.xattrs {
            if let Ok(value) = self.process.get_xattr(&subject, OsStr::new(name)) {
                xattrs.push((OsString::from(name), value));
            }
        }
        let (path, mtime) = (path.to_owned(), mtime.seconds);
        Ok(Some(Item {
            path,
            body,
            mode,
            uid,
            gid,
            mtime,
            xattrs,
        }))
    }

    /// Opens a file of the tree.
    pub(super) fn open(&self, path: &Path) -> Result<OpenFile> {
        self.process.open_to_read(self.full(path).as_os_str())
    }
}

/// Whose the files become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owners {
    /// As they were.
    Keep,
    /// All this user's and group's.
    Set(u32, u32),
    /// What is made is that of whoever makes it; a directory that is there stays whose it is.
    OfMaker,
}

/// What stands in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stuck {
    /// A directory where a file comes, or a file where a directory comes; the words for it.
    Overwrite(String),
    /// The system call's errno.
    Errno(Errno),
}

impl From<Errno> for Stuck {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

/// A tree to write: files below a directory that exists.
#[derive(Debug)]
pub(super) struct Target<'a> {
    process: &'a Process,
    /// Set when the tree is a layer, which may have whiteouts.
    layer: Option<&'a Rootfs>,
    directory: PathBuf,
    owners: Owners,
    /// Directories with the times that they get at the end.
    times: Vec<(PathBuf, i64)>,
}

impl<'a> Target<'a> {
    pub(super) fn new(process: &'a Process, directory: PathBuf, owners: Owners) -> Self {
        Self {
            process,
            layer: None,
            directory,
            owners,
            times: Vec::new(),
        }
    }

    /// A layer as it is, seen by this process.
    pub(super) fn layer(process: &'a Process, layer: &'a Rootfs) -> Self {
        let (directory, owners) = (PathBuf::from("/"), Owners::Keep);
        Self {
            process,
            layer: Some(layer),
            directory,
            owners,
            times: Vec::new(),
        }
    }

    /// Makes one file, replacing what is there, unless one is a directory and the other is not. A
    /// directory that is there keeps its content. `path` is below the target's directory; empty is the directory
    /// itself, which stays as it is.
    pub(super) fn put(
        &mut self,
        path: &Path,
        item: &Item,
        content: Option<Content<'_>>,
    ) -> std::result::Result<(), Stuck> {
        if path.as_os_str().is_empty() {
            return Ok(());
        }
        let full = self.directory.join(path);
        let name = full.as_os_str();
        let lstat = Subject::Path {
            path: name,
            follow: false,
        };
        let is_directory = item.body == Body::Directory;
        match self.process.stat(&lstat) {
            Err(Errno::NOENT) => self.make(&full, item, content)?,
            Err(errno) => return Err(errno.into()),
            Ok(stat) => match (stat.attributes.kind == FileKind::Directory, is_directory) {
                (true, true) => {}
                (false, false) => {
                    drop(self.process.unlink(name)?);
                    self.make(&full, item, content)?;
                }
                (there, _) => {
                    let (old, new) = if there {
                        ("directory", "non-directory")
                    } else {
                        ("non-directory", "directory")
                    };
                    let (shown, into) = (full.display(), self.directory.display());
                    let words = format!("cannot overwrite {old} \"{shown}\" with {new} \"{into}\"");
                    return Err(Stuck::Overwrite(words));
                }
            },
        }
        if matches!(item.body, Body::Hardlink(_) | Body::Whiteout) {
            return Ok(());
        }
        self.dress(&full, item)?;
        Ok(())
    }

    fn make(&self, full: &Path, item: &Item, content: Option<Content<'_>>) -> Result<()> {
        let name = full.as_os_str();
        let made = match &item.body {
            Body::Whiteout => return self.whiteout(full),
            Body::Directory => self.process.mkdir(name, 0o755),
            Body::File(size) => return self.fill(name, *size, content),
            Body::Symlink(text) => self.process.symlink(text, name),
            Body::Hardlink(first) => self
                .process
                .link(self.directory.join(first).as_os_str(), name),
            Body::Fifo => self.process.mknod(name, NewNode::Fifo, 0o600),
            Body::Character(major, minor) => {
                self.process
                    .mknod(name, NewNode::Character(*major, *minor), 0o600)
            }
            Body::Block(major, minor) => {
                self.process
                    .mknod(name, NewNode::Block(*major, *minor), 0o600)
            }
        };
        made.map(drop)
    }

    fn whiteout(&self, full: &Path) -> Result<()> {
        let (Some(parent), Some(name)) = (full.parent(), full.file_name()) else {
            return Err(Errno::INVAL);
        };
        let (layer, directory) = self.layer.ok_or(Errno::INVAL)?.find(parent)?;
        layer.plant_whiteout(&directory, name)
    }

    fn fill(&self, name: &OsStr, size: u64, content: Option<Content<'_>>) -> Result<()> {
        let how = OpenHow::new(&[OpenFlag::Write, OpenFlag::Create, OpenFlag::Exclusive]);
        let file = self.process.open(name, how, 0o600)?.file;
        match content {
            None => {}
            Some(Content::Open(reader, source)) => self.fill_from(&file, reader, &source)?,
            Some(Content::Stream(stream)) => {
                let mut buffer = vec![0; usize::try_from(CHUNK).unwrap_or(1 << 16)];
                loop {
                    let count = stream.read(&mut buffer).map_err(|_| Errno::IO)?;
                    let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else {
                        break;
                    };
                    drop(self.process.write(&file, None, bytes)?);
                }
            }
        }
        drop(self.process.truncate(&Subject::File(&file), size)?);
        Ok(())
    }

    /// Copies data and leaves holes out.
    fn fill_from(&self, file: &OpenFile, reader: &Process, source: &OpenFile) -> Result<()> {
        let mut at = 0;
        loop {
            at = match reader.seek(source, true, at) {
                Ok(data) => data,
                Err(Errno::NXIO) => return Ok(()),
                // A file system that knows no holes.
                Err(Errno::INVAL | Errno::OPNOTSUPP) => at,
                Err(errno) => return Err(errno),
            };
            let bytes = reader.read(source, Some(at), Some(CHUNK))?;
            if bytes.is_empty() {
                return Ok(());
            }
            drop(self.process.write(file, Some(at), &bytes)?);
            at += bytes.len() as u64;
        }
    }

    /// Owner, then mode, which a change of owner may cut, then attributes and time.
    fn dress(&mut self, full: &Path, item: &Item) -> Result<()> {
        let subject = Subject::Path {
            path: full.as_os_str(),
            follow: false,
        };
        let owner = match self.owners {
            Owners::Keep => Some((item.uid, item.gid)),
            Owners::Set(uid, gid) => Some((uid, gid)),
            Owners::OfMaker => None,
        };
        if let Some((uid, gid)) = owner {
            drop(self.process.chown(&subject, Some(uid), Some(gid))?);
        }
        if !matches!(item.body, Body::Symlink(_)) {
            drop(self.process.chmod(&subject, item.mode)?);
        }
        for (name, value) in &item.xattrs {
            match self
                .process
                .set_xattr(&subject, name, value, XattrFlags::Any)
            {
                // As moby does: an attribute that the file system does not take is left out.
                Err(Errno::OPNOTSUPP | Errno::PERM) => {}
                set => drop(set?),
            }
        }
        if item.body == Body::Directory {
            self.times.push((full.to_owned(), item.mtime));
            return Ok(());
        }
        self.set_time(full, item.mtime)
    }

    fn set_time(&self, full: &Path, seconds: i64) -> Result<()> {
        let subject = Subject::Path {
            path: full.as_os_str(),
            follow: false,
        };
        // As moby does it (`pkg/system/chtimes.go`).
        let seconds = seconds.max(0);
        let time = Some(Timestamp { seconds, nanos: 0 });
        drop(self.process.set_times(
            &subject,
            Times {
                atime: time,
                mtime: time,
            },
        )?);
        Ok(())
    }

    /// Gives directories their times, which making files in them has changed.
    pub(super) fn finish(self) -> Result<()> {
        self.times
            .iter()
            .try_for_each(|(path, seconds)| self.set_time(path, *seconds))
    }
}

/// Copies a whole tree; `name` is that of its top below the target's directory, empty to merge the
/// top into that directory.
pub(super) fn transfer(
    source: &Source<'_>,
    mut target: Target<'_>,
    name: &Path,
) -> std::result::Result<(), Stuck> {
    // All of it is looked up first: a directory may be copied into itself, through a mount, and would have no end.
    let mut items = Vec::new();
    source.walk::<Errno>(|item| {
        items.push(item);
        Ok(())
    })?;
    for mut item in items {
        let is_top = item.path.as_os_str().is_empty();
        let path = if is_top {
            name.to_owned()
        } else {
            name.join(&item.path)
        };
        if let Body::Hardlink(first) = &mut item.body {
            *first = name.join(&first);
        }
        let content = match item.body {
            Body::File(size) if size > 0 => {
                Some(Content::Open(source.process, source.open(&item.path)?))
            }
            _ => None,
        };
        target.put(&path, &item, content)?;
    }
    Ok(target.finish()?)
}
