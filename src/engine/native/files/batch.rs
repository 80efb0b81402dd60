//! One batch of requests by one process.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::session::Session;
use crate::engine::{FileAction, FileAnswer, FileFamily, Refusal, Storage, Target, Value};
use crate::rootfs::{Changed, OpenFile, OpenFlag, OpenHow, Process, Subject};
use crate::union::Result;

/// One batch of requests by one process.
pub(super) struct Batch<'a> {
    pub(super) session: &'a Session,
    pub(super) process: Process,
    changed: Vec<Changed>,
}

/// A target with its handle looked up.
pub(super) enum Resolved<'a> {
    Path(&'a str),
    File(Arc<OpenFile>),
}

impl<'a> Batch<'a> {
    pub(super) fn new(session: &'a Session, process: Process) -> Self {
        Self {
            session,
            process,
            changed: Vec::new(),
        }
    }

    /// Performs one request.
    pub(super) fn answer(&mut self, action: &FileAction) -> FileAnswer {
        let result = self
            .act(action)
            .map_err(|errno| Refusal::errno(errno.into()));
        FileAnswer {
            result,
            changed: self.take_changed(),
        }
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

    /// Notes what a system call changed.
    pub(super) fn note(&mut self, changed: impl IntoIterator<Item = Changed>) {
        self.changed.extend(changed);
    }

    /// What the request changed, each place once, in the order of the changes.
    fn take_changed(&mut self) -> Vec<(Storage, String)> {
        let mut seen = BTreeSet::new();
        let changed = std::mem::take(&mut self.changed);
        let once = changed
            .into_iter()
            .filter(|changed| seen.insert(changed.clone()));
        let view = &self.session.view;
        once.filter_map(|changed| view.place(&changed)).collect()
    }

    pub(super) fn resolve<'t>(&self, target: &'t Target) -> Result<Resolved<'t>> {
        match target {
            Target::Path(path) => Ok(Resolved::Path(path)),
            Target::Handle(name) => self.session.handle(name).map(Resolved::File),
        }
    }

    /// The open file of a handle, or a path opened for one request.
    pub(super) fn open(&mut self, target: &Target, flags: &[OpenFlag]) -> Result<Arc<OpenFile>> {
        match self.resolve(target)? {
            Resolved::File(file) => Ok(file),
            Resolved::Path(path) => {
                let opened = self
                    .process
                    .open(path.as_ref(), OpenHow::new(flags), 0o666)?;
                self.note(opened.changed);
                Ok(Arc::new(opened.file))
            }
        }
    }
}

impl Resolved<'_> {
    pub(super) fn subject(&self, follow: bool) -> Subject<'_> {
        match self {
            Self::Path(path) => Subject::Path {
                path: path.as_ref(),
                follow,
            },
            Self::File(file) => Subject::File(file),
        }
    }
}
