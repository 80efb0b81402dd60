//! Our side: the same steps through `Union`.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::sync::Arc;

use layerspec::union::{
    AllocateRange, Attributes, Caller, CallerCapability, Errno, FileKind, Handle, New, NewKind,
    NodeRef, OpenFlags, RenameFlags, SetAttributes, SetTime, Timestamp, Union, XattrFlags,
};

use super::script::{Described, Outcome, Side, brief, octal};

/// A union, a caller, and open handles.
#[derive(Debug)]
pub(crate) struct Ours {
    pub(crate) union: Arc<Union>,
    pub(crate) caller: Caller,
    handles: BTreeMap<String, Handle>,
    /// Files that are held without being open.
    pins: BTreeMap<String, NodeRef>,
    pub(crate) inodes: BTreeMap<String, u64>,
}

/// A caller to whom everything is allowed.
pub(crate) fn root() -> Caller {
    Caller {
        capabilities: vec![
            CallerCapability::Chown,
            CallerCapability::DacOverride,
            CallerCapability::Fowner,
            CallerCapability::Fsetid,
            CallerCapability::Mknod,
            CallerCapability::SysAdmin,
        ],
        umask: 0o022,
        ..Caller::default()
    }
}

/// Value of an attribute in a step: a text, or bytes as `x:0102`.
pub(crate) fn value(text: &str) -> Vec<u8> {
    match text.strip_prefix("x:") {
        None => text.as_bytes().to_vec(),
        Some(hex) => (0..hex.len() / 2)
            .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
            .collect(),
    }
}

impl Ours {
    pub(crate) fn new(union: Arc<Union>) -> Self {
        Self {
            union,
            caller: root(),
            handles: BTreeMap::new(),
            pins: BTreeMap::new(),
            inodes: BTreeMap::new(),
        }
    }

    fn node(&self, path: &str) -> Result<NodeRef, Errno> {
        let mut node = self.union.root();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            if node.kind() != FileKind::Directory {
                return Err(Errno::NOTDIR);
            }
            node = self.union.lookup(&node, OsStr::new(name))?;
        }
        Ok(node)
    }

    fn split<'p>(&self, path: &'p str) -> Result<(NodeRef, &'p OsStr), Errno> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let dir = self.node(parent)?;
        if dir.kind() != FileKind::Directory {
            return Err(Errno::NOTDIR);
        }
        Ok((dir, OsStr::new(name)))
    }

    fn make(&self, path: &str, kind: NewKind, mode: u32) -> Outcome {
        let (dir, name) = self.split(path)?;
        self.union
            .create(&dir, name, &New { kind, mode }, &self.caller)?;
        Ok(String::new())
    }

    fn open(&self, path: &str, flags: OpenFlags) -> Result<Handle, Errno> {
        let node = self.node(path)?;
        if node.kind() == FileKind::Directory {
            return Err(Errno::ISDIR);
        }
        if flags.truncate && node.kind() == FileKind::Regular {
            let change = SetAttributes {
                size: Some(0),
                ..SetAttributes::default()
            };
            self.union.set_attributes(&node, &change, &self.caller)?;
        }
        self.union.open_file(
            &node,
            OpenFlags {
                truncate: false,
                ..flags
            },
        )
    }

    fn change(&self, path: &str, change: SetAttributes) -> Outcome {
        let node = self.node(path)?;
        self.union.set_attributes(&node, &change, &self.caller)?;
        Ok(String::new())
    }

    pub(crate) fn content(&self, node: &NodeRef) -> Result<Vec<u8>, Errno> {
        let handle = self.union.open_file(
            node,
            OpenFlags {
                read: true,
                ..OpenFlags::default()
            },
        )?;
        all_of(&handle)
    }

    fn describe(&self, node: &NodeRef) -> Result<Described, Errno> {
        let attributes = self.union.attributes(node)?;
        let Attributes {
            mode,
            uid,
            gid,
            size,
            links,
            device,
            mtime,
            ..
        } = attributes;
        let content = match attributes.kind {
            FileKind::Regular => match self.content(node) {
                Ok(bytes) => brief(&bytes),
                Err(errno) => errno.to_string(),
            },
            FileKind::Symlink => self.union.read_link(node)?.to_str().unwrap().to_owned(),
            _ => String::new(),
        };
        let mut xattrs = Vec::new();
        for name in self.union.list_xattrs(node)? {
            let value = self.union.get_xattr(node, &name)?;
            xattrs.push((name.to_str().unwrap().to_owned(), value));
        }
        Ok(Described {
            kind: match attributes.kind {
                FileKind::Regular => 'f',
                FileKind::Directory => 'd',
                FileKind::Symlink => 'l',
                FileKind::Fifo => 'p',
                FileKind::Socket => 's',
                FileKind::Character => 'c',
                FileKind::Block => 'b',
            },
            mode,
            uid,
            gid,
            links,
            size,
            device,
            mtime: (mtime.seconds, mtime.nanos),
            content,
            xattrs,
        })
    }

    fn run_handle(&mut self, words: &[&str]) -> Outcome {
        let change = |change: SetAttributes| match self.handles.get(words[1]) {
            Some(handle) => self
                .union
                .set_attributes(handle.node(), &change, &self.caller)
                .map(drop),
            None => Err(Errno::BADF),
        };
        let handle = self.handles.get(words[1]).ok_or(Errno::BADF)?;
        match words[0] {
            "hread" => Ok(brief(&all_of(handle)?)),
            "hwrite" => {
                let at = words[2].parse().unwrap();
                handle.write_at(words[3].as_bytes(), at, &self.caller)?;
                Ok(String::new())
            }
            "htrunc" => {
                let size = Some(words[2].parse().unwrap());
                change(SetAttributes {
                    size,
                    ..SetAttributes::default()
                })?;
                Ok(String::new())
            }
            "hchmod" => {
                let mode = Some(octal(words[2]));
                change(SetAttributes {
                    mode,
                    ..SetAttributes::default()
                })?;
                Ok(String::new())
            }
            "hstat" => {
                let stat = handle.attributes()?;
                Ok(format!("{:o} n{} s{}", stat.mode, stat.links, stat.size))
            }
            "hlink" => {
                let (dir, name) = self.split(words[2])?;
                self.union.link(handle.node(), &dir, name)?;
                Ok(String::new())
            }
            other => panic!("no such step: {other}"),
        }
    }
}

fn all_of(handle: &Handle) -> Result<Vec<u8>, Errno> {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let got = handle.read_at(&mut buffer, bytes.len() as u64)?;
        if got == 0 {
            return Ok(bytes);
        }
        bytes.extend_from_slice(&buffer[..got]);
    }
}

impl Side for Ours {
    #[expect(clippy::too_many_lines, reason = "one arm for each kind of step")]
    fn run(&mut self, words: &[&str]) -> Outcome {
        let mode = |at: usize, usual| words.get(at).map_or(usual, |mode| octal(mode));
        let no_change = SetAttributes::default();
        match words[0] {
            "as" => {
                let before = self.caller.clone();
                self.caller = Caller {
                    uid: words[1].parse().unwrap(),
                    gid: words[2].parse().unwrap(),
                    umask: 0o022,
                    ..Caller::default()
                };
                let outcome = self.run(&words[3..]);
                self.caller = before;
                outcome
            }
            "create" => self.make(words[1], NewKind::Regular, mode(2, 0o666)),
            "mkdir" => self.make(words[1], NewKind::Directory, mode(2, 0o777)),
            "symlink" => self.make(words[2], NewKind::Symlink(words[1].into()), 0o777),
            "fifo" => self.make(words[1], NewKind::Fifo, mode(2, 0o666)),
            "sock" => self.make(words[1], NewKind::Socket, mode(2, 0o666)),
            "char" => {
                let (major, minor) = (words[2].parse().unwrap(), words[3].parse().unwrap());
                self.make(words[1], NewKind::Character(major, minor), 0o644)
            }
            "write" | "append" | "otrunc" => {
                let flags = OpenFlags {
                    write: true,
                    truncate: words[0] == "otrunc",
                    ..OpenFlags::default()
                };
                let handle = self.open(words[1], flags)?;
                if words[0] == "append" {
                    handle.append(words[2].as_bytes(), &self.caller)?;
                } else {
                    handle.write_at(words[2].as_bytes(), 0, &self.caller)?;
                }
                Ok(String::new())
            }
            "openw" => {
                self.open(
                    words[1],
                    OpenFlags {
                        write: true,
                        ..OpenFlags::default()
                    },
                )?;
                Ok(String::new())
            }
            "alloc" => {
                let range = match words[2] {
                    "grow" => AllocateRange::Grow,
                    "keep" => AllocateRange::KeepSize,
                    _ => AllocateRange::PunchHole,
                };
                let (offset, length) = (words[3].parse().unwrap(), words[4].parse().unwrap());
                let flags = OpenFlags {
                    write: true,
                    ..OpenFlags::default()
                };
                let handle = self.open(words[1], flags)?;
                handle.allocate(range, offset, length, &self.caller)?;
                Ok(String::new())
            }
            "trunc" => {
                match self.node(words[1])?.kind() {
                    FileKind::Regular | FileKind::Directory => {}
                    FileKind::Symlink => return Err(Errno::LOOP),
                    _ => return Err(Errno::NXIO),
                }
                let size = Some(words[2].parse().unwrap());
                self.change(words[1], SetAttributes { size, ..no_change })
            }
            "read" => {
                let node = self.node(words[1])?;
                if node.kind() == FileKind::Directory {
                    return Err(Errno::ISDIR);
                }
                Ok(brief(&self.content(&node)?))
            }
            "readlink" => {
                let target = self.union.read_link(&self.node(words[1])?)?;
                Ok(target.to_str().unwrap().to_owned())
            }
            "chmod" => self.change(
                words[1],
                SetAttributes {
                    mode: Some(mode(2, 0)),
                    ..no_change
                },
            ),
            "chown" => {
                let (uid, gid) = (words[2].parse().ok(), words[3].parse().ok());
                self.change(
                    words[1],
                    SetAttributes {
                        uid,
                        gid,
                        ..no_change
                    },
                )
            }
            "pin" => {
                let node = self.node(words[2])?;
                self.pins.insert(words[1].to_owned(), node);
                Ok(String::new())
            }
            "pchown" => {
                let node = self.pins.get(words[1]).ok_or(Errno::BADF)?;
                let change = SetAttributes {
                    uid: words[2].parse().ok(),
                    ..no_change
                };
                self.union.set_attributes(node, &change, &self.caller)?;
                Ok(String::new())
            }
            "times" => {
                let time = |text: &str| {
                    let at = Timestamp {
                        seconds: text.parse().unwrap(),
                        nanos: 7,
                    };
                    Some(SetTime::At(at))
                };
                let (atime, mtime) = (time(words[2]), time(words[3]));
                self.change(
                    words[1],
                    SetAttributes {
                        atime,
                        mtime,
                        ..no_change
                    },
                )
            }
            "atime" => {
                let atime = self.union.attributes(&self.node(words[1])?)?.atime;
                Ok(format!("{}.{}", atime.seconds, atime.nanos))
            }
            "setx" => {
                let flags = match words.get(4) {
                    Some(&"create") => XattrFlags::Create,
                    Some(&"replace") => XattrFlags::Replace,
                    _ => XattrFlags::Any,
                };
                let node = self.node(words[1])?;
                self.union
                    .set_xattr(&node, OsStr::new(words[2]), &value(words[3]), flags)?;
                Ok(String::new())
            }
            "getx" => {
                let node = self.node(words[1])?;
                Ok(brief(&self.union.get_xattr(&node, OsStr::new(words[2]))?))
            }
            "rmx" => {
                let node = self.node(words[1])?;
                self.union.remove_xattr(&node, OsStr::new(words[2]))?;
                Ok(String::new())
            }
            "unlink" | "rmdir" => {
                let (dir, name) = self.split(words[1])?;
                if words[0] == "unlink" {
                    self.union.unlink(&dir, name)?;
                } else {
                    self.union.remove_directory(&dir, name)?;
                }
                Ok(String::new())
            }
            "rename" => {
                let flags = match words.get(3) {
                    Some(&"noreplace") => RenameFlags::NoReplace,
                    Some(&"exchange") => RenameFlags::Exchange,
                    Some(&"whiteout") => RenameFlags::Whiteout,
                    _ => RenameFlags::Replace,
                };
                let from = self.split(words[1])?;
                let to = self.split(words[2])?;
                self.union.rename((&from.0, from.1), (&to.0, to.1), flags)?;
                Ok(String::new())
            }
            "link" => {
                let node = self.node(words[1])?;
                let (dir, name) = self.split(words[2])?;
                self.union.link(&node, &dir, name)?;
                Ok(String::new())
            }
            "list" => {
                let node = self.node(words[1])?;
                let entries = self.union.read_directory(&node)?;
                let names: Vec<_> = entries
                    .iter()
                    .map(|entry| entry.name.to_str().unwrap())
                    .collect();
                Ok(names.join(","))
            }
            "stat" => Ok(self.describe(&self.node(words[1])?)?.text()),
            "same" => {
                let ino = |path| Ok(self.union.attributes(&self.node(path)?)?.ino);
                Ok((ino(words[1])? == ino(words[2])?).to_string())
            }
            "remember" => {
                let ino = self.union.attributes(&self.node(words[2])?)?.ino;
                self.inodes.insert(words[1].to_owned(), ino);
                Ok(String::new())
            }
            "is" => {
                let ino = self.union.attributes(&self.node(words[2])?)?.ino;
                Ok((ino == self.inodes[words[1]]).to_string())
            }
            "open" => {
                let flags = OpenFlags {
                    read: words[3] != "w",
                    write: words[3] != "r",
                    truncate: false,
                };
                let handle = self.open(words[2], flags)?;
                self.handles.insert(words[1].to_owned(), handle);
                Ok(String::new())
            }
            "tmpfile" => {
                let dir = self.node(words[2])?;
                let node = self
                    .union
                    .create_nameless(&dir, mode(3, 0o666), &self.caller)?;
                let flags = OpenFlags {
                    read: true,
                    write: true,
                    truncate: false,
                };
                let handle = self.union.open_file(&node, flags)?;
                self.handles.insert(words[1].to_owned(), handle);
                Ok(String::new())
            }
            "close" => {
                self.handles.remove(words[1]);
                Ok(String::new())
            }
            _ => self.run_handle(words),
        }
    }

    fn tree(&mut self) -> BTreeMap<String, String> {
        let mut tree = BTreeMap::new();
        let mut open = vec![(String::new(), self.union.root())];
        while let Some((path, node)) = open.pop() {
            tree.insert(format!("{path}/"), self.describe(&node).unwrap().text());
            for entry in self.union.read_directory(&node).unwrap() {
                let path = format!("{path}/{}", entry.name.to_str().unwrap());
                let child = match self.union.lookup(&node, &entry.name) {
                    Ok(child) => child,
                    Err(errno) => {
                        tree.insert(path, errno.to_string());
                        continue;
                    }
                };
                assert_eq!(child.kind(), entry.kind, "{path}");
                let ino = self.union.attributes(&child).unwrap().ino;
                assert_eq!(ino, entry.ino, "inode number in the listing: {path}");
                if entry.kind == FileKind::Directory {
                    open.push((path, child));
                } else {
                    tree.insert(path, self.describe(&child).unwrap().text());
                }
            }
        }
        tree
    }
}
