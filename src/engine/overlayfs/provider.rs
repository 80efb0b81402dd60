//! The engine as others see it: a process that serves the contract.

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::protocol::{Ask, Given, NAME};
use crate::agent::{Mode, VARIABLE};
use crate::engine::link::{Link, Lost};
use crate::engine::{
    Absent, Answer, Description, Engine, EngineFault, OpenOptions, Operation, Provider, World,
};
use crate::environment::Environment;
use crate::union::MountOptions;

/// How long the process may take to end its containers and to remove its directory.
const PATIENCE: Duration = Duration::from_secs(20);

/// Opens engines on overlayfs, each in a process that no other one shares. What a scratch directory allows is found
/// out once and remembered.
#[derive(Debug)]
pub struct OverlayfsProvider {
    name: String,
    mount: MountOptions,
    known: Mutex<BTreeMap<PathBuf, Result<Description, Absent>>>,
    idle: Arc<Idle>,
}

/// Processes that serve no engine any more, for the next ones: to start one costs as much as a small scenario.
#[derive(Debug, Default)]
struct Idle(Mutex<Vec<(PathBuf, Link<Given>)>>);

impl Idle {
    fn links(&self) -> MutexGuard<'_, Vec<(PathBuf, Link<Given>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One that serves this scratch directory.
    fn take(&self, scratch: &Path) -> Option<Link<Given>> {
        let mut links = self.links();
        let fit = links.iter().position(|(place, _)| place == scratch)?;
        Some(links.swap_remove(fit).1)
    }

    /// Asks one of them, or a new one. One that has ended meanwhile is nobody's loss.
    fn ask(&self, scratch: &Path, what: &Ask) -> Result<(Link<Given>, Given), EngineFault> {
        while let Some(link) = self.take(scratch) {
            match link.ask(what) {
                Ok(given) => return Ok((link, given)),
                Err(Lost::Failed(why)) => return Err(EngineFault(why)),
                Err(Lost::Gone(_)) => {}
            }
        }
        let link = start(scratch)?;
        let given = ask(&link, what)?;
        Ok((link, given))
    }

    fn put(&self, scratch: PathBuf, link: Link<Given>) {
        self.links().push((scratch, link));
    }
}

impl OverlayfsProvider {
    /// One that has not looked anywhere yet.
    pub fn new() -> Self {
        Self::with_options(MountOptions::default())
    }

    /// One whose overlays are mounted with options of the kernel's: `overlayfs:redirect_dir=on,metacopy=on`.
    pub fn with_options(mount: MountOptions) -> Self {
        let name = match mount.to_string().as_str() {
            "" => NAME.to_owned(),
            asked => format!("{NAME}:{asked}"),
        };
        Self {
            name,
            mount,
            known: Mutex::default(),
            idle: Arc::default(),
        }
    }

    fn look(&self, scratch: &Path) -> Result<Description, Absent> {
        let probe = Ask::Probe {
            mount: self.mount.to_string(),
        };
        let (link, given) = self.idle.ask(scratch, &probe)?;
        self.idle.put(scratch.to_owned(), link);
        match given {
            Given::Here(description) => Ok(Description {
                form_of: (self.name != NAME).then(|| NAME.to_owned()),
                name: self.name.clone(),
                ..description
            }),
            Given::Absent { reason, remedy } => Err(Absent { reason, remedy }),
            other => Err(Absent::from(strange(&other))),
        }
    }
}

impl Provider for OverlayfsProvider {
    fn name(&self) -> &str {
        &self.name
    }

    fn probe(&self, options: &OpenOptions) -> Result<Description, Absent> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .entry(options.scratch.clone())
            .or_insert_with(|| self.look(&options.scratch))
            .clone()
    }

    fn open(&self, options: &OpenOptions) -> Result<Box<dyn Engine>, EngineFault> {
        let open = Ask::Open {
            mount: self.mount.to_string(),
            keep: options.keep,
        };
        let (link, given) = self.idle.ask(&options.scratch, &open)?;
        match given {
            Given::Opened(kept) => Ok(Box::new(Overlayfs {
                link: Some(link),
                kept,
                scratch: options.scratch.clone(),
                idle: Arc::clone(&self.idle),
            })),
            Given::Absent { reason, .. } => Err(EngineFault(reason)),
            other => Err(strange(&other)),
        }
    }

    fn keep_nothing(&self) {
        let idle = std::mem::take(&mut *self.idle.links());
        drop(idle);
    }
}

impl Default for OverlayfsProvider {
    fn default() -> Self {
        Self::new()
    }
}

impl From<EngineFault> for Absent {
    fn from(fault: EngineFault) -> Self {
        Self {
            reason: fault.0,
            remedy: "run as root, or allow user name spaces".to_owned(),
        }
    }
}

/// Starts a process for engines. It ends when the link is dropped, or with us, at the end of its input.
fn start(scratch: &Path) -> Result<Link<Given>, EngineFault> {
    if Environment::read().agent.is_some() {
        // A main without `dispatch` would start itself for ever.
        let why =
            format!("this process has {VARIABLE} set and is no agent: its main does not dispatch");
        return Err(EngineFault(why));
    }
    let fault = |error: std::io::Error| EngineFault(format!("cannot start the engine: {error}"));
    let scratch = std::path::absolute(scratch).map_err(fault)?;
    let scratch = scratch
        .to_str()
        .ok_or_else(|| EngineFault(format!("{} is no text", scratch.display())))?;
    let mode = Mode::Overlayfs {
        scratch: scratch.to_owned(),
    };
    let child = Command::new("/proc/self/exe")
        .env(VARIABLE, mode.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A signal from the terminal does not reach it: it ends with us, and tidies up first.
        .process_group(0)
        .spawn()
        .map_err(fault)?;
    let link = child.try_into().and_then(Link::open).map_err(EngineFault)?;
    Ok(link.with_patience(PATIENCE))
}

fn ask(link: &Link<Given>, ask: &Ask) -> Result<Given, EngineFault> {
    link.ask(ask).map_err(|lost| match lost {
        Lost::Failed(why) => EngineFault(why),
        Lost::Gone(said) => EngineFault(format!("the engine's process has ended: {}", said.trim())),
    })
}

fn strange(given: &Given) -> EngineFault {
    EngineFault(format!("the engine's process answered {given:?}"))
}

/// An open engine.
#[derive(Debug)]
struct Overlayfs {
    /// There until it is dropped.
    link: Option<Link<Given>>,
    kept: Option<PathBuf>,
    scratch: PathBuf,
    idle: Arc<Idle>,
}

impl Overlayfs {
    fn ask(&self, what: &Ask) -> Result<Given, EngineFault> {
        match &self.link {
            Some(link) => ask(link, what),
            None => Err(EngineFault("the engine is closed".to_owned())),
        }
    }
}

impl Drop for Overlayfs {
    /// The process removes what the engine made. It is used again if it says so in time; else it ends, by force if
    /// need be.
    fn drop(&mut self) {
        if let Some(link) = self.link.take()
            && let Ok(Given::Closed) = link.ask_within(PATIENCE, Ask::Close)
        {
            self.idle.put(std::mem::take(&mut self.scratch), link);
        }
    }
}

impl Engine for Overlayfs {
    fn perform(&self, operation: &Operation) -> Answer {
        match self.ask(&Ask::Perform(Box::new(operation.clone()))) {
            Ok(Given::Answer(answer)) => *answer,
            Ok(other) => Answer::Broken(strange(&other).0),
            Err(fault) => Answer::Broken(fault.0),
        }
    }

    fn observe(&self) -> Result<World, EngineFault> {
        match self.ask(&Ask::Observe)? {
            Given::World(world) => Ok(*world),
            other => Err(strange(&other)),
        }
    }

    fn kept(&self) -> Option<PathBuf> {
        self.kept.clone()
    }
}
