//! Nodes: the files of the merged view, independent of their names.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::sync::atomic::{self, AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, Weak};

use super::acl::Acl;
use super::descriptors::Slot;
use super::index::Entry;
use super::links::Alias;
use super::lock::lock;
use super::lower::LowerDirectory;
use super::metacopy::LowerPlace;
use super::names::Names;
use super::{Directory, FileKind};

/// A file of a union, as FUSE's `nodeid`: it stays the same file through rename, copy-up and unlink for
/// as long as it is held. Two are equal when they stand for the same file of the same union.
#[derive(Clone, Debug)]
pub struct NodeRef(
    pub(super) Arc<Node>,
    /// The name by which it was found, if other names may be as good.
    pub(super) Option<Arc<Alias>>,
);

impl NodeRef {
    /// Whether both stand for the same file.
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Type of the file; it never changes.
    pub fn kind(&self) -> FileKind {
        self.0.kind
    }

    /// Whether the upper layer has the file, by the name by which it was found.
    pub(super) fn is_up(&self) -> bool {
        self.0.is_in_upper() && self.1.as_ref().is_none_or(|alias| alias.is_linked())
    }
}

impl PartialEq for NodeRef {
    fn eq(&self, other: &Self) -> bool {
        self.same(other)
    }
}

impl Eq for NodeRef {}

impl PartialOrd for NodeRef {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for NodeRef {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.id.cmp(&other.0.id)
    }
}

/// What is known of a file.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) id: u64,
    pub(super) kind: FileKind,
    /// It has several names in a lower layer, and is one file whatever it is found by.
    pub(super) is_shared: bool,
    pub(super) state: Mutex<State>,
    /// Held while the file is copied up, so that it is copied once.
    pub(super) copying: Mutex<()>,
    /// Held while attributes are read, changed and written back.
    pub(super) changing: Mutex<()>,
    /// Set once the file is in the upper layer.
    pub(super) in_upper: AtomicBool,
    /// Set once its data are there, too: they may come later than the rest.
    pub(super) data_in_upper: AtomicBool,
    /// Set when the file is known to have neither set-ID bits nor file capabilities, so that a write
    /// need not look for them.
    pub(super) harmless: AtomicBool,
    /// Of a directory: what new files in it take from it, once looked up.
    pub(super) inheritance: Mutex<Option<Arc<Inheritance>>>,
    /// Of a directory: what is known of its names.
    pub(super) names: Mutex<Names>,
    /// Of a directory: the descriptor of its upper part.
    pub(super) slot: Arc<Slot>,
    /// Of a directory: children that are held by somebody, by name. Upper files with several names, and
    /// those that others may move, are found by inode.
    pub(super) children: Mutex<Held<OsString>>,
}

/// What new files take from their directory.
#[derive(Debug)]
pub(super) struct Inheritance {
    pub(super) gid: u32,
    pub(super) mode: u32,
    pub(super) default_acl: Option<Acl>,
}

/// The part of a node that changes. Guarded by its own lock, and consistent with the real disk as long
/// as the union's namespace lock is held.
#[derive(Debug, Default)]
pub(super) struct State {
    /// A name of the file: parent and name. `None` for the root and for unlinked files.
    pub(super) dentry: Option<(NodeRef, OsString)>,
    /// Of what was removed: where it was.
    pub(super) gone_from: Option<NodeRef>,
    /// Where the upper part is.
    pub(super) upper: Upper,
    /// Identity of the upper part, `(dev, ino)`.
    pub(super) upper_identity: Option<(u64, u64)>,
    /// Of a file that is not a directory: where its lower is.
    pub(super) lower: Option<LowerPlace>,
    /// Of a regular file: where its data are, if not with its topmost part.
    pub(super) data: Option<LowerPlace>,
    /// Of a directory: the lower directories that are merged, topmost first.
    pub(super) lowers: Arc<[Arc<LowerDirectory>]>,
    /// Identity of the lower file whose names all stand for this file: see [`links`](super::links).
    pub(super) shared: Option<(u64, u64)>,
    /// Its entry in the index.
    pub(super) entry: Option<Arc<Entry>>,
    /// What `stat` shows.
    pub(super) ino: u64,
    /// Of a directory: its upper part is opaque.
    pub(super) opaque: bool,
    /// The redirect of the upper part.
    pub(super) redirect: Option<OsString>,
    /// Set while the file has no name and its blocks are accounted for.
    pub(super) orphan: Option<super::space::Orphan>,
}

/// Where the upper part of a file is.
#[derive(Clone, Debug, Default)]
pub(super) enum Upper {
    /// Nowhere: the file is in a lower layer only.
    #[default]
    Absent,
    /// In the upper part of its parent, under its name.
    Named,
    /// In the index, under this name; its other names may come and go.
    Indexed(OsString),
    /// Behind this descriptor: the root, a file that has no name any more, a pinned file.
    Held(Directory),
}

impl Upper {
    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl Node {
    pub(super) fn create(kind: FileKind, state: State) -> NodeRef {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let in_upper = !state.upper.is_absent();
        let data_in_upper = in_upper && state.data.is_none();
        let node = Self {
            id: NEXT.fetch_add(1, atomic::Ordering::Relaxed),
            kind,
            is_shared: state.shared.is_some(),
            state: Mutex::new(state),
            copying: Mutex::new(()),
            changing: Mutex::new(()),
            in_upper: AtomicBool::new(in_upper),
            data_in_upper: AtomicBool::new(data_in_upper),
            harmless: AtomicBool::new(false),
            inheritance: Mutex::new(None),
            names: Mutex::default(),
            slot: Arc::new(Slot::default()),
            children: Mutex::new(Held::default()),
        };
        NodeRef(Arc::new(node), None)
    }

    pub(super) fn is_directory(&self) -> bool {
        self.kind == FileKind::Directory
    }

    pub(super) fn is_in_upper(&self) -> bool {
        self.in_upper.load(atomic::Ordering::Acquire)
    }

    pub(super) fn has_upper_data(&self) -> bool {
        self.data_in_upper.load(atomic::Ordering::Acquire)
    }
}

/// The chain of parents is taken apart in a loop: a recursive drop would be as deep as the tree.
impl Drop for Node {
    fn drop(&mut self) {
        let mut next = take_parent(self);
        while let Some(NodeRef(parent, _)) = next {
            next = Arc::into_inner(parent).and_then(|mut parent| take_parent(&mut parent));
        }
    }
}

fn take_parent(node: &mut Node) -> Option<NodeRef> {
    let state = node
        .state
        .get_mut()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let parent = state.dentry.take().map(|(parent, _)| parent);
    parent.or_else(|| state.gone_from.take())
}

/// Nodes that somebody holds, by a key. Those that nobody holds any more are swept out now and then.
#[derive(Debug)]
pub(super) struct Held<K> {
    nodes: BTreeMap<K, Weak<Node>>,
    sweep_at: usize,
}

impl<K> Default for Held<K> {
    fn default() -> Self {
        Self {
            nodes: BTreeMap::new(),
            sweep_at: 64,
        }
    }
}

impl<K: Ord> Held<K> {
    pub(super) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<NodeRef>
    where
        K: std::borrow::Borrow<Q>,
    {
        let node = self.nodes.get(key).and_then(Weak::upgrade)?;
        Some(NodeRef(node, None))
    }

    pub(super) fn insert(&mut self, key: K, node: &NodeRef) {
        if self.nodes.len() >= self.sweep_at {
            self.nodes.retain(|_, node| node.strong_count() > 0);
            self.sweep_at = (self.nodes.len() * 2).max(64);
        }
        self.nodes.insert(key, Arc::downgrade(&node.0));
    }

    pub(super) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q)
    where
        K: std::borrow::Borrow<Q>,
    {
        self.nodes.remove(key);
    }
}

impl Node {
    pub(super) fn child(&self, name: &OsStr) -> Option<NodeRef> {
        lock(&self.children).get(name)
    }

    pub(super) fn remember_child(&self, name: &OsStr, node: &NodeRef) {
        lock(&self.children).insert(name.to_owned(), node);
    }

    pub(super) fn forget_child(&self, name: &OsStr) {
        lock(&self.children).remove(name);
    }
}
