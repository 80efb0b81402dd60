//! The index: which file of the upper layer a lower file with several names became.
//!
//! An entry is one more name of the upper file, in `index` of the work directory; it is called after the lower
//! file's handle, which `overlay.origin` on the file repeats. So a second name of the lower file is found to be the
//! same file, and copy-up breaks no links. The upper layer and the index are tied to each other and to the topmost
//! lower layer by handles, too, and used by one union at a time. All entries are read once and remembered.
//!
//! Source: overlayfs.rst "Non-standard behavior", "Changes to underlying filesystems", "Sharing and copying layers";
//! `ovl_get_indexdir` in `fs/overlayfs/super.c`, `ovl_indexdir_cleanup` and `ovl_verify_index` in
//! `fs/overlayfs/namei.c`; union rows 100, 102, 145, 204, 227, 228. Each outcome below was seen on Linux 6.18.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::{Arc, Mutex};

use rustix::fs::{self, FlockOperation, Mode, OFlags, XattrFlags, fstat, mkdirat, openat};

use super::links::links_of;
use super::lock::lock;
use super::lower::directory_flags;
use super::marks::{Mark, Marks};
use super::origin::Origin;
use super::real::{Facts, Real};
use super::temporary::{names_in, remove};
use super::{Directory, Errno, FileKind, Result};
use crate::sys::{file_system_uuid, handle_of, open_handle};

const NAME: &str = "index";

/// Device and inode number.
type Identity = (u64, u64);

/// The index of an open union.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) directory: Directory,
    disks: Vec<Disk>,
    entries: Mutex<Entries>,
    /// Nobody else uses these directories.
    _claims: [Claim; 2],
}

/// A file system that has a lower layer.
#[derive(Debug)]
struct Disk {
    device: u64,
    uuid: [u8; 16],
    root: OwnedFd,
}

/// One entry.
#[derive(Debug)]
pub(super) struct Entry {
    /// What it is called.
    pub(super) name: OsString,
    /// The lower file.
    pub(super) lower: Facts,
    /// The upper file.
    pub(super) upper: Identity,
    /// What the upper file is.
    pub(super) kind: FileKind,
}

#[derive(Debug, Default)]
struct Entries {
    by_lower: BTreeMap<Identity, Arc<Entry>>,
    by_upper: BTreeMap<Identity, Arc<Entry>>,
}

impl Index {
    /// Opens the index of an upper layer, or makes one. `None` where files have no handles, or where this process
    /// may not find files by them: the union is then one without an index, as the kernel's is.
    ///
    /// # Errors
    /// `EBUSY` when the layer, its work directory or, as an upper, one of the lowers is in use by another union
    /// with an index; `ESTALE` when the layer was used with other lowers, or the index with another layer;
    /// `EINVAL` and `ENODATA` for an entry that means nothing.
    pub(super) fn open(
        upper: &Directory,
        work: &Directory,
        lowers: &[Directory],
        marks: Marks,
    ) -> Result<Option<Self>> {
        let claims = [Claim::take(upper)?, Claim::take(work)?];
        for lower in lowers {
            Claim::check(lower)?;
        }
        let (Some(topmost), Some(above), Some(disks)) =
            (lowers.first(), disk_of(upper)?, disks_of(lowers)?)
        else {
            return Ok(None);
        };
        let below = disks.first().ok_or(Errno::STALE)?;
        let origin = Origin::new(&handle_of(topmost, OsStr::new(""))?, below.uuid, false)?;
        let layer = Real::itself(Arc::clone(upper));
        verify_or_set(&layer, marks.name(Mark::Origin), &origin)?;
        match mkdirat(work, NAME, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
        let directory = Arc::new(openat(work, NAME, directory_flags(), Mode::empty())?);
        let own = Real::itself(Arc::clone(&directory));
        let layer = Origin::new(&handle_of(upper, OsStr::new(""))?, above.uuid, true)?;
        verify_or_set(&own, marks.name(Mark::Upper), &layer)?;
        let index = Self {
            directory,
            disks,
            entries: Mutex::default(),
            _claims: claims,
        };
        for name in names_in(&own)? {
            index.load(&name, marks)?;
        }
        Ok(Some(index))
    }

    /// Reads an entry, or removes it when it is left over: from a crash, or from files that are gone.
    fn load(&self, name: &OsStr, marks: Marks) -> Result<()> {
        let real = Real::named(Arc::clone(&self.directory), name);
        if name.as_bytes().starts_with(b"#") {
            return remove(&real);
        }
        let origin = Origin::of_name(name)?;
        let facts = real.stat()?;
        let lower = self.find(&origin)?;
        if facts.kind != FileKind::Directory && !facts.is_whiteout() {
            let stated = real.xattr(marks.name(Mark::Origin))?.unwrap_or_default();
            if Origin::parse(&stated).map_err(|_unknown| Errno::NODATA)? != origin {
                return real.unlink();
            }
            let is_left = match lower {
                Some(lower) => {
                    links_of(&real, &facts, &lower, marks)?.is_none_or(|links| links == 0)
                }
                None => true,
            };
            if facts.links == 1 && is_left {
                return real.unlink();
            }
        }
        if let Some(lower) = lower {
            self.enter(Entry {
                name: name.to_owned(),
                lower,
                upper: facts.identity(),
                // A whiteout stands for no file: it is taken for what no file is.
                kind: if facts.is_whiteout() {
                    FileKind::Directory
                } else {
                    facts.kind
                },
            });
        }
        Ok(())
    }

    /// The lower file with this handle; nothing when it is gone.
    fn find(&self, origin: &Origin) -> Result<Option<Facts>> {
        let is_here = |disk: &&Disk| Some(disk.uuid) == origin.uuid();
        let Some(disk) = self.disks.iter().find(is_here) else {
            return Ok(None);
        };
        match open_handle(&disk.root, &origin.handle(), OFlags::PATH) {
            Ok(open) => Ok(Some(fstat(&open)?.into())),
            Err(Errno::STALE | Errno::NOENT | Errno::INVAL) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    /// Remembers an entry.
    pub(super) fn enter(&self, entry: Entry) -> Arc<Entry> {
        let entry = Arc::new(entry);
        let mut entries = lock(&self.entries);
        let lower = entry.lower.identity();
        entries.by_lower.insert(lower, Arc::clone(&entry));
        if entry.kind == entry.lower.kind {
            entries.by_upper.insert(entry.upper, Arc::clone(&entry));
        }
        entry
    }

    /// Forgets an entry.
    pub(super) fn leave(&self, entry: &Entry) {
        let mut entries = lock(&self.entries);
        entries.by_lower.remove(&entry.lower.identity());
        entries.by_upper.remove(&entry.upper);
    }

    /// The entry of a lower file.
    pub(super) fn of_lower(&self, lower: &Facts) -> Option<Arc<Entry>> {
        lock(&self.entries).by_lower.get(&lower.identity()).cloned()
    }

    /// The entry of an upper file.
    pub(super) fn of_upper(&self, upper: &Facts) -> Option<Arc<Entry>> {
        lock(&self.entries).by_upper.get(&upper.identity()).cloned()
    }

    /// Every entry.
    pub(super) fn all(&self) -> Vec<Arc<Entry>> {
        lock(&self.entries).by_lower.values().cloned().collect()
    }

    /// Whether a lower file gets an entry when it is copied up.
    pub(super) fn wants(&self, lower: &Facts) -> bool {
        let is_on = |disk: &Disk| disk.device == lower.dev;
        lower.links > 1 && self.disks.iter().any(is_on)
    }

    /// What a lower file is called in the index.
    pub(super) fn origin(&self, lower: &Real, facts: &Facts) -> Result<Origin> {
        let is_on = |disk: &&Disk| disk.device == facts.dev;
        let disk = self.disks.iter().find(is_on).ok_or(Errno::STALE)?;
        Origin::new(&handle_of(&lower.directory, &lower.name)?, disk.uuid, false)
    }
}

/// The file systems of the lower layers, that of the topmost first.
fn disks_of(lowers: &[Directory]) -> Result<Option<Vec<Disk>>> {
    let mut disks: Vec<Disk> = Vec::new();
    for lower in lowers {
        let Some(found) = disk_of(lower)? else {
            return Ok(None);
        };
        if disks.iter().any(|disk| disk.device == found.device) {
            continue;
        }
        if disks.iter().any(|disk| disk.uuid == found.uuid) {
            // A handle would not tell on which of them its file is.
            return Ok(None);
        }
        disks.push(found);
    }
    Ok(Some(disks))
}

/// The file system of a directory, if its files can be found by handles.
fn disk_of(directory: &Directory) -> Result<Option<Disk>> {
    let root = openat(directory, ".", OPEN, Mode::empty())?;
    let facts: Facts = fstat(&root)?.into();
    let found = handle_of(&root, OsStr::new(""))
        .and_then(|handle| open_handle(&root, &handle, OFlags::PATH));
    if found.is_err() {
        return Ok(None);
    }
    Ok(Some(Disk {
        device: facts.dev,
        uuid: file_system_uuid(&root)?,
        root,
    }))
}

/// Ties a directory to a file, or makes sure that it is tied to no other.
fn verify_or_set(real: &Real, name: &OsStr, origin: &Origin) -> Result<()> {
    let stated = real.xattr(name)?.unwrap_or_default();
    match Origin::parse(&stated) {
        Ok(stated) if stated == *origin => Ok(()),
        Ok(_) => Err(Errno::STALE),
        Err(_) => real.set_xattr(name, origin.bytes(), XattrFlags::empty()),
    }
}

const OPEN: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// A directory that no other union may use meanwhile: locked as flock(2) does. The kernel marks it in its own way,
/// which is nobody else's to see.
#[derive(Debug)]
struct Claim(OwnedFd);

impl Claim {
    fn take(directory: &Directory) -> Result<Self> {
        Self::locked(directory, FlockOperation::NonBlockingLockExclusive)
    }

    /// Makes sure that nobody has claimed a directory.
    fn check(directory: &Directory) -> Result<()> {
        Self::locked(directory, FlockOperation::NonBlockingLockShared).map(drop)
    }

    fn locked(directory: &Directory, operation: FlockOperation) -> Result<Self> {
        let open = openat(directory, ".", OPEN, Mode::empty())?;
        match fs::flock(&open, operation) {
            Ok(()) => Ok(Self(open)),
            Err(Errno::WOULDBLOCK) => Err(Errno::BUSY),
            Err(errno) => Err(errno),
        }
    }
}

/// Said in so many words, because a process that is just being started may have the descriptor for a moment longer.
impl Drop for Claim {
    fn drop(&mut self) {
        let _unlocked = fs::flock(&self.0, FlockOperation::Unlock);
    }
}
