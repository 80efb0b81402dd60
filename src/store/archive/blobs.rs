//! The files that an archive holds.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{FileType, OFlags, ResolveFlags, fstat};

use crate::sys::open_scoped;
use rustix::io::Errno;

use super::entries::Entries;
use super::error::{ArchiveFault, Result, shown};
use super::header::Body;
use super::input::{Input as _, Slice};
use super::limits::{BLOBS_MAX, DOCUMENT_MAX};
use super::names;

/// Symlinks that are followed inside an archive, as many as Linux follows.
const LINKS_MAX: usize = 40;

/// Files by name: those in a tar file, which is read where they lie, or those in a folder.
#[derive(Debug)]
pub(super) enum Blobs {
    Tar {
        file: Arc<OwnedFd>,
        index: BTreeMap<Vec<u8>, Place>,
    },
    Folder(OwnedFd),
}

/// What a tar file has under a name.
#[derive(Clone, Debug)]
pub(super) enum Place {
    File {
        start: u64,
        length: u64,
    },
    /// `docker save` of Docker 20.10 writes a layer once and links to it.
    Link(Vec<u8>),
}

/// A file to read.
#[derive(Clone, Debug)]
pub(super) struct Blob {
    file: Arc<OwnedFd>,
    start: u64,
    pub(super) length: u64,
}

impl Blob {
    pub(super) fn whole(file: Arc<OwnedFd>) -> Result<Self> {
        let length = u64::try_from(fstat(&file)?.st_size).unwrap_or(0);
        Ok(Self {
            file,
            start: 0,
            length,
        })
    }

    pub(super) fn read(&self) -> Slice {
        Slice::new(Arc::clone(&self.file), self.start, self.length)
    }

    /// Its first bytes, by which formats are told apart.
    pub(super) fn first(&self) -> Result<Vec<u8>> {
        let mut input = self.read();
        let here = input.fill()?;
        Ok(here.iter().copied().take(512).collect())
    }
}

impl Blobs {
    /// Lists what a tar file holds. A name that comes again counts anew, as when it is unpacked.
    pub(super) fn of_tar(file: Arc<OwnedFd>) -> Result<Self> {
        let mut entries = Entries::new(Blob::whole(Arc::clone(&file))?.read());
        let mut index = BTreeMap::new();
        let mut count = 0;
        let mut one_more = || {
            count += 1;
            let is_fine = count <= BLOBS_MAX;
            is_fine
                .then_some(())
                .ok_or_else(|| ArchiveFault::limit("files in the archive itself", BLOBS_MAX as u64))
        };
        while let Some(entry) = entries.next(&mut one_more)? {
            let path = names::clean(&entry.path).join(&b'/');
            let place = match entry.body {
                Body::File(length) if entries.is_dense() => Place::File {
                    start: entries.input.position(),
                    length,
                },
                // Relative to the folder that holds the link.
                Body::Symlink(target) => {
                    let folder = path.rsplitn(2, |byte| *byte == b'/').nth(1);
                    Place::Link(
                        names::clean(&join(folder.unwrap_or_default(), &target)).join(&b'/'),
                    )
                }
                Body::Hardlink(target) => Place::Link(names::clean(&target).join(&b'/')),
                _ => continue,
            };
            index.insert(path, place);
        }
        Ok(Self::Tar { file, index })
    }

    /// Finds a file by its path; `None` when there is none.
    pub(super) fn find(&self, path: &str) -> Result<Option<Blob>> {
        match self {
            Self::Tar { file, index } => {
                let mut name = names::clean(path.as_bytes()).join(&b'/');
                for _ in 0..LINKS_MAX {
                    match index.get(&name) {
                        None => return Ok(None),
                        Some(Place::Link(target)) => name.clone_from(target),
                        Some(Place::File { start, length }) => {
                            let (file, start, length) = (Arc::clone(file), *start, *length);
                            return Ok(Some(Blob {
                                file,
                                start,
                                length,
                            }));
                        }
                    }
                }
                Err(ArchiveFault::refused(format!(
                    "{} is a chain of more than {LINKS_MAX} links",
                    shown(path.as_bytes())
                )))
            }
            Self::Folder(folder) => in_folder(folder, path),
        }
    }

    /// The bytes of a document, which is not long.
    pub(super) fn document(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let Some(blob) = self.find(path)? else {
            return Ok(None);
        };
        read_document(&blob)
            .map(Some)
            .map_err(|error| error.within(path))
    }
}

/// Reads a whole blob, which is not long.
pub(super) fn read_document(blob: &Blob) -> Result<Vec<u8>> {
    if blob.length > DOCUMENT_MAX {
        return Err(ArchiveFault::limit("bytes of a document", DOCUMENT_MAX));
    }
    let mut bytes = vec![0; usize::try_from(blob.length).unwrap_or_default()];
    blob.read().exact(&mut bytes)?;
    Ok(bytes)
}

/// Opens a file below a folder, through no symlink.
fn in_folder(folder: &OwnedFd, path: &str) -> Result<Option<Blob>> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    let file = match open_scoped(folder, path, flags, resolve) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP | Errno::XDEV) => {
            let path = shown(path.as_bytes());
            return Err(ArchiveFault::refused(format!(
                "{path} leads out of the layout"
            )));
        }
        Err(errno) => return Err(errno.into()),
    };
    if FileType::from_raw_mode(fstat(&file)?.st_mode) != FileType::RegularFile {
        let path = shown(path.as_bytes());
        return Err(ArchiveFault::refused(format!("{path} is no regular file")));
    }
    Blob::whole(Arc::new(file)).map(Some)
}

fn join(folder: &[u8], target: &[u8]) -> Vec<u8> {
    if target.first() == Some(&b'/') {
        return target.to_vec();
    }
    [folder, target].join(&b'/')
}
