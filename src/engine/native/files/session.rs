//! A place where processes run, and the open files that scenarios name.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::super::view::View;
use super::batch::Batch;
use crate::engine::{FileAnswer, FileRequest, Kind, Refusal};
use crate::rootfs::{InvalidUser, OpenFile, Process, container_user, host_root, host_user};
use crate::union::{Caller, Errno, Result};

/// A container from start to stop, the host, or a volume as the host sees it. Dropping it closes every
/// handle.
#[derive(Debug)]
pub(in crate::engine::native) struct Session {
    pub(super) view: View,
    /// Who acts when a request names nobody.
    user: Caller,
    in_container: bool,
    working_directory: String,
    handles: Mutex<BTreeMap<String, Arc<OpenFile>>>,
}

impl Session {
    /// A running container; `user` is that of its configuration.
    ///
    /// # Errors
    /// `invalid-user`
    pub(in crate::engine::native) fn container(
        view: View,
        user: Option<&str>,
        working_directory: &str,
    ) -> Result<Self, Refusal> {
        let user = container_user(&view.rootfs, user).map_err(|error| invalid_user(&error))?;
        Ok(Self::new(view, user, true, working_directory))
    }

    /// The host directory, or a volume as the host sees it; processes there are the host's root.
    pub(in crate::engine::native) fn host(view: View) -> Self {
        Self::new(view, host_root(), false, "/")
    }

    fn new(view: View, user: Caller, in_container: bool, working_directory: &str) -> Self {
        let working_directory = working_directory.to_owned();
        Self {
            view,
            user,
            in_container,
            working_directory,
            handles: Mutex::default(),
        }
    }

    /// Performs requests in order, up to a refusal that stops the batch.
    ///
    /// # Errors
    /// `invalid-user`; an errno when the working directory is gone.
    pub(in crate::engine::native) fn perform(
        &self,
        user: Option<&str>,
        requests: &[FileRequest],
    ) -> Result<Vec<FileAnswer>, Refusal> {
        let mut batch = Batch::new(self, self.process(user)?);
        let mut answers = Vec::with_capacity(requests.len());
        for request in requests {
            let answer = batch.answer(&request.action);
            let stop = answer.result.is_err() && request.stop_on_refusal;
            answers.push(answer);
            if stop {
                break;
            }
        }
        Ok(answers)
    }

    fn process(&self, user: Option<&str>) -> Result<Process, Refusal> {
        let rootfs = &self.view.rootfs;
        let caller = match user {
            None => Ok(self.user.clone()),
            Some(user) if self.in_container => container_user(rootfs, Some(user)),
            Some(user) => host_user(Some(user)),
        };
        let caller = caller.map_err(|error| invalid_user(&error))?;
        Process::new(
            Arc::clone(rootfs),
            caller,
            Path::new(&self.working_directory),
        )
        .map_err(|errno| Refusal::errno(errno.into()))
    }

    /// `EBADF` for a handle that is not open, as for a descriptor.
    pub(super) fn handle(&self, name: &str) -> Result<Arc<OpenFile>> {
        self.handles().get(name).cloned().ok_or(Errno::BADF)
    }

    /// Keeps an open file under a name; what was there is closed, as by `dup2`.
    pub(super) fn keep(&self, name: &str, file: OpenFile) {
        self.handles().insert(name.to_owned(), Arc::new(file));
    }

    /// Closes a handle.
    pub(super) fn close(&self, name: &str) -> Result<()> {
        self.handles().remove(name).map(drop).ok_or(Errno::BADF)
    }

    fn handles(&self) -> MutexGuard<'_, BTreeMap<String, Arc<OpenFile>>> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn invalid_user(error: &InvalidUser) -> Refusal {
    Refusal::kind(Kind::InvalidUser, error.to_string())
}
