//! From a file to an archive.

use std::fs::File;
use std::io::{self, Seek as _};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, fstat, open, openat, unlinkat};

use super::blobs::{Blob, Blobs};
use super::error::{ArchiveFault, Result};
use super::input::Slice;
use super::layout::{self, ArchivedImage, ArchivedLayer};
use super::limits::{Budget, Limits};
use super::list::{Listing, list};
use super::stream::{self, Compression};
use super::unpack;
use super::write::failed;
use crate::sys::open_scoped;
use crate::union::{Directory, Errno, Union, XattrNamespace};

/// Name, for a moment, of a compressed archive that is made plain.
const SPOOL: &str = "#archive";

/// An image archive, open.
#[derive(Debug)]
pub struct Archive {
    blobs: Blobs,
    budget: Budget,
    /// What is left for layers that are copied as they are.
    spooled: Budget,
}

impl Archive {
    /// Opens a file of `docker save` or of an OCI layout, plain, gzip or zstd, or the folder of an OCI layout.
    /// A compressed file is first made plain in a nameless file of `work`.
    ///
    /// # Errors
    /// What is no archive, what is beyond `limits`, and what the disk gives.
    pub fn open(file: OwnedFd, work: &Directory, limits: Limits) -> Result<Self> {
        Self::open_spooling(file, limits, || nameless(work))
    }

    /// The same, but a compressed file is made plain in the file that `spool` gives.
    ///
    /// # Errors
    /// Those of [`Archive::open`], and those of `spool`.
    pub fn open_spooling(
        file: OwnedFd,
        limits: Limits,
        spool: impl FnOnce() -> io::Result<File>,
    ) -> Result<Self> {
        let budget = Budget::new(limits);
        let blobs = match FileType::from_raw_mode(fstat(&file)?.st_mode) {
            FileType::Directory => Blobs::Folder(file),
            FileType::RegularFile => Blobs::of_tar(plain(Arc::new(file), spool, &limits)?)?,
            _ => {
                let message = "neither a regular file nor a folder";
                return Err(ArchiveFault::refused(message));
            }
        };
        Ok(Self {
            blobs,
            budget,
            spooled: budget,
        })
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

    /// Copies a layer to where `into` stands, as plain tar: the bytes that its digest is of. Gives how many they are
    /// and what is in them. They are for programs that read archives themselves, and have passed what is checked when a
    /// layer is unpacked; after an error none of them is to be used.
    ///
    /// # Errors
    /// Those of [`Archive::unpack`], but for what only unpacking shows.
    pub fn copy(&mut self, layer: &ArchivedLayer, into: &mut File) -> Result<(u64, Listing)> {
        let start = into.stream_position().map_err(failed)?;
        let expected = (layer.digest, Some(layer.diff_id));
        let limits = self.budget.limits;
        let count = |bytes| self.spooled.take(bytes);
        let length = stream::spool(&layer.blob, expected, &limits, count, into)?;
        // Read again from the copy: what is listed is what is handed on.
        let copy = into.try_clone().map_err(failed)?;
        let slice = Slice::new(Arc::new(copy.into()), start, length);
        Ok((length, list(slice, &mut self.budget)?))
    }
}

/// Opens an archive by its path below a folder, whatever symlinks are on the way.
///
/// # Errors
/// [`ArchiveFault::Absent`].
pub fn open_below(folder: &Path, path: &str) -> Result<OwnedFd> {
    let absent = |errno| {
        ArchiveFault::Absent(match errno {
            Errno::XDEV => "it leads out of its folder".to_owned(),
            errno => {
                let text = io::Error::from(errno).to_string();
                text.split(" (os error")
                    .next()
                    .unwrap_or_default()
                    .to_lowercase()
            }
        })
    };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = open(folder, flags, Mode::empty()).map_err(absent)?;
    // Not waiting for the other end of a pipe, nor becoming a terminal's owner.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    Ok(open_scoped(folder, path, flags, resolve).map_err(absent)?)
}

/// An empty file that has no name any more.
fn nameless(work: &Directory) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let file = openat(work, SPOOL, flags, Mode::from_raw_mode(0o600))?;
    unlinkat(work, SPOOL, AtFlags::empty())?;
    Ok(file.into())
}

/// The file itself, or a plain copy.
fn plain(
    file: Arc<OwnedFd>,
    spool: impl FnOnce() -> io::Result<File>,
    limits: &Limits,
) -> Result<Arc<OwnedFd>> {
    let blob = Blob::whole(Arc::clone(&file))?;
    if Compression::of(&blob.first()?) == Compression::None {
        return Ok(file);
    }
    let mut spool = spool().map_err(failed)?;
    stream::spool(&blob, (None, None), limits, |_| Ok(()), &mut spool)?;
    Ok(Arc::new(spool.into()))
}
