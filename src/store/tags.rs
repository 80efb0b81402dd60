//! Images and their names. A name belongs to one image at a time.
//!
//! A name changes hands in two steps: the record of the image that gets it is published, then it is taken out of
//! the other one's. Whoever opens a store between the two sees it on both, and the later record counts.

use std::collections::BTreeSet;

use rustix::io::Errno;

use super::table::{Record as _, Store};
use super::{Image, Number};

impl Store {
    /// Publishes an image under its tags, taking them from the images that had them.
    ///
    /// # Errors
    /// Of the disk; the images are then as they were, and layers that only the new one lists are discarded.
    pub fn add_image(&mut self, image: Image) -> Result<(), Errno> {
        let number = self.take_number();
        let layers: Vec<Number> = image.layers.iter().map(|layer| layer.number).collect();
        let added = self.put_image(number, image);
        if added.is_err() {
            self.drop_layers(layers);
        }
        added
    }

    /// Gives an image a further name, taking it from the image that had it.
    ///
    /// # Errors
    /// Of the disk; the images are then as they were.
    pub fn tag(&mut self, number: Number, tag: &str) -> Result<(), Errno> {
        let Some((_, image)) = self.images.get(&number) else {
            return Ok(());
        };
        let mut image = image.clone();
        if image.tags.insert(tag.to_owned()) {
            self.put_image(number, image)
        } else {
            Ok(())
        }
    }

    /// Takes a name away; an image without one is dropped. Containers keep the layers that they list.
    ///
    /// # Errors
    /// Of the disk; the image is then as it was.
    pub fn untag(&mut self, tag: &str) -> Result<(), Errno> {
        match self.image(tag) {
            Some((number, _)) => self.take_tag(number, tag),
            None => Ok(()),
        }
    }

    /// Publishes an image, then takes its names from the others. Takes it back when one cannot be taken.
    fn put_image(&mut self, number: Number, image: Image) -> Result<(), Errno> {
        let tags = image.tags.clone();
        let revision = self.publish(number, &image)?;
        let before = self.images.insert(number, (revision, image));
        for tag in &tags {
            let other = self
                .images
                .iter()
                .find(|(other, (_, image))| **other != number && image.tags.contains(tag))
                .map(|(other, _)| *other);
            let taken = other.map_or(Ok(()), |other| self.take_tag(other, tag));
            if let Err(errno) = taken {
                match before {
                    Some(before) => drop(self.images.insert(number, before)),
                    None => drop(self.images.remove(&number)),
                }
                self.supersede(Image::LETTER, number, revision);
                return Err(errno);
            }
        }
        if let Some((old, _)) = before {
            self.supersede(Image::LETTER, number, old);
        }
        Ok(())
    }

    fn take_tag(&mut self, number: Number, tag: &str) -> Result<(), Errno> {
        let Some((_, image)) = self.images.get(&number) else {
            return Ok(());
        };
        let mut image = image.clone();
        image.tags.remove(tag);
        self.retag(number, image)
    }

    /// Puts an image with fewer names in the place of its record.
    fn retag(&mut self, number: Number, image: Image) -> Result<(), Errno> {
        let Some((old, _)) = self.images.get(&number) else {
            return Ok(());
        };
        let old = *old;
        if image.tags.is_empty() {
            self.retract(Image::LETTER, number, old)?;
            self.images.remove(&number);
            self.drop_layers(image.layers.iter().map(|layer| layer.number));
        } else {
            let revision = self.publish(number, &image)?;
            self.images.insert(number, (revision, image));
            self.supersede(Image::LETTER, number, old);
        }
        Ok(())
    }

    /// Leaves every name to the image that got it last.
    pub(super) fn settle_tags(&mut self) -> Result<(), Errno> {
        let mut latest: Vec<(Number, Number)> = self
            .images
            .iter()
            .map(|(number, (revision, _))| (*revision, *number))
            .collect();
        latest.sort_unstable_by(|a, b| b.cmp(a));
        let mut taken = BTreeSet::new();
        for (_, number) in latest {
            let Some((_, image)) = self.images.get(&number) else {
                continue;
            };
            let mut image = image.clone();
            let before = image.tags.len();
            image.tags.retain(|tag| taken.insert(tag.clone()));
            if image.tags.len() < before {
                self.retag(number, image)?;
            }
        }
        Ok(())
    }
}
