//! The contract is a wire protocol: every scenario of this repository gives the same outcome when each
//! operation, answer and world is turned into JSON and back between the runner and the engine.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

use layerspec::case::{CaseOptions, run_case, skip_reason};
use layerspec::engine::{
    Absent, Answer, Description, Engine, EngineFault, OpenOptions, Operation, Provider, World,
};
use layerspec::registry;
use layerspec::scenario::{find, load};
use layerspec::snapshot::UpdateMode;
use layerspec::verdict::Verdict;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// An engine behind a pipe that is not there.
struct Wire<T>(T);

impl Provider for Wire<Arc<dyn Provider>> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn probe(&self, options: &OpenOptions) -> Result<Description, Absent> {
        self.0
            .probe(options)
            .map(|description| over_the_wire(&description))
    }

    fn open(&self, options: &OpenOptions) -> Result<Box<dyn Engine>, EngineFault> {
        Ok(Box::new(Wire(self.0.open(options)?)))
    }
}

impl Engine for Wire<Box<dyn Engine>> {
    fn perform(&self, operation: &Operation) -> Answer {
        over_the_wire(&self.0.perform(&over_the_wire(operation)))
    }

    fn observe(&self) -> Result<World, EngineFault> {
        self.0.observe().map(|world| over_the_wire(&world))
    }
}

fn over_the_wire<T: Serialize + DeserializeOwned + PartialEq + Debug>(sent: &T) -> T {
    let line = serde_json::to_string(sent).unwrap();
    assert!(!line.contains('\n'), "one message is one line: {line}");
    let received = serde_json::from_str(&line).unwrap();
    assert_eq!(*sent, received, "{line}");
    received
}

#[test]
fn every_scenario_survives_the_wire() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scratch = tempfile::tempdir().unwrap();
    let open = OpenOptions {
        scratch: scratch.path().to_path_buf(),
        keep: false,
    };
    let provider = Wire(registry::provider("native").unwrap());
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
