//! What the cases of a run share: the volume with the agent, and a container that sees the daemon's disk.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;

use super::archive::Image;
use super::flavor::{About, Flavor};
use super::names::{PREFIX, RUN_LABEL};
use super::program::{Program, Said};
use super::shared::SharedImages;
use super::words;
use super::{owner, sweep};
use crate::agent::wire::{Ask, Found, Given};
use crate::agent::{Mode, Payload, VARIABLE};
use crate::engine::link::{Link, Lost};
use crate::farewell::Farewell;

/// Where containers find the agent.
pub(super) const AGENT: &str = "/.layerspec";

/// Where the one container that sees the daemon's disk has it.
const WORLD: &str = "/.world";

/// Where it has the scratch directory of this machine, if it can.
const SCRATCH: &str = "/.scratch";

/// Where it has the volume of host directories, if it cannot.
const HOSTS: &str = "/.hosts";

/// What the cases of a run share.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) program: Program,
    pub(super) about: About,
    pub(super) run: String,
    /// The run's directory on this machine.
    pub(super) scratch: PathBuf,
    /// The command that starts an agent: program first.
    pub(super) command: Vec<String>,
    /// Where host directories are.
    hosts: Hosts,
    world: Mutex<Option<Arc<Link>>>,
    cases: AtomicUsize,
    /// Images that cases have in common.
    pub(super) images: SharedImages,
    ended: AtomicBool,
    /// Held so that it is taken back with the run.
    _farewell: Farewell,
}

/// Where host directories are.
#[derive(Clone, Debug)]
enum Hosts {
    /// Below the scratch directory, which the daemon sees too.
    Shared(PathBuf),
    /// In a volume, at this path of the daemon's host.
    Volume(String),
}

/// The host directory of one case.
#[derive(Clone, Debug)]
pub(super) struct HostDirectory {
    /// As the daemon names it.
    pub(super) daemon: String,
    /// As the container that sees the daemon's disk has it.
    pub(super) world: String,
    /// On this machine, if it is there.
    pub(super) local: Option<PathBuf>,
}

impl Ground {
    /// Makes it.
    pub(super) fn make(program: &Program, about: &About, scratch: &Path) -> Result<Self, String> {
        let payload = Payload::of_this_process()
            .map_err(|error| format!("what the agent needs cannot be found: {error}"))?;
        let run = sweep::new_run();
        let program = program.of_run(&run, scratch);
        let farewell = {
            let (program, run) = (program.clone(), run.clone());
            Farewell::new(move || remove(&program, &run))
        };
        let mut ground = Self {
            program,
            about: about.clone(),
            run,
            scratch: scratch.to_path_buf(),
            command: payload.command(),
            hosts: Hosts::Volume(String::new()),
            world: Mutex::new(None),
            cases: AtomicUsize::new(0),
            images: SharedImages::default(),
            ended: AtomicBool::new(false),
            _farewell: farewell,
        };
        // From here on, dropping it removes what was made.
        ground.build(&payload, scratch)?;
        Ok(ground)
    }

    fn build(&mut self, payload: &Payload, scratch: &Path) -> Result<(), String> {
        let volume = self.volume();
        let label = format!("{RUN_LABEL}={}", self.run);
        let owner = format!("{}={}", sweep::OWNER_LABEL, owner::owner());
        // It tells whose everything else is, so it is there first.
        self.must(&[
            "volume", "create", "--label", &label, "--label", &owner, &volume,
        ])?;
        let reference = format!("{}:latest", self.image());
        let image = Image {
            reference: &reference,
            config: json!({"Labels": {RUN_LABEL: self.run}}),
            layers: &[],
        };
        self.feed(&["load"], |to| image.write(to))?;
        let shared = rustix::process::geteuid().is_root() && self.make_world(Some(scratch)).is_ok();
        let mut volumes = vec![format!("{volume}:{AGENT}")];
        if shared {
            self.hosts = Hosts::Shared(scratch.to_path_buf());
        } else {
            let hosts = format!("{volume}-hosts");
            self.must(&["volume", "create", "--label", &label, &hosts])?;
            self.hosts = Hosts::Volume(self.mountpoint(&hosts)?);
            self.make_world(None)?;
            volumes.push(format!("{hosts}:{HOSTS}"));
        }
        let files = self.files_name();
        let volumes = volumes.iter().map(|volume| format!("--volume={volume}"));
        self.make_container(&files, volumes.collect())?;
        said(self.put(&format!("{files}:{AGENT}/"), |to| payload.archive(to)))?;
        self.must(&["start", &self.world_name()])?;
        Ok(())
    }

    fn mountpoint(&self, volume: &str) -> Result<String, String> {
        let at = self.must(&["volume", "inspect", "--format", "{{.Mountpoint}}", volume])?;
        Ok(at.trim().to_owned())
    }

    /// The container that sees the daemon's disk; the scratch directory of this machine, or the volume of
    /// host directories.
    fn make_world(&self, scratch: Option<&Path>) -> Result<(), String> {
        let hosts = match scratch {
            // Unlike `--volume`, this makes nothing on a host that does not have the directory.
            Some(scratch) => [
                "--mount".to_owned(),
                format!("type=bind,source={},target={SCRATCH}", scratch.display()),
            ],
            None => [
                "--volume".to_owned(),
                format!("{}-hosts:{HOSTS}", self.volume()),
            ],
        };
        let mut last = Err(String::new());
        // Without the disks of all containers that are mounted below: newer words, older words.
        let mut words = ["bind-recursive=disabled", "bind-nonrecursive"];
        if self.about.flavor == Flavor::Podman || self.about.api < (1, 44) {
            words.reverse();
        }
        for how in words {
            let mut options = hosts.to_vec();
            options.push("--volume".to_owned());
            options.push(format!("{}:{AGENT}", self.volume()));
            let root = &self.about.root;
            if !root.is_empty() {
                options.push("--mount".to_owned());
                options.push(format!("type=bind,source={root},target={WORLD},{how}"));
            }
            last = self.make_container(&self.world_name(), options);
            if last.is_ok() {
                break;
            }
        }
        last
    }

    fn make_container(&self, name: &str, options: Vec<String>) -> Result<(), String> {
        let mut arguments = vec!["create".to_owned(), "--network=none".to_owned()];
        arguments.push(format!("--name={name}"));
        arguments.push(format!("--label={RUN_LABEL}={}", self.run));
        arguments.push(format!("--env={VARIABLE}={}", Mode::Idle));
        arguments.extend(options);
        arguments.extend(self.entry(&self.image()));
        self.must(&arguments).map(drop)
    }

    /// The end of the arguments of a container whose first process is an idle agent.
    pub(super) fn entry(&self, image: &str) -> Vec<String> {
        let mut arguments = vec!["--entrypoint".to_owned()];
        arguments.extend(self.command.first().cloned());
        arguments.push(image.to_owned());
        arguments.extend(self.command.iter().skip(1).cloned());
        arguments
    }

    pub(super) fn volume(&self) -> String {
        format!("{PREFIX}{}", self.run)
    }

    fn world_name(&self) -> String {
        format!("{PREFIX}{}-world", self.run)
    }

    /// A container that never runs: `cp` reaches volumes through it. Not through the one that sees the
    /// daemon's disk: `cp` mounts what a container mounts once more, below what is mounted already.
    pub(super) fn files_name(&self) -> String {
        format!("{PREFIX}{}-files", self.run)
    }

    fn image(&self) -> String {
        format!("localhost/{PREFIX}{}/agent", self.run)
    }

    /// The number of a new case.
    pub(super) fn next_case(&self) -> usize {
        self.cases.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Where a case's host directory is.
    pub(super) fn host_directory(&self, case: &str) -> HostDirectory {
        match &self.hosts {
            Hosts::Shared(scratch) => {
                let local = scratch.join(case).join("host");
                HostDirectory {
                    daemon: local.display().to_string(),
                    world: format!("{SCRATCH}/{case}/host"),
                    local: Some(local),
                }
            }
            Hosts::Volume(at) => HostDirectory {
                daemon: format!("{at}/{case}/host"),
                world: format!("{HOSTS}/{case}/host"),
                local: None,
            },
        }
    }

    /// A path of the daemon's host as the container that sees its disk has it.
    pub(super) fn in_world(&self, path: &str) -> Option<String> {
        let root = &self.about.root;
        let rest = super::names::below(path, root).filter(|_| !root.is_empty())?;
        Some(format!("{WORLD}{rest}"))
    }

    /// An agent in the container that sees the daemon's disk, with this directory as its root.
    pub(super) fn agent_at(&self, root: &str) -> Result<Link, String> {
        let mode = Mode::Serve {
            root: Some(root.to_owned()),
        };
        self.program.link(self.exec(&self.world_name(), &mode))
    }

    /// The command that starts an agent in a container.
    pub(super) fn exec(&self, container: &str, mode: &Mode) -> std::process::Command {
        let variable = format!("{VARIABLE}={mode}");
        let mut arguments = vec![
            "exec",
            "--interactive",
            "--user",
            "0",
            // A call says where it begins; the container's own working directory may be gone.
            "--workdir",
            "/",
            "--env",
            &variable,
            container,
        ];
        arguments.extend(self.command.iter().map(String::as_str));
        let mut command = self.program.command(arguments);
        // It goes on for as long as the container, and makes nothing that outlives that.
        command.env_remove(owner::MARK);
        command
    }

    /// Asks the agent that sees the daemon's disk.
    pub(super) fn ask(&self, ask: Ask) -> Result<Given, String> {
        let link = {
            let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(link) = world.as_ref().filter(|link| !link.is_gone()) {
                Arc::clone(link)
            } else {
                let command = self.exec(&self.world_name(), &Mode::Serve { root: None });
                let link = Arc::new(self.program.link(command)?);
                Arc::clone(world.insert(link))
            }
        };
        link.ask(ask).map_err(|lost| match lost {
            Lost::Gone(why) => format!("the agent is gone: {}", why.trim()),
            Lost::Failed(why) => why,
        })
    }

    /// Everything in a tree of the container that sees the daemon's disk.
    pub(super) fn walk(&self, top: &str, content: bool) -> Result<Vec<Found>, String> {
        let ask = Ask::Walk {
            top: top.to_owned(),
            without: Vec::new(),
            content,
        };
        match self.ask(ask)? {
            Given::Found(found) => Ok(found),
            other => Err(format!("the agent answered {other:?}")),
        }
    }

    fn must<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Result<String, String> {
        said(self.program.run(arguments))
    }

    fn feed(
        &self,
        arguments: &[&str],
        write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
    ) -> Result<String, String> {
        said(self.program.feed(arguments, write))
    }
}

impl Ground {
    /// Removes everything of the run, also from under cases that hang.
    pub(super) fn end(&self) {
        if !self.ended.swap(true, Ordering::Relaxed) {
            let world = self.world.lock();
            drop(world.unwrap_or_else(PoisonError::into_inner).take());
            remove(&self.program, &self.run);
        }
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        self.end();
    }
}

/// Removes everything of a run whose cases may still be at work: nothing begins any more, and what was begun has its
/// end first.
fn remove(program: &Program, run: &str) {
    program.close();
    owner::wait_for_commands(|other, _| other == run);
    sweep::remove_run(&program.reopened(), run);
}

fn said(said: Result<Said, super::program::Mute>) -> Result<String, String> {
    match said {
        Ok(said) if said.success => Ok(said.out),
        Ok(said) => Err(words::essence(&said.err)),
        Err(mute) => Err(mute.to_string()),
    }
}

/// Labels as `inspect` gives them, without ours and the engine's own.
pub(super) fn foreign_labels(labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    labels
        .iter()
        .filter(|(key, _)| !key.starts_with("layerspec.") && *key != "com.docker.volume.anonymous")
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}
