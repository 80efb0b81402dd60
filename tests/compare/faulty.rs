//! Engines that are wrong on purpose, beside the one that is right.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use layerspec::case::{CaseOptions, run_case};
use layerspec::engine::{
    Absent, Answer, Bytes, Capability, Description, Engine, EngineFault, OpenOptions, Operation,
    Provider, Value, World,
};
use layerspec::outcome::Halves;
use layerspec::registry;
use layerspec::report::compare::{Recorder, matrix_pretty};
use layerspec::report::style::plain;
use layerspec::report::{FinishedCase, Plan, Reporter as _, Rerun, Totals};
use layerspec::results::{Groups, Matrix, Results, Worth};
use layerspec::scenario::{Scenario, find, load};
use layerspec::snapshot::UpdateMode;
use layerspec::verdict::Mark;

const SCENARIO: &str = r#"
title: What is written is there
images:
  app: {layers: [{/etc/app.conf: "mode = default\n"}]}
steps:
  - run: {name: db, image: app, volumes: ["store:/data"]}
  - in: db
    do:
      - write: {/data/rows: "1\n"}
      - read: /data/rows
        expect: {text: "1\n"}
      - read: /etc/app.conf
"#;

/// What is wrong with an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Nothing.
    None,
    /// It reads something else than was written.
    Read,
    /// It shows another mode.
    Mode,
    /// It loses the volume at the end.
    Loss,
    /// It does not say where what was written lies, so that nothing is known to persist.
    Amnesia,
    /// It cannot show something.
    Lack,
    /// It does not know how to read.
    Ignorance,
    /// It reads something else, then does not know how to write.
    LateIgnorance,
    /// It dies.
    Death,
    /// It takes too long.
    Sleep,
}

/// The embedded engine, with a fault.
struct Faulty {
    inner: Arc<dyn Provider>,
    name: String,
    fault: Fault,
}

/// An open one, its fault, and how often files were asked for.
struct Open(Box<dyn Engine>, Fault, AtomicUsize);

impl Provider for Faulty {
    fn name(&self) -> &str {
        &self.name
    }

    fn probe(&self, options: &OpenOptions) -> Result<Description, Absent> {
        let mut description = self.inner.probe(options)?;
        description.name.clone_from(&self.name);
        if self.fault == Fault::Lack {
            description.capabilities.remove(&Capability::Handles);
        }
        Ok(description)
    }

    fn open(&self, options: &OpenOptions) -> Result<Box<dyn Engine>, EngineFault> {
        let inner = self.inner.open(options)?;
        Ok(Box::new(Open(inner, self.fault, AtomicUsize::new(0))))
    }
}

impl Engine for Open {
    fn perform(&self, operation: &Operation) -> Answer {
        let mut answer = self.0.perform(operation);
        if let (Operation::Files { .. }, Fault::Death) = (operation, self.1) {
            return Answer::Broken("the disk is gone".to_owned());
        }
        let late = if self.1 == Fault::LateIgnorance { 3 } else { 1 };
        if let (Operation::Files { .. }, Fault::Ignorance | Fault::LateIgnorance) =
            (operation, self.1)
            && self.2.fetch_add(1, Ordering::Relaxed) + 1 >= late
        {
            return Answer::Unsupported("what is this?".to_owned());
        }
        if let (Operation::Files { .. }, Fault::Sleep) = (operation, self.1) {
            std::thread::sleep(Duration::from_secs(4));
        }
        let Answer::Done(Value::Files(answers)) = &mut answer else {
            return answer;
        };
        for answer in answers {
            if self.1 == Fault::Amnesia {
                answer.changed.clear();
            }
            if let (Fault::Read | Fault::LateIgnorance, Ok(Value::Bytes(bytes))) =
                (self.1, &mut answer.result)
                && *bytes == Bytes::from("1\n")
            {
                *bytes = Bytes::from("2\n");
            }
        }
        answer
    }

    fn observe(&self) -> Result<World, EngineFault> {
        let mut world = self.0.observe()?;
        for (_, tree) in &mut world.containers {
            match self.1 {
                Fault::Mode => {
                    for seen in tree.iter_mut().filter(|seen| seen.path == "/data/rows") {
                        seen.mode = 0o600;
                    }
                }
                Fault::Loss => tree.retain(|seen| seen.path != "/data/rows"),
                _ => {}
            }
        }
        if self.1 == Fault::Loss {
            for (_, tree) in &mut world.volumes {
                tree.retain(|seen| seen.path != "/rows");
            }
        }
        Ok(world)
    }
}

/// Runs the scenario on engines with these faults, each in a column of its own.
fn compared(folder: &Path, faults: &[Fault]) -> Results {
    let scenario = scenario(folder);
    let options = CaseOptions {
        scratch: folder.to_path_buf(),
        keep: false,
        snapshots: folder.join("snapshots"),
        update: UpdateMode::Check,
        timeout: Some(Duration::from_secs(2)),
    };
    let engines: Vec<(Faulty, Description)> = faults
        .iter()
        .enumerate()
        .map(|(index, fault)| {
            let engine = Faulty {
                inner: registry::provider("native").unwrap(),
                name: format!("{fault:?}{index}").to_lowercase(),
                fault: *fault,
            };
            let how = OpenOptions {
                scratch: folder.to_path_buf(),
                keep: false,
            };
            let description = engine.probe(&how).unwrap();
            (engine, description)
        })
        .collect();
    let mut results = Results::default();
    let mut recorder = Recorder::new(&mut results);
    let plan = Plan {
        version: "0.1.0".to_owned(),
        engines: engines.iter().map(|(_, it)| it.clone()).collect(),
        cases: engines.len(),
    };
    recorder.started(&plan).unwrap();
    for (engine, description) in &engines {
        let result = run_case(&scenario, engine, description, &options);
        let rerun = Rerun::Tool {
            program: "layerspec",
            snapshots: None,
        };
        let finished = FinishedCase::new(&scenario, &result, Vec::new(), &rerun);
        recorder.finished(&finished).unwrap();
    }
    recorder.ended(&Totals::default()).unwrap();
    results
}

/// The scenario, which needs held files.
fn scenario(folder: &Path) -> Scenario {
    let path = folder.join("scenarios/a.yaml");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let needs = SCENARIO.replace("images:", "requires: [handles]\nimages:");
    fs::write(&path, needs).unwrap();
    load(&find(&[path]).unwrap(), None).unwrap().remove(0)
}

/// Approves what the right engine shows.
fn approve(folder: &Path) {
    let engine = registry::provider("native").unwrap();
    let how = OpenOptions {
        scratch: folder.to_path_buf(),
        keep: false,
    };
    let description = engine.probe(&how).unwrap();
    let options = CaseOptions {
        scratch: folder.to_path_buf(),
        keep: false,
        snapshots: folder.join("snapshots"),
        update: UpdateMode::Bless,
        timeout: None,
    };
    run_case(&scenario(folder), &*engine, &description, &options);
}

#[test]
fn each_fault_has_its_mark_on_its_axis() {
    use Mark::{Error, Fail, Pass, TimeOut, Unjudged, Unsupported};
    let folder = tempfile::tempdir().unwrap();
    approve(folder.path());
    let table = [
        (Fault::None, Pass, Pass),
        (Fault::Read, Fail, Pass),
        (Fault::Mode, Fail, Pass),
        (Fault::Loss, Fail, Fail),
        (Fault::Amnesia, Pass, Fail),
        (Fault::Lack, Unsupported, Unsupported),
        (Fault::Ignorance, Unsupported, Unsupported),
        (Fault::LateIgnorance, Fail, Unjudged),
        (Fault::Death, Error, Error),
        (Fault::Sleep, TimeOut, TimeOut),
    ];
    let results = compared(folder.path(), &table.map(|row| row.0));
    for (cell, (fault, tree, persistence)) in results.cells.iter().zip(table) {
        assert_eq!(
            cell.marks,
            Halves { tree, persistence },
            "{fault:?}: {cell:?}"
        );
    }
    let matrix = Matrix::new(&results);
    assert_eq!(matrix.worth(), Worth::Broken);
    let text = plain(&matrix_pretty(&matrix));
    for part in [
        "parts at step 2.2, in db: read /data/rows: \"1\\n\" → \"2\\n\"\n",
        "merged tree of db: /data/rows: mode 0644 → 0600\n",
        "needs handles, which lack5 ",
        "not supported: step 2.1, in db: write /data/rows: what is this?\n",
        "ERROR a on death8\n",
        "step 2.1, in db: write /data/rows: the disk is gone\n",
        "TIME-OUT a on sleep9\n",
        "none0 shows what is approved\n",
    ] {
        assert!(text.contains(part), "{part:?}: {text}");
    }
}

#[test]
fn without_an_approved_outcome_engines_are_grouped() {
    let folder = tempfile::tempdir().unwrap();
    let faults = [
        Fault::None,
        Fault::None,
        Fault::Mode,
        Fault::None,
        Fault::Loss,
    ];
    let results = compared(folder.path(), &faults);
    let matrix = Matrix::new(&results);
    let groups = Groups::of(&matrix.rows[0]);
    assert_eq!(groups.agree, [0, 1, 3]);
    let apart: Vec<_> = groups.apart.iter().map(|it| it.columns.clone()).collect();
    assert_eq!(apart, [[2], [4]]);
    assert!(
        results
            .cells
            .iter()
            .all(|it| it.marks == Halves::both(Mark::Unapproved))
    );
    assert_eq!(matrix.worth(), Worth::Bad);
    let text = plain(&matrix_pretty(&matrix));
    let part = "none0, none1 and none3 agree\n    \
                mode2  no approved outcome\n      \
                every step came out the same; at the end:\n      \
                merged tree of db: /data/rows: mode 0644 → 0600\n";
    assert!(text.contains(part), "{text}");

    let results = compared(folder.path(), &[Fault::None, Fault::None]);
    assert_eq!(Matrix::new(&results).worth(), Worth::Good);
}
