//! `docker load`: an image from an archive.

use super::daemon::Daemon;
use super::images::LAYERS_MAX;
use super::refusals::{Fault, Result, fault, refuse};
use crate::engine::{ArchiveFile, Kind};
use crate::store::archive::{
    Archive, ArchiveError, ArchiveFault, ArchivedImage, Limits, open_below,
};
use crate::store::{Config, Layer, names};
use crate::union::Errno;

impl Daemon {
    /// Unpacks the layers of an image that will have this name. On an error none of them is left.
    pub(super) fn load_archive(
        &mut self,
        name: &str,
        file: &ArchiveFile,
    ) -> Result<(Vec<Layer>, Config)> {
        let said = |error| about(file, &error);
        let opened = open_below(&file.folder, &file.path).map_err(said)?;
        let archive = Archive::open(opened, &self.store.work(), Limits::default());
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
            unpacked.map_err(|error| Failed::Archive(error.within(format!("layer {position}"))))?;
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
    let kind = match error.fault {
        ArchiveFault::Disk(errno @ (Errno::NOSPC | Errno::DQUOT)) => return errno.into(),
        ArchiveFault::Absent(_) => Kind::NoSuchPath,
        _ => Kind::Other,
    };
    fault(kind, format!("archive {}: {error}", file.path))
}
