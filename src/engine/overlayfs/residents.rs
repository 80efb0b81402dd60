//! Processes of containers, which a process that has started once becomes by forks.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};

use crate::agent::{Mode, VARIABLE, fork};
use crate::engine::link::{Link, Process, Started, pid};

/// Starts them.
#[derive(Debug, Default)]
pub(super) struct Residents(Mutex<Option<Zygote>>);

/// The process that forks. It is killed when this is dropped; what it has become is not.
#[derive(Debug)]
struct Zygote {
    socket: UnixStream,
    _process: Process,
}

impl Residents {
    /// One that has these detached mounts in its hand.
    ///
    /// # Errors
    /// Why none can be started, as a sentence fragment.
    pub(super) fn take(&self, mounts: &[OwnedFd]) -> Result<Link, String> {
        let mut zygote = self.zygote();
        let mut started = match &*zygote {
            Some(zygote) => zygote.fork(mounts),
            None => Err(io::Error::from(Errno::PIPE)),
        };
        if started.as_ref().is_err_and(is_gone) {
            let new = Zygote::start().map_err(|error| words(&error))?;
            started = zygote.insert(new).fork(mounts);
        }
        drop(zygote);
        Link::open(started.map_err(|error| words(&error))?)
    }

    /// Starts no more.
    pub(super) fn dismiss(&self) {
        let zygote = self.zygote().take();
        drop(zygote);
    }

    fn zygote(&self) -> MutexGuard<'_, Option<Zygote>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Zygote {
    fn start() -> io::Result<Self> {
        let (socket, its) = UnixStream::pair()?;
        let child = Command::new("/proc/self/exe")
            .env(VARIABLE, Mode::Zygote.to_string())
            .stdin(OwnedFd::from(its))
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()?;
        let pid = pid(child.id()).ok_or(Errno::SRCH)?;
        Ok(Self {
            socket,
            _process: Process::new(pid, false),
        })
    }

    fn fork(&self, mounts: &[OwnedFd]) -> io::Result<Started> {
        let (its_input, input) = pipe_with(PipeFlags::CLOEXEC)?;
        let (output, its_output) = pipe_with(PipeFlags::CLOEXEC)?;
        let (errors, its_errors) = pipe_with(PipeFlags::CLOEXEC)?;
        let pid = fork(&self.socket, [its_input, its_output, its_errors], mounts)?;
        Ok(Started {
            pid,
            input,
            output,
            errors,
        })
    }
}

/// Whether there is no zygote any more.
fn is_gone(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::PIPE | Errno::CONNRESET)
    )
}

fn words(error: &io::Error) -> String {
    format!("cannot start a process: {error}")
}
