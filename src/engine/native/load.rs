//! `docker load`: an image from an archive.

use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags, ResolveFlags, open};

use super::daemon::Daemon;
use super::images::LAYERS_MAX;
use super::refusals::{Fault, Result, fault, refuse, text};
use crate::engine::{ArchiveFile, Kind};
use crate::store::archive::{Archive, ArchiveError, ArchivedImage, Limits};
use crate::store::{Config, Layer, names};
use crate::sys::open_scoped;
use crate::union::Errno;

impl Daemon {
    /// Unpacks the layers of an image that will have this name. On an error none of them is left.
    pub(super) fn load_archive(
        &mut self,
        name: &str,
        file: &ArchiveFile,
    ) -> Result<(Vec<Layer>, Config)> {
        let said = |error| about(file, &error);
        let archive = Archive::open(below(file)?, &self.store.work(), Limits::default());
        let mut archive = archive.map_err(said)?;
        let image = archive.image(file.tag.as_deref()).map_err(said)?;
        if image.layers.len() > LAYERS_MAX {
            return refuse(Kind::MaxDepth, "max depth exceeded");
        }
        let mut layers = Vec::new();
        match self.unpack(name, &mut archive, &image, &mut layers) {
            Ok(()) => Ok((layers, image.config)),
            Err(failed) => {
                self.discard(&layers);
                Err(match failed {
                    Failed::Archive(error) => about(file, &error),
                    Failed::Engine(fault) => fault,
                })
            }
        }
    }

    fn unpack(
        &mut self,
        name: &str,
        archive: &mut Archive,
        image: &ArchivedImage,
        layers: &mut Vec<Layer>,
    ) -> std::result::Result<(), Failed> {
        for (index, layer) in image.layers.iter().enumerate() {
            let (number, directory) = self.make_layer()?;
            let position = index + 1;
            let image = names::image(name).to_owned();
            layers.push(Layer {
                number,
                image,
                position,
            });
            let union = self.ground.fresh_plain(directory, self.store.work(), None);
            let union = union.map_err(Fault::from)?;
            let namespace = self.ground.keeping.namespace;
            let unpacked = archive.unpack(layer, &union, namespace);
            unpacked.map_err(|error| {
                Failed::Archive(ArchiveError {
                    places: [vec![format!("layer {position}")], error.places].concat(),
                    fault: error.fault,
                })
            })?;
        }
        Ok(())
    }
}

/// What went wrong while layers were unpacked.
enum Failed {
    Archive(ArchiveError),
    Engine(Fault),
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self::Engine(fault)
    }
}

/// What is wrong with an archive, in words that name it.
fn about(file: &ArchiveFile, error: &ArchiveError) -> Fault {
    match error.errno() {
        Some(errno @ (Errno::NOSPC | Errno::DQUOT)) => errno.into(),
        _ => fault(Kind::Other, format!("archive {}: {error}", file.path)),
    }
}

/// Opens an archive, which lies below its folder whatever symlinks are on the way.
fn below(file: &ArchiveFile) -> Result<OwnedFd> {
    let failed = |errno| {
        let why = match errno {
            Errno::XDEV => "it leads out of its folder".to_owned(),
            errno => text(errno),
        };
        fault(Kind::NoSuchPath, format!("archive {}: {why}", file.path))
    };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = open(&file.folder, flags, Mode::empty()).map_err(failed)?;
    // Not waiting for the other end of a pipe, nor becoming a terminal's owner.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    open_scoped(folder, &file.path, flags, resolve).map_err(failed)
}
