//! A connection to a process that serves calls on its pipes: an agent behind one long-lived `exec -i`, or a
//! whole engine. Many calls at once.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::agent::wire::{Call, Given, Reply};

/// Those who wait, by the number of their call; `None` when the agent is gone.
type Waiting<G> = Arc<Mutex<Option<BTreeMap<u64, SyncSender<Result<G, String>>>>>>;

/// How long a process may take to end by itself.
const PATIENCE: Duration = Duration::from_millis(200);

/// A connection to an agent. Dropping it ends the agent, and with it every handle that it holds.
#[derive(Debug)]
pub(super) struct Link<G = Given> {
    patience: Duration,
    child: Mutex<Child>,
    input: Mutex<Option<ChildStdin>>,
    waiting: Waiting<G>,
    last: Mutex<u64>,
    complaint: Mutex<Option<JoinHandle<String>>>,
}

/// Why a call gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// The agent is gone, and what its program said last.
    Gone(String),
    /// The agent is there and could not do it.
    Failed(String),
}

impl<G: DeserializeOwned + Send + 'static> Link<G> {
    /// Talks to a child over its three pipes.
    pub(super) fn open(mut child: Child) -> Result<Self, String> {
        let (Some(input), Some(output), Some(mut errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err("a program without pipes".to_owned());
        };
        let waiting: Waiting<G> = Arc::new(Mutex::new(Some(BTreeMap::new())));
        let theirs = Arc::clone(&waiting);
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                let Some(reply) = line
                    .ok()
                    .and_then(|line| serde_json::from_str::<Reply<G>>(&line).ok())
                else {
                    break;
                };
                let waiter = lock(&theirs)
                    .as_mut()
                    .and_then(|waiting| waiting.remove(&reply.id));
                if let Some(waiter) = waiter {
                    waiter.send(reply.given).ok();
                }
            }
            // Those who still wait see their channel close.
            *lock(&theirs) = None;
        });
        let complaint = std::thread::spawn(move || {
            let mut text = Vec::new();
            errors.read_to_end(&mut text).ok();
            String::from_utf8_lossy(&text).into_owned()
        });
        Ok(Self {
            patience: PATIENCE,
            child: Mutex::new(child),
            input: Mutex::new(Some(input)),
            waiting,
            last: Mutex::new(0),
            complaint: Mutex::new(Some(complaint)),
        })
    }

    /// Asks and waits.
    pub(super) fn ask(&self, ask: impl Serialize) -> Result<G, Lost> {
        let (give, take) = sync_channel(1);
        let id = {
            let mut last = lock(&self.last);
            *last += 1;
            *last
        };
        match lock(&self.waiting).as_mut() {
            Some(waiting) => drop(waiting.insert(id, give)),
            None => return Err(self.gone()),
        }
        let sent = serde_json::to_vec(&Call { id, ask })
            .map_err(|error| Lost::Failed(error.to_string()))
            .and_then(|mut line| {
                line.push(b'\n');
                let mut input = lock(&self.input);
                let written = input
                    .as_mut()
                    .map(|input| input.write_all(&line).and_then(|()| input.flush()));
                match written {
                    Some(Ok(())) => Ok(()),
                    _ => Err(Lost::Gone(String::new())),
                }
            });
        match sent {
            Err(Lost::Failed(why)) => return Err(Lost::Failed(why)),
            Err(Lost::Gone(_)) => return Err(self.gone()),
            Ok(()) => {}
        }
        match take.recv() {
            Ok(given) => given.map_err(Lost::Failed),
            Err(_) => Err(self.gone()),
        }
    }

    fn gone(&self) -> Lost {
        self.end();
        let complaint = lock(&self.complaint).take();
        let text = complaint.and_then(|complaint| complaint.join().ok());
        Lost::Gone(text.unwrap_or_default())
    }
}

impl<G> Link<G> {
    /// Lets the process take so long to tidy up when it is to end.
    pub(super) fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Whether the process has ended.
    pub(super) fn is_gone(&self) -> bool {
        lock(&self.waiting).is_none()
    }

    /// The agent ends at the end of its input; what is left of its program is killed.
    fn end(&self) {
        lock(&self.input).take();
        let mut child = lock(&self.child);
        let begin = Instant::now();
        while begin.elapsed() < self.patience {
            if matches!(child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().ok();
        child.wait().ok();
    }
}

impl<G> Drop for Link<G> {
    fn drop(&mut self) {
        self.end();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
