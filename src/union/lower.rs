//! Directories of lower layers. They never move, so where one is stays as it was found.

use std::ffi::{OsStr, OsString};
use std::sync::{Arc, OnceLock};

use rustix::fs::{Mode, OFlags, openat};

use super::descriptors::{Descriptors, Slot};
use super::real::Real;
use super::{Directory, Result};

/// One directory of one lower layer.
#[derive(Debug)]
pub(super) struct LowerDirectory {
    /// Which of the lowers, 0 the topmost.
    pub(super) layer: usize,
    place: Place,
    /// Whether `overlay.opaque` is `x`, so that empty regular files may be whiteouts; looked up when the
    /// first empty file is met.
    pub(super) xattr_whiteouts: OnceLock<bool>,
}

#[derive(Debug)]
enum Place {
    Root(Directory),
    Below {
        parent: Option<Arc<LowerDirectory>>,
        name: OsString,
        slot: Arc<Slot>,
    },
}

impl LowerDirectory {
    pub(super) fn root(layer: usize, directory: Directory) -> Arc<Self> {
        Arc::new(Self {
            layer,
            place: Place::Root(directory),
            xattr_whiteouts: OnceLock::new(),
        })
    }

    pub(super) fn below(parent: &Arc<Self>, name: &OsStr) -> Arc<Self> {
        Arc::new(Self {
            layer: parent.layer,
            place: Place::Below {
                parent: Some(Arc::clone(parent)),
                name: name.to_owned(),
                slot: Arc::new(Slot::default()),
            },
            xattr_whiteouts: OnceLock::new(),
        })
    }

    /// Its descriptor, opened `O_PATH`. Climbs to the nearest open ancestor and opens its way down.
    pub(super) fn descriptor(&self, descriptors: &Descriptors) -> Result<Directory> {
        let mut closed = Vec::new();
        let mut at = self;
        let mut open = loop {
            match &at.place {
                Place::Root(directory) => break Arc::clone(directory),
                Place::Below { parent, name, slot } => {
                    if let Some(found) = slot.get() {
                        break found;
                    }
                    closed.push((name, slot));
                    // The parent is only taken away while dropping.
                    let Some(parent) = parent else {
                        return Err(super::Errno::STALE);
                    };
                    at = parent;
                }
            }
        };
        for (name, slot) in closed.into_iter().rev() {
            open = descriptors.open(slot, || {
                openat(&open, name, directory_flags(), Mode::empty())
            })?;
        }
        Ok(open)
    }

    /// The directory itself, for its attributes.
    pub(super) fn real(&self, descriptors: &Descriptors) -> Result<Real> {
        Ok(Real::itself(self.descriptor(descriptors)?))
    }

    /// A name in it.
    pub(super) fn child(&self, descriptors: &Descriptors, name: &OsStr) -> Result<Real> {
        Ok(Real::named(self.descriptor(descriptors)?, name))
    }
}

/// Flags that open a directory for lookups only, never through a link.
pub(super) fn directory_flags() -> OFlags {
    OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

/// In a loop, for the same reason as that of nodes.
impl Drop for LowerDirectory {
    fn drop(&mut self) {
        let mut next = take_parent(self);
        while let Some(parent) = next {
            next = Arc::into_inner(parent).and_then(|mut parent| take_parent(&mut parent));
        }
    }
}

fn take_parent(directory: &mut LowerDirectory) -> Option<Arc<LowerDirectory>> {
    match &mut directory.place {
        Place::Root(_) => None,
        Place::Below { parent, .. } => parent.take(),
    }
}
