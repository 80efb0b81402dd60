//! What is in a layer, for who hands it on as it is. Refused is what [`unpack`](super::unpack) refuses, but for what
//! only a disk can say.

use std::collections::BTreeMap;

use super::dress::is_opaque_mark;
use super::entries::Entries;
use super::error::{ArchiveFault, Result, shown};
use super::header::{Body, Entry};
use super::input::Input;
use super::limits::{Budget, LISTED_MAX};
use super::names::{self, Meaning};
use super::unpack::{below, twice};

/// What a layer has at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// A directory, with what the layer says of it; 0755 0:0 when it only puts something in it.
    Directory {
        /// At most 0o7777.
        mode: u32,
        /// Owner.
        uid: u32,
        /// Group.
        gid: u32,
        /// Extended attributes, without marks of an overlay.
        xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    },
    /// Anything else.
    File,
}

/// Path → what is there, whiteouts left out. Paths start with a slash; the top is there if an entry names it.
pub type Listing = BTreeMap<Vec<u8>, Listed>;

/// Lists every entry of a stream.
pub(super) fn list<I: Input>(input: I, budget: &mut Budget) -> Result<Listing> {
    let mut entries = Entries::new(input);
    let mut lister = Lister::default();
    while let Some(entry) = entries.next(|| budget.entry())? {
        lister
            .entry(&entry, budget)
            .map_err(|error| error.within(format!("entry {}", shown(&entry.path))))?;
    }
    Ok(lister.listing())
}

/// What is known of a path.
enum At {
    /// A directory that no entry has named yet.
    Implied,
    Directory(Listed),
    Symlink,
    File,
    Whiteout,
}

#[derive(Default)]
struct Lister {
    at: BTreeMap<Vec<u8>, At>,
    /// Bytes of all paths.
    length: u64,
}

impl Lister {
    fn entry(&mut self, entry: &Entry, budget: &mut Budget) -> Result<()> {
        let path = names::clean(&entry.path);
        names::check(&path, &budget.limits)?;
        let Some((_, parents)) = path.split_last() else {
            return self.top(entry);
        };
        match names::meaning(&path)? {
            Meaning::Nothing => Ok(()),
            Meaning::Opaque => self.directories(parents, budget),
            Meaning::Whiteout(name) => {
                self.directories(parents, budget)?;
                self.whiteout(&[parents, &[name][..]].concat())
            }
            Meaning::File => {
                self.directories(parents, budget)?;
                if let Body::Character(0, 0) = entry.body {
                    return self.whiteout(&path);
                }
                self.file(&path, entry, budget)
            }
        }
    }

    /// `/` names the top; `./` means nothing, neither to Docker nor to Podman.
    fn top(&mut self, entry: &Entry) -> Result<()> {
        if !entry.path.starts_with(b"/") {
            return Ok(());
        }
        if entry.body != Body::Directory {
            return Err(ArchiveFault::refused("the top of a layer is a directory"));
        }
        self.insert(b"/".to_vec(), At::Directory(directory(entry)?))
    }

    /// Puts in the directories that nothing has named yet, each of which counts as an entry.
    fn directories(&mut self, path: &[&[u8]], budget: &mut Budget) -> Result<()> {
        let is_known = |length: &usize| {
            let path = path.get(..*length).unwrap_or_default();
            let at = self.at.get(&joined(path));
            path.is_empty() || matches!(at, Some(At::Implied | At::Directory(_)))
        };
        // Those above a directory are directories.
        let known = (0..=path.len()).rev().find(is_known).unwrap_or(0);
        for length in known + 1..=path.len() {
            let here = path.get(..length).unwrap_or_default();
            let key = joined(here);
            if let Some(at) = self.at.get(&key) {
                let name = here.last().copied().unwrap_or_default();
                return Err(below(name, matches!(at, At::Symlink)));
            }
            budget.entry()?;
            self.insert(key, At::Implied)?;
        }
        Ok(())
    }

    fn whiteout(&mut self, path: &[&[u8]]) -> Result<()> {
        let key = joined(path);
        if self.at.contains_key(&key) {
            return Err(twice());
        }
        self.insert(key, At::Whiteout)
    }

    fn file(&mut self, path: &[&[u8]], entry: &Entry, budget: &mut Budget) -> Result<()> {
        let key = joined(path);
        let is_directory = entry.body == Body::Directory;
        match self.at.get(&key) {
            None | Some(At::Whiteout) => {}
            Some(At::Implied) if is_directory => {}
            Some(_) => return Err(twice()),
        }
        let at = match &entry.body {
            Body::Directory => At::Directory(directory(entry)?),
            Body::Symlink(_) => At::Symlink,
            Body::Hardlink(target) => self.linked(target)?,
            Body::File(size) => {
                budget.take(*size)?;
                At::File
            }
            Body::Fifo | Body::Character(..) | Body::Block(..) => At::File,
        };
        if !is_directory {
            check_marks(entry)?;
        }
        self.insert(key, at)
    }

    /// What a further name of a file is.
    fn linked(&self, target: &[u8]) -> Result<At> {
        let there = self.at.get(&joined(&names::clean(target)));
        let what = match there {
            Some(At::File) => return Ok(At::File),
            Some(At::Symlink) => return Ok(At::Symlink),
            Some(At::Implied | At::Directory(_)) => "a directory",
            None | Some(At::Whiteout) => "which is not there",
        };
        let message = format!("it links to {}, {what}", shown(target));
        Err(ArchiveFault::refused(message))
    }

    fn insert(&mut self, key: Vec<u8>, at: At) -> Result<()> {
        self.length += key.len() as u64;
        if self.length > LISTED_MAX {
            return Err(ArchiveFault::limit("bytes of all paths", LISTED_MAX));
        }
        self.at.insert(key, at);
        Ok(())
    }

    fn listing(self) -> Listing {
        let listed = |(path, at)| {
            let listed = match at {
                At::Directory(directory) => directory,
                At::Implied => Listed::Directory {
                    mode: 0o755,
                    uid: 0,
                    gid: 0,
                    xattrs: Vec::new(),
                },
                At::Symlink | At::File => Listed::File,
                At::Whiteout => return None,
            };
            Some((path, listed))
        };
        self.at.into_iter().filter_map(listed).collect()
    }
}

/// A directory as its entry describes it.
fn directory(entry: &Entry) -> Result<Listed> {
    let mut xattrs = Vec::new();
    for (name, value) in &entry.xattrs {
        if !is_opaque_mark(name, value, true)? {
            xattrs.push((name.clone(), value.clone()));
        }
    }
    Ok(Listed::Directory {
        mode: entry.mode,
        uid: entry.uid,
        gid: entry.gid,
        xattrs,
    })
}

fn check_marks(entry: &Entry) -> Result<()> {
    let mut xattrs = entry.xattrs.iter();
    xattrs.try_for_each(|(name, value)| is_opaque_mark(name, value, false).map(drop))
}

/// A path as text, which starts with a slash.
fn joined(path: &[&[u8]]) -> Vec<u8> {
    let mut key = Vec::with_capacity(path.iter().map(|name| name.len() + 1).sum());
    for name in path {
        key.push(b'/');
        key.extend_from_slice(name);
    }
    key
}
