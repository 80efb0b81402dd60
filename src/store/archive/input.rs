//! Where bytes come from, piece by piece.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::error::{ArchiveFault, Result};

/// Bytes that are read at a time.
pub(super) const PIECE: usize = 256 << 10;

/// A stream that lends what it has read.
pub(super) trait Input {
    /// What was read and not consumed; empty at the end only.
    fn fill(&mut self) -> Result<&[u8]>;

    /// Takes so many of the bytes that [`Input::fill`] lent.
    fn consume(&mut self, count: usize);

    /// Passes over bytes. That they are missing may be noticed only when more is read.
    fn skip(&mut self, mut count: u64) -> Result<()> {
        while count > 0 {
            let here = self.fill()?.len();
            if here == 0 {
                return Err(truncated());
            }
            let part = usize::try_from(count).unwrap_or(here).min(here);
            self.consume(part);
            count -= part as u64;
        }
        Ok(())
    }

    /// Reads exactly so many bytes.
    fn exact(&mut self, mut into: &mut [u8]) -> Result<()> {
        while !into.is_empty() {
            let here = self.fill()?;
            if here.is_empty() {
                return Err(truncated());
            }
            let count = here.len().min(into.len());
            let (now, later) = into.split_at_mut(count);
            now.copy_from_slice(here.get(..count).unwrap_or_default());
            into = later;
            self.consume(count);
        }
        Ok(())
    }
}

/// moby's words (Go's `io.ErrUnexpectedEOF`).
pub(super) fn truncated() -> super::ArchiveError {
    ArchiveFault::damaged("unexpected end of the archive")
}

/// A part of an open file, with a position of its own.
#[derive(Debug)]
pub(super) struct Slice {
    file: Arc<OwnedFd>,
    at: u64,
    end: u64,
    piece: Vec<u8>,
    /// The part of `piece` that was not consumed.
    left: std::ops::Range<usize>,
}

impl Slice {
    pub(super) fn new(file: Arc<OwnedFd>, start: u64, length: u64) -> Self {
        Self {
            file,
            at: start,
            end: start.saturating_add(length),
            piece: Vec::new(),
            left: 0..0,
        }
    }

    /// Position in the file of the next byte.
    pub(super) fn position(&self) -> u64 {
        self.at - self.left.len() as u64
    }

    fn read_piece(&mut self) -> Result<()> {
        let want = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(PIECE);
        if self.piece.is_empty() {
            self.piece = vec![0; PIECE];
        }
        let into = self.piece.get_mut(..want.min(PIECE)).unwrap_or_default();
        let count = if into.is_empty() {
            0
        } else {
            rustix::io::pread(&self.file, into, self.at)?
        };
        self.at += count as u64;
        self.left = 0..count;
        Ok(())
    }
}

impl Input for Slice {
    fn fill(&mut self) -> Result<&[u8]> {
        if self.left.is_empty() {
            self.read_piece()?;
        }
        Ok(self.piece.get(self.left.clone()).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.left.start = (self.left.start + count).min(self.left.end);
    }

    fn skip(&mut self, count: u64) -> Result<()> {
        let here = self.left.len() as u64;
        if count <= here {
            self.consume(usize::try_from(count).unwrap_or_default());
            return Ok(());
        }
        self.left = 0..0;
        self.at = self.at.saturating_add(count - here);
        if self.at > self.end {
            return Err(truncated());
        }
        Ok(())
    }
}

impl std::io::Read for Slice {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let here = std::io::BufRead::fill_buf(self)?;
        let count = here.len().min(into.len());
        if let (Some(into), Some(here)) = (into.get_mut(..count), here.get(..count)) {
            into.copy_from_slice(here);
        }
        self.consume(count);
        Ok(count)
    }
}

impl std::io::BufRead for Slice {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.fill().map_err(|error| match error.errno() {
            Some(errno) => errno.into(),
            None => std::io::Error::other(error),
        })
    }

    fn consume(&mut self, count: usize) {
        Input::consume(self, count);
    }
}

impl<I: Input> Input for &mut I {
    fn fill(&mut self) -> Result<&[u8]> {
        (**self).fill()
    }

    fn consume(&mut self, count: usize) {
        (**self).consume(count);
    }

    fn skip(&mut self, count: u64) -> Result<()> {
        (**self).skip(count)
    }
}
