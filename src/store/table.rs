//! The store: records in memory as they are on disk, and the directories they name.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::OwnedFd;

use rustix::io::Errno;

use super::disk::Disk;
use super::load::{self, Loaded};
use super::record::MountSource;
use super::{Container, Image, Number, Volume};
use crate::union::Directory;

/// How a store is opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// `fsync` every record. Without it a crash of the machine, not one of the engine, may lose changes.
    pub durable: bool,
}

/// Records of one kind, each with its revision.
pub(super) type Table<T> = BTreeMap<Number, (Number, T)>;

/// A kind of record.
pub(super) trait Record: serde::Serialize + serde::de::DeserializeOwned {
    /// First letter of its files.
    const LETTER: char;
}

impl Record for Image {
    const LETTER: char = 'i';
}
impl Record for Container {
    const LETTER: char = 'c';
}
impl Record for Volume {
    const LETTER: char = 'v';
}

/// An open store. Errors are those of the disk.
#[derive(Debug)]
pub struct Store {
    disk: Disk,
    work: Directory,
    next: Number,
    images: Table<Image>,
    containers: Table<Container>,
    volumes: Table<Volume>,
    layers: BTreeMap<Number, Directory>,
}

/// A record's file.
pub(super) fn file_name(letter: char, number: Number, revision: Number) -> String {
    format!("{letter}{number}.{revision}.json")
}

/// A directory.
pub(super) fn directory_name(letter: char, number: Number) -> String {
    format!("{letter}{number}")
}

impl Store {
    /// Opens the store in a folder, making what is missing and dropping what was never published.
    ///
    /// # Errors
    /// The folder cannot be read or written.
    pub fn open(folder: OwnedFd, options: Options) -> Result<Self, Errno> {
        let disk = Disk::new(folder, options.durable);
        let Loaded {
            work,
            next,
            images,
            containers,
            volumes,
        } = load::load(&disk)?;
        Ok(Self {
            disk,
            work,
            next,
            images,
            containers,
            volumes,
            layers: BTreeMap::new(),
        })
    }

    /// The directory for files in the making.
    pub fn work(&self) -> Directory {
        Directory::clone(&self.work)
    }

    /// Every image.
    pub fn images(&self) -> impl Iterator<Item = &Image> {
        self.images.values().map(|(_, image)| image)
    }

    /// Every container, oldest first.
    pub fn containers(&self) -> impl Iterator<Item = (Number, &Container)> {
        self.containers
            .iter()
            .map(|(number, (_, container))| (*number, container))
    }

    /// Every volume, oldest first.
    pub fn volumes(&self) -> impl Iterator<Item = (Number, &Volume)> {
        self.volumes
            .iter()
            .map(|(number, (_, volume))| (*number, volume))
    }

    /// The image with this name, without `:latest`.
    pub fn image(&self, tag: &str) -> Option<(Number, &Image)> {
        let found = self
            .images
            .iter()
            .find(|(_, (_, image))| image.tags.contains(tag));
        found.map(|(number, (_, image))| (*number, image))
    }

    /// The container with this name.
    pub fn container(&self, name: &str) -> Option<(Number, &Container)> {
        self.containers()
            .find(|(_, container)| container.name == name)
    }

    /// The container with this number.
    pub fn container_numbered(&self, number: Number) -> Option<&Container> {
        self.containers.get(&number).map(|(_, container)| container)
    }

    /// The driver options of a volume.
    pub fn volume_options(&self, number: Number) -> Option<&BTreeMap<String, String>> {
        self.volumes.get(&number).map(|(_, volume)| &volume.options)
    }

    /// The volume with this name.
    pub fn volume(&self, name: &str) -> Option<(Number, &Volume)> {
        self.volumes().find(|(_, volume)| volume.name == name)
    }

    /// A number for something new.
    fn take_number(&mut self) -> Number {
        let number = self.next;
        self.next += 1;
        number
    }

    fn make(&mut self, letter: char) -> Result<(Number, Directory), Errno> {
        let number = self.take_number();
        let directory = self.disk.make(&directory_name(letter, number))?;
        Ok((number, directory))
    }

    /// An empty layer, to be filled and then listed by an image.
    ///
    /// # Errors
    /// Of the disk.
    pub fn make_layer(&mut self) -> Result<(Number, Directory), Errno> {
        let (number, directory) = self.make('l')?;
        self.layers.insert(number, Directory::clone(&directory));
        Ok((number, directory))
    }

    /// A layer that an image or container lists.
    ///
    /// # Errors
    /// Of the disk.
    pub fn layer(&mut self, number: Number) -> Result<Directory, Errno> {
        if let Some(directory) = self.layers.get(&number) {
            return Ok(Directory::clone(directory));
        }
        let directory = self.disk.open(&directory_name('l', number))?;
        self.layers.insert(number, Directory::clone(&directory));
        Ok(directory)
    }

    /// An empty upper, for a container that will have this number.
    ///
    /// # Errors
    /// Of the disk.
    pub fn make_upper(&mut self) -> Result<(Number, Directory), Errno> {
        self.make('c')
    }

    /// The upper of a container.
    ///
    /// # Errors
    /// Of the disk.
    pub fn upper(&self, number: Number) -> Result<Directory, Errno> {
        self.disk.open(&directory_name('c', number))
    }

    /// An empty directory that no record names and that no reopening keeps: a tmpfs.
    ///
    /// # Errors
    /// Of the disk.
    pub fn make_passing(&mut self) -> Result<(Number, Directory), Errno> {
        self.make('t')
    }

    /// Removes such a directory.
    ///
    /// # Errors
    /// Of the disk.
    pub fn remove_passing(&mut self, number: Number) -> Result<(), Errno> {
        self.disk.remove(&directory_name('t', number))
    }

    /// Publishes an image under its tags, taking them from the images that had them.
    ///
    /// # Errors
    /// Of the disk.
    pub fn add_image(&mut self, image: Image) -> Result<(), Errno> {
        for tag in &image.tags {
            self.untag(tag)?;
        }
        let number = self.take_number();
        let revision = self.publish(number, &image)?;
        self.images.insert(number, (revision, image));
        Ok(())
    }

    /// Gives an image a further name, taking it from the image that had it.
    ///
    /// # Errors
    /// Of the disk.
    pub fn tag(&mut self, number: Number, tag: &str) -> Result<(), Errno> {
        let has = |(_, image): &(Number, Image)| image.tags.contains(tag);
        if self.images.get(&number).is_none_or(has) {
            return Ok(());
        }
        self.untag(tag)?;
        self.change_tags(number, |tags| tags.insert(tag.to_owned()))
    }

    /// Takes a name away; an image without one is dropped. Containers keep the layers that they list.
    ///
    /// # Errors
    /// Of the disk.
    pub fn untag(&mut self, tag: &str) -> Result<(), Errno> {
        let Some((number, image)) = self.image(tag) else {
            return Ok(());
        };
        if image.tags.len() > 1 {
            return self.change_tags(number, |tags| tags.remove(tag));
        }
        if let Some((revision, image)) = self.images.remove(&number) {
            self.disk
                .unlink(&file_name(Image::LETTER, number, revision))?;
            self.drop_layers(image.layers.iter().map(|layer| layer.number))?;
        }
        Ok(())
    }

    fn change_tags(
        &mut self,
        number: Number,
        change: impl FnOnce(&mut BTreeSet<String>) -> bool,
    ) -> Result<(), Errno> {
        let Some((old, mut image)) = self.images.get(&number).cloned() else {
            return Ok(());
        };
        change(&mut image.tags);
        let revision = self.publish(number, &image)?;
        self.images.insert(number, (revision, image));
        self.disk.unlink(&file_name(Image::LETTER, number, old))
    }

    /// Publishes a container whose upper has this number.
    ///
    /// # Errors
    /// Of the disk.
    pub fn add_container(&mut self, number: Number, container: Container) -> Result<(), Errno> {
        let revision = self.publish(number, &container)?;
        self.containers.insert(number, (revision, container));
        Ok(())
    }

    /// Publishes a changed container; without a change nothing is written.
    ///
    /// # Errors
    /// Of the disk; the container is then as it was.
    pub fn change_container(
        &mut self,
        number: Number,
        change: impl FnOnce(&mut Container),
    ) -> Result<(), Errno> {
        let Some((old, container)) = self.containers.get(&number) else {
            return Ok(());
        };
        let old = *old;
        let mut changed = container.clone();
        change(&mut changed);
        if changed == *container {
            return Ok(());
        }
        let revision = self.publish(number, &changed)?;
        self.containers.insert(number, (revision, changed));
        self.disk.unlink(&file_name(Container::LETTER, number, old))
    }

    /// Removes a container, published or not, with its upper and the layers that only it lists.
    ///
    /// # Errors
    /// Of the disk.
    pub fn remove_container(&mut self, number: Number) -> Result<(), Errno> {
        let removed = self.containers.remove(&number);
        if let Some((revision, _)) = &removed {
            self.disk
                .unlink(&file_name(Container::LETTER, number, *revision))?;
        }
        self.disk.remove(&directory_name('c', number))?;
        match removed {
            Some((_, container)) => self.drop_layers(listed(&container)),
            None => Ok(()),
        }
    }

    /// Makes and publishes an empty volume.
    ///
    /// # Errors
    /// Of the disk.
    pub fn add_volume(&mut self, volume: Volume) -> Result<(Number, Directory), Errno> {
        let (number, directory) = self.make('v')?;
        let revision = self.publish(number, &volume)?;
        self.volumes.insert(number, (revision, volume));
        Ok((number, directory))
    }

    /// The content of a volume.
    ///
    /// # Errors
    /// Of the disk.
    pub fn volume_directory(&self, number: Number) -> Result<Directory, Errno> {
        self.disk.open(&directory_name('v', number))
    }

    /// Removes a volume and its content.
    ///
    /// # Errors
    /// Of the disk.
    pub fn remove_volume(&mut self, number: Number) -> Result<(), Errno> {
        if let Some((revision, _)) = self.volumes.remove(&number) {
            self.disk
                .unlink(&file_name(Volume::LETTER, number, revision))?;
            self.disk.remove(&directory_name('v', number))?;
        }
        Ok(())
    }

    /// Removes a layer that was made but is listed by nothing.
    ///
    /// # Errors
    /// Of the disk.
    pub fn discard_layer(&mut self, number: Number) -> Result<(), Errno> {
        self.drop_layers([number])
    }

    fn publish<T: Record>(&mut self, number: Number, record: &T) -> Result<Number, Errno> {
        let revision = self.take_number();
        let json = serde_json::to_vec(record).map_err(|_| Errno::INVAL)?;
        self.disk
            .publish(&file_name(T::LETTER, number, revision), &json)?;
        Ok(revision)
    }

    /// Removes those of the layers that nothing lists any more.
    fn drop_layers(&mut self, layers: impl IntoIterator<Item = Number>) -> Result<(), Errno> {
        let listed: BTreeSet<Number> = self
            .images()
            .flat_map(|image| image.layers.iter().map(|layer| layer.number))
            .chain(
                self.containers()
                    .flat_map(|(_, container)| listed(container)),
            )
            .collect();
        for number in layers {
            if !listed.contains(&number) {
                self.layers.remove(&number);
                self.disk.remove(&directory_name('l', number))?;
            }
        }
        Ok(())
    }
}

/// Every layer that a container keeps alive: its own, and those of images that it mounts.
pub(super) fn listed(container: &Container) -> impl Iterator<Item = Number> {
    let mounted = container
        .mounts
        .iter()
        .filter_map(|mount| match &mount.source {
            MountSource::Image { layers, .. } => Some(layers),
            _ => None,
        });
    let numbers: Vec<Number> = std::iter::once(&container.layers)
        .chain(mounted)
        .flatten()
        .map(|layer| layer.number)
        .collect();
    numbers.into_iter()
}
