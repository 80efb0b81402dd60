//! One case on an engine: operations, and what has to be remembered between them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::disk::Disk;
use super::ground::{Ground, HostDirectory};
use super::images::Origin;
use super::inspected::Mount;
use super::layers::Layers;
use super::names::{CASE_LABEL, Names, PREFIX};
use super::pending::Pending;
use super::program::{Mute, Program, Said};
use super::shared::own_images;
use super::{sweep, words};
use crate::agent::wire::Ask;
use crate::engine::link::Link;
use crate::engine::{
    Answer, ContainerState, Engine, EngineFault, ImageConfig, Kind, Operation, Place, Refusal,
    Tree, Value, VolumeRef, World,
};

/// Why an operation was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Refused(Refusal),
    Unsupported(String),
    Broken(String),
}

pub(super) type Result<T> = std::result::Result<T, Fault>;

impl From<Mute> for Fault {
    fn from(mute: Mute) -> Self {
        Self::Broken(mute.to_string())
    }
}

/// One case on an engine.
#[derive(Debug)]
pub(super) struct Cli {
    pub(super) names: Names,
    pub(super) host: HostDirectory,
    pub(super) keep: bool,
    state: Mutex<State>,
    pub(super) links: Mutex<BTreeMap<Place, Arc<Link>>>,
    pub(super) pending: Pending,
    /// Dropped last.
    pub(super) ground: Arc<Ground>,
}

/// What the daemon does not tell.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) images: BTreeMap<String, Image>,
    pub(super) containers: BTreeMap<String, Known>,
    /// Volumes with generated names, the newest last.
    pub(super) anonymous: Vec<(String, VolumeRef)>,
    /// The layers of declared images, from which others may be built.
    pub(super) origins: BTreeMap<String, Vec<Arc<Origin>>>,
    /// Those of them that a marker names.
    pub(super) marked: BTreeSet<String>,
    /// Volume → path of the host directory that it shows.
    pub(super) devices: BTreeMap<String, String>,
    /// Images that steps change, by name with tag; nothing when no step is foreseen.
    pub(super) own_images: Option<BTreeSet<String>>,
    /// Name with tag → reference of an image that other cases use too.
    pub(super) shared: BTreeMap<String, String>,
    /// Something was made that is listed as an image of this case.
    pub(super) has_own_images: bool,
    /// What the last look found, unless something was done since.
    pub(super) seen: Option<Remains>,
}

/// What is there, in the daemon's names.
#[derive(Clone, Debug, Default)]
pub(super) struct Remains {
    pub(super) containers: Vec<String>,
    pub(super) volumes: Vec<String>,
}

/// An image.
#[derive(Clone, Debug, Default)]
pub(super) struct Image {
    pub(super) layers: Layers,
    pub(super) config: ImageConfig,
}

/// A container.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) id: String,
    /// Image, as named at its creation.
    pub(super) image: String,
    pub(super) layers: Layers,
    pub(super) mounts: Vec<Mount>,
    /// What is in memory, as `--tmpfs` takes it.
    pub(super) tmpfs: Vec<String>,
    /// Paths of the host directory that are mounted, as they were asked for.
    pub(super) binds: Vec<String>,
    pub(super) disk: Option<Disk>,
    /// Where its processes start; empty when that is not told.
    pub(super) directory: String,
    pub(super) paused: bool,
    pub(super) remove_on_exit: bool,
    /// What it was before it was started to be looked at.
    pub(super) looked_at: Option<(ContainerState, i32)>,
}

impl Cli {
    /// # Errors
    /// Why the host directory cannot be made.
    pub(super) fn open(ground: Arc<Ground>, keep: bool) -> std::result::Result<Self, EngineFault> {
        let names = Names::new(&ground.run, ground.next_case(), ground.about.flavor);
        let host = ground.host_directory(names.case());
        let ask = Ask::Plant {
            top: host.world.clone(),
            tree: Tree::default(),
        };
        ground.ask(ask).map_err(EngineFault)?;
        Ok(Self {
            names,
            host,
            keep,
            state: Mutex::default(),
            links: Mutex::default(),
            pending: Pending::default(),
            ground,
        })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a command and gives what it says, or the refusal.
    pub(super) fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<String> {
        self.judge(self.ground.program.run(arguments)?)
    }

    pub(super) fn judge(&self, said: Said) -> Result<String> {
        if said.success {
            return Ok(said.out);
        }
        if let Some(lack) = words::lack(&said.err) {
            return Err(Fault::Unsupported(format!(
                "{} says: {lack}",
                self.ground.about.flavor.name()
            )));
        }
        Err(Fault::Refused(self.refusal(&said.err)))
    }

    /// What the engine says, as a refusal in the scenario's names.
    pub(super) fn refusal(&self, text: &str) -> Refusal {
        let mut text = text.to_owned();
        for (name, reference) in &self.state().shared {
            let bare = |name: &str| name.strip_suffix(":latest").unwrap_or(name).to_owned();
            text = text.replace(&bare(reference), &bare(name));
        }
        let text = self.names.in_scenario_words(&text, &self.host.daemon);
        words::refusal(self.ground.about.flavor, &text)
    }

    /// A command on one container, after which its agent is another one.
    fn command_on(&self, words: &[&str], container: &str) -> Result<Value> {
        let name = self.names.container(container);
        let arguments: Vec<&str> = words.iter().copied().chain([name.as_str()]).collect();
        let done = self.command(&arguments);
        // One that runs goes on when it is started again, or when what is asked is refused: whose handles are open keep them.
        if done.is_ok() && words.first() != Some(&"start") {
            self.hang_up(&Place::Container(container.to_owned()));
        }
        let ends = matches!(words.first(), Some(&("stop" | "kill")));
        if ends && done.is_ok() && self.known(container).remove_on_exit {
            self.wait_for_removal(&name);
            self.leave_lost_volumes();
        }
        if done.is_ok()
            && let Some(known) = self.state().containers.get_mut(container)
        {
            known.paused = false;
            known.looked_at = None;
        }
        done.map(|_| Value::Nothing)
    }

    fn remove(&self, container: &str, force: bool, volumes: bool) -> Result<Value> {
        let mut words = vec!["rm"];
        words.extend(force.then_some("--force"));
        if volumes {
            words.push("--volumes");
        } else {
            self.mark_volumes_of(Some(container))?;
        }
        let removed = self.command_on(&words, container);
        self.leave_lost_volumes();
        removed
    }

    /// `--rm` removes a container some time after it has ended.
    fn wait_for_removal(&self, name: &str) {
        for _ in 0..200 {
            if self.command(&["container", "inspect", name]).is_err() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(25));
        }
    }

    fn pause(&self, container: &str, pause: bool) -> Result<Value> {
        let verb = if pause { "pause" } else { "unpause" };
        self.command(&[verb, &self.names.container(container)])?;
        if let Some(known) = self.state().containers.get_mut(container) {
            known.paused = pause;
        }
        Ok(Value::Nothing)
    }

    fn object(&self, operation: &Operation) -> Result<Value> {
        self.take_in_before(operation);
        self.state().seen = None;
        match operation {
            Operation::LoadImage(spec) => self.load_image(spec),
            Operation::Plant(place, tree) => self.plant(place, tree),
            Operation::Files {
                place,
                user,
                requests,
            } => self.files(place, user.as_deref(), requests),
            Operation::Create(spec) => self.create("create", spec),
            Operation::Run(spec) => self.create("run", spec),
            Operation::Start(name) => {
                self.stay_inside(self.known(name).binds)?;
                self.command_on(&["start"], name)
            }
            Operation::Stop(name) => self.command_on(&["stop"], name),
            Operation::Kill(name) => self.command_on(&["kill"], name),
            Operation::Restart(name) => {
                self.stay_inside(self.known(name).binds)?;
                self.command_on(&["restart"], name)
            }
            Operation::Pause(name) => self.pause(name, true),
            Operation::Unpause(name) => self.pause(name, false),
            Operation::Remove {
                container,
                force,
                volumes,
            } => self.remove(container, *force, *volumes),
            Operation::ContainerPrune => {
                self.mark_volumes_of(None)?;
                let filter = format!("label={CASE_LABEL}={}", self.names.case());
                self.command(&["container", "prune", "--force", "--filter", &filter])?;
                Ok(Value::Nothing)
            }
            Operation::Inspect(name) => self.inspect(name),
            Operation::Commit(spec) => self.commit(spec),
            Operation::Diff(name) => self.diff(name),
            Operation::Copy {
                from,
                to,
                archive,
                follow,
            } => self.copy(from, to, *archive, *follow),
            Operation::Export { container, to } => self.export(container, to),
            Operation::Import { from, image } => self.import(from, image),
            Operation::ImageRemove { image, force } => self.remove_image(image, *force),
            Operation::ImageTag { image, tag } => self.tag_image(image, tag),
            Operation::VolumeCreate(spec) => self.create_volume(spec),
            Operation::VolumeRemove { volume, force } => self.remove_volume(volume, *force),
            Operation::VolumePrune { all, filters } => self.prune_volumes(*all, filters),
            Operation::VolumeList { filters } => self.list_volumes(filters),
            Operation::VolumeInspect(volume) => self.inspect_volume(volume),
            Operation::Crash
            | Operation::RestartEngine
            | Operation::FillDisk
            | Operation::FreeDisk => Err(Fault::Unsupported(
                "the daemon is not ours to stop, nor its disk to fill".to_owned(),
            )),
        }
    }

    fn clean_up(&self) {
        self.links
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        self.take_in_all();
        let program = &self.ground.program;
        let seen = self.state().seen.take();
        if !seen.is_some_and(|seen| self.remove_seen(seen)) {
            let case = self.names.case();
            let label = format!("label={CASE_LABEL}={case}");
            sweep::remove(program, &label, &format!("{PREFIX}{case}"));
            let volumes: Vec<String> = {
                let state = self.state();
                let anonymous = state.anonymous.iter().map(|(id, _)| id.clone());
                let markers = state.marked.iter().map(|id| self.marker(id));
                anonymous.chain(markers).collect()
            };
            remove(program, &["volume", "rm", "--force"], &volumes);
        }
        if !self.keep {
            self.ground
                .ask(Ask::Remove {
                    top: self.host.world.clone(),
                })
                .ok();
        }
    }
}

impl Cli {
    /// Removes what the last look found, and images if there may be any. Gives whether all of it went.
    fn remove_seen(&self, seen: Remains) -> bool {
        let program = &self.ground.program;
        if !remove(program, &["rm", "--force"], &seen.containers) {
            return false;
        }
        let (volumes, has_own_images) = {
            let state = self.state();
            let markers = state.marked.iter().map(|id| self.marker(id));
            let volumes: Vec<String> = seen.volumes.into_iter().chain(markers).collect();
            (volumes, state.has_own_images)
        };
        std::thread::scope(|scope| {
            let images = has_own_images.then(|| {
                let case = self.names.case();
                let label = format!("label={CASE_LABEL}={case}");
                let prefix = format!("{PREFIX}{case}");
                scope.spawn(move || sweep::remove_images(program, &label, &prefix))
            });
            let volumes = remove(program, &["volume", "rm", "--force"], &volumes);
            let images = images.is_none_or(|images| images.join().unwrap_or(false));
            volumes && images
        })
    }
}

/// Removes things by name. Gives whether they all went.
fn remove(program: &Program, words: &[&str], names: &[String]) -> bool {
    let names = names.iter().map(String::as_str);
    let arguments: Vec<&str> = words.iter().copied().chain(names).collect();
    arguments.len() == words.len() || program.run(arguments).is_ok_and(|said| said.success)
}

impl Engine for Cli {
    fn foresee(&self, coming: &[&Operation]) {
        self.state().own_images = Some(own_images(coming));
    }

    fn starts_side_by_side(&self) -> bool {
        true
    }

    fn perform(&self, operation: &Operation) -> Answer {
        match self.object(operation) {
            Ok(value) => Answer::Done(value),
            Err(Fault::Refused(refusal)) => Answer::Refused(refusal),
            Err(Fault::Unsupported(why)) => Answer::Unsupported(why),
            Err(Fault::Broken(why)) => Answer::Broken(why),
        }
    }

    fn observe(&self) -> std::result::Result<World, EngineFault> {
        self.look().map_err(|fault| match fault {
            Fault::Refused(refusal) => EngineFault(refusal.message),
            Fault::Unsupported(why) | Fault::Broken(why) => EngineFault(why),
        })
    }

    fn kept(&self) -> Option<PathBuf> {
        self.host.local.clone().filter(|_| self.keep)
    }
}

impl Drop for Cli {
    fn drop(&mut self) {
        self.clean_up();
    }
}

/// A refusal by kind.
pub(super) fn refuse<T>(kind: Kind, message: impl Into<String>) -> Result<T> {
    Err(Fault::Refused(Refusal::kind(kind, message)))
}
