//! What tests of several modules build scenarios, worlds and engines from.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use crate::engine::{
    Absent, Answer, Bytes, Capability, ContainerSeen, ContainerSpec, ContainerState, Content,
    Description, Engine, EngineFault, Errno, FileAction, FileAnswer, FileRequest, MountSeen, Node,
    NodeKind, OpenOptions, Operation, Place, Provider, Refusal, Seen, SeenKind, Storage, Target,
    Value, VolumeRef, VolumeSeen, VolumeSpec, World,
};
use crate::scenario::{Action, At, Check, CheckKind, Expect, Scenario, SourceFile, Step};

/// An engine that answers from a script and shows a world; without a script every operation is
/// done.
#[derive(Default)]
pub(crate) struct Fake {
    pub(crate) script: Mutex<VecDeque<Answer>>,
    pub(crate) world: World,
    pub(crate) asked: Arc<Mutex<Vec<Operation>>>,
    pub(crate) batches: bool,
    /// Panics at this operation's words.
    pub(crate) panics_at: Option<&'static str>,
    /// Waits for ever at this operation's words, until the other end is dropped.
    pub(crate) hangs_at: Option<(&'static str, Mutex<std::sync::mpsc::Receiver<()>>)>,
}

impl Engine for Fake {
    fn perform(&self, operation: &Operation) -> Answer {
        self.asked.lock().unwrap().push(operation.clone());
        let words = crate::outcome::operation_words(operation);
        assert_ne!(self.panics_at, Some(words.as_str()), "as told");
        if let Some((at, wait)) = &self.hangs_at
            && *at == words
        {
            wait.lock().unwrap().recv().ok();
        }
        if let Some(answer) = self.script.lock().unwrap().pop_front() {
            return answer;
        }
        match operation {
            Operation::Files { requests, .. } => {
                let done = FileAnswer {
                    result: Ok(Value::Nothing),
                    changed: Vec::new(),
                };
                Answer::Done(Value::Files(vec![done; requests.len()]))
            }
            _ => Answer::Done(Value::Nothing),
        }
    }

    fn observe(&self) -> Result<World, EngineFault> {
        Ok(self.world.clone())
    }

    fn batches(&self) -> bool {
        self.batches
    }
}

/// Provides the fakes that it is given, one after the other.
#[derive(Default)]
pub(crate) struct FakeProvider(pub(crate) Mutex<VecDeque<Fake>>);

impl FakeProvider {
    pub(crate) fn of(fake: Fake) -> Self {
        Self(Mutex::new(VecDeque::from([fake])))
    }
}

impl Provider for FakeProvider {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn probe(&self, _: &OpenOptions) -> Result<Description, Absent> {
        Ok(description(&[]))
    }

    fn open(&self, _: &OpenOptions) -> Result<Box<dyn Engine>, EngineFault> {
        match self.0.lock().unwrap().pop_front() {
            Some(fake) => Ok(Box::new(fake)),
            None => Err(EngineFault("no more fakes".to_owned())),
        }
    }
}

pub(crate) fn description(capabilities: &[Capability]) -> Description {
    Description {
        name: "fake".to_owned(),
        file_system: "memory".to_owned(),
        capabilities: capabilities.iter().copied().collect(),
        ..Description::default()
    }
}

pub(crate) fn scenario(steps: Vec<Step>) -> Scenario {
    Scenario {
        file: Arc::new(SourceFile {
            path: "scenarios/a/b.yaml".into(),
            text: String::new(),
        }),
        stem: "a/b".to_owned(),
        case: Vec::new(),
        title: "It works: \"always\"".to_owned(),
        about: None,
        covers: Vec::new(),
        requires: Vec::new(),
        differs: BTreeMap::new(),
        images: Vec::new(),
        host: crate::engine::Tree::default(),
        volumes: Vec::new(),
        steps,
    }
}

pub(crate) fn step(number: &str, operation: Operation) -> Step {
    Step {
        number: number.to_owned(),
        at: At::default(),
        note: None,
        when: None,
        action: Action::Operation(operation),
        expect: None,
    }
}

/// With expectations of the value.
pub(crate) fn checked(mut step: Step, checks: Vec<CheckKind>) -> Step {
    let checks = checks
        .into_iter()
        .map(|kind| Check {
            at: At::default(),
            kind,
        })
        .collect();
    step.expect = Some(Expect {
        at: At::default(),
        error: Vec::new(),
        checks,
    });
    step
}

/// With an expected error.
pub(crate) fn refused(mut step: Step, code: crate::engine::Code) -> Step {
    step.expect = Some(Expect {
        at: At::default(),
        error: vec![code],
        checks: Vec::new(),
    });
    if let Action::Operation(Operation::Files { requests, .. }) = &mut step.action {
        for request in requests {
            request.stop_on_refusal = false;
        }
    }
    step
}

pub(crate) fn container(name: &str) -> Place {
    Place::Container(name.to_owned())
}

pub(crate) fn file(place: Place, action: FileAction) -> Operation {
    let request = FileRequest {
        action,
        stop_on_refusal: true,
    };
    Operation::Files {
        place,
        user: None,
        requests: vec![request],
    }
}

pub(crate) fn write(path: &str, text: &str) -> FileAction {
    let node = Node::new(NodeKind::File(Content::Bytes(Bytes::from(text))));
    FileAction::Write {
        path: path.to_owned(),
        node,
    }
}

pub(crate) fn read(path: &str) -> FileAction {
    FileAction::Read {
        target: Target::Path(path.to_owned()),
        offset: None,
        length: None,
    }
}

pub(crate) fn delete(path: &str) -> FileAction {
    FileAction::Delete {
        path: path.to_owned(),
        recursive: true,
    }
}

pub(crate) fn run(name: &str) -> Operation {
    Operation::Run(spec(name))
}

pub(crate) fn spec(name: &str) -> ContainerSpec {
    ContainerSpec {
        name: name.to_owned(),
        image: "app".to_owned(),
        ..ContainerSpec::default()
    }
}

pub(crate) fn remove(name: &str) -> Operation {
    Operation::Remove {
        container: name.to_owned(),
        force: true,
        volumes: false,
    }
}

pub(crate) fn volume_create(name: &str) -> Operation {
    Operation::VolumeCreate(VolumeSpec {
        name: Some(name.to_owned()),
        ..VolumeSpec::default()
    })
}

pub(crate) fn done(value: Value) -> Answer {
    Answer::Done(value)
}

/// What one file request gave.
pub(crate) fn gave(value: Value) -> Answer {
    Answer::Done(Value::Files(vec![FileAnswer {
        result: Ok(value),
        changed: Vec::new(),
    }]))
}

/// One file request that changed these places.
pub(crate) fn changed(places: &[(Storage, &str)]) -> Answer {
    let changed = places
        .iter()
        .map(|(s, path)| (s.clone(), (*path).to_owned()))
        .collect();
    Answer::Done(Value::Files(vec![FileAnswer {
        result: Ok(Value::Nothing),
        changed,
    }]))
}

/// One file request that was refused.
pub(crate) fn errno(name: &str) -> Answer {
    let refusal = Refusal::errno(name.parse::<Errno>().unwrap());
    Answer::Done(Value::Files(vec![FileAnswer {
        result: Err(refusal),
        changed: Vec::new(),
    }]))
}

pub(crate) fn writable(container: &str) -> Storage {
    Storage::Writable {
        container: container.to_owned(),
    }
}

pub(crate) fn volume(name: &str) -> Storage {
    Storage::Volume(VolumeRef::Named(name.to_owned()))
}

pub(crate) fn layer(image: &str, number: usize) -> Storage {
    Storage::Layer {
        image: image.to_owned(),
        number,
    }
}

pub(crate) fn tmpfs(container: &str, target: &str) -> Storage {
    Storage::Tmpfs {
        container: container.to_owned(),
        target: target.to_owned(),
    }
}

/// An entry whose path in its storage is the path as seen.
pub(crate) fn seen(path: &str, kind: SeenKind, storage: Storage) -> Seen {
    seen_at(path, path, kind, storage)
}

pub(crate) fn seen_at(path: &str, inner: &str, kind: SeenKind, storage: Storage) -> Seen {
    let mode = match kind {
        SeenKind::Directory => 0o755,
        SeenKind::Symlink(_) => 0o777,
        _ => 0o644,
    };
    Seen {
        path: path.to_owned(),
        kind,
        mode,
        uid: 0,
        gid: 0,
        xattrs: BTreeMap::new(),
        same_file_as: None,
        storage,
        inner: inner.to_owned(),
    }
}

pub(crate) fn text_file(text: &str) -> SeenKind {
    SeenKind::File {
        size: text.len() as u64,
        content: Some(Bytes::from(text)),
        sha256: None,
    }
}

pub(crate) fn container_seen(name: &str, mounts: &[(&str, Storage)]) -> ContainerSeen {
    ContainerSeen {
        name: name.to_owned(),
        image: "app".to_owned(),
        state: ContainerState::Running,
        exit_code: None,
        mounts: mounts
            .iter()
            .map(|(target, storage)| MountSeen {
                target: (*target).to_owned(),
                storage: storage.clone(),
                read_only: false,
            })
            .collect(),
    }
}

pub(crate) fn volume_seen(name: &str) -> VolumeSeen {
    VolumeSeen {
        volume: VolumeRef::Named(name.to_owned()),
        driver: "local".to_owned(),
        labels: BTreeMap::new(),
        options: BTreeMap::new(),
        used_by: Vec::new(),
    }
}
