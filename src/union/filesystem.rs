//! The union itself: its layers, its locks, and where on the real disk a node is.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock, RwLock, Weak};

use rustix::fs::{Mode, openat};

use super::copy_up::Need;
use super::descriptors::Descriptors;
use super::index::Index;
use super::listing::Listings;
use super::lock::{lock, read, write};
use super::lower::{LowerDirectory, directory_flags};
use super::marks::Marks;
use super::node::{Held, Node, NodeRef, State, Upper};
use super::options::Rules;
use super::real::{Facts, Real};
use super::{Directory, Errno, Feature, FileKind, Options, Ownership, Provenance, Result, Stack};

/// Most directory nodes that are remembered although nobody holds them.
const RECENT: usize = 512;

/// A stack of directories, merged. Shared between threads behind an [`Arc`].
///
/// Locks, in the order in which they are taken: a node's `copying` or `changing`; `names`, which guards
/// the assignment of names to nodes and to places of the real disk; `uppers`; a node's `children` and
/// `state`, and the entries of the index, for moments only. Data are read, written and copied outside `names`.
#[derive(Debug)]
pub struct Union {
    pub(super) options: Options,
    pub(super) rules: Rules,
    pub(super) marks: Marks,
    pub(super) work: Option<Directory>,
    pub(super) writable: bool,
    pub(super) root: NodeRef,
    /// Roots of the lower layers, topmost first.
    pub(super) roots: Arc<[Arc<LowerDirectory>]>,
    pub(super) names: RwLock<()>,
    pub(super) uppers: Mutex<Uppers>,
    /// Where the layers have files with several names, and one was asked for.
    pub(super) index: Option<Index>,
    pub(super) descriptors: Descriptors,
    pub(super) listings: Mutex<Listings>,
    recent: Mutex<VecDeque<NodeRef>>,
    /// User of this process, whose files show as root's under [`Ownership::Override`].
    pub(super) process_uid: u32,
    /// A whiteout that further ones are links to (union row 30).
    pub(super) whiteout: Mutex<Option<Directory>>,
    /// The file system has refused to share extents.
    pub(super) clone_refused: AtomicBool,
    device: OnceLock<u64>,
    /// For handles, which outlive a borrow.
    this: Weak<Self>,
}

/// Files of the upper layer, by `(dev, ino)`.
#[derive(Debug, Default)]
pub(super) struct Uppers {
    pub(super) nodes: Held<(u64, u64)>,
    /// Files of the lower layers that are to go into the index, by `(dev, ino)` there.
    pub(super) shared: Held<(u64, u64)>,
    /// Inode numbers of copied-up files: that of the lower file.
    pub(super) origins: BTreeMap<(u64, u64), u64>,
}

/// What an attempt to change names came to.
pub(super) enum Step<T> {
    /// It is done.
    Done(T),
    /// This file has to be copied up first.
    CopyUp(NodeRef),
}

impl Union {
    /// Merges a stack. Makes no system call on the layers, and one on the work directory: a union that is
    /// opened and dropped costs next to nothing. With an index, that is read.
    ///
    /// # Errors
    /// `EINVAL` for a stack without layers, a plain one that has lowers or no upper, and an upper without
    /// a work directory; `EINVAL` for options that the kernel refuses together (redirects or
    /// metacopy in [`XattrNamespace::User`](super::XattrNamespace::User), metacopy without redirects);
    /// `EINVAL` for a work directory that marks its upper layer as volatile, or as needing anything else
    /// (overlayfs.rst, "Volatile mount"). With [`Options::index`]: `EBUSY` for layers that another union uses, `ESTALE`
    /// for an upper layer that was used with other lowers or with another work directory, `EINVAL` and `ENODATA` for
    /// an index that holds something else (union rows 204, 227).
    pub fn open(stack: Stack) -> Result<Arc<Self>> {
        let rules = Rules::new(&stack.options)?;
        let index = prepare(&stack)?;
        let Stack {
            upper,
            work,
            lowers,
            options,
        } = stack;
        let roots: Arc<[_]> = lowers
            .into_iter()
            .enumerate()
            .map(|(layer, directory)| LowerDirectory::root(layer, directory))
            .collect();
        let root = State {
            upper: upper.clone().map_or(Upper::Absent, Upper::Held),
            lowers: Arc::clone(&roots),
            ..State::default()
        };
        let process_uid = match options.ownership {
            Ownership::Real => 0,
            Ownership::Override => rustix::process::geteuid().as_raw(),
        };
        let root = Node::create(FileKind::Directory, root);
        if options.fresh {
            Self::learn_empty_upper(&root);
        }
        let clone_refused = options.without.contains(&Feature::Clone);
        let union = Arc::new_cyclic(|this| Self {
            this: Weak::clone(this),
            marks: Marks::new(&options),
            index,
            rules,
            options,
            work,
            writable: upper.is_some(),
            root,
            roots,
            names: RwLock::default(),
            uppers: Mutex::default(),
            descriptors: Descriptors::default(),
            listings: Mutex::default(),
            recent: Mutex::default(),
            process_uid,
            whiteout: Mutex::default(),
            clone_refused: AtomicBool::new(clone_refused),
            device: OnceLock::new(),
        });
        union.number_entries();
        Ok(union)
    }

    /// Learns which inode numbers the files of the index show.
    fn number_entries(&self) {
        for entry in self.index.iter().flat_map(Index::all) {
            let ino = self.show_ino(&entry.lower);
            lock(&self.uppers).origins.insert(entry.upper, ino);
        }
    }

    /// Whether links of the lower layers survive a copy-up: [`Options::index`] was asked for, and can be had.
    pub fn has_index(&self) -> bool {
        self.index.is_some()
    }

    /// The root directory.
    pub fn root(&self) -> NodeRef {
        self.root.clone()
    }

    /// Finds a name in a directory. `.` and `..` are the caller's business.
    ///
    /// # Errors
    /// `ENOENT`; `ENOTDIR`; `ENAMETOOLONG`; `EINVAL` for a name that is empty, `.`, `..` or holds `/`;
    /// what reading the disk gives.
    pub fn lookup(&self, dir: &NodeRef, name: &OsStr) -> Result<NodeRef> {
        check_name(name)?;
        let _names = read(&self.names);
        self.find(dir, name)?.ok_or(Errno::NOENT)
    }

    /// The directory that holds a directory; `None` for the root and for one that was removed.
    pub fn parent(&self, dir: &NodeRef) -> Option<NodeRef> {
        let state = lock(&dir.0.state);
        state.dentry.as_ref().map(|(parent, _)| parent.clone())
    }

    /// A path of the file from the root, in the form `/etc/hosts`; `None` when it has no name any more.
    pub fn path(&self, node: &NodeRef) -> Option<PathBuf> {
        let _names = read(&self.names);
        let mut parts = Vec::new();
        let mut path = PathBuf::from("/");
        let mut at = node.clone();
        while !at.same(&self.root) {
            if let Some(held) = self.pinned(&at) {
                let root = self.pinned(&self.root)?;
                path.push(super::real::path_below(&root, &held)?);
                break;
            }
            let (parent, name) = lock(&at.0.state).dentry.clone()?;
            parts.push(name);
            at = parent;
        }
        path.extend(parts.into_iter().rev());
        Some(path)
    }

    /// What a node is held by that others may have moved meanwhile.
    fn pinned(&self, node: &NodeRef) -> Option<Directory> {
        match &lock(&node.0.state).upper {
            Upper::Held(held) if !self.is_alone() => Some(Arc::clone(held)),
            _ => None,
        }
    }

    /// Which layer a file, or the topmost part of a directory, is in.
    pub fn provenance(&self, node: &NodeRef) -> Provenance {
        let state = lock(&node.0.state);
        if !state.upper.is_absent() {
            return Provenance::Upper;
        }
        let lower = state
            .lower
            .as_ref()
            .map(|(directory, _)| directory)
            .or(state.lowers.first());
        lower.map_or(Provenance::Upper, |lower| Provenance::Lower(lower.layer))
    }

    /// Holds on to the file itself, whatever happens to its name. The union does so by itself for what is
    /// unlinked through it; a plain directory may be changed by others too (a file that an editor
    /// replaces while it is bind-mounted).
    ///
    /// # Errors
    /// What opening the file gives.
    pub fn pin(&self, node: &NodeRef) -> Result<()> {
        let _names = write(&self.names);
        let is_named = matches!(lock(&node.0.state).upper, Upper::Named);
        if is_named {
            let held = self.real(node)?.hold()?;
            lock(&node.0.state).upper = Upper::Held(held);
        }
        Ok(())
    }

    /// The real file behind a node, held without being opened: for who mounts it.
    ///
    /// # Errors
    /// What reaching the file gives.
    pub fn hold(&self, node: &NodeRef) -> Result<Directory> {
        let _names = read(&self.names);
        self.real(node)?.hold()
    }

    /// Runs an attempt to change names under the namespace lock; copies up what it asks for outside that
    /// lock, and then lets it look again.
    pub(super) fn change_names<T>(
        &self,
        mut attempt: impl FnMut() -> Result<Step<T>>,
    ) -> Result<T> {
        loop {
            let names = write(&self.names);
            let node = match attempt()? {
                Step::Done(value) => return Ok(value),
                Step::CopyUp(node) => node,
            };
            drop(names);
            match self.copy_up(&node, Need::Attributes) {
                // Removed in between, which the next attempt finds: each begins with a look for what it changes.
                Err(_) if self.is_removed(&node) => {}
                copied => copied?,
            }
        }
    }

    /// Refuses changes to a union without an upper layer.
    pub(super) fn check_writable(&self) -> Result<()> {
        if self.writable {
            Ok(())
        } else {
            Err(Errno::ROFS)
        }
    }

    /// Whether owners, modes and devices are kept in an attribute.
    pub(super) fn is_overridden(&self) -> bool {
        self.options.ownership == Ownership::Override
    }

    /// Inode number to show for a file of the real disk. Numbers of another file system than the root's
    /// are moved out of the way, as `xino` does.
    pub(super) fn show_ino(&self, facts: &Facts) -> u64 {
        self.show_number(facts.identity())
    }

    /// Learns what the root's device is.
    pub(super) fn learn_device(&self, root: &Facts) {
        let _known_already = self.device.set(root.dev);
    }

    /// The same for `(dev, ino)`.
    pub(super) fn show_number(&self, (dev, ino): (u64, u64)) -> u64 {
        let device = *self.device.get_or_init(|| {
            self.real(&self.root)
                .and_then(|real| real.stat())
                .map_or(dev, |root| root.dev)
        });
        if dev == device {
            ino
        } else {
            ino ^ (dev.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 << 63)
        }
    }

    /// The union, for something that outlives this borrow.
    pub(super) fn shared(&self) -> Result<Arc<Self>> {
        self.this.upgrade().ok_or(Errno::STALE)
    }

    /// Remembers a directory for later lookups.
    pub(super) fn keep_recent(&self, node: &NodeRef) {
        let mut recent = lock(&self.recent);
        let dropped = if recent.len() >= RECENT {
            recent.pop_front()
        } else {
            None
        };
        recent.push_back(node.clone());
        drop(recent);
        drop(dropped);
    }

    /// Stops remembering a directory.
    pub(super) fn forget_recent(&self, node: &NodeRef) {
        lock(&self.recent).retain(|kept| !kept.same(node));
    }

    /// Where the topmost part of a file is. Needs the namespace lock.
    pub(super) fn real(&self, node: &NodeRef) -> Result<Real> {
        if let Some(real) = self.upper_real(node)? {
            return Ok(real);
        }
        self.lower_real(node)?.ok_or(Errno::STALE)
    }

    /// Where the upper part of a file is. Needs the namespace lock.
    pub(super) fn upper_real(&self, node: &NodeRef) -> Result<Option<Real>> {
        let (parent, name) = {
            let state = lock(&node.0.state);
            match &state.upper {
                Upper::Absent => return Ok(None),
                Upper::Held(held) => return Ok(Some(Real::itself(Arc::clone(held)))),
                Upper::Indexed(name) => return self.indexed_real(name).map(Some),
                Upper::Named => state.dentry.clone().ok_or(Errno::STALE)?,
            }
        };
        if node.0.is_directory() {
            return Ok(self.upper_directory(node)?.map(Real::itself));
        }
        let directory = self.upper_directory(&parent)?.ok_or(Errno::STALE)?;
        Ok(Some(Real::named(directory, &name)))
    }

    /// Where the topmost lower part of a file is.
    pub(super) fn lower_real(&self, node: &NodeRef) -> Result<Option<Real>> {
        let (lower, topmost) = {
            let state = lock(&node.0.state);
            (state.lower.clone(), state.lowers.first().cloned())
        };
        match (lower, topmost) {
            (Some((directory, name)), _) => directory.child(&self.descriptors, &name).map(Some),
            (None, Some(directory)) => directory.real(&self.descriptors).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// Descriptor of the upper part of a directory. Climbs to the nearest open ancestor and opens its way
    /// down. Needs the namespace lock.
    pub(super) fn upper_directory(&self, dir: &NodeRef) -> Result<Option<Directory>> {
        let mut closed: Vec<(NodeRef, OsString)> = Vec::new();
        let mut at = dir.clone();
        let mut open = loop {
            let parent = {
                let state = lock(&at.0.state);
                match &state.upper {
                    Upper::Absent => return Ok(None),
                    Upper::Held(held) => break Arc::clone(held),
                    Upper::Indexed(_) => return Err(Errno::NOTDIR),
                    Upper::Named => {
                        if let Some(found) = at.0.slot.get() {
                            break found;
                        }
                        let (parent, name) = state.dentry.clone().ok_or(Errno::STALE)?;
                        closed.push((at.clone(), name));
                        parent
                    }
                }
            };
            at = parent;
        };
        for (node, name) in closed.into_iter().rev() {
            open = self.descriptors.open(&node.0.slot, || {
                openat(&open, &name, directory_flags(), Mode::empty())
            })?;
        }
        Ok(Some(open))
    }
}

/// Checks the layers against each other, and prepares the work directory.
fn prepare(stack: &Stack) -> Result<Option<Index>> {
    let Stack {
        upper,
        work,
        lowers,
        options,
    } = stack;
    let layers_fit = if options.plain {
        upper.is_some() && lowers.is_empty()
    } else {
        (upper.is_none() || work.is_some()) && (upper.is_some() || !lowers.is_empty())
    };
    if !layers_fit {
        return Err(Errno::INVAL);
    }
    let layer = upper.as_ref().zip(work.as_ref());
    let Some((upper, work)) = layer.filter(|_| !options.plain) else {
        return Ok(None);
    };
    if !options.fresh {
        super::volatile::check(work)?;
    }
    // Owners that are kept in an attribute are an ordinary user's, for whom the kernel has no index either.
    let index = if options.index && options.ownership == Ownership::Real {
        Index::open(upper, work, lowers, Marks::new(options))?
    } else {
        None
    };
    if options.volatile {
        super::volatile::mark(work)?;
    }
    Ok(index)
}

/// Refuses what is not a single name.
pub(super) fn check_name(name: &OsStr) -> Result<()> {
    let bytes = name.as_bytes();
    if bytes.is_empty() || bytes == b"." || bytes == b".." || bytes.contains(&b'/') {
        return Err(Errno::INVAL);
    }
    Ok(())
}
