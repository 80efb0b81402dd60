//! How often each operation and each form was reached, and how it was answered.

use std::collections::BTreeMap;

use super::difference::{Run, refused, succeeded};
use crate::engine::{
    Content, FileAction, FileRequest, MountRequest, MountSource, NodeKind, Operation, Place,
    Target, Tree, VolumeRef,
};
use crate::run::all_steps;
use crate::scenario::{Action, Scenario, action_name, operation_name};

/// How often something was done and refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Answered with success.
    pub done: u64,
    /// Answered with a refusal.
    pub refused: u64,
}

/// What was reached, by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Operations, by their names in the language.
    pub operations: BTreeMap<String, Count>,
    /// Forms: of mounts, of trees, of targets, of places.
    pub forms: BTreeMap<String, Count>,
}

impl Reach {
    /// Everything that a scenario reached, answered as this run has it.
    pub(super) fn of(scenario: &Scenario, run: &Run) -> Self {
        let mut reach = Self::default();
        let Ok(execution) = run else {
            return reach;
        };
        for image in &scenario.images {
            for layer in &image.layers {
                reach.tree("layer", layer);
            }
            let config = &image.config;
            for (form, is_there) in [
                ("image: VOLUME", !config.volumes.is_empty()),
                ("image: USER", config.user.is_some()),
                ("image: WORKDIR", config.working_dir.is_some()),
                ("image: from", image.from.is_some()),
            ] {
                if is_there {
                    reach.form(form, true);
                }
            }
        }
        reach.tree("host", &scenario.host);
        for (_, content) in &scenario.volumes {
            reach.tree("volume", content);
        }
        for (step, outcome) in all_steps(&scenario.steps)
            .into_iter()
            .zip(&execution.outcome.steps)
        {
            let is_done = outcome.answer.as_ref().is_some_and(succeeded);
            if let Some(code) = outcome.answer.as_ref().and_then(refused) {
                reach.form(format!("refusal: {code}"), false);
            }
            match &step.action {
                Action::Operation(operation) => reach.operation(operation, is_done),
                Action::Concurrently(_) => reach.named("concurrently", is_done),
            }
        }
        reach
    }

    /// Adds what another reached.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in [
            (&mut self.operations, &other.operations),
            (&mut self.forms, &other.forms),
        ] {
            for (name, count) in theirs {
                let sum = mine.entry(name.clone()).or_default();
                sum.done += count.done;
                sum.refused += count.refused;
            }
        }
    }

    /// How many operations there were, requests of processes each for itself.
    pub fn total(&self) -> u64 {
        self.operations
            .values()
            .map(|count| count.done + count.refused)
            .sum()
    }

    fn named(&mut self, name: &str, is_done: bool) {
        bump(&mut self.operations, name, is_done);
    }

    fn form(&mut self, name: impl AsRef<str>, is_done: bool) {
        bump(&mut self.forms, name.as_ref(), is_done);
    }

    fn operation(&mut self, operation: &Operation, is_done: bool) {
        match operation {
            Operation::Files {
                place,
                user,
                requests,
            } => {
                self.form(place_form(place), is_done);
                if user.is_some() {
                    self.form("as another user", is_done);
                }
                for request in requests {
                    self.request(request, is_done);
                }
            }
            operation => self.named(operation_name(operation), is_done),
        }
        if let Operation::Create(spec) | Operation::Run(spec) = operation {
            for mount in &spec.mounts {
                for form in mount_forms(mount) {
                    self.form(form, is_done);
                }
            }
            for (form, is_there) in [
                ("mount: volumes_from", !spec.volumes_from.is_empty()),
                ("mount: tmpfs", !spec.tmpfs.is_empty()),
                ("container: read_only", spec.read_only),
                ("container: user", spec.user.is_some()),
                ("container: working_dir", spec.working_dir.is_some()),
                ("container: rm", spec.remove_on_exit),
            ] {
                if is_there {
                    self.form(form, is_done);
                }
            }
        }
    }

    fn request(&mut self, request: &FileRequest, is_done: bool) {
        self.named(action_name(&request.action), is_done);
        match &request.action {
            FileAction::Write { node, .. } => {
                self.form(format!("write: {}", node_form(&node.kind)), is_done);
            }
            FileAction::Rename { mode, .. } => {
                self.form(format!("rename: {mode:?}").to_lowercase(), is_done);
            }
            FileAction::Allocate { mode, .. } => {
                self.form(format!("allocate: {mode:?}").to_lowercase(), is_done);
            }
            FileAction::Open { flags, .. } => {
                for flag in flags {
                    self.form(format!("open: {flag:?}").to_lowercase(), is_done);
                }
            }
            _ => {}
        }
        if has_handle(&request.action) {
            self.form("through a handle", is_done);
        }
    }

    fn tree(&mut self, what: &str, tree: &Tree) {
        for entry in &tree.0 {
            self.form(format!("{what}: {}", node_form(&entry.node.kind)), true);
            if !entry.node.xattrs.is_empty() {
                self.form(format!("{what}: xattrs"), true);
            }
        }
    }
}

fn bump(counts: &mut BTreeMap<String, Count>, name: &str, is_done: bool) {
    if !counts.contains_key(name) {
        counts.insert(name.to_owned(), Count::default());
    }
    if let Some(count) = counts.get_mut(name) {
        if is_done {
            count.done += 1;
        } else {
            count.refused += 1;
        }
    }
}

fn place_form(place: &Place) -> &'static str {
    match place {
        Place::Container(_) => "in: a container",
        Place::Host => "in: host",
        Place::Volume(VolumeRef::Named(_)) => "in: volume",
        Place::Volume(VolumeRef::Anonymous { .. }) => "in: anonymous volume",
    }
}

fn node_form(kind: &NodeKind) -> &'static str {
    match kind {
        NodeKind::File(Content::Bytes(_)) => "file",
        NodeKind::File(Content::Fill { fill: None, .. }) => "hole",
        NodeKind::File(Content::Fill { .. }) => "pattern",
        NodeKind::Directory { opaque: true } => "opaque directory",
        NodeKind::Directory { .. } => "directory",
        NodeKind::Symlink { .. } => "symlink",
        NodeKind::Hardlink { .. } => "hard link",
        NodeKind::Fifo => "fifo",
        NodeKind::Socket => "socket",
        NodeKind::Device { .. } => "device",
        NodeKind::Whiteout => "whiteout",
    }
}

/// Every form that a mount has.
fn mount_forms(mount: &MountRequest) -> Vec<String> {
    match mount {
        MountRequest::Short(text) => {
            let parts: Vec<&str> = text.split(':').collect();
            let kind = match parts.as_slice() {
                [_] => "anonymous",
                [source, ..] if source.starts_with('.') => "./ bind",
                [source, ..] if source.starts_with('/') => "/ bind",
                _ => "volume",
            };
            let mut forms = vec![format!("mount: short {kind}")];
            if let [_, _, mode] = parts.as_slice() {
                forms.push(format!("mount: short mode {mode}"));
            }
            forms
        }
        MountRequest::Long {
            source, read_only, ..
        } => {
            let mut forms = long_forms(source);
            if *read_only {
                forms.push("mount: long read_only");
            }
            forms.into_iter().map(str::to_owned).collect()
        }
    }
}

fn long_forms(source: &MountSource) -> Vec<&'static str> {
    let (kind, options) = match source {
        MountSource::Volume(volume) => {
            let kind = match volume.name {
                Some(_) => "mount: long volume",
                None => "mount: long anonymous volume",
            };
            let options = vec![
                ("mount: long volume nocopy", volume.nocopy),
                ("mount: long volume subpath", volume.subpath.is_some()),
                ("mount: long volume labels", !volume.labels.is_empty()),
            ];
            (kind, options)
        }
        MountSource::Bind(bind) => (
            "mount: long bind",
            vec![
                ("mount: long bind create_host_path", bind.create_host_path),
                ("mount: long bind propagation", bind.propagation.is_some()),
                ("mount: long bind recursive", bind.recursive.is_some()),
                ("mount: long bind selinux", bind.selinux.is_some()),
            ],
        ),
        MountSource::Tmpfs(tmpfs) => (
            "mount: long tmpfs",
            vec![
                ("mount: long tmpfs size", tmpfs.size.is_some()),
                ("mount: long tmpfs mode", tmpfs.mode.is_some()),
            ],
        ),
        MountSource::Image { subpath, .. } => (
            "mount: long image",
            vec![("mount: long image subpath", subpath.is_some())],
        ),
    };
    let given = options
        .into_iter()
        .filter(|(_, is_given)| *is_given)
        .map(|(form, _)| form);
    [kind].into_iter().chain(given).collect()
}

fn has_handle(action: &FileAction) -> bool {
    use FileAction as A;
    match action {
        A::WriteAt { target, .. }
        | A::Append { target, .. }
        | A::Read { target, .. }
        | A::Truncate { target, .. }
        | A::Allocate { target, .. }
        | A::SeekData { target, .. }
        | A::SeekHole { target, .. }
        | A::Chmod { target, .. }
        | A::Chown { target, .. }
        | A::Touch { target, .. }
        | A::SetXattr { target, .. }
        | A::GetXattr { target, .. }
        | A::ListXattr { target }
        | A::RemoveXattr { target, .. }
        | A::List { target }
        | A::Stat { target, .. }
        | A::Sync { target } => matches!(target, Target::Handle(_)),
        A::Close { .. } | A::Lock { .. } | A::LinkHandle { .. } => true,
        _ => false,
    }
}
