//! The engine: one operation after the other to the daemon, file operations past it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::actors::{Acts, on_host};
use super::copy::Flags;
use super::daemon::{Daemon, Ending};
use super::ground::Ground;
use super::plant::plant;
use super::refusals::{self, Fault, Result, engine_down, no_such_container, not_running};
use super::seats::{Seat, Seats};
use super::view::View;
use crate::engine::{
    Answer, Engine, EngineFault, FileRequest, Operation, Place, Storage, Tree, Value, World,
};

/// The embedded engine. Object operations go one at a time through the daemon's lock; file operations take a
/// look into the table of places and then disturb only those who share a storage.
#[derive(Debug)]
pub(super) struct Native {
    seats: Arc<Seats>,
    /// `None` between a crash and a restart.
    daemon: Mutex<Option<Daemon>>,
    /// Dropped last: it removes the directory that all the others live in.
    ground: Arc<Ground>,
}

impl Native {
    /// Starts on what the ground holds; `ending` tells how the daemon before ended.
    pub(super) fn open(ground: Ground, ending: Ending) -> Result<Self> {
        let (ground, seats) = (Arc::new(ground), Arc::new(Seats::default()));
        if ending != Ending::None {
            ground.find_host()?;
        }
        let daemon = Daemon::start(&ground, &seats, ending)?;
        Ok(Self {
            seats,
            daemon: Mutex::new(Some(daemon)),
            ground,
        })
    }

    fn daemon(&self) -> MutexGuard<'_, Option<Daemon>> {
        self.daemon.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn files(&self, place: &Place, user: Option<&str>, requests: &[FileRequest]) -> Result<Value> {
        let session = match self.seats.session(place) {
            Some(session) => session?,
            None => self.sit_down(place)?,
        };
        Ok(Value::Files(session.perform(user, requests)?))
    }

    /// The first time that somebody acts on the host or in a volume.
    fn sit_down(&self, place: &Place) -> Result<Arc<dyn Acts>> {
        let mut daemon = self.daemon();
        let Some(daemon) = daemon.as_mut() else {
            return engine_down();
        };
        // Somebody else may have been faster.
        if let Some(session) = self.seats.session(place) {
            return session;
        }
        let view = match place {
            Place::Container(name) => {
                let (_, container) = daemon.container(name)?;
                return Err(not_running(&container.id));
            }
            Place::Host => View::single(daemon.host_rootfs()?, Storage::Host),
            Place::Volume(wanted) => {
                let (number, _) = daemon.volume(wanted)?;
                daemon.volume_view(number)?
            }
        };
        let session = on_host(&self.ground, view)?;
        self.seats
            .put(place.clone(), Seat::Open(Arc::clone(&session)));
        Ok(session)
    }

    fn object(&self, operation: &Operation) -> Result<Value> {
        let mut slot = self.daemon();
        match operation {
            Operation::Crash => {
                *slot = None;
                self.seats.crash();
                return Ok(Value::Nothing);
            }
            Operation::RestartEngine => {
                let ending = if slot.is_some() {
                    Ending::Stopped
                } else {
                    Ending::Crashed
                };
                *slot = None;
                self.seats.crash();
                *slot = Some(Daemon::start(&self.ground, &self.seats, ending)?);
                return Ok(Value::Nothing);
            }
            Operation::FillDisk | Operation::FreeDisk => {
                self.ground.disk.set_full(*operation == Operation::FillDisk);
                return Ok(Value::Nothing);
            }
            _ => {}
        }
        match slot.as_mut() {
            Some(daemon) => daemon.perform(operation),
            None => engine_down(),
        }
    }
}

impl Drop for Native {
    fn drop(&mut self) {
        // After a panic or a crash nobody can tell what is whole.
        if let Ok(Some(daemon)) = self.daemon.get_mut().map(Option::take) {
            self.ground.private.leave_spares(daemon.into_spares());
        }
    }
}

impl Engine for Native {
    fn perform(&self, operation: &Operation) -> Answer {
        refusals::answer(match operation {
            Operation::Files {
                place,
                user,
                requests,
            } => self.files(place, user.as_deref(), requests),
            operation => self.object(operation),
        })
    }

    fn observe(&self) -> std::result::Result<World, EngineFault> {
        let mut slot = self.daemon();
        let world = match slot.as_mut() {
            Some(daemon) => daemon.look(),
            // What a restart would find.
            None => Daemon::start(&self.ground, &Arc::default(), Ending::Crashed)
                .and_then(|mut daemon| daemon.look()),
        };
        world.map_err(|fault| match fault {
            Fault::Refused(refusal) => EngineFault(refusal.message),
            Fault::Broken(why) => EngineFault(why),
        })
    }

    fn kept(&self) -> Option<PathBuf> {
        self.ground.private.kept()
    }
}

impl Daemon {
    /// Everything that is done to objects.
    fn perform(&mut self, operation: &Operation) -> Result<Value> {
        match operation {
            Operation::LoadImage(spec) => self.load_image(spec)?,
            Operation::Plant(place, tree) => self.plant(place, tree)?,
            Operation::ImageRemove { image, force } => self.remove_image(image, *force)?,
            Operation::ImageTag { image, tag } => self.tag_image(image, tag)?,
            Operation::Import { from, image } => self.import(from, image)?,
            Operation::VolumeCreate(_)
            | Operation::VolumeRemove { .. }
            | Operation::VolumePrune { .. }
            | Operation::VolumeList { .. }
            | Operation::VolumeInspect(_) => return self.perform_volume(operation),
            // Those that the engine answers before it asks the daemon.
            Operation::Files { .. }
            | Operation::Crash
            | Operation::RestartEngine
            | Operation::FillDisk
            | Operation::FreeDisk => {}
            operation => return self.perform_container(operation),
        }
        Ok(Value::Nothing)
    }

    fn perform_container(&mut self, operation: &Operation) -> Result<Value> {
        match operation {
            Operation::Create(spec) => drop(self.create(spec)?),
            Operation::Run(spec) => self.run(spec)?,
            Operation::Start(name) => self.start_container(name)?,
            Operation::Stop(name) => self.stop(name)?,
            Operation::Kill(name) => self.kill(name)?,
            Operation::Restart(name) => self.restart(name)?,
            Operation::Pause(name) => self.pause(name)?,
            Operation::Unpause(name) => self.unpause(name)?,
            Operation::Remove {
                container,
                force,
                volumes,
            } => {
                self.remove(container, *force, *volumes)?;
            }
            Operation::ContainerPrune => self.prune_containers()?,
            Operation::Inspect(name) => {
                let (_, container) = self.container(name)?;
                return Ok(Value::Container(self.container_seen(container)));
            }
            Operation::Commit(spec) => self.commit(spec)?,
            Operation::Diff(name) => return Ok(Value::Changes(self.diff(name)?)),
            Operation::Copy {
                from,
                to,
                archive,
                follow,
            } => {
                let (archive, follow) = (*archive, *follow);
                return self.copy(from, to, Flags { archive, follow });
            }
            Operation::Export { container, to } => return self.export(container, to),
            _ => {}
        }
        Ok(Value::Nothing)
    }

    fn perform_volume(&mut self, operation: &Operation) -> Result<Value> {
        Ok(match operation {
            Operation::VolumeCreate(spec) => Value::Text(self.create_volume(spec)?),
            Operation::VolumeRemove { volume, force } => {
                self.remove_volume(volume, *force)?;
                Value::Nothing
            }
            Operation::VolumePrune { all, filters } => {
                Value::Volumes(self.prune_volumes(*all, filters)?)
            }
            Operation::VolumeList { filters } => Value::Volumes(self.list_volumes(filters)?),
            Operation::VolumeInspect(volume) => Value::Volume(self.inspect_volume(volume)?),
            _ => Value::Nothing,
        })
    }

    /// Set-up: a tree on the host, in a volume, or in a container's own tree.
    fn plant(&mut self, place: &Place, tree: &Tree) -> Result<()> {
        let union = match place {
            Place::Host => self.ground.host()?,
            Place::Volume(wanted) => {
                let (number, _) = self.volume(wanted)?;
                self.volume_node(number, None)?.0
            }
            Place::Container(name) => {
                let (number, _) = self.container(name).map_err(|_| no_such_container(name))?;
                self.root(number)?
            }
        };
        let planted = plant(&union, tree);
        planted.map_err(|errno| Fault::Broken(format!("cannot make a tree of files: {errno}")))
    }
}
