//! A layer's blob as plain tar. A thread reads, decompresses and digests while the layer is written.

use std::io::{BufRead, Read, Write as _};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use sha2::{Digest as _, Sha256};

use super::blobs::Blob;
use super::digest::Digest;
use super::error::{ArchiveError, ArchiveFault, Result};
use super::input::{Input, PIECE};
use super::limits::{Limits, RATIO_FREE};

/// Pieces that may wait to be written.
const WAITING: usize = 8;

/// How a blob is compressed, told by its first bytes: media types are not always right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    pub(super) fn of(first: &[u8]) -> Self {
        match first {
            [0x1f, 0x8b, ..] => Self::Gzip,
            // A frame, or one to skip.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::None,
        }
    }
}

/// What a whole blob was.
#[derive(Clone, Copy, Debug)]
struct Digests {
    blob: Digest,
    unpacked: Digest,
}

/// Gives a blob's plain content to `work`, and then checks that all of it was what it should be.
pub(super) fn unpacked<T>(
    blob: &Blob,
    expected: (Option<Digest>, Option<Digest>),
    limits: &Limits,
    work: impl FnOnce(&mut Pieces) -> Result<T>,
) -> Result<T> {
    let compression = Compression::of(&blob.first()?);
    std::thread::scope(|scope| {
        let (sender, coming) = sync_channel(WAITING);
        let (back, used) = channel();
        let reader = scope.spawn(move || {
            let end = read(blob, compression, limits, &sender, &used);
            // The writer may have given up.
            drop(sender.send(end.map(Message::End)));
        });
        let mut pieces = Pieces {
            coming,
            back,
            piece: Vec::new(),
            at: 0,
            end: None,
        };
        let done = work(&mut pieces).and_then(|done| {
            let found = pieces.finish()?;
            if let Some(blob) = expected.0 {
                blob.check(&found.blob)?;
            }
            if let Some(unpacked) = expected.1 {
                unpacked.check(&found.unpacked)?;
            }
            Ok(done)
        });
        // Lets a reader that waits for room go on, and end.
        drop(pieces);
        if reader.join().is_err() {
            return Err(ArchiveFault::damaged("its compression cannot be undone"));
        }
        done
    })
}

enum Message {
    Piece(Vec<u8>),
    End(Digests),
}

/// What was read, in order.
pub(super) struct Pieces {
    coming: Receiver<Result<Message>>,
    /// Pieces to be filled again.
    back: Sender<Vec<u8>>,
    piece: Vec<u8>,
    at: usize,
    end: Option<Digests>,
}

impl Pieces {
    /// Reads what nobody wants any more.
    fn finish(&mut self) -> Result<Digests> {
        loop {
            if let Some(digests) = self.end {
                return Ok(digests);
            }
            self.at = self.piece.len();
            self.fill()?;
        }
    }
}

impl Input for Pieces {
    fn fill(&mut self) -> Result<&[u8]> {
        while self.at == self.piece.len() && self.end.is_none() {
            match self.coming.recv() {
                Ok(message) => match message? {
                    Message::End(digests) => self.end = Some(digests),
                    Message::Piece(piece) => {
                        let used = std::mem::replace(&mut self.piece, piece);
                        // A reader at its end takes none back.
                        drop(self.back.send(used));
                        self.at = 0;
                    }
                },
                Err(_) => return Err(ArchiveFault::damaged("its compression cannot be undone")),
            }
        }
        Ok(self.piece.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.at = (self.at + count).min(self.piece.len());
    }
}

/// Reads a blob to its end.
fn read(
    blob: &Blob,
    compression: Compression,
    limits: &Limits,
    sender: &SyncSender<Result<Message>>,
    used: &Receiver<Vec<u8>>,
) -> Result<Digests> {
    let mut whole = Sha256::new();
    let mut total = 0_u64;
    let mut source = Digested {
        input: blob.read(),
        hasher: Sha256::new(),
    };
    let is_plain = compression == Compression::None;
    {
        let mut plain = decompressed(&mut source, compression);
        loop {
            let mut piece = used.try_recv().unwrap_or_else(|_| vec![0; PIECE]);
            piece.resize(PIECE, 0);
            let count = fill(&mut plain, &mut piece)?;
            if count == 0 {
                break;
            }
            piece.truncate(count);
            total += count as u64;
            check(total, blob.length, limits)?;
            if !is_plain {
                whole.update(&piece);
            }
            if sender.send(Ok(Message::Piece(piece))).is_err() {
                // The writer has given up.
                return Err(super::input::truncated());
            }
        }
    }
    // Anything behind the end is part of the blob all the same.
    std::io::copy(&mut source, &mut std::io::sink()).map_err(broken)?;
    let blob = Digest::from(source.hasher);
    let unpacked = if is_plain { blob } else { whole.into() };
    Ok(Digests { blob, unpacked })
}

fn check(total: u64, packed: u64, limits: &Limits) -> Result<()> {
    if total > limits.bytes.saturating_add(RATIO_FREE) {
        return Err(ArchiveFault::limit("unpacked bytes", limits.bytes));
    }
    if total > RATIO_FREE && total / limits.ratio.max(1) > packed {
        let what = "times its compressed size";
        return Err(ArchiveFault::limit(what, limits.ratio));
    }
    Ok(())
}

/// Fills a piece as far as there is something.
fn fill(source: &mut dyn Read, piece: &mut [u8]) -> Result<usize> {
    let mut count = 0;
    while let Some(rest) = piece.get_mut(count..).filter(|rest| !rest.is_empty()) {
        match source.read(rest) {
            Ok(0) => break,
            Ok(more) => count += more,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(broken(error)),
        }
    }
    Ok(count)
}

/// Copies a blob to a file, plain. `count` is told how many bytes come, before they are written. Gives how many came.
pub(super) fn spool(
    blob: &Blob,
    expected: (Option<Digest>, Option<Digest>),
    limits: &Limits,
    mut count: impl FnMut(u64) -> Result<()>,
    into: &mut std::fs::File,
) -> Result<u64> {
    let mut total = 0;
    unpacked(blob, expected, limits, |pieces| {
        loop {
            let here = pieces.fill()?;
            if here.is_empty() {
                return Ok(total);
            }
            count(here.len() as u64)?;
            into.write_all(here).map_err(broken)?;
            let length = here.len();
            pieces.consume(length);
            total += length as u64;
        }
    })
}

/// Digests what is read from it.
struct Digested<R> {
    input: R,
    hasher: Sha256,
}

impl<R: BufRead> Read for Digested<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let here = self.input.fill_buf()?;
        let count = here.len().min(into.len());
        if let (Some(into), Some(here)) = (into.get_mut(..count), here.get(..count)) {
            into.copy_from_slice(here);
        }
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Digested<R> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.input.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        if let Ok(here) = self.input.fill_buf() {
            self.hasher.update(here.get(..count).unwrap_or_default());
        }
        self.input.consume(count);
    }
}

fn decompressed<'a>(source: &'a mut impl BufRead, compression: Compression) -> Box<dyn Read + 'a> {
    match compression {
        Compression::None => Box::new(source),
        Compression::Gzip => Box::new(MultiGzDecoder::new(source)),
        Compression::Zstd => Box::new(Zstd {
            source,
            decoder: FrameDecoder::new(),
            is_in_frame: false,
        }),
    }
}

/// Frames one after the other, as they may be: RFC 8878, section 3.
struct Zstd<R> {
    source: R,
    decoder: FrameDecoder,
    is_in_frame: bool,
}

impl<R: BufRead> Zstd<R> {
    /// Goes into the next frame; whether there is one.
    fn enter(&mut self) -> std::io::Result<bool> {
        loop {
            if self.source.fill_buf()?.is_empty() {
                return Ok(false);
            }
            match self.decoder.init(&mut self.source) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let mut skipped = self.source.by_ref().take(length.into());
                    std::io::copy(&mut skipped, &mut std::io::sink())?;
                }
                Err(error) => return Err(std::io::Error::other(error)),
            }
        }
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        loop {
            if !self.is_in_frame {
                self.is_in_frame = self.enter()?;
                if !self.is_in_frame {
                    return Ok(0);
                }
            }
            let count = self.decoder.read(into)?;
            if count > 0 || into.is_empty() {
                return Ok(count);
            }
            if self.decoder.is_finished() {
                self.is_in_frame = false;
            } else {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                let decoded = self.decoder.decode_blocks(&mut self.source, one);
                decoded.map_err(std::io::Error::other)?;
            }
        }
    }
}

/// What reading or decompressing gave.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn broken(error: std::io::Error) -> ArchiveError {
    if let Some(errno) = error.raw_os_error() {
        return rustix::io::Errno::from_raw_os_error(errno).into();
    }
    ArchiveFault::damaged(format!("its compression cannot be undone: {error}"))
}
