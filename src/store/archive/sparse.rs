//! Sparse files: where in the file the stored bytes belong. GNU tar manual, "Storing Sparse Files".

use tar::{GnuExtSparseHeader, Header};

use super::error::{ArchiveFault, Result};
use super::input::{Input, truncated};
use super::limits::PARTS_MAX;
use super::pax::{Pax, number};

/// Bytes of the file that are stored, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) offset: u64,
    pub(super) length: u64,
}

/// How a regular file is stored.
#[derive(Debug)]
pub(super) struct Map {
    /// Length of the file.
    pub(super) size: u64,
    /// In order, apart from one another.
    pub(super) parts: Vec<Part>,
    /// Bytes that follow the header, without what this map itself took.
    pub(super) stored: u64,
}

const BLOCK: usize = 512;

impl Map {
    /// A file without holes.
    pub(super) fn dense(size: u64) -> Self {
        let part = Part {
            offset: 0,
            length: size,
        };
        Self {
            size,
            parts: vec![part],
            stored: size,
        }
    }

    /// The map of an entry whose header was just read, wherever it is kept.
    pub(super) fn read(
        header: &Header,
        pax: &mut Pax,
        stored: u64,
        input: &mut impl Input,
    ) -> Result<Self> {
        let keys = &mut pax.sparse;
        let (size, parts, stored) = if header.entry_type().is_gnu_sparse() {
            let gnu = header
                .as_gnu()
                .ok_or_else(|| ArchiveFault::damaged("a sparse file without GNU's header"))?;
            let size = gnu.real_size().map_err(super::header::damaged)?;
            (size, old_format(gnu, input)?, stored)
        } else if let (Some(1), Some(0)) = (keys.major, keys.minor) {
            let size = keys.size;
            let size = size.ok_or_else(|| ArchiveFault::damaged("a sparse file without size"))?;
            let (parts, taken) = before_data(input, stored)?;
            (size, parts, stored - taken)
        } else if let (true, Some(size)) = (keys.is_mapped, keys.size) {
            (size, std::mem::take(&mut keys.map), stored)
        } else {
            return Ok(Self::dense(stored));
        };
        check(size, &parts, stored)?;
        Ok(Self {
            size,
            parts,
            stored,
        })
    }
}

/// Parts must come in order, lie within the file and be what is stored.
fn check(size: u64, parts: &[Part], stored: u64) -> Result<()> {
    let (mut at, mut total) = (0, 0_u64);
    for part in parts {
        let end = part.offset.checked_add(part.length);
        let end = end.filter(|end| part.offset >= at && *end <= size);
        at = end.ok_or_else(|| {
            ArchiveFault::damaged("the parts of a sparse file overlap or lie outside of it")
        })?;
        total = total.saturating_add(part.length);
    }
    if total == stored {
        Ok(())
    } else {
        let message = "the parts of a sparse file are not what is stored of it";
        Err(ArchiveFault::damaged(message))
    }
}

fn too_many() -> super::ArchiveError {
    ArchiveFault::limit("parts of a sparse file", PARTS_MAX as u64)
}

/// Type `S`: four parts in the header, 21 in each block that follows.
fn old_format(gnu: &tar::GnuHeader, input: &mut impl Input) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    let mut take = |sparse: &[tar::GnuSparseHeader]| -> Result<()> {
        for part in sparse.iter().filter(|part| !part.is_empty()) {
            if parts.len() >= PARTS_MAX {
                return Err(too_many());
            }
            let offset = part.offset().map_err(super::header::damaged)?;
            let length = part.length().map_err(super::header::damaged)?;
            parts.push(Part { offset, length });
        }
        Ok(())
    };
    take(&gnu.sparse)?;
    let mut more = gnu.is_extended();
    while more {
        let mut block = GnuExtSparseHeader::new();
        input.exact(block.as_mut_bytes())?;
        // A block without parts would let the chain be endless.
        if block.sparse().iter().all(tar::GnuSparseHeader::is_empty) {
            return Err(ArchiveFault::damaged("a block of a sparse map is empty"));
        }
        take(block.sparse())?;
        more = block.is_extended();
    }
    Ok(parts)
}

/// Version 1.0: lines of decimal numbers before the data, filled up to whole blocks. Also how many bytes
/// that were.
fn before_data(input: &mut impl Input, stored: u64) -> Result<(Vec<Part>, u64)> {
    let mut taken = 0;
    let mut block = [0; BLOCK];
    let mut at = BLOCK;
    let mut line = Vec::new();
    let mut next = || -> Result<u64> {
        line.clear();
        loop {
            if at == BLOCK {
                taken += BLOCK as u64;
                if taken > stored {
                    return Err(truncated());
                }
                input.exact(&mut block)?;
                at = 0;
            }
            let byte = block.get(at).copied().unwrap_or_default();
            at += 1;
            if byte == b'\n' {
                return number(&line);
            }
            line.push(byte);
            // No number has more digits.
            if line.len() > 20 {
                return Err(ArchiveFault::damaged(
                    "the map of a sparse file is malformed",
                ));
            }
        }
    };
    let count = next()?;
    if count > PARTS_MAX as u64 {
        return Err(too_many());
    }
    let mut parts = Vec::new();
    for _ in 0..count {
        let offset = next()?;
        let length = next()?;
        parts.push(Part { offset, length });
    }
    Ok((parts, taken))
}
