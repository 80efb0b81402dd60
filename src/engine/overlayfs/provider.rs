//! The engine as others see it: a process that serves the contract.

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
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

/// Opens engines on overlayfs, each in a process of its own. What a scratch directory allows is found out once
/// and remembered.
#[derive(Debug)]
pub struct OverlayfsProvider {
    name: String,
    mount: MountOptions,
    known: Mutex<BTreeMap<PathBuf, Result<Description, Absent>>>,
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
        }
    }
}

impl Provider for OverlayfsProvider {
    fn name(&self) -> &str {
        &self.name
    }

    fn probe(&self, options: &OpenOptions) -> Result<Description, Absent> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let probe = Ask::Probe {
            mount: self.mount.to_string(),
        };
        let look = || match start(&options.scratch).and_then(|link| ask(&link, &probe)) {
            Ok(Given::Here(description)) => Ok(Description {
                form_of: (self.name != NAME).then(|| NAME.to_owned()),
                name: self.name.clone(),
                ..description
            }),
            Ok(Given::Absent { reason, remedy }) => Err(Absent { reason, remedy }),
            Ok(other) => Err(Absent::from(strange(&other))),
            Err(fault) => Err(Absent::from(fault)),
        };
        known
            .entry(options.scratch.clone())
            .or_insert_with(look)
            .clone()
    }

    fn open(&self, options: &OpenOptions) -> Result<Box<dyn Engine>, EngineFault> {
        let link = start(&options.scratch)?;
        let open = Ask::Open {
            mount: self.mount.to_string(),
            keep: options.keep,
        };
        match ask(&link, &open)? {
            Given::Opened(kept) => Ok(Box::new(Overlayfs { link, kept })),
            Given::Absent { reason, .. } => Err(EngineFault(reason)),
            other => Err(strange(&other)),
        }
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

/// Starts an engine's process. It ends when the link is dropped, or with us, at the end of its input.
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
    let link = Link::open(child).map_err(EngineFault)?;
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
    link: Link<Given>,
    kept: Option<PathBuf>,
}

impl Engine for Overlayfs {
    fn perform(&self, operation: &Operation) -> Answer {
        match ask(&self.link, &Ask::Perform(Box::new(operation.clone()))) {
            Ok(Given::Answer(answer)) => *answer,
            Ok(other) => Answer::Broken(strange(&other).0),
            Err(fault) => Answer::Broken(fault.0),
        }
    }

    fn observe(&self) -> Result<World, EngineFault> {
        match ask(&self.link, &Ask::Observe)? {
            Given::World(world) => Ok(*world),
            other => Err(strange(&other)),
        }
    }

    fn kept(&self) -> Option<PathBuf> {
        self.kept.clone()
    }
}
