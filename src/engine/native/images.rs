//! Images: set-up, tags, removal.

use std::collections::BTreeSet;

use super::daemon::Daemon;
use super::plant::plant_layer;
use super::refusals::{Fault, Result, refuse};
use crate::engine::{Code, ImageConfig, ImageSpec, Kind, Refusal, Tree};
use crate::store::{Config, Image, Layer, Number, names};
use crate::union::Errno;

/// Most layers that Docker's overlay2 stacks (row 17).
pub(super) const LAYERS_MAX: usize = 128;

impl Daemon {
    /// Makes an image from its layers.
    pub(super) fn load_image(&mut self, asked: &ImageSpec) -> Result<()> {
        let (mut layers, mut config, mut platform) = match &asked.from {
            None => (Vec::new(), Config::default(), None),
            Some(base) => {
                let (_, base) = self.image(base)?;
                (
                    base.layers.clone(),
                    base.config.clone(),
                    base.platform.clone(),
                )
            }
        };
        let shared = layers.len();
        if let Some(archive) = &asked.archive {
            (layers, config) = self.load_archive(&asked.name, archive)?;
        }
        apply(&mut config, &asked.config);
        platform = asked.platform.clone().filter(|p| p != "linux").or(platform);
        if let Err(fault) = self.plant_layers(asked, &mut layers) {
            self.discard(layers.get(shared..).unwrap_or_default());
            return Err(fault);
        }
        self.publish_image(&asked.name, layers, config, platform)
    }

    /// Puts the written layers of an image on top of others.
    fn plant_layers(&mut self, asked: &ImageSpec, layers: &mut Vec<Layer>) -> Result<()> {
        if layers.len() + asked.layers.len() > LAYERS_MAX {
            return refuse(Kind::MaxDepth, "max depth exceeded");
        }
        // What was declared tells all of a layer only if nothing else is below it.
        let is_told = layers.is_empty() && self.ground.kernel.is_none();
        for (tree, position) in asked.layers.iter().zip(0..) {
            let told = asked.layers.get(..=position).filter(|_| is_told);
            let number = self.layer(tree, told, layers)?;
            layers.push(Layer {
                number,
                image: asked.name.clone(),
                position: layers.len() + 1,
            });
        }
        Ok(())
    }

    /// Removes layers that no image lists yet.
    pub(super) fn discard(&mut self, layers: &[Layer]) {
        for layer in layers {
            self.store.discard_layer(layer.number);
        }
    }

    /// A layer on others. If all of it is told by some trees, an earlier engine may have left one.
    fn layer(&mut self, tree: &Tree, told: Option<&[Tree]>, below: &[Layer]) -> Result<Number> {
        let told_and_room = told.filter(|_| !self.ground.disk.is_full());
        if let Some(spare) = told_and_room.and_then(|trees| self.spares.take(trees)) {
            return Ok(spare);
        }
        let number = self.plant_layer(tree, below)?;
        if let Some(trees) = told {
            self.spares.made(trees, number);
        }
        Ok(number)
    }

    fn plant_layer(&mut self, tree: &Tree, below: &[Layer]) -> Result<Number> {
        let below = match below {
            [] => None,
            below => {
                let lowers = self.lowers(below)?;
                Some(self.ground.union_stack(None, None, lowers)?)
            }
        };
        let (number, directory) = self.make_layer()?;
        let union = self
            .ground
            .fresh_plain(directory, self.store.work(), None)?;
        match plant_layer(&union, tree, below) {
            Ok(()) => Ok(number),
            Err(errno) => {
                self.store.discard_layer(number);
                Err(Fault::Broken(format!(
                    "cannot make an image layer: {errno}"
                )))
            }
        }
    }

    /// An empty layer, unless the disk is full.
    pub(super) fn make_layer(&mut self) -> Result<(Number, crate::union::Directory)> {
        if self.ground.disk.is_full() {
            return Err(Errno::NOSPC.into());
        }
        Ok(self.store.make_layer()?)
    }

    pub(super) fn publish_image(
        &mut self,
        name: &str,
        layers: Vec<Layer>,
        config: Config,
        platform: Option<String>,
    ) -> Result<()> {
        let tags = BTreeSet::from([names::image(name).to_owned()]);
        let id = names::random();
        Ok(self.store.add_image(Image {
            id,
            tags,
            layers,
            config,
            platform,
        })?)
    }

    /// `docker image rm` by name: Docker rows 9 to 11.
    pub(super) fn remove_image(&mut self, name: &str, force: bool) -> Result<()> {
        let (_, image) = match self.image(name) {
            // The client takes it for done (docker/cli `image/remove.go`: only a warning).
            Err(Fault::Refused(Refusal { code, .. }))
                if force && code == Code::Kind(Kind::NoSuchImage) =>
            {
                return Ok(());
            }
            other => other?,
        };
        let tag = names::image(name).to_owned();
        let user = self
            .store
            .containers()
            .map(|(_, container)| container)
            .find(|container| {
                container.image_id == image.id
                    || container.mounted_images().any(|id| id == image.id)
            });
        if let Some(user) = user
            && image.tags.len() == 1
            && !force
        {
            let short = |id: &str| id.chars().take(12).collect::<String>();
            let (container, id) = (short(&user.id), short(&image.id));
            return refuse(
                Kind::ImageInUse,
                format!(
                    "conflict: unable to remove repository reference \"{name}\" (must force) - container \
                     {container} is using its referenced image {id}"
                ),
            );
        }
        Ok(self.store.untag(&tag)?)
    }

    /// `docker tag`.
    pub(super) fn tag_image(&mut self, name: &str, tag: &str) -> Result<()> {
        let (number, _) = self.image(name)?;
        Ok(self.store.tag(number, names::image(tag))?)
    }
}

/// VOLUMEs are added; USER and WORKDIR replace, and a relative WORKDIR starts at the one before.
pub(super) fn apply(config: &mut Config, change: &ImageConfig) {
    for volume in &change.volumes {
        if !config.volumes.contains(volume) {
            config.volumes.push(volume.clone());
        }
    }
    if let Some(user) = &change.user {
        config.user = Some(user.clone()).filter(|user| !user.is_empty());
    }
    if let Some(directory) = &change.working_dir {
        let base = config.working_dir.as_deref().unwrap_or("/");
        let joined = if directory.starts_with('/') {
            directory.clone()
        } else {
            format!("{base}/{directory}")
        };
        config.working_dir = Some(crate::store::spec::path::absolute(&joined));
    }
}
