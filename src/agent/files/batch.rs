//! One batch of requests by one process.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::sync::{Arc, PoisonError};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::super::Result;
use super::super::serve::Shared;
use super::super::wire::Done;
use super::file::OpenFile;
use crate::engine::{FileAction, FileFamily, FileRequest, OpenFlag, Refusal, Target, Value};

/// Every open: never waiting for the other end of a pipe, and no terminal of ours.
const ALWAYS: OFlags = OFlags::CLOEXEC
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY);

/// One batch of requests by one process.
pub(in crate::agent) struct Batch<'a> {
    pub(super) shared: &'a Shared,
    changed: Vec<String>,
}

/// A target with its handle looked up.
pub(in crate::agent) enum Resolved<'a> {
    Path(&'a str),
    File(Arc<OpenFile>),
}

impl<'a> Batch<'a> {
    pub(in crate::agent) fn new(shared: &'a Shared) -> Self {
        Self {
            shared,
            changed: Vec::new(),
        }
    }

    /// Performs requests in order, up to a refusal that stops the batch.
    pub(in crate::agent) fn perform(&mut self, requests: &[FileRequest]) -> Vec<Done> {
        let mut answers = Vec::with_capacity(requests.len());
        for request in requests {
            let result = self
                .act(&request.action)
                .map_err(|errno| Refusal::errno(errno.into()));
            let stop = result.is_err() && request.stop_on_refusal;
            let mut seen = BTreeSet::new();
            let mut changed = std::mem::take(&mut self.changed);
            changed.retain(|path| seen.insert(path.clone()));
            answers.push(Done { result, changed });
            if stop {
                break;
            }
        }
        answers
    }

    fn act(&mut self, action: &FileAction) -> Result<Value> {
        let done = match action.family() {
            FileFamily::Look => return self.look(action),
            FileFamily::Data => self.change_data(action),
            FileFamily::Handle => self.use_handle(action),
            FileFamily::Attributes => self.change_attributes(action),
            FileFamily::Names => self.change_names(action),
        };
        done.map(|()| Value::Nothing)
    }

    /// Notes where something was changed.
    pub(super) fn note(&mut self, changed: impl IntoIterator<Item = String>) {
        self.changed.extend(changed);
    }

    pub(super) fn resolve<'t>(&self, target: &'t Target) -> Result<Resolved<'t>> {
        match target {
            Target::Path(path) => Ok(Resolved::Path(path)),
            Target::Handle(name) => self.handle(name).map(Resolved::File),
        }
    }

    /// `EBADF` for a handle that is not open, as for a descriptor.
    pub(super) fn handle(&self, name: &str) -> Result<Arc<OpenFile>> {
        let handles = self.shared.handles.lock();
        let handles = handles.unwrap_or_else(PoisonError::into_inner);
        handles.get(name).cloned().ok_or(Errno::BADF)
    }

    /// Keeps an open file under a name, closing what was there; or closes it.
    pub(super) fn keep(&self, name: &str, file: Option<OpenFile>) -> Result<()> {
        let handles = self.shared.handles.lock();
        let mut handles = handles.unwrap_or_else(PoisonError::into_inner);
        match file {
            Some(file) => drop(handles.insert(name.to_owned(), Arc::new(file))),
            None => drop(handles.remove(name).ok_or(Errno::BADF)?),
        }
        Ok(())
    }

    /// `open`, with the devices that a container may use.
    pub(super) fn open_path(&self, path: &str, flags: OFlags, mode: u32) -> Result<OpenFile> {
        match (open(path, flags, mode), &self.shared.devices) {
            (Err(Errno::ACCESS), Some(devices)) => {
                devices.open(&self.shared.descriptors, path, flags | ALWAYS)
            }
            (opened, _) => opened.map(OpenFile::from),
        }
    }

    /// The open file of a handle, or a path opened for one request.
    pub(super) fn open(&self, target: &Target, flags: OFlags) -> Result<Arc<OpenFile>> {
        match self.resolve(target)? {
            Resolved::File(file) => Ok(file),
            Resolved::Path(path) => self.open_path(path, flags, 0o666).map(Arc::new),
        }
    }
}

/// `open`
pub(super) fn open(path: &str, flags: OFlags, mode: u32) -> Result<OwnedFd> {
    let flags = if flags.contains(OFlags::PATH) {
        flags | OFlags::CLOEXEC
    } else {
        flags | ALWAYS
    };
    rustix::fs::open(path, flags, Mode::from_raw_mode(mode))
}

/// The contract's flags as the system call takes them.
pub(super) fn flags(flags: &[OpenFlag]) -> OFlags {
    let has = |flag| flags.contains(&flag);
    let access = match (has(OpenFlag::Read), has(OpenFlag::Write)) {
        (true, true) => OFlags::RDWR,
        (false, true) => OFlags::WRONLY,
        _ => OFlags::RDONLY,
    };
    flags.iter().fold(access, |all, flag| {
        all | match flag {
            OpenFlag::Read | OpenFlag::Write => OFlags::empty(),
            OpenFlag::Append => OFlags::APPEND,
            OpenFlag::Create => OFlags::CREATE,
            OpenFlag::Exclusive => OFlags::EXCL,
            OpenFlag::Truncate => OFlags::TRUNC,
            OpenFlag::Directory => OFlags::DIRECTORY,
            OpenFlag::Nofollow => OFlags::NOFOLLOW,
            OpenFlag::Path => OFlags::PATH,
            OpenFlag::Tmpfile => OFlags::TMPFILE,
        }
    })
}
