//! The contract is a wire protocol: every scenario of this repository gives the same outcome when each
//! operation, answer and world is turned into JSON and back between the runner and the engine, and every message
//! is as the published schema has it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use jsonschema::Validator;
use layerspec::case::{CaseOptions, run_case, skip_reason};
use layerspec::engine::process::{Ask, Given, Reply, Request, schema};
use layerspec::engine::{
    Absent, Answer, Description, Engine, EngineFault, OpenOptions, Operation, Provider, World,
};
use layerspec::registry;
use layerspec::scenario::{find, load};
use layerspec::snapshot::UpdateMode;
use layerspec::verdict::Verdict;
use serde_json::{Value, json};

const PUBLISHED: &str = include_str!("../src/engine/process/protocol.schema.json");
const PAGE: &str = include_str!("../src/engine/process/protocol.md");

/// Holds messages to the schema.
struct Schema {
    request: Validator,
    reply: Validator,
}

impl Schema {
    fn new() -> Self {
        let part = |name: &str| {
            let mut schema: Value = serde_json::from_str(PUBLISHED).unwrap();
            let map = schema.as_object_mut().unwrap();
            map.remove("anyOf");
            map.insert("$ref".to_owned(), json!(format!("#/$defs/{name}")));
            jsonschema::validator_for(&schema).unwrap()
        };
        Self {
            request: part("Request"),
            reply: part("Reply"),
        }
    }

    fn hold(validator: &Validator, line: &str) {
        let value: Value = serde_json::from_str(line).unwrap();
        let faults: Vec<String> = validator
            .iter_errors(&value)
            .map(|fault| format!("{}: {fault}", fault.instance_path))
            .collect();
        assert_eq!(faults, [""; 0], "{line}");
    }

    /// A request, written and read.
    fn ask(&self, ask: Ask) -> Ask {
        let request = Request { id: 7, ask };
        let line = serde_json::to_string(&request).unwrap();
        assert!(!line.contains('\n'), "one message is one line: {line}");
        Self::hold(&self.request, &line);
        let received: Request = serde_json::from_str(&line).unwrap();
        assert_eq!(request, received, "{line}");
        received.ask
    }

    /// A reply, written and read.
    fn give(&self, given: Given) -> Given {
        let reply = Reply { id: 7, given };
        let line = serde_json::to_string(&reply).unwrap();
        assert!(!line.contains('\n'), "one message is one line: {line}");
        Self::hold(&self.reply, &line);
        let received = Reply::read(line.as_bytes()).unwrap();
        assert_eq!(reply, received, "{line}");
        received.given
    }
}

/// An engine behind a pipe that is not there.
struct Wire<T>(T, Arc<Schema>);

impl Provider for Wire<Arc<dyn Provider>> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn probe(&self, options: &OpenOptions) -> Result<Description, Absent> {
        self.0.probe(options)
    }

    fn open(&self, options: &OpenOptions) -> Result<Box<dyn Engine>, EngineFault> {
        Ok(Box::new(Wire(self.0.open(options)?, Arc::clone(&self.1))))
    }
}

impl Engine for Wire<Box<dyn Engine>> {
    fn perform(&self, operation: &Operation) -> Answer {
        let Ask::Operation(operation) = self.1.ask(Ask::Operation(Box::new(operation.clone())))
        else {
            return Answer::Broken("another request came back".to_owned());
        };
        match self.1.give(Given::from(self.0.perform(&operation))) {
            Given::Done(value) => Answer::Done(value),
            Given::Refused(refusal) => Answer::Refused(refusal),
            other => Answer::Broken(other.name().to_owned()),
        }
    }

    fn observe(&self) -> Result<World, EngineFault> {
        match self.1.give(Given::World(Box::new(self.0.observe()?))) {
            Given::World(world) => Ok(*world),
            other => Err(EngineFault(other.name().to_owned())),
        }
    }
}

#[test]
fn every_scenario_survives_the_wire() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scratch = tempfile::tempdir().unwrap();
    let open = OpenOptions {
        scratch: scratch.path().to_path_buf(),
        keep: false,
    };
    let provider = Wire(
        registry::provider("native").unwrap(),
        Arc::new(Schema::new()),
    );
    let description = provider.probe(&open).unwrap();
    let options = CaseOptions {
        scratch: open.scratch,
        keep: false,
        snapshots: home.join("snapshots"),
        update: UpdateMode::Check,
        timeout: None,
    };
    let cases = load(&find(&[home.join("scenarios")]).unwrap(), None).unwrap();
    assert!(!cases.is_empty());
    for case in cases
        .iter()
        .filter(|case| skip_reason(case, &description).is_none())
    {
        let result = run_case(case, &provider, &description, &options);
        assert!(
            matches!(result.verdict, Verdict::Passed),
            "{}: {:?}",
            case.id(),
            result.verdict
        );
    }
}

#[test]
fn the_published_schema_is_that_of_the_types() {
    let current = format!("{:#}\n", schema());
    assert!(
        current == PUBLISHED,
        "write it anew: layerspec adapter schema > src/engine/process/protocol.schema.json"
    );
    let schema = Schema::new();
    for wrong in [
        r#"{"id":1}"#,
        r#"{"operation":{"start":"x"}}"#,
        r#"{"id":1,"operation":{"begin":"x"}}"#,
        r#"{"id":1,"operation":{"start":7}}"#,
    ] {
        assert!(
            !schema
                .request
                .is_valid(&serde_json::from_str(wrong).unwrap()),
            "{wrong}"
        );
    }
    for wrong in [
        r#"{"id":1,"done":{"number":"7"}}"#,
        r#"{"id":1,"refused":{"code":{"errno":"ENONSENSE"},"message":""}}"#,
        r#"{"id":1,"hello":{"protocol":1,"name":"x","version":"1","capabilities":["wings"]}}"#,
        r#"{"id":-1,"ended":{}}"#,
    ] {
        assert!(
            !schema.reply.is_valid(&serde_json::from_str(wrong).unwrap()),
            "{wrong}"
        );
        assert!(Reply::read(wrong.as_bytes()).is_err(), "{wrong}");
    }
}

/// The lines of the page's example from one side.
fn example(mark: &str) -> Vec<&'static str> {
    PAGE.lines()
        .filter_map(|line| line.strip_prefix(mark))
        .collect()
}

#[test]
fn the_example_on_the_page_is_what_is_said() {
    let schema = Schema::new();
    let directory = tempfile::tempdir().unwrap();
    let (requests, replies) = (example("→ "), example("← "));
    assert!(requests.len() > 5 && requests.len() == replies.len());
    let mut adapter = Command::new(env!("CARGO_BIN_EXE_layerspec"))
        .args(["adapter", "serve", "native"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = adapter.stdin.take().unwrap();
    let mut output = BufReader::new(adapter.stdout.take().unwrap()).lines();
    for (request, reply) in requests.into_iter().zip(replies) {
        Schema::hold(&schema.request, request);
        let read: Request = serde_json::from_str(request).unwrap();
        assert_eq!(
            serde_json::to_string(&read).unwrap(),
            request,
            "as we write it"
        );
        let path = directory.path().to_str().unwrap();
        writeln!(
            input,
            "{}",
            request.replace("/tmp/layerspec-x/layerspec-y", path)
        )
        .unwrap();
        let said = output.next().unwrap().unwrap();
        let mut both = [reply, &said].map(|line| {
            Schema::hold(&schema.reply, line);
            Reply::read(line.as_bytes()).unwrap();
            serde_json::from_str::<Value>(line).unwrap()
        });
        for reply in &mut both {
            if let Some(hello) = reply.get_mut("hello").and_then(Value::as_object_mut) {
                // Who it is differs.
                hello.retain(|key, _| key == "protocol");
            }
            if let Some(refused) = reply.get_mut("refused") {
                // The words are every implementation's own.
                refused["message"] = Value::Null;
            }
        }
        assert_eq!(both[0], both[1], "{request}\n{said}");
    }
    drop(input);
    assert!(adapter.wait().unwrap().success());
}
