//! Processes of containers. To start one takes longer than most of what it is asked to do, so the next one is
//! started while the last one ends, which is a time of waiting.

use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use crate::agent::{Mode, VARIABLE, send_files};
use crate::engine::link::Link;

/// Starts processes, one ahead at the most.
#[derive(Debug, Default)]
pub(super) struct Residents(Mutex<Option<JoinHandle<Started>>>);

type Started = Result<Waiting, String>;

/// A process that waits for its disk.
#[derive(Debug)]
struct Waiting {
    /// One more descriptor of its standard input. It is closed first, or the process would not see the end of that.
    input: OwnedFd,
    link: Link,
}

impl Residents {
    /// Has one started, if none is under way.
    pub(super) fn prepare(&self) {
        let mut next = self.next();
        if next.is_none() {
            *next = begin();
        }
    }

    /// One that was given these detached mounts.
    ///
    /// # Errors
    /// Why none can be started, as a sentence fragment.
    pub(super) fn take(&self, mounts: &[OwnedFd]) -> Result<Link, String> {
        let prepared = self.next().take();
        let waiting = match prepared.and_then(started) {
            Some(waiting) if !waiting.link.is_gone() => waiting,
            _ => start()?,
        };
        send_files(&waiting.input, mounts).map_err(|errno| words(&std::io::Error::from(errno)))?;
        Ok(waiting.link)
    }

    /// Ends the one that is under way.
    pub(super) fn dismiss(&self) {
        let next = self.next().take();
        drop(next.and_then(started));
    }

    fn next(&self) -> MutexGuard<'_, Option<JoinHandle<Started>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts one beside what goes on here. Where that cannot be, it is started when it is needed.
fn begin() -> Option<JoinHandle<Started>> {
    Builder::new().spawn(start).ok()
}

fn started(thread: JoinHandle<Started>) -> Option<Waiting> {
    thread.join().ok()?.ok()
}

fn start() -> Started {
    let (family, kind) = (AddressFamily::UNIX, SocketType::STREAM);
    let (ours, its) = socketpair(family, kind, SocketFlags::CLOEXEC, None)
        .map_err(|errno| words(&std::io::Error::from(errno)))?;
    let input = ours.try_clone().map_err(|error| words(&error))?;
    let mut child = Command::new("/proc/self/exe")
        .env(VARIABLE, Mode::Contained.to_string())
        .stdin(its)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|error| words(&error))?;
    child.stdin = Some(ours.into());
    let link = Link::open(child)?;
    Ok(Waiting { input, link })
}

fn words(error: &std::io::Error) -> String {
    format!("cannot start a process: {error}")
}
