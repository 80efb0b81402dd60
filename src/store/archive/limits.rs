//! What is too much.

use super::error::{ArchiveFault, Result};

/// Most that is taken from one archive. The defaults let every image in use through; what they stop is
/// made to exhaust somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Entries of all layers together, and directories that only the paths of entries name.
    pub entries: u64,
    /// Bytes of all layers together, unpacked. A hole counts like data, since whoever reads the file reads it.
    pub bytes: u64,
    /// How many times larger than its blob a layer may be, beyond the first 64 MiB.
    pub ratio: u64,
    /// Directories above a file.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 1_000_000,
            bytes: 32 << 30,
            ratio: 200,
            depth: 256,
        }
    }
}

/// Unpacked bytes to which [`Limits::ratio`] does not apply: a small layer of zeros is no bomb.
pub(super) const RATIO_FREE: u64 = 64 << 20;

/// Longest name of a file, in bytes: `NAME_MAX` of Linux.
pub(super) const NAME_MAX: usize = 255;

/// Longest path, in bytes: `PATH_MAX` of Linux.
pub(super) const PATH_MAX: usize = 4096;

/// Longest extended header, in bytes. Attributes of one file are at most 64 KiB each.
pub(super) const HEADER_MAX: u64 = 1 << 20;

/// Longest index, manifest or configuration, in bytes: OCI distribution-spec asks registries for 4 MiB.
pub(super) const DOCUMENT_MAX: u64 = 4 << 20;

/// Most files of the archive itself.
pub(super) const BLOBS_MAX: usize = 20_000;

/// Most images that one archive is searched for.
pub(super) const IMAGES_MAX: usize = 1_000;

/// Most bytes of all paths of a layer that is listed. A million paths of usual length have half of that.
pub(super) const LISTED_MAX: u64 = 256 << 20;

/// Most parts of a sparse file.
pub(super) const PARTS_MAX: usize = 65_536;

/// What is left of the limits while layers are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    pub(super) limits: Limits,
    entries: u64,
    bytes: u64,
}

impl Budget {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            entries: limits.entries,
            bytes: limits.bytes,
        }
    }

    /// One more header.
    pub(super) fn entry(&mut self) -> Result<()> {
        let most = self.limits.entries;
        let left = self.entries.checked_sub(1);
        self.entries = left.ok_or_else(|| ArchiveFault::limit("entries", most))?;
        Ok(())
    }

    /// So many more bytes of files.
    pub(super) fn take(&mut self, bytes: u64) -> Result<()> {
        let most = self.limits.bytes;
        let left = self.bytes.checked_sub(bytes);
        self.bytes = left.ok_or_else(|| ArchiveFault::limit("unpacked bytes", most))?;
        Ok(())
    }
}
