//! Finding an adapter and opening engines behind it.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tempfile::TempDir;

use super::adapter::{Adapter, strange};
use super::protocol::{Ask, Given};
use crate::engine::{
    Absent, Answer, Description, Engine, EngineFault, OpenOptions, Operation, Provider, World,
};
use crate::scratch::remove_tree;

/// Opens engines behind an adapter. A process serves one scenario at a time, and the next when that has ended.
#[derive(Debug)]
pub struct ProcessProvider {
    name: String,
    words: Vec<String>,
    crew: Arc<Crew>,
    known: Mutex<Option<Result<Description, Absent>>>,
}

/// The processes of one adapter.
#[derive(Debug, Default)]
struct Crew {
    /// Those that wait for a scenario.
    idle: Mutex<Vec<Arc<Adapter>>>,
    /// All of them.
    all: Mutex<Vec<Weak<Adapter>>>,
}

impl ProcessProvider {
    /// `name`: by which it is chosen. `command`: the adapter's program and arguments, in words as a POSIX shell splits
    /// them; quotes and backslashes are heeded, and nothing else of a shell is.
    ///
    /// # Errors
    /// A command that cannot be split, or has no words.
    pub fn new(name: &str, command: &str) -> Result<Self, BadCommand> {
        Ok(Self {
            name: name.to_owned(),
            words: words(command)?,
            crew: Arc::default(),
            known: Mutex::default(),
        })
    }

    fn start(&self) -> Result<Arc<Adapter>, Absent> {
        let adapter = Arc::new(Adapter::start(&self.words)?);
        let mut all = lock(&self.crew.all);
        all.retain(|adapter| adapter.strong_count() > 0);
        all.push(Arc::downgrade(&adapter));
        Ok(adapter)
    }

    /// An adapter for which the scenario has begun. One that has waited may have ended meanwhile.
    fn begin(&self, directory: &Path, keep: bool) -> Result<Arc<Adapter>, EngineFault> {
        let begin = || Ask::Begin {
            directory: directory.to_owned(),
            keep,
        };
        let waiting = lock(&self.crew.idle).pop();
        if let Some(adapter) = waiting
            && matches!(adapter.ask(begin()), Ok(Given::Begun {}))
        {
            return Ok(adapter);
        }
        let adapter = self.start().map_err(|absent| EngineFault(absent.reason))?;
        match adapter.ask(begin())? {
            Given::Begun {} => Ok(adapter),
            Given::Unsupported(why) => Err(EngineFault(why)),
            other => Err(strange("begin", &other)),
        }
    }
}

impl Drop for ProcessProvider {
    fn drop(&mut self) {
        lock(&self.crew.idle).clear();
        // A case that hangs holds one for ever.
        for adapter in lock(&self.crew.all).iter().filter_map(Weak::upgrade) {
            adapter.kill();
        }
    }
}

/// The words of a command, at least one.
pub(super) fn words(command: &str) -> Result<Vec<String>, BadCommand> {
    let words = shell_words::split(command).map_err(|_| BadCommand::Quote)?;
    if words.is_empty() {
        return Err(BadCommand::Empty);
    }
    Ok(words)
}

/// Why a command names no adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCommand {
    /// There is no word in it.
    #[error("`process:` needs the command of an adapter: `process:COMMAND`")]
    Empty,
    /// A quote that does not end.
    #[error("a quote in the adapter's command does not end")]
    Quote,
}

impl Provider for ProcessProvider {
    fn name(&self) -> &str {
        &self.name
    }

    fn probe(&self, _options: &OpenOptions) -> Result<Description, Absent> {
        let mut known = lock(&self.known);
        let look = || {
            let adapter = self.start()?;
            let description = adapter.description(&self.name);
            lock(&self.crew.idle).push(adapter);
            Ok(description)
        };
        known.get_or_insert_with(look).clone()
    }

    fn open(&self, options: &OpenOptions) -> Result<Box<dyn Engine>, EngineFault> {
        let made = tempfile::Builder::new()
            .prefix("layerspec-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(&options.scratch);
        let made = made.map_err(|error| {
            let scratch = options.scratch.display();
            EngineFault(format!(
                "cannot make a private directory in {scratch}: {error}"
            ))
        })?;
        let directory = Directory {
            path: made.path().to_owned(),
            made: Some(made),
            keep: options.keep,
        };
        let path =
            std::path::absolute(&directory.path).map_err(|error| EngineFault(error.to_string()))?;
        let adapter = self.begin(&path, options.keep)?;
        Ok(Box::new(Process {
            adapter: Some(adapter),
            crew: Arc::clone(&self.crew),
            directory,
        }))
    }
}

/// The directory of one scenario.
#[derive(Debug)]
struct Directory {
    path: PathBuf,
    made: Option<TempDir>,
    keep: bool,
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Some(made) = self.made.take() {
            let path = made.keep();
            if !self.keep {
                // The run's own scratch directory is removed with whatever cannot be removed here.
                remove_tree(&path).ok();
            }
        }
    }
}

/// An open engine.
#[derive(Debug)]
struct Process {
    adapter: Option<Arc<Adapter>>,
    crew: Arc<Crew>,
    directory: Directory,
}

impl Process {
    fn ask(&self, ask: Ask) -> Result<Given, EngineFault> {
        let adapter = self.adapter.as_ref();
        adapter.map_or_else(
            || Err(EngineFault("it has ended".to_owned())),
            |adapter| adapter.ask(ask),
        )
    }

    fn strange(&self, asked: &str, given: &Given) -> EngineFault {
        if let Some(adapter) = &self.adapter {
            adapter.kill();
        }
        strange(asked, given)
    }
}

impl Engine for Process {
    fn perform(&self, operation: &Operation) -> Answer {
        match self.ask(Ask::Operation(Box::new(operation.clone()))) {
            Ok(Given::Done(value)) => Answer::Done(value),
            Ok(Given::Refused(refusal)) => Answer::Refused(refusal),
            Ok(Given::Unsupported(why)) => Answer::Unsupported(why),
            Ok(other) => Answer::Broken(self.strange("operation", &other).0),
            Err(fault) => Answer::Broken(fault.0),
        }
    }

    fn observe(&self) -> Result<World, EngineFault> {
        match self.ask(Ask::Observe {})? {
            Given::World(world) => Ok(*world),
            Given::Unsupported(why) => Err(EngineFault(why)),
            other => Err(self.strange("observe", &other)),
        }
    }

    fn complaint(&self) -> Option<String> {
        self.adapter.as_ref()?.complaint()
    }

    fn kept(&self) -> Option<PathBuf> {
        self.directory.keep.then(|| self.directory.path.clone())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let Some(adapter) = self.adapter.take() else {
            return;
        };
        let ended = !adapter.is_gone() && matches!(adapter.ask(Ask::End {}), Ok(Given::Ended {}));
        // An adapter that failed gets no further scenario.
        if ended && !adapter.has_failed() {
            lock(&self.crew.idle).push(adapter);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
