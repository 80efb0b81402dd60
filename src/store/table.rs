//! The store: records in memory as they are on disk, and the directories they name.

use std::collections::{BTreeMap, BTreeSet};

use rustix::io::Errno;

use super::change::Change;
use super::disk::Disk;
use super::load::{self, Loaded};
use super::log::Log;
use super::record::MountSource;
use super::{Container, Filling, Image, Number, Volume};
use crate::union::Directory;

/// How a store is opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Sync every change of a record. Without it a loss of power, not the death of the engine, may lose changes
    /// ([`super::format`]).
    pub durable: bool,
}

/// The records.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) images: BTreeMap<Number, Image>,
    pub(super) containers: BTreeMap<Number, Container>,
    pub(super) volumes: BTreeMap<Number, Volume>,
    pub(super) fillings: BTreeMap<Number, Filling>,
}

impl Tables {
    /// Makes a change, and returns the layers that the record listed before.
    pub(super) fn apply(&mut self, change: Change) -> Vec<Number> {
        match change {
            Change::Image(number, record) => {
                let before = set(&mut self.images, number, record);
                before.iter().flat_map(layers_of).collect()
            }
            Change::Container(number, record) => {
                let before = set(&mut self.containers, number, record);
                before.iter().flat_map(listed).collect()
            }
            Change::Volume(number, record) => {
                set(&mut self.volumes, number, record);
                Vec::new()
            }
            Change::Filling(number, record) => {
                set(&mut self.fillings, number, record);
                Vec::new()
            }
            Change::Next(_) => Vec::new(),
        }
    }

    /// The changes that lead here from nothing.
    pub(super) fn changes(&self) -> Vec<Change> {
        let images = self.images.iter();
        let containers = self.containers.iter();
        let volumes = self.volumes.iter();
        let fillings = self.fillings.iter();
        images
            .map(|(number, record)| Change::Image(*number, Some(record.clone())))
            .chain(containers.map(|(number, c)| Change::Container(*number, Some(c.clone()))))
            .chain(volumes.map(|(number, v)| Change::Volume(*number, Some(v.clone()))))
            .chain(fillings.map(|(number, f)| Change::Filling(*number, Some(f.clone()))))
            .collect()
    }

    /// Every layer that a record lists.
    pub(super) fn listed_layers(&self) -> BTreeSet<Number> {
        let of_images = self.images.values().flat_map(layers_of);
        of_images
            .chain(self.containers.values().flat_map(listed))
            .collect()
    }
}

fn set<T>(table: &mut BTreeMap<Number, T>, number: Number, record: Option<T>) -> Option<T> {
    match record {
        Some(record) => table.insert(number, record),
        None => table.remove(&number),
    }
}

fn layers_of(image: &Image) -> impl Iterator<Item = Number> {
    image.layers.iter().map(|layer| layer.number)
}

/// An open store. Errors are those of the disk.
#[derive(Debug)]
pub struct Store {
    disk: Disk,
    log: Log,
    next: Number,
    pub(super) tables: Tables,
    /// Directories that no record names any more and that could not be removed yet.
    garbage: Vec<String>,
}

/// A directory.
pub(super) fn directory_name(letter: char, number: Number) -> String {
    format!("{letter}{number}")
}

/// The directory of a layer.
pub fn layer_name(number: Number) -> String {
    directory_name('l', number)
}

impl Store {
    /// Makes a store in a folder that is empty but for layers with numbers below `next`, which an image may list.
    ///
    /// # Errors
    /// `EEXIST` where there is one; of the disk.
    pub fn create(folder: Directory, options: Options, next: Number) -> Result<Self, Errno> {
        let disk = Disk::new(folder);
        Ok(Self {
            log: Log::create(disk.folder(), options.durable)?,
            disk,
            next,
            tables: Tables::default(),
            garbage: Vec::new(),
        })
    }

    /// Opens the store in a folder, making what is missing and dropping what was never published.
    ///
    /// # Errors
    /// The folder cannot be read or written; `EUCLEAN` where the records are damaged, and nothing is dropped.
    pub fn open(folder: Directory, options: Options) -> Result<Self, Errno> {
        let mut disk = Disk::new(folder);
        let Loaded { log, next, tables } = load::load(&mut disk, options.durable)?;
        Ok(Self {
            disk,
            log,
            next,
            tables,
            garbage: Vec::new(),
        })
    }

    /// The directory for files in the making: the folder itself, where their names, `#` and a number, are no
    /// others'.
    pub fn work(&self) -> Directory {
        Directory::clone(self.disk.folder())
    }

    /// Every image.
    pub fn images(&self) -> impl Iterator<Item = &Image> {
        self.tables.images.values()
    }

    /// Every layer that an image or a container lists.
    pub fn listed_layers(&self) -> BTreeSet<Number> {
        self.tables.listed_layers()
    }

    /// Every container, oldest first.
    pub fn containers(&self) -> impl Iterator<Item = (Number, &Container)> {
        let containers = self.tables.containers.iter();
        containers.map(|(number, container)| (*number, container))
    }

    /// Every volume, oldest first.
    pub fn volumes(&self) -> impl Iterator<Item = (Number, &Volume)> {
        let volumes = self.tables.volumes.iter();
        volumes.map(|(number, volume)| (*number, volume))
    }

    /// The image with this name, without `:latest`.
    pub fn image(&self, tag: &str) -> Option<(Number, &Image)> {
        let mut images = self.tables.images.iter();
        let found = images.find(|(_, image)| image.tags.contains(tag));
        found.map(|(number, image)| (*number, image))
    }

    /// The container with this name.
    pub fn container(&self, name: &str) -> Option<(Number, &Container)> {
        self.containers()
            .find(|(_, container)| container.name == name)
    }

    /// The container with this number.
    pub fn container_numbered(&self, number: Number) -> Option<&Container> {
        self.tables.containers.get(&number)
    }

    /// The driver options of a volume.
    pub fn volume_options(&self, number: Number) -> Option<&BTreeMap<String, String>> {
        self.tables.volumes.get(&number).map(|v| &v.options)
    }

    /// The container with which a volume goes.
    pub fn volume_with(&self, number: Number) -> Option<Number> {
        self.tables.volumes.get(&number).and_then(|v| v.with)
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
        self.make('l')
    }

    /// A layer that an image or container lists.
    ///
    /// # Errors
    /// Of the disk.
    pub fn layer(&mut self, number: Number) -> Result<Directory, Errno> {
        self.disk.open(&directory_name('l', number))
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
    pub fn upper(&mut self, number: Number) -> Result<Directory, Errno> {
        self.disk.open(&directory_name('c', number))
    }

    /// The work directory of a container whose upper has an index: made when it is first asked for, kept for as long as
    /// the container.
    ///
    /// # Errors
    /// Of the disk.
    pub fn index(&mut self, number: Number) -> Result<Directory, Errno> {
        let name = directory_name('x', number);
        match self.disk.make(&name) {
            Err(Errno::EXIST) => self.disk.open(&name),
            made => made,
        }
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

    /// Publishes an image under its tags, taking them from the images that had them.
    ///
    /// # Errors
    /// Of the disk; the images are then as they were, and layers that only the new one lists are discarded.
    pub fn add_image(&mut self, image: Image) -> Result<(), Errno> {
        let number = self.take_number();
        let layers: Vec<Number> = layers_of(&image).collect();
        let mut changes = self.without_tags(&image.tags);
        changes.push(Change::Image(number, Some(image)));
        let added = self.commit(changes);
        if added.is_err() {
            self.drop_layers(layers);
        }
        added
    }

    /// Gives an image a further name, taking it from the image that had it.
    ///
    /// # Errors
    /// Of the disk; then nothing has changed.
    pub fn tag(&mut self, number: Number, tag: &str) -> Result<(), Errno> {
        let has = |image: &Image| image.tags.contains(tag);
        let Some(image) = self.tables.images.get(&number).filter(|image| !has(image)) else {
            return Ok(());
        };
        let mut image = image.clone();
        image.tags.insert(tag.to_owned());
        let mut changes = self.without_tags(&BTreeSet::from([tag.to_owned()]));
        changes.push(Change::Image(number, Some(image)));
        self.commit(changes)
    }

    /// Takes a name away; an image without one is dropped. Containers keep the layers that they list.
    ///
    /// # Errors
    /// Of the disk.
    pub fn untag(&mut self, tag: &str) -> Result<(), Errno> {
        let changes = self.without_tags(&BTreeSet::from([tag.to_owned()]));
        if changes.is_empty() {
            return Ok(());
        }
        self.commit(changes)
    }

    /// What becomes of the images that have these names when they lose them.
    fn without_tags(&self, tags: &BTreeSet<String>) -> Vec<Change> {
        let images = self.tables.images.iter();
        images
            .filter(|(_, image)| !image.tags.is_disjoint(tags))
            .map(|(number, image)| {
                let mut image = image.clone();
                image.tags.retain(|tag| !tags.contains(tag));
                let is_named = !image.tags.is_empty();
                Change::Image(*number, is_named.then_some(image))
            })
            .collect()
    }

    /// Publishes a container whose upper has this number.
    ///
    /// # Errors
    /// Of the disk.
    pub fn add_container(&mut self, number: Number, container: Container) -> Result<(), Errno> {
        self.commit(vec![Change::Container(number, Some(container))])
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
        let Some(container) = self.tables.containers.get(&number) else {
            return Ok(());
        };
        let mut changed = container.clone();
        change(&mut changed);
        if changed == *container {
            return Ok(());
        }
        self.commit(vec![Change::Container(number, Some(changed))])
    }

    /// Removes a container, published or not, with its upper and the layers that only it lists. Volumes that go
    /// with it ([`Volume::with`]) are gone from the next opening on, unless somebody else mounts them.
    ///
    /// # Errors
    /// Of the disk; the container is then as it was.
    pub fn remove_container(&mut self, number: Number) -> Result<(), Errno> {
        if self.tables.containers.contains_key(&number) {
            self.commit(vec![Change::Container(number, None)])?;
        }
        self.clear(directory_name('c', number));
        let index = directory_name('x', number);
        if self.disk.knows(&index) {
            self.clear(index);
        }
        Ok(())
    }

    /// Makes and publishes an empty volume.
    ///
    /// # Errors
    /// Of the disk.
    pub fn add_volume(&mut self, volume: Volume) -> Result<(Number, Directory), Errno> {
        let (number, directory) = self.make('v')?;
        if let Err(errno) = self.commit(vec![Change::Volume(number, Some(volume))]) {
            self.clear(directory_name('v', number));
            return Err(errno);
        }
        Ok((number, directory))
    }

    /// Makes a volume stay when the container is gone with which it would go.
    ///
    /// # Errors
    /// Of the disk; the volume is then as it was.
    pub fn untie_volume(&mut self, number: Number) -> Result<(), Errno> {
        let Some(volume) = self.tables.volumes.get(&number) else {
            return Ok(());
        };
        if volume.with.is_none() {
            return Ok(());
        }
        let untied = Volume {
            with: None,
            ..volume.clone()
        };
        self.commit(vec![Change::Volume(number, Some(untied))])
    }

    /// The content of a volume.
    ///
    /// # Errors
    /// Of the disk.
    pub fn volume_directory(&mut self, number: Number) -> Result<Directory, Errno> {
        self.disk.open(&directory_name('v', number))
    }

    /// Removes a volume and its content.
    ///
    /// # Errors
    /// Of the disk; the volume is then as it was.
    pub fn remove_volume(&mut self, number: Number) -> Result<(), Errno> {
        if self.tables.volumes.contains_key(&number) {
            self.commit(vec![Change::Volume(number, None)])?;
            self.clear(directory_name('v', number));
        }
        Ok(())
    }

    /// Forgets a volume that could not be removed although the container is gone with which it goes: opening the
    /// store would not find it again.
    pub fn forsake_volume(&mut self, number: Number) {
        if self.tables.volumes.remove(&number).is_some() {
            self.clear(directory_name('v', number));
        }
    }

    /// Removes a layer that was made but is listed by nothing.
    pub fn discard_layer(&mut self, number: Number) {
        self.drop_layers([number]);
    }

    /// Publishes changes, all or none, and removes the layers that nothing lists any more.
    pub(super) fn commit(&mut self, changes: Vec<Change>) -> Result<(), Errno> {
        for name in std::mem::take(&mut self.garbage) {
            self.clear(name);
        }
        self.log.append(&changes)?;
        let mut before = Vec::new();
        for change in changes {
            before.extend(self.tables.apply(change));
        }
        self.drop_layers(before);
        Ok(())
    }

    /// Removes a directory that no record names any more. One that has to stay is tried again at the next
    /// change, and goes at the latest when the store is opened again.
    fn clear(&mut self, name: String) {
        if self.disk.remove(&name).is_err() {
            self.garbage.push(name);
        }
    }

    /// Removes those of the layers that nothing lists any more.
    fn drop_layers(&mut self, layers: impl IntoIterator<Item = Number>) {
        let mut layers = layers.into_iter().peekable();
        if layers.peek().is_none() {
            return;
        }
        let listed = self.tables.listed_layers();
        for number in layers {
            if !listed.contains(&number) {
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
