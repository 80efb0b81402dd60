//! One thread of the stress test: it changes names that are its own, in directories that all share, so that it
//! knows what must come of every step, and looks at the names of the others meanwhile.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::sync::Arc;

use layerspec::union::{
    Caller, CallerCapability, Errno, FileKind, Handle, New, NewKind, NodeRef, OpenFlags,
    RenameFlags, SetAttributes, Union,
};

/// Directories that all share; they are in the lower layer.
pub(crate) const SHARED: &[&str] = &["d0", "d1", "d1/d2"];
/// Names that each thread has in each of them.
const NAMES: &[&str] = &["a", "b", "c", "D", "L"];

/// What a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// This file.
    File(usize),
    /// A directory; whether a lower layer has part in it.
    Directory { is_merged: bool },
}

/// What there must be.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) names: BTreeMap<String, Item>,
    pub(crate) files: Vec<Vec<u8>>,
}

impl Model {
    fn new_file(&mut self, content: &[u8]) -> Item {
        self.files.push(content.to_vec());
        Item::File(self.files.len() - 1)
    }

    fn is_empty_directory(&self, path: &str) -> bool {
        let below = format!("{path}/");
        !self.names.keys().any(|name| name.starts_with(&below))
    }
}

pub(crate) struct Worker {
    union: Arc<Union>,
    id: usize,
    others: usize,
    /// With redirects, directories of the lower layer move, too.
    pub(crate) moves_directories: bool,
    dice: u64,
    pub(crate) model: Model,
    /// An open file, and which it is.
    held: Option<(Handle, usize)>,
}

pub(crate) fn root() -> Caller {
    Caller {
        capabilities: vec![CallerCapability::Fsetid],
        ..Caller::default()
    }
}

pub(crate) fn find(union: &Union, path: &str) -> Result<NodeRef, Errno> {
    let names = path.split('/').filter(|name| !name.is_empty());
    names.into_iter().try_fold(union.root(), |node, name| {
        union.lookup(&node, OsStr::new(name))
    })
}

pub(crate) fn all_of(handle: &Handle) -> Result<Vec<u8>, Errno> {
    let mut bytes = vec![0; 1 << 16];
    let length = handle.read_at(&mut bytes, 0)?;
    bytes.truncate(length);
    Ok(bytes)
}

/// What the lower layer has of each thread's.
pub(crate) fn lower_files(id: usize) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for dir in SHARED {
        files.push((format!("{dir}/{id}a"), format!("{id} lower").into_bytes()));
        files.push((format!("{dir}/{id}L/in"), format!("{id} in").into_bytes()));
    }
    files
}

impl Worker {
    pub(crate) fn new(union: Arc<Union>, id: usize, others: usize, seed: u64) -> Self {
        let seed = seed.wrapping_mul(1000).wrapping_add(id as u64 + 1);
        Self {
            union,
            id,
            others,
            moves_directories: false,
            dice: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            model: Model::default(),
            held: None,
        }
    }

    /// Knows what is in the lower layer.
    pub(crate) fn with_lower(mut self) -> Self {
        for (path, content) in lower_files(self.id) {
            if let Some((dir, "in")) = path.rsplit_once('/') {
                let item = Item::Directory { is_merged: true };
                self.model.names.insert(dir.to_owned(), item);
            }
            let item = self.model.new_file(&content);
            self.model.names.insert(path, item);
        }
        self
    }

    /// Knows that they are one, after [`Ground::linked`](super::ground::Ground::linked).
    pub(crate) fn with_links(mut self) -> Self {
        let first = self.model.names[&format!("{}/{}a", SHARED[0], self.id)];
        for dir in SHARED {
            self.model
                .names
                .insert(format!("{dir}/{}a", self.id), first);
        }
        self
    }

    fn roll(&mut self, sides: usize) -> usize {
        self.dice ^= self.dice >> 12;
        self.dice ^= self.dice << 25;
        self.dice ^= self.dice >> 27;
        let high = self.dice.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).unwrap() % sides
    }

    fn name_of(&mut self, id: usize) -> String {
        let dir = SHARED[self.roll(SHARED.len())];
        let name = NAMES[self.roll(NAMES.len())];
        format!("{dir}/{id}{name}")
    }

    /// One of its own names, or one in a directory of its own.
    fn path(&mut self) -> String {
        let path = self.name_of(self.id);
        if path.ends_with(['D', 'L']) && self.roll(2) == 0 {
            return format!("{path}/in");
        }
        path
    }

    fn end(&self, path: &str) -> Result<(NodeRef, String), Errno> {
        let (dir, name) = path.rsplit_once('/').unwrap();
        let dir = find(&self.union, dir)?;
        if dir.kind() != FileKind::Directory {
            return Err(Errno::NOTDIR);
        }
        Ok((dir, name.to_owned()))
    }

    /// Why a name cannot be reached, if it cannot.
    fn obstacle(&self, path: &str) -> Option<Errno> {
        let (dir, _) = path.rsplit_once('/').unwrap();
        if SHARED.contains(&dir) {
            return None;
        }
        match self.model.names.get(dir) {
            Some(Item::Directory { .. }) => None,
            Some(Item::File(_)) => Some(Errno::NOTDIR),
            None => Some(Errno::NOENT),
        }
    }

    /// What a name is, or why it is nothing.
    fn item(&self, path: &str) -> Result<Item, Errno> {
        match self.obstacle(path) {
            Some(errno) => Err(errno),
            None => self.model.names.get(path).copied().ok_or(Errno::NOENT),
        }
    }

    pub(crate) fn step(&mut self) {
        match self.roll(18) {
            0 | 1 => self.create(NewKind::Regular),
            2 => self.create(NewKind::Directory),
            3 | 4 => self.write(false),
            5 => self.write(true),
            6 | 7 => self.read(),
            8 | 9 => self.unlink(),
            10 => self.remove_directory(),
            11 | 12 => self.rename(),
            13 => self.link(),
            14 => self.hold(),
            15 => self.list(),
            16 => self.change_mode(),
            _ => self.look_at_others(),
        }
    }

    fn create(&mut self, kind: NewKind) {
        let path = self.path();
        let expected = match self.item(&path) {
            Ok(_) => Err(Errno::EXIST),
            Err(Errno::NOENT) if self.obstacle(&path).is_none() => Ok(()),
            Err(errno) => Err(errno),
        };
        let is_directory = matches!(kind, NewKind::Directory);
        let new = New { kind, mode: 0o755 };
        let made = self.end(&path).and_then(|(dir, name)| {
            let made = self.union.create(&dir, OsStr::new(&name), &new, &root());
            made.map(drop)
        });
        assert_eq!(made, expected, "create {path}");
        if made.is_ok() {
            let item = if is_directory {
                Item::Directory { is_merged: false }
            } else {
                self.model.new_file(b"")
            };
            self.model.names.insert(path, item);
        }
    }

    fn open(&self, path: &str, flags: OpenFlags) -> Result<Handle, Errno> {
        let (dir, name) = self.end(path)?;
        let node = self.union.lookup(&dir, OsStr::new(&name))?;
        self.union.open_file(&node, flags)
    }

    fn write(&mut self, is_append: bool) {
        let path = self.path();
        let number = self.roll(100_000);
        let text = format!("{} {number}", self.id).into_bytes();
        let flags = OpenFlags {
            write: true,
            truncate: !is_append,
            ..OpenFlags::default()
        };
        let done = self
            .open(&path, flags)
            .and_then(|handle| handle.append(&text, &root()));
        match self.item(&path) {
            Ok(Item::File(file)) => {
                assert_eq!(done, Ok(text.len()), "write {path}");
                let content = &mut self.model.files[file];
                if !is_append {
                    content.clear();
                }
                content.extend(text);
            }
            Ok(Item::Directory { .. }) => assert_eq!(done, Err(Errno::ISDIR), "write {path}"),
            Err(errno) => assert_eq!(done, Err(errno), "write {path}"),
        }
    }

    fn read(&mut self) {
        let path = self.path();
        let got = self
            .open(&path, OpenFlags::default())
            .and_then(|it| all_of(&it));
        let expected = match self.item(&path) {
            Ok(Item::File(file)) => Ok(self.model.files[file].clone()),
            Ok(Item::Directory { .. }) => Err(Errno::INVAL),
            Err(errno) => Err(errno),
        };
        assert_eq!(got, expected, "read {path}");
    }

    fn unlink(&mut self) {
        let path = self.path();
        let gone = self
            .end(&path)
            .and_then(|(dir, name)| self.union.unlink(&dir, OsStr::new(&name)));
        let expected = match self.item(&path) {
            Ok(Item::File(_)) => Ok(()),
            Ok(Item::Directory { .. }) => Err(Errno::ISDIR),
            Err(errno) => Err(errno),
        };
        assert_eq!(gone, expected, "unlink {path}");
        if gone.is_ok() {
            self.model.names.remove(&path);
        }
    }

    fn remove_directory(&mut self) {
        let path = self.path();
        let gone = self
            .end(&path)
            .and_then(|(dir, name)| self.union.remove_directory(&dir, OsStr::new(&name)));
        let expected = match self.item(&path) {
            Ok(Item::File(_)) => Err(Errno::NOTDIR),
            Ok(Item::Directory { .. }) if self.model.is_empty_directory(&path) => Ok(()),
            Ok(Item::Directory { .. }) => Err(Errno::NOTEMPTY),
            Err(errno) => Err(errno),
        };
        assert_eq!(gone, expected, "rmdir {path}");
        if gone.is_ok() {
            self.model.names.remove(&path);
        }
    }

    fn rename(&mut self) {
        let (from, to) = (self.name_of(self.id), self.name_of(self.id));
        let flags = [
            RenameFlags::Replace,
            RenameFlags::NoReplace,
            RenameFlags::Exchange,
        ][self.roll(3)];
        let (old, new) = (self.end(&from).unwrap(), self.end(&to).unwrap());
        let done = self.union.rename(
            (&old.0, OsStr::new(&old.1)),
            (&new.0, OsStr::new(&new.1)),
            flags,
        );
        let expected = self.rename_expected(&from, &to, flags);
        assert_eq!(done, expected, "rename {from} {to} {flags:?}");
        let (Ok(()), Ok(moved)) = (done, self.item(&from)) else {
            return;
        };
        let there = self.item(&to);
        let is_same_file = matches!(moved, Item::File(_)) && there == Ok(moved);
        if from == to || is_same_file {
            return;
        }
        let mut below_old = self.take(&from);
        let below_new = self.take(&to);
        if flags == RenameFlags::Exchange {
            below_old.extend(below_new.into_iter().map(|(path, item)| {
                let rest = path.strip_prefix(&to).unwrap().to_owned();
                (format!("{to}\0{from}{rest}"), item)
            }));
        }
        for (path, item) in below_old {
            let path = match path.split_once('\0') {
                Some((_, path)) => path.to_owned(),
                None => format!("{to}{}", path.strip_prefix(&from).unwrap()),
            };
            self.model.names.insert(path, item);
        }
    }

    /// Takes a name out of the model, with all below it.
    fn take(&mut self, path: &str) -> Vec<(String, Item)> {
        let below = format!("{path}/");
        let is_part = |name: &String| name == path || name.starts_with(&below);
        let parts: Vec<_> = self
            .model
            .names
            .keys()
            .filter(|name| is_part(name))
            .cloned()
            .collect();
        let taken = parts.into_iter().map(|name| {
            let item = self.model.names.remove(&name).unwrap();
            (name, item)
        });
        taken.collect()
    }

    fn rename_expected(&self, from: &str, to: &str, flags: RenameFlags) -> Result<(), Errno> {
        let moved = self.item(from)?;
        let there = self.item(to).ok();
        match (flags, there) {
            (RenameFlags::NoReplace, Some(_)) => return Err(Errno::EXIST),
            (RenameFlags::Exchange, None) => return Err(Errno::NOENT),
            _ => {}
        }
        if from == to || (matches!(moved, Item::File(_)) && there == Some(moved)) {
            return Ok(());
        }
        let is_exchange = flags == RenameFlags::Exchange;
        match (moved, there) {
            (Item::Directory { .. }, Some(Item::File(_))) if !is_exchange => {
                return Err(Errno::NOTDIR);
            }
            (Item::File(_), Some(Item::Directory { .. })) if !is_exchange => {
                return Err(Errno::ISDIR);
            }
            _ => {}
        }
        let is_fixed =
            |item| !self.moves_directories && item == Item::Directory { is_merged: true };
        if is_fixed(moved) || (is_exchange && there.is_some_and(is_fixed)) {
            return Err(Errno::XDEV);
        }
        let is_over_directory = matches!(there, Some(Item::Directory { .. }));
        if is_over_directory && !is_exchange && !self.model.is_empty_directory(to) {
            return Err(Errno::NOTEMPTY);
        }
        Ok(())
    }

    fn link(&mut self) {
        let (old, new) = (self.name_of(self.id), self.name_of(self.id));
        let linked = find(&self.union, &old).and_then(|node| {
            let (dir, name) = self.end(&new)?;
            self.union.link(&node, &dir, OsStr::new(&name))
        });
        let expected = match (self.item(&old), self.item(&new)) {
            (Err(errno), _) => Err(errno),
            (Ok(_), Ok(_)) => Err(Errno::EXIST),
            (Ok(Item::Directory { .. }), Err(_)) => Err(Errno::PERM),
            (Ok(Item::File(_)), Err(_)) => Ok(()),
        };
        assert_eq!(linked, expected, "link {old} {new}");
        if linked.is_ok() {
            let item = self.item(&old).unwrap();
            self.model.names.insert(new, item);
        }
    }

    /// What was opened before is still that file, wherever its name is.
    fn hold(&mut self) {
        if let Some((handle, file)) = self.held.take() {
            let got = all_of(&handle);
            assert_eq!(got.as_ref(), Ok(&self.model.files[file]), "held");
            let size = handle.attributes().unwrap().size;
            assert_eq!(size, self.model.files[file].len() as u64, "held");
        }
        let path = self.path();
        if let Ok(Item::File(file)) = self.item(&path) {
            let handle = self.open(&path, OpenFlags::default()).unwrap();
            self.held = Some((handle, file));
        }
    }

    fn list(&mut self) {
        let dir = SHARED[self.roll(SHARED.len())];
        let node = find(&self.union, dir).unwrap();
        let mine = self.id.to_string();
        let listed = self.union.read_directory(&node).unwrap().into_iter();
        let listed: Vec<_> = listed
            .map(|entry| entry.name.into_string().unwrap())
            .filter(|name| name.strip_suffix(|_: char| true) == Some(&mine))
            .collect();
        let prefix = format!("{dir}/{mine}");
        let expected: Vec<_> = self
            .model
            .names
            .keys()
            .filter(|path| path.starts_with(&prefix) && path.rsplit_once('/').unwrap().0 == dir)
            .map(|path| path.rsplit_once('/').unwrap().1.to_owned())
            .collect();
        assert_eq!(listed, expected, "list {dir}");
    }

    fn change_mode(&mut self) {
        let path = self.path();
        let mode = [0o700, 0o755, 0o711][self.roll(3)];
        let change = SetAttributes {
            mode: Some(mode),
            ..SetAttributes::default()
        };
        let changed = self.end(&path).and_then(|(dir, name)| {
            let node = self.union.lookup(&dir, OsStr::new(&name))?;
            self.union.set_attributes(&node, &change, &root())?;
            self.union.attributes(&node)
        });
        let changed = changed.map(|attributes| attributes.mode);
        assert_eq!(changed, self.item(&path).map(|_| mode), "chmod {path}");
    }

    /// They come and go, but what is found is whole, and stays for as long as it is held.
    fn look_at_others(&mut self) {
        let id = self.roll(self.others);
        for _ in 0..8 {
            let path = self.name_of(id);
            let Ok(node) = find(&self.union, &path) else {
                continue;
            };
            let attributes = self.union.attributes(&node).unwrap();
            assert_eq!(attributes.kind, node.kind(), "{path}");
            if node.kind() != FileKind::Regular {
                let listed = self.union.read_directory(&node);
                assert!(matches!(listed, Ok(_) | Err(Errno::NOENT)), "{path}");
                continue;
            }
            let handle = self.union.open_file(&node, OpenFlags::default()).unwrap();
            let content = all_of(&handle).unwrap();
            let owner = format!("{id} ");
            let is_whole = content.is_empty() || content.starts_with(owner.as_bytes());
            assert!(is_whole, "{path}: {}", content.escape_ascii());
        }
    }
}
