//! Directory descriptors are kept open, within bounds.
//!
//! An `O_PATH` descriptor of a directory makes a lookup in it one system call. Each union keeps a few
//! hundred of them, and all unions of a process together no more than half of `RLIMIT_NOFILE`; beyond
//! that the ones not used lately are closed (second chance), and opened again when needed.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};

use super::lock::lock;
use super::{Directory, Result};

/// Most descriptors that one union keeps.
const PER_UNION: usize = 256;

/// Descriptors kept by all unions of this process.
static KEPT: AtomicUsize = AtomicUsize::new(0);

fn process_limit() -> usize {
    static LIMIT: OnceLock<usize> = OnceLock::new();
    *LIMIT.get_or_init(|| {
        let soft = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        soft.and_then(|soft| usize::try_from(soft / 2).ok())
            .unwrap_or(65_536)
            .min(65_536)
    })
}

/// Place for one directory's descriptor.
#[derive(Debug, Default)]
pub(super) struct Slot {
    descriptor: Mutex<Option<Directory>>,
    used: AtomicBool,
}

impl Slot {
    /// The descriptor, if it is open.
    pub(super) fn get(&self) -> Option<Directory> {
        let found = lock(&self.descriptor).clone();
        if found.is_some() {
            self.used.store(true, Ordering::Relaxed);
        }
        found
    }

    /// Closes the descriptor, as soon as nobody uses it.
    pub(super) fn clear(&self) {
        if lock(&self.descriptor).take().is_some() {
            KEPT.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The descriptors that one union keeps.
#[derive(Debug, Default)]
pub(super) struct Descriptors {
    clock: Mutex<VecDeque<Weak<Slot>>>,
}

impl Descriptors {
    /// Returns the slot's descriptor, opening it if need be.
    pub(super) fn open(
        &self,
        slot: &Arc<Slot>,
        open: impl FnOnce() -> Result<OwnedFd>,
    ) -> Result<Directory> {
        if let Some(found) = slot.get() {
            return Ok(found);
        }
        let opened = Arc::new(open()?);
        self.keep(slot, &opened);
        Ok(opened)
    }

    fn keep(&self, slot: &Arc<Slot>, opened: &Directory) {
        let mut clock = lock(&self.clock);
        while clock.len() >= PER_UNION
            || (KEPT.load(Ordering::Relaxed) >= process_limit() && !clock.is_empty())
        {
            let Some(oldest) = clock.pop_front() else {
                break;
            };
            if let Some(oldest) = oldest.upgrade() {
                if oldest.used.swap(false, Ordering::Relaxed) {
                    clock.push_back(Arc::downgrade(&oldest));
                } else {
                    oldest.clear();
                }
            }
        }
        if KEPT.load(Ordering::Relaxed) >= process_limit() {
            return;
        }
        let mut place = lock(&slot.descriptor);
        if place.is_none() {
            *place = Some(Arc::clone(opened));
            KEPT.fetch_add(1, Ordering::Relaxed);
            clock.push_back(Arc::downgrade(slot));
        }
    }
}
