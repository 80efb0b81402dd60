//! A connection to an agent: one long-lived `exec -i`, many calls at once.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::program::Program;
use crate::agent::wire::{Ask, Call, Given, Reply};

/// Those who wait, by the number of their call; `None` when the agent is gone.
type Waiting = Arc<Mutex<Option<BTreeMap<u64, SyncSender<Result<Given, String>>>>>>;

/// A connection to an agent. Dropping it ends the agent, and with it every handle that it holds.
#[derive(Debug)]
pub(super) struct Link {
    child: Mutex<Child>,
    input: Mutex<Option<ChildStdin>>,
    waiting: Waiting,
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

impl Link {
    /// Starts a command that leads to an agent.
    pub(super) fn open(program: &Program, mut command: Command) -> Result<Self, String> {
        command.stdin(Stdio::piped());
        let mut child = program.spawn(command).map_err(|mute| mute.to_string())?;
        let (Some(input), Some(output), Some(mut errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err("a program without pipes".to_owned());
        };
        let waiting: Waiting = Arc::new(Mutex::new(Some(BTreeMap::new())));
        let theirs = Arc::clone(&waiting);
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                let Some(reply) = line
                    .ok()
                    .and_then(|line| serde_json::from_str::<Reply>(&line).ok())
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
            child: Mutex::new(child),
            input: Mutex::new(Some(input)),
            waiting,
            last: Mutex::new(0),
            complaint: Mutex::new(Some(complaint)),
        })
    }

    /// Whether the agent has ended.
    pub(super) fn is_gone(&self) -> bool {
        lock(&self.waiting).is_none()
    }

    /// Asks and waits.
    pub(super) fn ask(&self, ask: Ask) -> Result<Given, Lost> {
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

    /// The agent ends at the end of its input; what is left of its program is killed.
    fn end(&self) {
        lock(&self.input).take();
        let mut child = lock(&self.child);
        for _ in 0..100 {
            if matches!(child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        child.kill().ok();
        child.wait().ok();
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.end();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
