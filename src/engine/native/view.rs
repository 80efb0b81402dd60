//! A tree as someone sees it, and what lies where in it: what file operations and observing need to
//! know of a container, a volume or the host.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

use super::ground::Ground;
use crate::engine::{Storage, escape};
use crate::rootfs::{Changed, Rootfs};
use crate::union::{Directory, Provenance, Result, Union};

/// One tree: a disk, and for each mount in it what is mounted.
#[derive(Clone, Debug)]
pub(super) struct View {
    /// The disk.
    pub(super) rootfs: Arc<Rootfs>,
    /// Mount id ([`Rootfs::ROOT_ID`] is the root) → its storages.
    pub(super) mounts: BTreeMap<u64, Mounted>,
}

/// The storages under one mount.
#[derive(Clone, Debug)]
pub(super) enum Mounted {
    /// One: a volume, the host, a tmpfs.
    One(Storage),
    /// A stack: an image below a writable layer, or alone.
    Stack {
        /// The writable layer.
        upper: Option<Storage>,
        /// Layers of the image, topmost first, as [`Provenance::Lower`] counts.
        lowers: Vec<Storage>,
        /// The layers themselves, when the kernel merges them.
        merged: Option<Arc<Layering>>,
    },
}

/// Layers that the kernel merges.
#[derive(Debug)]
pub(super) struct Layering {
    pub(super) ground: Arc<Ground>,
    pub(super) upper: Option<Directory>,
    /// Where nothing is put, as nothing is written. It is none of the layers: in the upper one, `work` is a name like
    /// any other, and whatever it is no mark of ours.
    pub(super) work: Directory,
    /// Topmost first.
    pub(super) lowers: Vec<Directory>,
}

impl Layering {
    /// Our own union of them as they are now, to ask where something lies.
    pub(super) fn open(&self) -> Result<Arc<Union>> {
        let (upper, lowers) = (self.upper.clone(), self.lowers.clone());
        self.ground
            .union_stack(upper, Some(Directory::clone(&self.work)), lowers)
    }
}

impl View {
    /// A tree of one storage.
    pub(super) fn single(rootfs: Arc<Rootfs>, storage: Storage) -> Self {
        Self {
            rootfs,
            mounts: BTreeMap::from([(Rootfs::ROOT_ID, Mounted::One(storage))]),
        }
    }

    /// The place in the words of the contract: the storage and the path in it.
    pub(super) fn place(&self, changed: &Changed) -> Option<(Storage, String)> {
        let storage = self.storage(changed.mount, Provenance::Upper)?;
        Some((storage.clone(), escape(changed.path.as_os_str().as_bytes())))
    }

    /// The storage of a file of this mount. `None` when the mount is not this view's.
    pub(super) fn storage(&self, mount: u64, provenance: Provenance) -> Option<&Storage> {
        match (self.mounts.get(&mount)?, provenance) {
            (Mounted::One(storage), _) => Some(storage),
            (Mounted::Stack { upper, .. }, Provenance::Upper) => upper.as_ref(),
            (Mounted::Stack { lowers, .. }, Provenance::Lower(index)) => lowers.get(index),
        }
    }
}
