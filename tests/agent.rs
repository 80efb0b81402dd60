//! The agent answers as the embedded engine does: the same file requests, put to both, by system calls on one
//! side and by our union on the other.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "support/values.rs"]
mod values;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use layerspec::agent::wire::{Ask, Call, Done, Given, Reply};
use layerspec::agent::{Mode, VARIABLE};
use layerspec::engine::{
    Answer, Code, FileAnswer, FileRequest, OpenOptions, Operation, Tree, Value,
};
use layerspec::registry;
use layerspec::scenario::{Action, find, load};
use values::comparable;

/// What every request is put to, and the requests.
const SCENARIO: &str = include_str!("agent/requests.yaml");

/// An agent whose root is a directory.
struct Agent {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    calls: u64,
}

impl Agent {
    fn start(root: &Path) -> Self {
        let mode = Mode::Serve {
            root: Some(root.to_str().unwrap().to_owned()),
        };
        let mut child = Command::new(env!("CARGO_BIN_EXE_layerspec"))
            .env(VARIABLE, mode.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
            calls: 0,
        }
    }

    fn ask(&mut self, ask: Ask) -> Given {
        self.calls += 1;
        let call = Call {
            id: self.calls,
            ask,
        };
        writeln!(self.input, "{}", serde_json::to_string(&call).unwrap()).unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let reply: Reply = serde_json::from_str(&line).unwrap();
        assert_eq!(reply.id, self.calls);
        reply.given.unwrap()
    }

    fn end(mut self) {
        drop(self.input);
        assert!(self.child.wait().unwrap().success());
    }
}

#[test]
fn system_calls_answer_as_the_union_does() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: changing the root needs user 0");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let (scratch, root) = (
        directory.path().join("scratch"),
        directory.path().join("root"),
    );
    std::fs::create_dir(&scratch).unwrap();
    std::fs::create_dir(&root).unwrap();
    let file = directory.path().join("scenarios/requests.yaml");
    std::fs::create_dir(file.parent().unwrap()).unwrap();
    std::fs::write(&file, SCENARIO).unwrap();
    let cases = load(&find(&[file]).unwrap(), None).unwrap();
    let scenario = cases.first().unwrap();

    let options = OpenOptions {
        scratch,
        keep: false,
    };
    let engine = registry::provider("native")
        .unwrap()
        .open(&options)
        .unwrap();
    let mut agent = Agent::start(&root);
    let planted = agent.ask(Ask::Plant {
        top: "/".to_owned(),
        tree: scenario.host.clone(),
    });
    assert!(matches!(planted, Given::Nothing), "{planted:?}");
    plant(&*engine, &scenario.host);

    let mut compared = 0;
    for step in &scenario.steps {
        let Action::Operation(operation @ Operation::Files { user, requests, .. }) = &step.action
        else {
            unreachable!("only file operations are here");
        };
        let ours = match engine.perform(operation) {
            Answer::Done(Value::Files(answers)) => answers,
            other => unreachable!("{requests:?}: {other:?}"),
        };
        let asked = Ask::Files {
            user: user.clone(),
            directory: None,
            requests: requests.clone(),
        };
        let Given::Files(theirs) = agent.ask(asked) else {
            unreachable!("{requests:?}");
        };
        let number = &step.number;
        assert_eq!(
            told_by_union(ours),
            told_by_agent(theirs),
            "step {number}, {}: the union, then the kernel",
            words(requests)
        );
        compared += requests.len();
    }
    assert!(compared > 150, "only {compared} requests");
    agent.end();
}

fn plant(engine: &dyn layerspec::engine::Engine, tree: &Tree) {
    let place = layerspec::engine::Place::Host;
    let planted = engine.perform(&Operation::Plant(place, tree.clone()));
    assert!(matches!(planted, Answer::Done(_)), "{planted:?}");
}

fn words(requests: &[FileRequest]) -> String {
    serde_json::to_string(requests).unwrap()
}

type Told = Vec<(Result<Value, Code>, Vec<String>)>;

fn told_by_union(answers: Vec<FileAnswer>) -> Told {
    answers
        .into_iter()
        .map(|answer| {
            let changed = answer.changed.into_iter().map(|(_, path)| path).collect();
            (comparable(answer.result), changed)
        })
        .collect()
}

fn told_by_agent(answers: Vec<Done>) -> Told {
    answers
        .into_iter()
        .map(|answer| (comparable(answer.result), answer.changed))
        .collect()
}
