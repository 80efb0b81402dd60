//! File operations, through agents.

use std::sync::{Arc, PoisonError};

use super::engine::{Cli, Fault, Known, Result, refuse};
use super::names::{below, clean, joined, seen};
use crate::agent::Mode;
use crate::agent::wire::{Ask, Done, Given};
use crate::engine::link::{Link, Lost};
use crate::engine::{Code, FileAnswer, FileRequest, Kind, Place, Storage, Tree, Value, VolumeRef};

impl Cli {
    pub(super) fn files(
        &self,
        place: &Place,
        user: Option<&str>,
        requests: &[FileRequest],
    ) -> Result<Value> {
        let directory = match place {
            Place::Container(name) => {
                // The agent starts beside the look at a new container.
                if self.link_to(place).is_none() && !self.is_paused(place) {
                    self.connect(place)?;
                }
                // Each `exec` starts there, and fails when it is gone; the agent is elsewhere.
                let Known { id, directory, .. } = self.known(name);
                if directory.is_empty() && !id.is_empty() {
                    let why = format!("it is not told where the processes of {name} start");
                    return Err(Fault::Broken(why));
                }
                (!directory.is_empty()).then_some(directory)
            }
            _ => None,
        };
        let ask = Ask::Files {
            user: user.map(str::to_owned),
            directory,
            requests: requests.to_vec(),
        };
        match self.ask(place, ask)? {
            Given::Files(done) => {
                let mut answers: Vec<_> = done
                    .into_iter()
                    .map(|done| self.answer(place, done))
                    .collect();
                if let Place::Container(name) = place {
                    for (answer, request) in answers.iter_mut().zip(requests) {
                        self.hide_own(name, &request.action, answer);
                    }
                }
                Ok(Value::Files(answers))
            }
            Given::Refused(refusal) => Err(Fault::Refused(refusal)),
            other => Err(Fault::Broken(format!("the agent answered {other:?}"))),
        }
    }

    fn answer(&self, place: &Place, done: Done) -> FileAnswer {
        let lies = |path: String| match place {
            Place::Host => Some((Storage::Host, path)),
            Place::Volume(volume) => Some(match self.device_of(volume) {
                Some(device) => (Storage::Host, joined(&seen(&device), &path)),
                None => (Storage::Volume(volume.clone()), path),
            }),
            Place::Container(name) => {
                let writable = Storage::Writable {
                    container: name.clone(),
                };
                self.lies(name, &self.known(name), &path, |_| Some(writable))
            }
        };
        FileAnswer {
            result: done.result,
            changed: done.changed.into_iter().filter_map(lies).collect(),
        }
    }

    /// Set-up: a tree on the host, in a volume, or in a container's own tree.
    pub(super) fn plant(&self, place: &Place, tree: &Tree) -> Result<Value> {
        let plant = |top: String| Ask::Plant {
            top,
            tree: tree.clone(),
        };
        let given = if let Place::Container(_) = place {
            self.ask(place, plant("/".to_owned()))?
        } else {
            let ask = plant(self.in_world(place)?);
            self.ground.ask(ask).map_err(Fault::Broken)?
        };
        match given {
            Given::Nothing => Ok(Value::Nothing),
            other => Err(Fault::Broken(format!("the agent answered {other:?}"))),
        }
    }

    /// Where the container that sees the daemon's disk has the host directory or a volume.
    pub(super) fn in_world(&self, place: &Place) -> Result<String> {
        match place {
            Place::Volume(volume) => {
                let volume = self.inspected_volume(&self.volume_id(volume))?;
                let device = self.state().devices.get(&volume.name).cloned();
                if let Some(device) = device {
                    return self.bound_directory(&device);
                }
                self.ground.in_world(&volume.at).ok_or_else(|| {
                    Fault::Unsupported("where volumes lie is not known of this engine".to_owned())
                })
            }
            _ => Ok(self.host.world.clone()),
        }
    }

    /// The path of the host directory that a volume shows, where symlinks lead to, if there is one.
    pub(super) fn device_of(&self, volume: &VolumeRef) -> Option<String> {
        let id = self.volume_id(volume);
        let device = clean(self.state().devices.get(&id)?);
        let path = joined(&self.host.world, &device);
        match self.ground.ask(Ask::Real { path }) {
            Ok(Given::Path(Some(real))) => {
                Some(below(&real, &self.host.world).unwrap_or(&device).to_owned())
            }
            _ => Some(device),
        }
    }

    /// Where the container that sees the daemon's disk has the device of a volume: the engine mounts it for containers
    /// only (Docker rows 189, 190).
    fn bound_directory(&self, device: &str) -> Result<String> {
        self.stay_inside(vec![device.to_owned()])?;
        let path = joined(&self.host.world, &clean(device));
        let is_there = |path: &str| {
            let path = path.to_owned();
            let real = self.ground.ask(Ask::Real { path });
            matches!(real, Ok(Given::Path(Some(_))))
        };
        let (kind, why) = if is_there(&format!("{path}/.")) {
            return Ok(path);
        } else if is_there(&path) {
            (Kind::MountTypeMismatch, "not a directory")
        } else {
            (Kind::MountSourceMissing, "no such file or directory")
        };
        refuse(
            kind,
            format!("failed to mount local volume: mount {device}: {why}"),
        )
    }

    /// Asks the agent of a place, starting one if there is none.
    pub(super) fn ask(&self, place: &Place, ask: Ask) -> Result<Given> {
        let paused = self.is_paused(place);
        let existing = self
            .link_to(place)
            .filter(|link| !paused && !link.is_gone());
        if let Some(link) = existing {
            match link.ask(ask.clone()) {
                Ok(given) => return Ok(given),
                Err(Lost::Failed(why)) => return Err(Fault::Broken(why)),
                // Its container ended without our doing.
                Err(Lost::Gone(_)) => {}
            }
        }
        let link = if paused {
            Arc::new(self.open_link(place)?)
        } else {
            self.connect(place)?
        };
        link.ask(ask).map_err(|lost| match lost {
            Lost::Failed(why) => Fault::Broken(why),
            Lost::Gone(said) if said.trim().is_empty() => {
                Fault::Broken("the agent ended without a word".to_owned())
            }
            Lost::Gone(said) => {
                let mut refusal = self.refusal(&said);
                if paused && refusal.code == Code::Kind(Kind::ContainerNotRunning) {
                    // Podman says the same of a container that is paused as of one that has ended.
                    refusal.code = Code::Kind(Kind::ContainerPaused);
                }
                Fault::Refused(refusal)
            }
        })
    }

    fn is_paused(&self, place: &Place) -> bool {
        match place {
            // One that is being looked at has just been made.
            Place::Container(name) => {
                let state = self.state();
                state.containers.get(name).is_some_and(|known| known.paused)
            }
            _ => false,
        }
    }

    /// Starts an agent that stays.
    pub(super) fn connect(&self, place: &Place) -> Result<Arc<Link>> {
        let link = Arc::new(self.open_link(place)?);
        self.links
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(place.clone(), Arc::clone(&link));
        if let Place::Container(name) = place {
            // The container may have ended when somebody wants to know.
            self.learn_disk(name, &link);
        }
        Ok(link)
    }

    pub(super) fn link_to(&self, place: &Place) -> Option<Arc<Link>> {
        let links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.get(place).cloned()
    }

    fn open_link(&self, place: &Place) -> Result<Link> {
        let link = match place {
            Place::Container(name) => {
                let command = self
                    .ground
                    .exec(&self.names.container(name), &Mode::Serve { root: None });
                self.ground.program.link(command)
            }
            place => self.ground.agent_at(&self.in_world(place)?),
        };
        link.map_err(Fault::Broken)
    }

    /// Ends the agents of volumes that are gone: others of these names may come.
    pub(super) fn leave_lost_volumes(&self) {
        let places: Vec<Place> = {
            let links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
            links.keys().cloned().collect()
        };
        for place in places {
            if let Place::Volume(volume) = &place
                && let Err(Fault::Refused(_)) = self.inspected_volume(&self.volume_id(volume))
            {
                self.hang_up(&place);
            }
        }
    }

    /// Ends the agent of a place, and with it every handle there.
    pub(super) fn hang_up(&self, place: &Place) {
        let link = self
            .links
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(place);
        drop(link);
    }
}
