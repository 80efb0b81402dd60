//! The mount table of one container.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use super::locks::Locks;
use super::walk::{Found, Walk};
use super::{credentials, permission};
use crate::union::{Errno, FileKind, NodeRef, Result, Union};

/// One container's disk: a root and what is mounted on it. Shared by its processes.
#[derive(Debug)]
pub struct Rootfs {
    table: RwLock<Arc<Table>>,
    pub(super) locks: Arc<Locks>,
}

/// Something to mount.
#[derive(Clone, Debug)]
pub struct Mount {
    /// Path in the container; symlinks are followed inside the root.
    pub target: PathBuf,
    /// The file system.
    pub union: Arc<Union>,
    /// The directory or file that shows at the target. It stays pinned, whatever becomes of its name
    /// (Docker row 128).
    pub node: NodeRef,
    /// No writes through this mount.
    pub read_only: bool,
    /// Chosen by the caller: tells which storage this is.
    pub id: u64,
}

/// A mount as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountInfo {
    /// Path in the container, as it was asked for.
    pub target: PathBuf,
    /// See [`Mount::id`].
    pub id: u64,
    /// No writes through this mount.
    pub read_only: bool,
}

/// A mount in the table.
#[derive(Debug)]
pub(super) struct Mounted {
    pub(super) id: u64,
    pub(super) union: Arc<Union>,
    /// What shows: the directory or file at the top of this mount.
    pub(super) root: NodeRef,
    pub(super) read_only: bool,
    /// `nodev`, `noexec`.
    pub(super) restricted: bool,
    /// What it hides; `None` for the root of the table.
    pub(super) point: Option<Point>,
    target: PathBuf,
    /// Where its top was when it was mounted.
    source: PathBuf,
}

impl Mounted {
    /// Path of its top in its union: now, or as it was mounted when that has no name any more.
    pub(super) fn top_path(&self) -> PathBuf {
        let now = self.union.path(&self.root);
        now.unwrap_or_else(|| self.source.clone())
    }
}

/// A mount point: the kernel's pair of mount and dentry.
#[derive(Debug)]
pub(super) struct Point {
    pub(super) mount: Arc<Mounted>,
    pub(super) node: NodeRef,
    /// Directory and name, for a mount point that is no directory: other links of the same file are
    /// not mount points.
    entry: Option<(NodeRef, OsString)>,
}

/// A file of the tree: in which mount, and which node of its union.
#[derive(Clone, Debug)]
pub(super) struct Location {
    pub(super) mount: Arc<Mounted>,
    pub(super) node: NodeRef,
}

/// All mounts, each after the one that it is mounted on.
#[derive(Debug)]
pub(super) struct Table {
    root: Arc<Mounted>,
    others: Vec<Arc<Mounted>>,
}

impl Rootfs {
    /// The identity that [`MountInfo`] and [`super::Changed`] give for the root itself.
    pub const ROOT_ID: u64 = 0;

    /// A disk with nothing mounted, with a lock table of its own.
    pub fn new(root: Arc<Union>, read_only: bool) -> Self {
        Self::with_locks(root, read_only, Arc::new(Locks::default()))
    }

    /// A disk whose record locks are seen by every other one with the same lock table: containers
    /// that share a volume.
    pub fn with_locks(root: Arc<Union>, read_only: bool, locks: Arc<Locks>) -> Self {
        let top = root.root();
        Self::of_part(root, top, read_only, locks)
    }

    /// The same of a part of a file system: a directory of it is the root, and nothing leads out.
    pub fn of_part(union: Arc<Union>, top: NodeRef, read_only: bool, locks: Arc<Locks>) -> Self {
        let mounted = Mounted {
            id: Self::ROOT_ID,
            source: union.path(&top).unwrap_or_default(),
            root: top,
            union,
            read_only,
            restricted: false,
            point: None,
            target: PathBuf::from("/"),
        };
        let table = Table {
            root: Arc::new(mounted),
            others: Vec::new(),
        };
        Self {
            table: RwLock::new(Arc::new(table)),
            locks,
        }
    }

    /// Mounts on a target that exists, through whatever is mounted so far. Parents first: a mount
    /// over a parent hides what was mounted below it.
    ///
    /// # Errors
    /// `EBUSY` for the root itself, to which a symlink may lead; `ENOTDIR` for a directory on a file or a
    /// file on a directory; what the walk to the target gives.
    pub fn mount(&self, mount: Mount) -> Result<()> {
        self.add(mount, false)
    }

    /// [`Self::mount`] with `nodev` and `noexec`, as Docker mounts a tmpfs (Docker row 164): its devices
    /// cannot be opened, nor its files executed.
    ///
    /// # Errors
    /// As [`Self::mount`].
    pub fn mount_restricted(&self, mount: Mount) -> Result<()> {
        self.add(mount, true)
    }

    fn add(&self, mount: Mount, restricted: bool) -> Result<()> {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        let superuser = credentials::host_root();
        let found =
            Walk::new(&superuser, &table, table.root()).find(mount.target.as_os_str(), true)?;
        let Found { location, entry } = found;
        // A symlink may lead there.
        if Arc::ptr_eq(&location.mount, &table.root) && location.node.same(&table.root.root) {
            return Err(Errno::BUSY);
        }
        let directory = location.node.kind() == FileKind::Directory;
        if directory != (mount.node.kind() == FileKind::Directory) {
            return Err(Errno::NOTDIR);
        }
        let point = Point {
            mount: location.mount,
            node: location.node,
            entry: entry.filter(|_| !directory),
        };
        let mounted = Mounted {
            id: mount.id,
            source: mount.union.path(&mount.node).unwrap_or_default(),
            union: mount.union,
            root: mount.node,
            read_only: mount.read_only,
            restricted,
            point: Some(point),
            target: mount.target,
        };
        let mut others = table.others.clone();
        others.push(Arc::new(mounted));
        let root = Arc::clone(&table.root);
        *table = Arc::new(Table { root, others });
        Ok(())
    }

    /// Every mount in order, the root first.
    pub fn mounts(&self) -> Vec<MountInfo> {
        let info = |mounted: &Arc<Mounted>| MountInfo {
            target: mounted.target.clone(),
            id: mounted.id,
            read_only: mounted.read_only,
        };
        let table = self.table();
        std::iter::once(&table.root)
            .chain(&table.others)
            .map(info)
            .collect()
    }

    /// Every mount in order, the root first, with what shows at its top.
    pub fn tops(&self) -> Vec<(MountInfo, Arc<Union>, NodeRef)> {
        let table = self.table();
        let mounted = std::iter::once(&table.root).chain(&table.others);
        self.mounts()
            .into_iter()
            .zip(mounted)
            .map(|(info, mounted)| (info, Arc::clone(&mounted.union), mounted.root.clone()))
            .collect()
    }

    /// Finds a file as the superuser, for the one who sets up mounts: which union and node are at
    /// `path`, through every mount, symlinks followed.
    ///
    /// # Errors
    /// What the walk gives.
    pub fn find(&self, path: &Path) -> Result<(Arc<Union>, NodeRef)> {
        let superuser = credentials::host_root();
        let table = self.table();
        let found = Walk::new(&superuser, &table, table.root()).find(path.as_os_str(), true)?;
        Ok((Arc::clone(&found.location.mount.union), found.location.node))
    }

    /// The union at the root.
    pub fn root_union(&self) -> Arc<Union> {
        Arc::clone(&self.table().root.union)
    }

    /// The table as it is now; a later mount makes a new one.
    pub(super) fn table(&self) -> Arc<Table> {
        Arc::clone(&self.table.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Table {
    /// Where absolute paths start.
    pub(super) fn root(&self) -> Location {
        let mount = Arc::clone(&self.root);
        let node = mount.root.clone();
        Location { mount, node }
    }

    /// Crosses into whatever is mounted on a file, again and again: mounts stack.
    pub(super) fn cross(
        &self,
        mut location: Location,
        entry: Option<(&NodeRef, &OsStr)>,
    ) -> Location {
        let mut entry = entry;
        while let Some(mounted) = self.covering(&location, entry) {
            location = Location {
                mount: Arc::clone(mounted),
                node: mounted.root.clone(),
            };
            entry = None;
        }
        location
    }

    /// The latest mount on a file.
    fn covering(
        &self,
        location: &Location,
        entry: Option<(&NodeRef, &OsStr)>,
    ) -> Option<&Arc<Mounted>> {
        self.others.iter().rev().find(|mounted| {
            mounted
                .point
                .as_ref()
                .is_some_and(|point| point.is(location, entry))
        })
    }

    /// `is_local_mountpoint`: whether anything is mounted on a name, through whatever mount it is seen.
    pub(super) fn is_mounted_on(&self, node: &NodeRef, entry: (&NodeRef, &OsStr)) -> bool {
        let mut points = self
            .others
            .iter()
            .filter_map(|mounted| mounted.point.as_ref());
        points.any(|point| point.is_name(node, Some(entry)))
    }
}

impl Point {
    fn is(&self, location: &Location, entry: Option<(&NodeRef, &OsStr)>) -> bool {
        self.is_name(&location.node, entry) && Arc::ptr_eq(&self.mount, &location.mount)
    }

    fn is_name(&self, node: &NodeRef, entry: Option<(&NodeRef, &OsStr)>) -> bool {
        let named = match (&self.entry, entry) {
            (Some((dir, name)), Some((seen_dir, seen_name))) => {
                dir.same(seen_dir) && name == seen_name
            }
            (Some(_), None) => false,
            (None, _) => true,
        };
        named && self.node.same(node)
    }
}

impl Location {
    /// The other file of the same mount.
    pub(super) fn beside(&self, node: NodeRef) -> Self {
        Self {
            mount: Arc::clone(&self.mount),
            node,
        }
    }

    pub(super) fn union(&self) -> &Union {
        &self.mount.union
    }

    /// `mnt_want_write`.
    pub(super) fn want_write(&self) -> Result<()> {
        if self.mount.read_only {
            Err(Errno::ROFS)
        } else {
            Ok(())
        }
    }

    /// Permission to what is here.
    pub(super) fn check(
        &self,
        caller: &crate::union::Caller,
        wish: permission::Wish,
    ) -> Result<()> {
        permission::check(self.union(), &self.node, caller, wish)
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        self.node.same(&other.node) && Arc::ptr_eq(&self.mount, &other.mount)
    }
}
