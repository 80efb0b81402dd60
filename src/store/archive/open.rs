//! From a file to an archive.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, fstat, openat, unlinkat};

use super::blobs::{Blob, Blobs};
use super::error::{ArchiveFault, Result};
use super::layout::{self, ArchivedImage, ArchivedLayer};
use super::limits::{Budget, Limits};
use super::stream::{self, Compression};
use super::unpack;
use crate::union::{Directory, Union, XattrNamespace};

/// Name, for a moment, of a compressed archive that is made plain.
const SPOOL: &str = "#archive";

/// An image archive, open.
#[derive(Debug)]
pub struct Archive {
    blobs: Blobs,
    budget: Budget,
}

impl Archive {
    /// Opens a file of `docker save` or of an OCI layout, plain, gzip or zstd, or the folder of an OCI layout.
    /// A compressed file is first made plain in a nameless file of `work`.
    ///
    /// # Errors
    /// What is no archive, what is beyond `limits`, and what the disk gives.
    pub fn open(file: OwnedFd, work: &Directory, limits: Limits) -> Result<Self> {
        let budget = Budget::new(limits);
        let blobs = match FileType::from_raw_mode(fstat(&file)?.st_mode) {
            FileType::Directory => Blobs::Folder(file),
            FileType::RegularFile => Blobs::of_tar(plain(Arc::new(file), work, &limits)?)?,
            _ => {
                let message = "neither a regular file nor a folder";
                return Err(ArchiveFault::refused(message));
            }
        };
        Ok(Self { blobs, budget })
    }

    /// The image with this tag, or the only one. Manifests and configuration are verified against the digests
    /// that name them.
    ///
    /// # Errors
    /// No such image, or several that could be meant; documents that are missing, malformed or not what
    /// their digests say; an image that is not for Linux.
    pub fn image(&self, tag: Option<&str>) -> Result<ArchivedImage> {
        layout::image(&self.blobs, tag)
    }

    /// Unpacks a layer into an empty, plain union, whose marks are kept in `namespace`. What an error leaves
    /// there is to be removed by the caller.
    ///
    /// # Errors
    /// A blob that is damaged, not what its digests say, or beyond the limits, which count all layers
    /// together; entries that no layer may have; what the disk gives.
    pub fn unpack(
        &mut self,
        layer: &ArchivedLayer,
        union: &Union,
        namespace: XattrNamespace,
    ) -> Result<()> {
        let expected = (layer.digest, Some(layer.diff_id));
        let limits = self.budget.limits;
        stream::unpacked(&layer.blob, expected, &limits, |pieces| {
            unpack::unpack(pieces, union, namespace, &mut self.budget)
        })
    }
}

/// The file itself, or a plain copy.
fn plain(file: Arc<OwnedFd>, work: &Directory, limits: &Limits) -> Result<Arc<OwnedFd>> {
    let blob = Blob::whole(Arc::clone(&file))?;
    if Compression::of(&blob.first()?) == Compression::None {
        return Ok(file);
    }
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let spool = openat(work, SPOOL, flags, Mode::from_raw_mode(0o600))?;
    unlinkat(work, SPOOL, AtFlags::empty())?;
    let mut spool = std::fs::File::from(spool);
    stream::spool(&blob, limits, &mut spool)?;
    Ok(Arc::new(spool.into()))
}
