//! What an adapter says: a case is run on an engine that answers with these lines, whatever they are, and comes to a
//! verdict and a text; and each line, as far as it is a message, is the same when it is said again. As what comes out
//! of an adapter's pipe the lines are read alike in whatever pieces they come.
//!
//! The first line is the id of a case of this repository; each further one answers one operation or look.
#![no_main]

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex};

use layerspec::agent::wire::{Call, Reply};
use layerspec::case::{CaseOptions, run_case};
use layerspec::engine::process::{self, read_replies};
use layerspec::engine::{
    Absent, Answer, Capability, Description, Engine, EngineFault, OpenOptions, Operation, Provider,
    World,
};
use layerspec::outcome;
use layerspec::scenario::Scenario;
use layerspec::snapshot::UpdateMode;
use libfuzzer_sys::{Corpus, fuzz_target};
use serde::Serialize;
use serde::de::DeserializeOwned;

#[path = "../cases.rs"]
mod cases;

static CASES: LazyLock<BTreeMap<String, Scenario>> = LazyLock::new(|| {
    let cases = cases::cases().into_iter();
    cases.map(|case| (case.id(), case)).collect()
});

static OPTIONS: LazyLock<CaseOptions> = LazyLock::new(|| {
    let scratch = tempfile::tempdir().unwrap().keep();
    CaseOptions {
        snapshots: scratch.join("snapshots"),
        scratch,
        keep: false,
        update: UpdateMode::Check,
        timeout: None,
    }
});

/// Says what it was told to say, line by line, then nothing that is a message.
struct Said(Mutex<Vec<String>>);

impl Said {
    fn next<T: DeserializeOwned>(&self) -> Result<T, String> {
        let mut lines = self.0.lock().unwrap();
        let line = lines.pop().ok_or("gone")?;
        serde_json::from_str(&line).map_err(|error| error.to_string())
    }
}

struct Adapter(String);

impl Provider for Adapter {
    fn name(&self) -> &str {
        "adapter"
    }

    fn probe(&self, _: &OpenOptions) -> Result<Description, Absent> {
        Ok(description())
    }

    fn open(&self, _: &OpenOptions) -> Result<Box<dyn Engine>, EngineFault> {
        let mut lines: Vec<String> = self.0.lines().skip(1).map(str::to_owned).collect();
        lines.reverse();
        Ok(Box::new(Said(Mutex::new(lines))))
    }
}

impl Engine for Said {
    fn perform(&self, _: &Operation) -> Answer {
        self.next().unwrap_or_else(Answer::Broken)
    }

    fn observe(&self) -> Result<World, EngineFault> {
        self.next().map_err(EngineFault)
    }
}

fn description() -> Description {
    Description {
        name: "adapter".to_owned(),
        capabilities: Capability::ALL.iter().copied().collect(),
        ..Description::default()
    }
}

/// A message that could be read is the same when it is written and read again.
fn again<T: Serialize + DeserializeOwned>(line: &str) {
    if let Ok(read) = serde_json::from_str::<T>(line) {
        let said = serde_json::to_string(&read).unwrap();
        let again: T = serde_json::from_str(&said).expect(&said);
        assert_eq!(said, serde_json::to_string(&again).unwrap());
    }
}

/// The longest line that these adapters may write.
const LONGEST: usize = 4096;

/// Whole, and in pieces of as many bytes as the first one says.
fn as_written(bytes: &[u8]) {
    let piece = usize::from(bytes.first().copied().unwrap_or_default()).max(1);
    let (replies, end) = read_replies([bytes], LONGEST);
    let in_pieces = read_replies(bytes.chunks(piece), LONGEST);
    assert_eq!((&replies, &end), (&in_pieces.0, &in_pieces.1));
    if let Err(said) = end {
        assert!(said.len() < 4 * LONGEST, "{said}");
        assert!(!said.contains(char::is_control), "{said:?}");
    }
    for reply in replies {
        let mut said = serde_json::to_vec(&reply).unwrap();
        assert_eq!(process::Reply::read(&said).as_ref(), Ok(&reply));
        said.push(b'\n');
        assert_eq!(read_replies([&*said], usize::MAX), (vec![reply], Ok(())));
    }
}

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let first = bytes.iter().position(|byte| *byte == b'\n');
    as_written(
        bytes
            .get(first.map_or(0, |at| at + 1)..)
            .unwrap_or_default(),
    );
    let Ok(said) = std::str::from_utf8(bytes) else {
        return Corpus::Reject;
    };
    for line in said.lines() {
        again::<Operation>(line);
        again::<Answer>(line);
        again::<World>(line);
        again::<Description>(line);
        again::<Call>(line);
        again::<Reply>(line);
    }
    let Some(case) = said.lines().next().and_then(|id| CASES.get(id)) else {
        return Corpus::Reject;
    };
    let result = run_case(case, &Adapter(said.to_owned()), &description(), &OPTIONS);
    if let Some(outcome) = &result.outcome {
        let text = outcome::text(outcome);
        let is_odd = |c: char| c.is_control() && c != '\n';
        assert!(!text.contains(is_odd), "{text:?}");
    }
    Corpus::Keep
});
