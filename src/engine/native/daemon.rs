//! The part of the engine that a crash takes with it: an open store, and what is open and running on it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::actors::Acts;
use super::ground::Ground;
use super::refusals::{Result, no_such_container, no_such_image, no_such_volume};
use super::seats::{Seat, Seats};
use super::space::Limited;
use super::spares::Spares;
use super::view::{Layering, Mounted, View};
use crate::engine::{Place, Storage, VolumeRef};
use crate::store::spec::parse_tmpfs_options;
use crate::store::{self, Container, Image, Layer, Number, State, Store, Volume, driver};
use crate::union::{Directory, Space, Union};

/// Most open volumes beside which a new one is opened before anybody uses it.
const NEW_VOLUMES_MAX: usize = 64;

/// A daemon at work.
#[derive(Debug)]
pub(super) struct Daemon {
    pub(super) ground: Arc<Ground>,
    pub(super) seats: Arc<Seats>,
    pub(super) store: Store,
    pub(super) running: BTreeMap<Number, Running>,
    roots: BTreeMap<Number, Arc<Union>>,
    volumes: BTreeMap<Number, Arc<Union>>,
    /// Directories of volumes that are kept in memory.
    memory: BTreeMap<Number, Option<Number>>,
    /// Layers that may be listed again.
    pub(super) spares: Spares,
}

/// What a container has while it runs.
#[derive(Debug)]
pub(super) struct Running {
    /// Its disk.
    pub(super) view: View,
    /// Its processes.
    pub(super) actor: Arc<dyn Acts>,
    /// The directories of its tmpfs mounts.
    pub(super) tmpfs: Vec<Number>,
}

/// How a daemon that is no more has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// It never was.
    None,
    /// It stopped its containers: exit code 0, since a container's idle process obeys SIGTERM.
    Stopped,
    /// It died, and its containers with it: exit code 137 (Docker row 22).
    Crashed,
}

impl Daemon {
    /// Starts on what the disk holds.
    pub(super) fn start(ground: &Arc<Ground>, seats: &Arc<Seats>, ending: Ending) -> Result<Self> {
        let folder = Arc::clone(ground.private.directory());
        let options = store::Options::default();
        let (store, spares) = match ending {
            Ending::None => {
                let spares = ground.private.take_spares();
                (Store::create(folder, options, spares.next())?, spares)
            }
            // Opening drops the layers that nobody lists.
            Ending::Stopped | Ending::Crashed => (Store::open(folder, options)?, Spares::default()),
        };
        let (running, roots, volumes, memory) = Default::default();
        let (ground, seats) = (Arc::clone(ground), Arc::clone(seats));
        let mut daemon = Self {
            ground,
            seats,
            store,
            running,
            roots,
            volumes,
            memory,
            spares,
        };
        for (_, container) in daemon.store.containers() {
            let place = Place::Container(container.name.clone());
            daemon.seats.put(place, Seat::Closed(container.id.clone()));
        }
        daemon.undo_fillings()?;
        if ending != Ending::None {
            daemon.settle(if ending == Ending::Crashed { 137 } else { 0 })?;
        }
        daemon.seats.recover();
        Ok(daemon)
    }

    /// Containers that ran have exited, and those that were to be removed on exit are; their anonymous volumes stay, since
    /// Docker does this before it has found a container's volumes (`restore` in moby's `daemon/daemon.go`; seen on 20.10,
    /// after a kill and after a stop of the daemon).
    fn settle(&mut self, exit_code: i32) -> Result<()> {
        let ran: Vec<Number> = self
            .store
            .containers()
            .filter(|(_, container)| container.state.is_running())
            .map(|(number, _)| number)
            .collect();
        for number in ran {
            let container = self.store.container_numbered(number);
            if container.is_some_and(|container| container.remove_on_exit) {
                self.remove_container(number, false)?;
                continue;
            }
            self.store.change_container(number, |container| {
                container.state = State::Exited;
                container.exit_code = Some(exit_code);
            })?;
        }
        Ok(())
    }

    pub(super) fn container(&self, name: &str) -> Result<(Number, &Container)> {
        self.store
            .container(name)
            .ok_or_else(|| no_such_container(name))
    }

    pub(super) fn image(&self, name: &str) -> Result<(Number, &Image)> {
        self.store
            .image(store::names::image(name))
            .ok_or_else(|| no_such_image(name))
    }

    /// A volume by name, or the latest that was made for this container at this path.
    pub(super) fn volume(&self, wanted: &VolumeRef) -> Result<(Number, &Volume)> {
        match wanted {
            VolumeRef::Named(name) => self.store.volume(name).ok_or_else(|| no_such_volume(name)),
            VolumeRef::Anonymous { container, target } => {
                let path = store::spec::path::clean(target);
                let made_for = |volume: &Volume| {
                    volume.owner.as_ref().is_some_and(|owner| {
                        owner.container == *container
                            && store::spec::path::clean(&owner.target) == path
                    })
                };
                let found = self
                    .store
                    .volumes()
                    .filter(|(_, volume)| made_for(volume))
                    .last();
                found.ok_or_else(|| {
                    no_such_volume(&format!("anonymous volume of {container} at {target}"))
                })
            }
        }
    }

    /// Names of the containers that refer to a volume, sorted.
    pub(super) fn users_of(&self, volume: &str) -> Vec<&Container> {
        let mut users: Vec<&Container> = self
            .store
            .containers()
            .map(|(_, container)| container)
            .filter(|container| container.volumes().any(|source| source.name == volume))
            .collect();
        users.sort_by(|a, b| a.name.cmp(&b.name));
        users
    }

    /// The merged tree of a container without its mounts; one for as long as the container lives.
    pub(super) fn root(&mut self, number: Number) -> Result<Arc<Union>> {
        if let Some(root) = self.roots.get(&number) {
            return Ok(Arc::clone(root));
        }
        let layers = self
            .store
            .container_numbered(number)
            .map(|c| c.layers.clone());
        let upper = self.store.upper(number)?;
        let lowers = self.lowers(&layers.unwrap_or_default())?;
        let work = self.work_of(number)?;
        let root = self.ground.stack(Some(upper), work, lowers)?;
        self.keep_root(number, &root);
        Ok(root)
    }

    /// Where a container's files in the making lie: with an index, in a directory of its own.
    pub(super) fn work_of(&mut self, number: Number) -> Result<Directory> {
        if self.ground.keeps_index() {
            Ok(self.store.index(number)?)
        } else {
            Ok(self.store.work())
        }
    }

    /// Remembers the merged tree of a container that is being made.
    pub(super) fn keep_root(&mut self, number: Number, root: &Arc<Union>) {
        self.roots.insert(number, Arc::clone(root));
    }

    /// The layers that the kernel merges, so that one can ask where something lies; nothing where our union
    /// does, which knows by itself. `upper` is the container whose writable layer is on top.
    pub(super) fn layering(
        &mut self,
        upper: Option<Number>,
        layers: &[Layer],
    ) -> Result<Option<Arc<Layering>>> {
        if self.ground.kernel.is_none() {
            return Ok(None);
        }
        let upper = upper.map(|number| self.store.upper(number)).transpose()?;
        let lowers = self.lowers(layers)?;
        let ground = Arc::clone(&self.ground);
        Ok(Some(Arc::new(Layering {
            ground,
            upper,
            work: self.store.work(),
            lowers,
        })))
    }

    /// Lets go of a container's merged tree, which nobody uses, because its upper is to be mounted elsewhere.
    pub(super) fn release_root(&mut self, number: Number) {
        if self.ground.kernel.is_some() {
            self.roots.remove(&number);
        }
    }

    /// Directories of layers, topmost first.
    pub(super) fn lowers(&mut self, layers: &[Layer]) -> Result<Vec<Directory>> {
        layers
            .iter()
            .rev()
            .map(|layer| Ok(self.store.layer(layer.number)?))
            .collect()
    }

    /// A volume's content; one union for all who use it, so that each sees the others' writes at once.
    pub(super) fn volume_union(&mut self, number: Number) -> Result<Arc<Union>> {
        if let Some(union) = self.volumes.get(&number) {
            return Ok(Arc::clone(union));
        }
        let options = self.store.volume_options(number);
        if options.is_some_and(driver::is_tmpfs) && self.ground.kernel.is_some() {
            let size = options
                .and_then(|options| options.get("o"))
                .map(String::as_str);
            let size = size
                .and_then(|o| parse_tmpfs_options(o).ok())
                .and_then(|o| o.size);
            let union = self.ground.memory(size)?;
            self.volumes.insert(number, Arc::clone(&union));
            self.memory.insert(number, None);
            return Ok(union);
        }
        let mut space: Arc<dyn Space> = Arc::clone(&self.ground.disk) as Arc<dyn Space>;
        let directory = if options.is_some_and(driver::is_tmpfs) {
            let size = options
                .and_then(|options| options.get("o"))
                .map(String::as_str);
            let size = size
                .and_then(|o| parse_tmpfs_options(o).ok())
                .and_then(|o| o.size);
            space = Arc::new(Limited::new(size.unwrap_or(u64::MAX)));
            let (passing, directory) = self.store.make_passing()?;
            self.memory.insert(number, Some(passing));
            directory
        } else {
            self.store.volume_directory(number)?
        };
        let union = self
            .ground
            .plain(directory, self.store.work(), Some(space))?;
        self.volumes.insert(number, Arc::clone(&union));
        Ok(union)
    }

    /// Opens a volume that was just made, of which more is known than of another. Not too many: whoever
    /// makes thousands may use few.
    pub(super) fn open_new_volume(&mut self, number: Number, directory: Directory) -> Result<()> {
        if self.ground.kernel.is_none() && self.volumes.len() < NEW_VOLUMES_MAX {
            let space = Arc::clone(&self.ground.disk) as Arc<dyn Space>;
            let work = self.store.work();
            let union = self.ground.fresh_plain(directory, work, Some(space))?;
            self.volumes.insert(number, union);
        }
        Ok(())
    }

    /// The layers that the next engine may list.
    pub(super) fn into_spares(self) -> Spares {
        let listed = self.store.listed_layers();
        self.spares.left(|number| listed.contains(&number))
    }

    /// Forgets a container that is gone.
    pub(super) fn forget_container(&mut self, number: Number) {
        self.roots.remove(&number);
        self.running.remove(&number);
    }

    /// Forgets a volume that is gone, or one in memory that nobody mounts any more (Docker row 191).
    pub(super) fn forget_volume(&mut self, number: Number) {
        self.volumes.remove(&number);
        if let Some(Some(passing)) = self.memory.remove(&number) {
            self.store.remove_passing(passing);
        }
    }

    /// Volumes that are in memory now.
    pub(super) fn memory_volumes(&self) -> Vec<Number> {
        self.memory.keys().copied().collect()
    }
}

/// How the union of a container's layers is told apart: Docker's writable layer above the image's.
pub(super) fn stack_of(
    container: Option<&str>,
    layers: &[Layer],
    merged: Option<Arc<Layering>>,
) -> Mounted {
    let upper = container.map(|container| Storage::Writable {
        container: container.to_owned(),
    });
    let storage = |layer: &Layer| Storage::Layer {
        image: layer.image.clone(),
        number: layer.position,
    };
    Mounted::Stack {
        upper,
        lowers: layers.iter().rev().map(storage).collect(),
        merged,
    }
}
