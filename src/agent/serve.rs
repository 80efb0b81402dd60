//! The loop: calls in, a thread for each, replies out.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{Mode, OFlags};

use super::files::Batch;
use super::user::User;
use super::wire::{Ask, Call, Given, Reply};
use super::{leads_out, plant, walk};

/// Mask of a container's first process and of `docker exec`.
const UMASK: Mode = Mode::from_raw_mode(0o022);

/// What all calls share.
#[derive(Debug)]
pub(super) struct Shared {
    /// This process's `/proc/self/fd`, opened before the root changed: it tells where an open file lies.
    pub(super) descriptors: OwnedFd,
    /// Open files that scenarios name.
    pub(super) handles: Mutex<BTreeMap<String, Arc<OwnedFd>>>,
    /// Who acts when a call names nobody.
    user: Option<User>,
}

impl Shared {
    pub(super) fn new(user: Option<User>) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self {
            descriptors: rustix::fs::open("/proc/self/fd", flags, Mode::empty())?,
            handles: Mutex::default(),
            user,
        })
    }

    /// Does what a call asks for.
    pub(super) fn answer(&self, ask: Ask) -> Result<Given, String> {
        let failed = |errno: rustix::io::Errno| io::Error::from(errno).to_string();
        match ask {
            Ask::Files { user, requests } => {
                let user = match user {
                    None => self.user.clone(),
                    Some(user) => match User::named(&user) {
                        Ok(user) => Some(user),
                        Err(refusal) => return Ok(Given::Refused(refusal)),
                    },
                };
                if let Some(user) = user {
                    user.become_it().map_err(failed)?;
                }
                Ok(Given::Files(Batch::new(self).perform(&requests)))
            }
            Ask::Walk {
                top,
                without,
                content,
            } => walk::walk(&top, &without, content)
                .map(Given::Found)
                .map_err(failed),
            Ask::Real { path } => {
                let real = std::fs::canonicalize(path).ok();
                Ok(Given::Path(
                    real.and_then(|path| path.into_os_string().into_string().ok()),
                ))
            }
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
    let shared = Arc::new(Shared::new(user)?);
    if let Some(root) = root {
        rustix::process::chroot(root)?;
        rustix::process::chdir("/")?;
    }
    let replies = Arc::new(Mutex::new(io::stdout()));
    for line in io::stdin().lock().lines() {
        let call: Call = serde_json::from_str(&line?)?;
        let (shared, replies) = (Arc::clone(&shared), Arc::clone(&replies));
        // A thread has credentials of its own, and one that waits for ever holds up no other.
        std::thread::Builder::new().spawn(move || {
            let reply = Reply {
                id: call.id,
                given: shared.answer(call.ask),
            };
            if let Ok(mut line) = serde_json::to_vec(&reply) {
                line.push(b'\n');
                let mut replies = replies.lock().unwrap_or_else(PoisonError::into_inner);
                // Nobody waits for it when the pipe is closed.
                replies.write_all(&line).and_then(|()| replies.flush()).ok();
            }
        })?;
    }
    Ok(())
}
