//! The other end: any engine of ours as an adapter. It shows what an adapter has to do, and takes an engine to where
//! only a pipe leads: `process:ssh HOST layerspec adapter serve docker`.

use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use serde::Deserialize;

use super::protocol::{Ask, Given, Hello, Reply, Request, VERSION};
use crate::engine::{Absent, Engine, EngineFault, OpenOptions, Provider};

/// What the requests of one conversation share.
struct Served<W> {
    output: Mutex<W>,
    engine: RwLock<Option<Box<dyn Engine>>>,
}

/// All that has to be understood of a request to answer that it is not.
#[derive(Deserialize)]
struct Id {
    id: u64,
}

/// Serves an engine until the input ends, and removes what it made. Operations that come before the answer to
/// others are performed beside them. Where the directory of a scenario does not exist, because whoever asks is on
/// another machine, a directory in `scratch` takes its place.
///
/// # Errors
/// When the input cannot be read or is no request, or a reply cannot be written.
pub fn serve<W: Write + Send + 'static>(
    provider: &dyn Provider,
    scratch: &Path,
    input: impl BufRead,
    output: W,
) -> io::Result<()> {
    let served = Arc::new(Served {
        output: Mutex::new(output),
        engine: RwLock::default(),
    });
    let mut running: Vec<JoinHandle<()>> = Vec::new();
    for line in input.lines() {
        let line = line?;
        let request: Request = match serde_json::from_str(&line) {
            Ok(request) => request,
            Err(error) => {
                let Id { id } = serde_json::from_str(&line)?;
                served.reply(id, Given::Unsupported(error.to_string()))?;
                continue;
            }
        };
        let id = request.id;
        match request.ask {
            Ask::Hello { .. } => served.reply(id, hello(provider, scratch))?,
            Ask::Begin { directory, keep } => {
                let scratch = if directory.is_dir() {
                    directory
                } else {
                    scratch.to_owned()
                };
                let given = match provider.open(&OpenOptions { scratch, keep }) {
                    Ok(engine) => {
                        served.put(Some(engine));
                        Given::Begun {}
                    }
                    Err(fault) => Given::Broken(fault.0),
                };
                served.reply(id, given)?;
            }
            Ask::End {} => {
                running.drain(..).for_each(|thread| drop(thread.join()));
                served.put(None);
                provider.keep_nothing();
                served.reply(id, Given::Ended {})?;
            }
            ask @ (Ask::Operation(_) | Ask::Observe {}) => {
                let served = Arc::clone(&served);
                running.retain(|thread| !thread.is_finished());
                let act = move || {
                    let given = served.perform(&ask);
                    // Whoever asked has gone when it cannot be written; the input ends then too.
                    served.reply(id, given).ok();
                };
                running.push(std::thread::Builder::new().spawn(act)?);
            }
        }
    }
    running.drain(..).for_each(|thread| drop(thread.join()));
    served.put(None);
    Ok(())
}

fn hello(provider: &dyn Provider, scratch: &Path) -> Given {
    let scratch = PathBuf::from(scratch);
    match provider.probe(&OpenOptions {
        scratch,
        keep: false,
    }) {
        Ok(found) => Given::Hello(Hello {
            protocol: VERSION,
            name: found.name,
            version: found.version,
            kernel: found.kernel,
            driver: found.driver,
            file_system: found.file_system,
            capabilities: found.capabilities,
            ..Hello::default()
        }),
        Err(Absent { reason, remedy }) => Given::Absent { reason, remedy },
    }
}

impl<W: Write> Served<W> {
    fn put(&self, engine: Option<Box<dyn Engine>>) {
        *self.engine.write().unwrap_or_else(PoisonError::into_inner) = engine;
    }

    fn perform(&self, ask: &Ask) -> Given {
        let engine = self.engine.read().unwrap_or_else(PoisonError::into_inner);
        match (engine.as_deref(), ask) {
            (Some(engine), Ask::Operation(operation)) => Given::from(engine.perform(operation)),
            (Some(engine), _) => match engine.observe() {
                Ok(world) => Given::World(Box::new(world)),
                Err(EngineFault(why)) => Given::Broken(why),
            },
            (None, _) => Given::Broken("no scenario has begun".to_owned()),
        }
    }

    fn reply(&self, id: u64, given: Given) -> io::Result<()> {
        let mut line = serde_json::to_vec(&Reply { id, given })?;
        line.push(b'\n');
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        output.write_all(&line)?;
        output.flush()
    }
}
