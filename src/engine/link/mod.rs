//! A connection to a process that serves calls on its pipes: an agent behind one long-lived `exec -i`, or a
//! whole engine. Many calls at once.
//!
//! The process is not trusted to be well: whatever it writes or leaves out, a call ends at its time limit at
//! the latest, what is kept of the process's words is bounded, and dropping the connection ends it.
//!
//! | file | what it holds |
//! |---|---|
//! | `desk` | who waits for what, and what the process complained of |
//! | `lines` | from what comes out of a pipe to replies |
//! | `process` | the process and its end |
//! | `reader` | the thread that reads what the process writes |

mod desk;
mod lines;
mod process;
mod reader;

use std::os::fd::{AsFd, OwnedFd};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::desk::{DEAF, Desk};
use self::reader::Reader;
use crate::agent::wire::{Call, Given, Reply};

pub(super) use self::lines::Lines;
pub(super) use self::process::{Process, Started, kill_group, pid};

/// How long a process may take to end by itself.
const PATIENCE: Duration = Duration::from_millis(200);

/// What is read from a line: the number of the call, and what it gave or why it could not be done.
type Read<G> = Result<(u64, Result<G, String>), String>;

/// How a process is spoken with.
pub(super) struct Manners<G> {
    /// How long it may take to end by itself.
    pub(super) patience: Duration,
    /// The same for one that makes no sense any more.
    pub(super) grace: Duration,
    /// The longest line that it may write, in bytes.
    pub(super) longest: usize,
    /// It leads a process group, and the whole group ends with it.
    pub(super) leads_group: bool,
    /// Number of the first call.
    pub(super) first: u64,
    /// Reads a line.
    pub(super) read: fn(&[u8]) -> Read<G>,
}

/// A connection to an agent. Dropping it ends the agent, and with it every handle that it holds.
#[derive(Debug)]
pub(super) struct Link<G = Given> {
    patience: Duration,
    grace: Duration,
    process: Mutex<Process>,
    input: Mutex<Option<OwnedFd>>,
    desk: Arc<Desk<G>>,
    reader: Mutex<Option<JoinHandle<()>>>,
}

/// Why a call gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// The agent is gone, and what its program said last. [`Link::cause`] knows more.
    Gone(String),
    /// The agent is there and could not do it.
    Failed(String),
}

impl<G: DeserializeOwned + Send + 'static> Link<G> {
    /// Talks to an agent, which is one of ours, over its three pipes.
    pub(super) fn open(started: Started) -> Result<Self, String> {
        let manners = Manners {
            patience: PATIENCE,
            grace: PATIENCE,
            longest: usize::MAX,
            leads_group: false,
            first: 1,
            read: |line| {
                let reply: Reply<G> =
                    serde_json::from_slice(line).map_err(|error| error.to_string())?;
                Ok((reply.id, reply.given))
            },
        };
        Self::open_with(started, &manners)
    }

    /// Asks an agent and waits.
    pub(super) fn ask(&self, ask: impl Serialize) -> Result<G, Lost> {
        self.exchange(None, |id| serde_json::to_vec(&Call { id, ask }))
    }

    /// The same, for so long at the most: an agent that is late is killed.
    pub(super) fn ask_within(&self, limit: Duration, ask: impl Serialize) -> Result<G, Lost> {
        self.exchange(Some(limit), |id| serde_json::to_vec(&Call { id, ask }))
    }
}

impl<G: Send + 'static> Link<G> {
    /// Talks to a child over its three pipes.
    pub(super) fn open_with(started: Started, manners: &Manners<G>) -> Result<Self, String> {
        // From here on dropping it ends the child, whatever fails.
        let process = Process::new(started.pid, manners.leads_group);
        let Started {
            input,
            output,
            errors,
            ..
        } = started;
        let prepare = || -> Result<_, Errno> {
            unblock(&input)?;
            unblock(&output)?;
            unblock(&errors)?;
            eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
        };
        let bell = prepare().map_err(|errno| std::io::Error::from(errno).to_string())?;
        let desk = Arc::new(Desk::new(bell, manners.first));
        let reader = Reader {
            output: Some(output),
            errors: Some(errors),
            lines: Lines::new(manners.longest, manners.read),
            desk: Arc::clone(&desk),
        };
        let reader = std::thread::Builder::new()
            .name("layerspec-link".to_owned())
            .spawn(move || reader.run())
            .map_err(|error| error.to_string())?;
        Ok(Self {
            patience: manners.patience,
            grace: manners.grace,
            process: Mutex::new(process),
            input: Mutex::new(Some(input)),
            desk,
            reader: Mutex::new(Some(reader)),
        })
    }

    /// Sends the line that `write` makes of the call's number, and waits for the reply, for ever or no longer than
    /// `limit`. A process that is late is killed.
    pub(super) fn exchange(
        &self,
        limit: Option<Duration>,
        write: impl FnOnce(u64) -> serde_json::Result<Vec<u8>>,
    ) -> Result<G, Lost> {
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        let (give, take) = sync_channel(1);
        let Some(id) = self.desk.register(give) else {
            return Err(self.gone());
        };
        let mut line = match write(id) {
            Ok(line) => line,
            Err(error) => {
                self.desk.forget(id);
                return Err(Lost::Failed(error.to_string()));
            }
        };
        line.push(b'\n');
        if let Err(errno) = self.send(&line, deadline) {
            if errno == Errno::TIMEDOUT {
                self.desk.close("it does not read its standard input");
                self.kill();
            } else {
                self.desk.close(DEAF);
            }
            return Err(self.gone());
        }
        let received = match deadline {
            None => take.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(deadline) => take.recv_timeout(deadline.saturating_duration_since(Instant::now())),
        };
        match received {
            Ok(given) => given.map_err(Lost::Failed),
            Err(RecvTimeoutError::Disconnected) => Err(self.gone()),
            Err(RecvTimeoutError::Timeout) => {
                let limit = humantime::format_duration(limit.unwrap_or_default());
                self.desk.close(&format!("it gave no answer in {limit}"));
                self.kill();
                Err(self.gone())
            }
        }
    }

    fn send(&self, line: &[u8], deadline: Option<Instant>) -> Result<(), Errno> {
        let mut input = lock(&self.input);
        let input = input.as_mut().ok_or(Errno::PIPE)?;
        let mut rest = line;
        while !rest.is_empty() {
            match rustix::io::write(&mut *input, rest) {
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    let left = match deadline {
                        None => None,
                        Some(deadline) => {
                            let left = deadline.saturating_duration_since(Instant::now());
                            if left.is_zero() {
                                return Err(Errno::TIMEDOUT);
                            }
                            Timespec::try_from(left).ok()
                        }
                    };
                    let mut writable = [PollFd::new(&*input, PollFlags::OUT)];
                    match poll(&mut writable, left.as_ref()) {
                        Ok(_) | Err(Errno::INTR) => {}
                        Err(errno) => return Err(errno),
                    }
                }
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    }

    fn gone(&self) -> Lost {
        self.end_within(self.grace);
        Lost::Gone(self.desk.said_since(0))
    }
}

impl<G> Link<G> {
    /// Lets the process take so long to tidy up when it is to end.
    pub(super) fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self.grace = patience;
        self
    }

    /// Whether the process has ended, or makes no sense any more.
    pub(super) fn is_gone(&self) -> bool {
        self.desk.is_closed()
    }

    /// Why the process is gone, as a sentence: `it gave no answer in 30s`.
    pub(super) fn cause(&self) -> Option<String> {
        self.desk.cause()
    }

    /// How much the process has written on its standard error so far, for [`Self::said_since`].
    pub(super) fn mark(&self) -> u64 {
        self.desk.mark()
    }

    /// What the process has written on its standard error since a mark, as far as it is kept. All that it wrote
    /// before it gave the last answer is there.
    pub(super) fn said_since(&self, mark: u64) -> String {
        self.desk.said_since(mark)
    }

    /// Ends the process: at the end of its input it ends by itself, and what is left is killed. Gives whether it
    /// ended by itself.
    pub(super) fn end(&self) -> bool {
        self.end_within(self.patience)
    }

    fn end_within(&self, patience: Duration) -> bool {
        lock(&self.input).take();
        let by_itself = lock(&self.process).end(patience);
        if let Some(status) = by_itself {
            self.desk.explain(&format!("it has ended ({status})"));
        }
        self.join();
        by_itself.is_some()
    }

    /// Whether a process that ended by itself left others of its group behind. They are killed.
    pub(super) fn left_others(&self) -> bool {
        lock(&self.process).left_others()
    }

    /// Kills the process.
    pub(super) fn kill(&self) {
        lock(&self.process).end(Duration::ZERO);
        self.join();
    }

    /// Lets the reader take what is there and end.
    fn join(&self) {
        let mut reader = lock(&self.reader);
        if let Some(reader) = reader.take() {
            self.desk.ring();
            reader.join().ok();
        }
    }
}

impl<G> Drop for Link<G> {
    fn drop(&mut self) {
        self.end();
    }
}

fn unblock(pipe: impl AsFd) -> Result<(), Errno> {
    let flags = fcntl_getfl(&pipe)?;
    fcntl_setfl(&pipe, flags | OFlags::NONBLOCK)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
