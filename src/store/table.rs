//! The store: records in memory as they are on disk, and the directories they name.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::OwnedFd;

use rustix::io::Errno;

use super::disk::Disk;
use super::load::{self, Loaded};
use super::record::MountSource;
use super::{Container, Filling, Image, Number, Volume};
use crate::union::Directory;

/// How a store is opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// `fsync` every record. Without it a loss of power, not the death of the engine, may lose changes ([`super::format`]).
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
    pub(super) disk: Disk,
    work: Directory,
    next: Number,
    pub(super) images: Table<Image>,
    containers: Table<Container>,
    volumes: Table<Volume>,
    pub(super) fillings: Table<Filling>,
    layers: BTreeMap<Number, Directory>,
    /// Names that mean nothing any more and could not be removed yet.
    garbage: Vec<String>,
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
            fillings,
        } = load::load(&disk)?;
        let mut store = Self {
            disk,
            work,
            next,
            images,
            containers,
            volumes,
            fillings,
            layers: BTreeMap::new(),
            garbage: Vec::new(),
        };
        store.settle_tags()?;
        Ok(store)
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

    /// The container with which a volume goes.
    pub fn volume_with(&self, number: Number) -> Option<Number> {
        self.volumes.get(&number)?.1.with
    }

    /// The volume with this name.
    pub fn volume(&self, name: &str) -> Option<(Number, &Volume)> {
        self.volumes().find(|(_, volume)| volume.name == name)
    }

    /// A number for something new.
    pub(super) fn take_number(&mut self) -> Number {
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
    pub fn remove_passing(&mut self, number: Number) {
        self.clear(directory_name('t', number));
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
        self.supersede(Container::LETTER, number, old);
        Ok(())
    }

    /// Removes a container, published or not, with its upper and the layers that only it lists. Volumes that go
    /// with it ([`Volume::with`]) are gone from the next opening on, unless somebody else mounts them.
    ///
    /// # Errors
    /// Of the disk; the container is then as it was.
    pub fn remove_container(&mut self, number: Number) -> Result<(), Errno> {
        if let Some((revision, _)) = self.containers.get(&number) {
            self.retract(Container::LETTER, number, *revision)?;
        }
        let removed = self.containers.remove(&number);
        self.clear(directory_name('c', number));
        if let Some((_, container)) = removed {
            self.drop_layers(listed(&container));
        }
        Ok(())
    }

    /// Makes and publishes an empty volume.
    ///
    /// # Errors
    /// Of the disk.
    pub fn add_volume(&mut self, volume: Volume) -> Result<(Number, Directory), Errno> {
        let (number, directory) = self.make('v')?;
        match self.publish(number, &volume) {
            Ok(revision) => drop(self.volumes.insert(number, (revision, volume))),
            Err(errno) => {
                self.clear(directory_name('v', number));
                return Err(errno);
            }
        }
        Ok((number, directory))
    }

    /// Makes a volume stay when the container is gone with which it would go.
    ///
    /// # Errors
    /// Of the disk; the volume is then as it was.
    pub fn untie_volume(&mut self, number: Number) -> Result<(), Errno> {
        let Some((old, volume)) = self.volumes.get(&number) else {
            return Ok(());
        };
        if volume.with.is_none() {
            return Ok(());
        }
        let old = *old;
        let untied = Volume {
            with: None,
            ..volume.clone()
        };
        let revision = self.publish(number, &untied)?;
        self.volumes.insert(number, (revision, untied));
        self.supersede(Volume::LETTER, number, old);
        Ok(())
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
    /// Of the disk; the volume is then as it was.
    pub fn remove_volume(&mut self, number: Number) -> Result<(), Errno> {
        if let Some((revision, _)) = self.volumes.get(&number) {
            self.retract(Volume::LETTER, number, *revision)?;
            self.volumes.remove(&number);
            self.clear(directory_name('v', number));
        }
        Ok(())
    }

    /// Forgets a volume that could not be removed although the container is gone with which it goes: opening the
    /// store would not find it again.
    pub fn forsake_volume(&mut self, number: Number) {
        if let Some((revision, _)) = self.volumes.remove(&number) {
            self.supersede(Volume::LETTER, number, revision);
            self.clear(directory_name('v', number));
        }
    }

    /// Removes a layer that was made but is listed by nothing.
    pub fn discard_layer(&mut self, number: Number) {
        self.drop_layers([number]);
    }

    pub(super) fn publish<T: Record>(
        &mut self,
        number: Number,
        record: &T,
    ) -> Result<Number, Errno> {
        for name in std::mem::take(&mut self.garbage) {
            self.clear(name);
        }
        let revision = self.take_number();
        let json = serde_json::to_vec(record).map_err(|_| Errno::INVAL)?;
        self.disk
            .publish(&file_name(T::LETTER, number, revision), &json)?;
        Ok(revision)
    }

    /// Unlinks a record: with this step its object is gone. Revisions that should be gone already go first, so
    /// that none comes back.
    pub(super) fn retract(
        &mut self,
        letter: char,
        number: Number,
        revision: Number,
    ) -> Result<(), Errno> {
        let all = format!("{letter}{number}.");
        for name in self.garbage.iter().filter(|name| name.starts_with(&all)) {
            self.disk.unlink(name)?;
        }
        self.garbage.retain(|name| !name.starts_with(&all));
        self.disk.unlink(&file_name(letter, number, revision))
    }

    /// Unlinks a revision that does not count any more.
    pub(super) fn supersede(&mut self, letter: char, number: Number, revision: Number) {
        let name = file_name(letter, number, revision);
        if self.disk.unlink(&name).is_err() {
            self.garbage.push(name);
        }
    }

    /// Removes what no record names any more. What has to stay is tried again at the next change, and goes at
    /// the latest when the store is opened again.
    pub(super) fn clear(&mut self, name: String) {
        if self.disk.remove(&name).is_err() {
            self.garbage.push(name);
        }
    }

    /// Removes those of the layers that nothing lists any more.
    pub(super) fn drop_layers(&mut self, layers: impl IntoIterator<Item = Number>) {
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
                self.clear(directory_name('l', number));
            }
        }
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
