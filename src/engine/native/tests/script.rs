//! Scripts: one operation a line in Docker's words, then `=>` and what comes back: `ok`, a value, or the
//! name of the refusal.

use std::sync::Arc;

use tempfile::TempDir;

use super::parse::operation;
use crate::engine::native::NativeProvider;
use crate::engine::{
    Answer, ChangeKind, Engine, ImageConfig, ImageSpec, Node, NodeKind, OpenOptions, Operation,
    Provider, Tree, Value, VolumeRef,
};

/// An engine with an image `app`: `/etc/app.conf` "default" (0644), `/data/` (2750 1000:1000) with `seed` "s", and
/// `base` below it, and an image `vol` that declares `VOLUME /data`.
pub(super) struct Stage {
    pub(super) engine: Box<dyn Engine>,
    _scratch: Arc<TempDir>,
}

pub(super) fn node(kind: NodeKind) -> Node {
    Node::new(kind)
}

pub(super) fn text(text: &str) -> Node {
    node(NodeKind::File(crate::engine::Content::Bytes(text.into())))
}

fn entry(path: &str, node: Node) -> crate::engine::Entry {
    crate::engine::Entry {
        path: path.to_owned(),
        node,
    }
}

impl Stage {
    pub(super) fn new() -> Self {
        let scratch = Arc::new(tempfile::tempdir().unwrap());
        Self::on(&NativeProvider::new(), &scratch)
    }

    pub(super) fn on(provider: &NativeProvider, scratch: &Arc<TempDir>) -> Self {
        let options = OpenOptions {
            scratch: scratch.path().to_owned(),
            keep: false,
        };
        let engine = provider.open(&options).unwrap();
        let stage = Self {
            engine,
            _scratch: Arc::clone(scratch),
        };
        let data = Node {
            mode: Some(0o2750),
            uid: Some(1000),
            gid: Some(1000),
            ..node(NodeKind::Directory { opaque: false })
        };
        let layers = vec![
            Tree(vec![
                entry("/etc/app.conf", text("first")),
                entry("/data", data),
                entry("/data/seed", text("s")),
                entry("/gone", text("x")),
            ]),
            Tree(vec![
                entry("/etc/app.conf", text("default")),
                entry("/gone", node(NodeKind::Whiteout)),
                entry("/etc/passwd", text("app:x:1000:1000::/:\n")),
            ]),
        ];
        let app = ImageSpec {
            name: "app".to_owned(),
            layers,
            ..ImageSpec::default()
        };
        let config = ImageConfig {
            volumes: vec!["/data".to_owned()],
            ..ImageConfig::default()
        };
        let from = Some("app".to_owned());
        let vol = ImageSpec {
            name: "vol".to_owned(),
            from,
            config,
            ..ImageSpec::default()
        };
        for image in [app, vol] {
            let answer = stage.engine.perform(&Operation::LoadImage(image));
            assert_eq!(answer, Answer::Done(Value::Nothing));
        }
        stage
    }

    /// Runs a script.
    pub(super) fn play(&self, script: &str) {
        for line in script
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
        {
            let (command, expected) = line.split_once("=>").expect(line);
            let answer = self.engine.perform(&operation(command.trim()));
            assert_eq!(said(&answer), expected.trim(), "{line}: {answer:?}");
        }
    }
}

/// Runs a script on a fresh stage.
pub(super) fn play(script: &str) {
    Stage::new().play(script);
}

/// An answer in a word.
fn said(answer: &Answer) -> String {
    match answer {
        Answer::Refused(refusal) => refusal.code.to_string(),
        Answer::Broken(why) | Answer::Unsupported(why) => format!("BROKEN {why}"),
        Answer::Done(value) => said_value(value),
    }
}

fn said_value(value: &Value) -> String {
    match value {
        Value::Nothing => "ok".to_owned(),
        Value::Text(text) => text.clone(),
        Value::Bytes(bytes) => format!("{:?}", String::from_utf8_lossy(bytes.as_slice())),
        Value::Names(names) => names.join(" "),
        Value::Stat(stat) => format!("{:o} {}:{}", stat.mode, stat.uid, stat.gid),
        Value::Files(answers) => {
            let said = |answer: &crate::engine::FileAnswer| match &answer.result {
                Ok(value) => said_value(value),
                Err(refusal) => refusal.code.to_string(),
            };
            answers.iter().map(said).collect::<Vec<_>>().join(" ")
        }
        Value::Changes(changes) => {
            let letter = |kind| match kind {
                ChangeKind::Added => 'A',
                ChangeKind::Changed => 'C',
                ChangeKind::Deleted => 'D',
            };
            let lines = changes
                .iter()
                .map(|c| format!("{} {}", letter(c.kind), c.path));
            lines.collect::<Vec<_>>().join(", ")
        }
        Value::Volumes(volumes) => {
            let shown = |volume: &crate::engine::VolumeSeen| shown(&volume.volume);
            volumes.iter().map(shown).collect::<Vec<_>>().join(" ")
        }
        Value::Volume(volume) => {
            format!(
                "{} {:?} {:?}",
                shown(&volume.volume),
                volume.labels,
                volume.used_by
            )
        }
        Value::Container(container) => {
            let code = container
                .exit_code
                .map_or(String::new(), |code| format!(" {code}"));
            let mounts: Vec<&str> = container.mounts.iter().map(|m| m.target.as_str()).collect();
            format!("{:?}{code} {}", container.state, mounts.join(" "))
                .trim()
                .to_owned()
        }
        Value::Number(number) => number.to_string(),
    }
}

fn shown(volume: &VolumeRef) -> String {
    match volume {
        VolumeRef::Named(name) => name.clone(),
        VolumeRef::Anonymous { container, target } => format!("<{container}:{target}>"),
    }
}
