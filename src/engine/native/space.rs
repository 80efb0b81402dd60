//! Disks that can be full.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::union::{Errno, Result, Space};

/// The disk that holds layers and volumes: endless until it is declared full. Then what needs no new blocks
/// still works, as on a real disk.
#[derive(Debug, Default)]
pub(super) struct Disk {
    full: AtomicBool,
}

impl Disk {
    /// Declares it full or not.
    pub(super) fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }

    /// Whether it is.
    pub(super) fn is_full(&self) -> bool {
        self.full.load(Ordering::SeqCst)
    }
}

impl Space for Disk {
    fn take(&self, bytes: u64) -> Result<()> {
        if bytes > 0 && self.is_full() {
            Err(Errno::NOSPC)
        } else {
            Ok(())
        }
    }

    fn give(&self, _bytes: u64) {}

    fn is_endless(&self) -> bool {
        !self.is_full()
    }
}

/// A tmpfs with a size.
#[derive(Debug)]
pub(super) struct Limited {
    left: AtomicU64,
}

impl Limited {
    /// One with room for so many bytes.
    pub(super) fn new(bytes: u64) -> Self {
        Self {
            left: AtomicU64::new(bytes),
        }
    }
}

impl Space for Limited {
    fn take(&self, bytes: u64) -> Result<()> {
        let take = |left: u64| left.checked_sub(bytes);
        match self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, take)
        {
            Ok(_) => Ok(()),
            Err(_) => Err(Errno::NOSPC),
        }
    }

    fn give(&self, bytes: u64) {
        let give = |left: u64| Some(left.saturating_add(bytes));
        // The closure never declines.
        let _ = self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, give);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_gives_inodes_but_no_bytes() {
        let disk = Disk::default();
        assert_eq!((disk.take(1), disk.take(0)), (Ok(()), Ok(())));
        disk.set_full(true);
        assert_eq!((disk.take(1), disk.take(0)), (Err(Errno::NOSPC), Ok(())));
        disk.set_full(false);
        assert_eq!(disk.take(u64::MAX), Ok(()));
    }

    #[test]
    fn a_limit_counts_down_and_up() {
        let space = Limited::new(10);
        assert_eq!(space.take(8), Ok(()));
        assert_eq!(space.take(3), Err(Errno::NOSPC));
        space.give(4);
        assert_eq!(space.take(6), Ok(()));
    }
}
