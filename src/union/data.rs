//! Copying the data of a file: shared extents where the file system can, else in the kernel, extent by
//! extent, so that holes stay holes (union row 83: the kernel's own copy-up fills them).

use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{self, SeekFrom};

use super::filesystem::Union;
use super::real::Facts;
use super::{Errno, Feature, Result};

/// Largest piece that is copied with one call.
const PIECE: usize = 1 << 30;

impl Union {
    /// Copies the first `limit` bytes, or all, into an empty file.
    pub(super) fn copy_data(
        &self,
        from: &OwnedFd,
        to: &OwnedFd,
        facts: &Facts,
        limit: Option<u64>,
    ) -> Result<()> {
        let has_copy_range = self.may_use(Feature::CopyRange);
        copy(
            from,
            to,
            facts,
            limit,
            (&self.clone_refused, has_copy_range),
        )
    }
}

fn copy(
    from: &OwnedFd,
    to: &OwnedFd,
    facts: &Facts,
    limit: Option<u64>,
    (clone_refused, has_copy_range): (&AtomicBool, bool),
) -> Result<()> {
    let copy_range = |start, end| {
        if has_copy_range {
            copy_range(from, to, start, end)
        } else {
            copy_by_hand(from.as_fd(), to.as_fd(), start, end)
        }
    };
    let end = limit.map_or(facts.size, |limit| limit.min(facts.size));
    if end == 0 {
        return Ok(());
    }
    if end == facts.size && facts.blocks > 0 && !clone_refused.load(Ordering::Relaxed) {
        match fs::ioctl_ficlone(to, from) {
            Ok(()) => return Ok(()),
            Err(Errno::OPNOTSUPP | Errno::XDEV | Errno::INVAL | Errno::NOTTY) => {
                clone_refused.store(true, Ordering::Relaxed);
            }
            Err(errno) => return Err(errno),
        }
    }
    if facts.blocks * 512 >= facts.size {
        // No holes to speak of.
        return copy_range(0, end);
    }
    let mut at = 0;
    while at < end {
        let start = match fs::seek(from, SeekFrom::Data(at)) {
            Ok(start) => start,
            // Nothing but a hole up to the end.
            Err(Errno::NXIO) => break,
            Err(errno) => return Err(errno),
        };
        if start >= end {
            break;
        }
        let stop = fs::seek(from, SeekFrom::Hole(start))?.min(end);
        copy_range(start, stop)?;
        at = stop;
    }
    fs::ftruncate(to, end)
}

/// Copies a range to the same offset.
fn copy_range(from: &OwnedFd, to: &OwnedFd, start: u64, end: u64) -> Result<()> {
    let (mut read_at, mut write_at) = (start, start);
    while read_at < end {
        let left = usize::try_from(end - read_at).unwrap_or(PIECE).min(PIECE);
        let copied = fs::copy_file_range(from, Some(&mut read_at), to, Some(&mut write_at), left);
        match copied {
            // Shorter than it was: somebody has cut it.
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::PERM) => {
                return copy_by_hand(from.as_fd(), to.as_fd(), read_at, end);
            }
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

fn copy_by_hand(from: impl AsFd, to: impl AsFd, start: u64, end: u64) -> Result<()> {
    let mut buffer = vec![0; 256 * 1024];
    let mut at = start;
    while at < end {
        let want = usize::try_from(end - at)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let piece = buffer.get_mut(..want).unwrap_or_default();
        let got = rustix::io::pread(&from, &mut *piece, at)?;
        if got == 0 {
            return Ok(());
        }
        write_all_at(&to, piece.get(..got).unwrap_or_default(), at)?;
        at += got as u64;
    }
    Ok(())
}

/// Writes all bytes at an offset.
fn write_all_at(to: impl AsFd, mut bytes: &[u8], mut at: u64) -> Result<()> {
    while !bytes.is_empty() {
        let written = rustix::io::pwrite(&to, bytes, at)?;
        if written == 0 {
            return Err(Errno::IO);
        }
        at += written as u64;
        bytes = bytes.get(written..).unwrap_or_default();
    }
    Ok(())
}
