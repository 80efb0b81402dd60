//! The loop: calls in, a thread for each, replies out.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{Mode, OFlags};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::contained::enter;
use super::devices::Devices;
use super::files::{Batch, OpenFile};
use super::user::User;
use super::wire::{Ask, Call, Given, Reply};
use super::{leads_out, plant, walk};
use crate::engine::Refusal;

/// Mask of a container's first process and of `docker exec`.
const UMASK: Mode = Mode::from_raw_mode(0o022);

/// What all calls share.
#[derive(Debug)]
pub(super) struct Shared {
    /// This process's `/proc/self/fd`, opened before the root changed: it tells where an open file lies.
    pub(super) descriptors: OwnedFd,
    /// Open files that scenarios name.
    pub(super) handles: Mutex<BTreeMap<String, Arc<OpenFile>>>,
    /// Who acts when a call names nobody.
    user: Option<User>,
    /// What may be opened of the devices on a disk that has none.
    pub(super) devices: Option<Devices>,
}

impl Shared {
    pub(super) fn new(user: Option<User>) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self {
            descriptors: rustix::fs::open("/proc/self/fd", flags, Mode::empty())?,
            handles: Mutex::default(),
            user,
            devices: None,
        })
    }

    /// Does what a call asks for. All calls of a container name the same directory, so it does not matter who is first.
    pub(super) fn answer(&self, ask: Ask) -> Result<Given, String> {
        let failed = |errno: rustix::io::Errno| io::Error::from(errno).to_string();
        match ask {
            Ask::Files {
                user,
                directory,
                requests,
            } => {
                let user = match user {
                    None => self.user.clone(),
                    Some(user) => match User::named(&user) {
                        Ok(user) => Some(user),
                        Err(refusal) => return Ok(Given::Refused(refusal)),
                    },
                };
                if let Err(errno) = directory.map_or(Ok(()), rustix::process::chdir) {
                    return Ok(Given::Refused(Refusal::errno(errno.into())));
                }
                if let Some(user) = user {
                    user.become_it().map_err(failed)?;
                }
                Ok(Given::Files(Batch::new(self).perform(&requests)))
            }
            Ask::FilesAs {
                user,
                directory,
                requests,
            } => {
                if let Err(errno) = rustix::process::chdir(&*directory) {
                    return Ok(Given::Refused(Refusal::errno(errno.into())));
                }
                User::from(user).become_it().map_err(failed)?;
                Ok(Given::Files(Batch::new(self).perform(&requests)))
            }
            Ask::Enter(_) => Err("it is too late to enter a container".to_owned()),
            Ask::Walk {
                top,
                without,
                content,
            } => walk::walk(&top, &without, content)
                .map(Given::Found)
                .map_err(failed),
            Ask::Look { top, path } => {
                Ok(Given::Found(walk::one(&top, &path).into_iter().collect()))
            }
            Ask::Real { path } => {
                let real = std::fs::canonicalize(path).ok();
                Ok(Given::Path(
                    real.and_then(|path| path.into_os_string().into_string().ok()),
                ))
            }
            Ask::Opened { handle } => Ok(Given::Path(Batch::new(self).place_of_handle(&handle))),
            Ask::LeadsOut { top, paths } => {
                let out = paths
                    .into_iter()
                    .find(|path| leads_out(Path::new(&top), path));
                Ok(Given::Path(out))
            }
            Ask::Plant { top, tree } => plant::plant(&top, &tree)
                .map(|()| Given::Nothing)
                .map_err(|(path, errno)| format!("{path}: {}", failed(errno))),
            Ask::Remove { top } => match plant::remove(Path::new(&top)) {
                Ok(()) => Ok(Given::Nothing),
                Err(error) => Err(error.to_string()),
            },
        }
    }
}

/// Serves calls until standard input ends.
pub(super) fn serve(root: Option<&Path>) -> io::Result<()> {
    rustix::process::umask(UMASK);
    let user = match root {
        None => User::of_first_process(),
        Some(_) => None,
    };
    let shared = Shared::new(user)?;
    if let Some(root) = root {
        rustix::process::chroot(root)?;
        rustix::process::chdir("/")?;
    }
    answer_calls(move |ask| shared.answer(ask))
}

/// The first process of a container whose disk it mounts itself, of detached mounts: enters what the first call says of
/// them, and serves the others.
pub(super) fn contained(detached: Vec<OwnedFd>) -> io::Result<()> {
    rustix::process::umask(UMASK);
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let call: Call = serde_json::from_str(&line)?;
    let Ask::Enter(disk) = call.ask else {
        return Err(io::Error::other("the first call is to tell the disk"));
    };
    let shared = Shared {
        devices: Some(Devices::new(&disk.place)?),
        ..Shared::new(None)?
    };
    let given = enter(&disk, &detached).map(Given::Entered);
    drop(detached);
    reply(&Mutex::new(io::stdout()), call.id, given);
    answer_calls(move |ask| shared.answer(ask))
}

/// Answers calls on standard input, a thread for each, until it ends.
///
/// # Errors
/// When standard input cannot be read, or is no call.
pub(crate) fn answer_calls<A, G>(
    answer: impl Fn(A) -> Result<G, String> + Send + Sync + 'static,
) -> io::Result<()>
where
    A: DeserializeOwned + Send + 'static,
    G: Serialize,
{
    let answer = Arc::new(answer);
    let replies = Arc::new(Mutex::new(io::stdout()));
    for line in io::stdin().lock().lines() {
        let call: Call<A> = serde_json::from_str(&line?)?;
        let (answer, replies) = (Arc::clone(&answer), Arc::clone(&replies));
        // A thread has credentials of its own, and one that waits for ever holds up no other.
        std::thread::Builder::new().spawn(move || reply(&replies, call.id, answer(call.ask)))?;
    }
    Ok(())
}

fn reply<G: Serialize>(replies: &Mutex<io::Stdout>, id: u64, given: Result<G, String>) {
    if let Ok(mut line) = serde_json::to_vec(&Reply { id, given }) {
        line.push(b'\n');
        let mut replies = replies.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody waits for it when the pipe is closed.
        replies.write_all(&line).and_then(|()| replies.flush()).ok();
    }
}
