//! Accounting for disk space: `fill disk`, a tmpfs with a size.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::fstat;

use super::filesystem::Union;
use super::real::Facts;
use super::{Directory, Errno, Result, Space};

/// Size in which space is asked for: a page, as tmpfs counts.
const PAGE: u64 = 4096;

/// A file without a name: its blocks come back when nobody holds it any more.
#[derive(Debug)]
pub(super) struct Orphan {
    held: Option<Directory>,
    space: Arc<dyn Space>,
}

impl Orphan {
    /// The file has got a name (again).
    pub(super) fn adopt(mut self) {
        self.held = None;
    }
}

impl Drop for Orphan {
    fn drop(&mut self) {
        if let Some(held) = &self.held {
            self.space.give(allocated(held));
        }
    }
}

impl Union {
    /// Asks for disk space; a new inode asks for 0 bytes.
    pub(super) fn take_space(&self, bytes: u64) -> Result<()> {
        self.options
            .space
            .as_ref()
            .map_or(Ok(()), |space| space.take(bytes))
    }

    /// Gives disk space back.
    pub(super) fn give_space(&self, bytes: u64) {
        if let Some(space) = &self.options.space {
            space.give(bytes);
        }
    }

    /// For a file that has no name but is held.
    pub(super) fn orphan(&self, held: &Directory) -> Option<Orphan> {
        let space = Arc::clone(self.options.space.as_ref()?);
        Some(Orphan {
            held: Some(Arc::clone(held)),
            space,
        })
    }

    /// Performs a write of `length` bytes after asking for as many; when there is not enough, for as many
    /// pages as there are, so that a write is cut short as on a full disk. What was not needed, because the
    /// blocks were there already, is given back.
    pub(super) fn write_within_space(
        &self,
        open: &OwnedFd,
        length: usize,
        offset: Option<u64>,
        write: impl FnOnce(usize) -> Result<usize>,
    ) -> Result<usize> {
        let counting = self.options.space.as_ref();
        let Some(space) = counting.filter(|space| !space.is_endless()) else {
            return write(length);
        };
        let before: Facts = fstat(open)?.into();
        let start = offset.unwrap_or(before.size);
        let (taken, length) = take_most(space.as_ref(), &before, start, length as u64)?;
        let written = write(usize::try_from(length).unwrap_or(usize::MAX));
        let grown = allocated(open).saturating_sub(before.blocks * 512);
        space.give(taken.saturating_sub(grown));
        written
    }
}

/// Takes space for as much of a write as there is space for; returns what was taken, and the length.
fn take_most(space: &dyn Space, file: &Facts, start: u64, length: u64) -> Result<(u64, u64)> {
    let has_all_blocks = file.blocks * 512 >= file.size.next_multiple_of(PAGE);
    if start + length <= file.size && has_all_blocks {
        return Ok((0, length));
    }
    let first_page = start - start % PAGE;
    // The page in which the file ends now is there already.
    let is_first_there = !start.is_multiple_of(PAGE) && start <= file.size && has_all_blocks;
    let pages = (start + length - first_page).div_ceil(PAGE);
    // As many pages as there are, in halving strides.
    let (mut got, mut stride) = (u64::from(is_first_there), pages);
    let mut taken = 0;
    while got < pages && stride > 0 {
        let more = stride.min(pages - got) * PAGE;
        match space.take(more) {
            Ok(()) => {
                got += more / PAGE;
                taken += more;
            }
            Err(Errno::NOSPC | Errno::DQUOT) => stride = (more / PAGE) / 2,
            Err(errno) => return Err(errno),
        }
    }
    let end = (first_page + got * PAGE).min(start + length);
    if end <= start {
        space.give(taken);
        return Err(Errno::NOSPC);
    }
    Ok((taken, end - start))
}

/// Bytes that a file occupies.
pub(super) fn allocated(open: &OwnedFd) -> u64 {
    fstat(open).map_or(0, |stat| Facts::from(stat).blocks * 512)
}
