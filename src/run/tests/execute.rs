use std::sync::{Arc, Mutex};

use crate::engine::{
    Answer, Capability, Engine, FileAnswer, ImageSpec, Kind, Operation, Place, Refusal, Tree,
    Value, VolumeSpec,
};
use crate::outcome::operation_words;
use crate::run::{End, Execution, execute};
use crate::scenario::{Action, CheckKind, Scenario, Step, When};
use crate::testing::*;

#[expect(clippy::needless_pass_by_value, reason = "each fake is used once")]
fn asked(scenario: &Scenario, fake: Fake) -> (Execution, Vec<String>) {
    let log = Arc::clone(&fake.asked);
    let execution = execute(scenario, &fake, &description(&[Capability::Xattrs]));
    let words = log.lock().unwrap().iter().map(operation_words).collect();
    (execution, words)
}

fn numbers(execution: &Execution) -> Vec<&str> {
    execution
        .outcome
        .steps
        .iter()
        .map(|step| step.number.as_str())
        .collect()
}

fn scripted(answers: Vec<Answer>) -> Fake {
    Fake {
        script: Mutex::new(answers.into()),
        ..Fake::default()
    }
}

fn kind(kind: Kind) -> Answer {
    Answer::Refused(Refusal::kind(kind, "no"))
}

#[test]
fn the_set_up_comes_first() {
    let mut scenario = scenario(vec![step("1", run("first"))]);
    let tree = Tree(vec![crate::engine::Entry {
        path: "/x".to_owned(),
        node: crate::engine::Node::new(crate::engine::NodeKind::Fifo),
    }]);
    scenario.images = vec![ImageSpec {
        name: "app".to_owned(),
        ..ImageSpec::default()
    }];
    scenario.host = tree.clone();
    let spec = |name: &str| VolumeSpec {
        name: Some(name.to_owned()),
        ..VolumeSpec::default()
    };
    scenario.volumes = vec![(spec("store"), tree), (spec("empty"), Tree::default())];
    let (execution, words) = asked(&scenario, Fake::default());
    assert_eq!(execution.end, End::Complete);
    assert_eq!(
        words,
        [
            "load image app",
            "plant host",
            "volume create store",
            "plant volume store",
            "volume create empty",
            "run first from app"
        ]
    );
    let (execution, _) = asked(&scenario, scripted(vec![kind(Kind::MaxDepth)]));
    let message = "set-up: load image app: max-depth: no".to_owned();
    assert_eq!(
        execution.end,
        End::Fault {
            step: None,
            message
        }
    );
}

#[test]
fn a_refusal_ends_the_scenario_unless_it_is_expected() {
    let steps = || vec![step("1", run("first")), step("2", remove("first"))];
    let refusal = || scripted(vec![kind(Kind::NameInUse)]);
    let (execution, _) = asked(&scenario(steps()), refusal());
    assert_eq!(
        (execution.end.clone(), numbers(&execution)),
        (End::Refused("1".into()), vec!["1"])
    );

    let mut expected = steps();
    let code = crate::engine::Code::Kind(Kind::VolumeInUse);
    expected[0] = refused(step("1", run("first")), code);
    // The wrong error is a failed expectation, which does not end the scenario.
    let (execution, _) = asked(&scenario(expected), refusal());
    assert_eq!(
        (execution.end.clone(), numbers(&execution)),
        (End::Complete, vec!["1", "2"])
    );

    let files = vec![
        step("1", file(Place::Host, read("/x"))),
        step("2", run("first")),
    ];
    let (execution, _) = asked(&scenario(files), scripted(vec![errno("ENOENT")]));
    assert_eq!(execution.end, End::Refused("1".into()));
}

#[test]
fn a_broken_engine_is_a_fault_at_its_step() {
    let steps = || {
        vec![
            step("1", run("first")),
            step("2", file(Place::Host, read("/x"))),
        ]
    };
    let end = |fake| asked(&scenario(steps()), fake).0.end;
    let at = |step: &str, message: &str| End::Fault {
        step: Some(step.to_owned()),
        message: message.to_owned(),
    };
    let broken = Answer::Broken("gone".to_owned());
    assert_eq!(end(scripted(vec![broken])), at("1", "gone"));
    let unsupported = Answer::Unsupported("too old".to_owned());
    let ended = End::Unsupported {
        step: Some("1".to_owned()),
        message: "too old".to_owned(),
    };
    assert_eq!(end(scripted(vec![unsupported])), ended);
    let done = Answer::Done(Value::Nothing);
    let few = Answer::Done(Value::Files(Vec::new()));
    assert_eq!(
        end(scripted(vec![done.clone(), few])),
        at("2", "gave 0 answers to 1 file operations")
    );
    let odd = scripted(vec![done.clone(), done]);
    assert_eq!(end(odd), at("2", "answered file operations with Nothing"));
    let End::Fault { step, message } = end(Fake {
        panics_at: Some("in host: read /x"),
        ..Fake::default()
    }) else {
        panic!("no fault");
    };
    assert_eq!(step.as_deref(), Some("2"));
    assert!(
        message.starts_with("panicked: ") && message.contains("as told"),
        "{message}"
    );
}

#[test]
fn conditions_are_evaluated_on_the_description() {
    let when = |when: When| Step {
        when: Some(when),
        ..step("1", run("first"))
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    for (condition, performed) in [
        (
            When {
                engines: names(&["docker", "fake"]),
                ..When::default()
            },
            true,
        ),
        (
            When {
                engines: names(&["docker"]),
                ..When::default()
            },
            false,
        ),
        (
            When {
                not_engines: names(&["fake"]),
                ..When::default()
            },
            false,
        ),
        (
            When {
                not_engines: names(&["docker"]),
                ..When::default()
            },
            true,
        ),
        (
            When {
                requires: vec![Capability::Xattrs],
                ..When::default()
            },
            true,
        ),
        (
            When {
                requires: vec![Capability::Xattrs, Capability::Locks],
                ..When::default()
            },
            false,
        ),
    ] {
        let (execution, _) = asked(&scenario(vec![when(condition.clone())]), Fake::default());
        assert_eq!(
            execution.outcome.steps[0].answer.is_some(),
            performed,
            "{condition:?}"
        );
        assert!(execution.outcome.steps[0].conditional);
    }
}

/// How long one branch waits for the other.
const MOST: std::time::Duration = std::time::Duration::from_secs(20);

/// Two branches that can only both come to an end when they run side by side.
#[derive(Default)]
struct Meeting(Mutex<usize>, std::sync::Condvar);

impl Engine for Meeting {
    fn perform(&self, operation: &Operation) -> Answer {
        if matches!(operation, Operation::Run(_)) {
            let mut met = self.0.lock().unwrap();
            *met += 1;
            self.1.notify_all();
            let waited = self.1.wait_timeout_while(met, MOST, |met| *met < 2);
            assert!(!waited.unwrap().1.timed_out(), "one comes after the other");
        }
        match operation {
            Operation::Inspect(name) if name == "bad" => kind(Kind::NoSuchContainer),
            _ => Answer::Done(Value::Nothing),
        }
    }

    fn observe(&self) -> Result<crate::engine::World, crate::engine::EngineFault> {
        Ok(crate::engine::World::default())
    }
}

/// The same for an engine that says so itself.
#[derive(Default)]
struct SideBySide(Meeting);

impl Engine for SideBySide {
    fn perform(&self, operation: &Operation) -> Answer {
        self.0.perform(operation)
    }

    fn observe(&self) -> Result<crate::engine::World, crate::engine::EngineFault> {
        self.0.observe()
    }

    fn starts_side_by_side(&self) -> bool {
        true
    }
}

#[test]
fn containers_without_ties_start_side_by_side_and_are_told_in_order() {
    let steps = vec![
        step("1", run("first")),
        step("2", run("second")),
        step("3", Operation::Inspect("bad".to_owned())),
        step("4", run("third")),
    ];
    let execution = execute(&scenario(steps), &SideBySide::default(), &description(&[]));
    assert_eq!(execution.end, End::Refused("3".to_owned()));
    assert_eq!(numbers(&execution), ["1", "2", "3"]);
}

fn both(second: &str) -> Scenario {
    let inspect = |number: &str, name: &str| step(number, Operation::Inspect(name.to_owned()));
    let branches = vec![
        vec![
            step("1.1.1", run("first")),
            inspect("1.1.2", "first"),
            inspect("1.1.3", "first"),
        ],
        vec![
            step("1.2.1", run("second")),
            inspect("1.2.2", second),
            inspect("1.2.3", "second"),
        ],
    ];
    let concurrently = Step {
        action: Action::Concurrently(branches),
        ..step("1", run("x"))
    };
    scenario(vec![concurrently, inspect("2", "first")])
}

#[test]
fn branches_run_side_by_side_and_are_told_in_order() {
    let fake = description(&[]);
    let execution = execute(&both("second"), &Meeting::default(), &fake);
    assert_eq!(execution.end, End::Complete);
    let order = [
        "1", "1.1.1", "1.1.2", "1.1.3", "1.2.1", "1.2.2", "1.2.3", "2",
    ];
    assert_eq!(numbers(&execution), order);

    let execution = execute(&both("bad"), &Meeting::default(), &fake);
    assert_eq!(execution.end, End::Refused("1.2.2".into()));
    assert_eq!(
        numbers(&execution),
        ["1", "1.1.1", "1.1.2", "1.1.3", "1.2.1", "1.2.2"]
    );
}

#[test]
fn file_steps_are_batched_as_far_as_the_meaning_is_kept() {
    let at = |number: &str, place: Place| step(number, file(place, read("/x")));
    let enoent = crate::engine::Code::Errno("ENOENT".parse().unwrap());
    let first = || container("first");
    let two_requests = |number: &str| {
        let mut step = at(number, first());
        if let Action::Operation(Operation::Files { requests, .. }) = &mut step.action {
            requests.push(requests[0].clone());
        }
        step
    };
    let steps = vec![
        at("1", first()),
        refused(at("2", first()), enoent),
        two_requests("3"),
        at("4", Place::Host),
        at("5", first()),
        checked(
            at("6", first()),
            vec![CheckKind::SameFileAs("/y".to_owned())],
        ),
        at("7", first()),
    ];
    let fake = Fake {
        batches: true,
        ..Fake::default()
    };
    let (execution, words) = asked(&scenario(steps), fake);
    assert_eq!(
        words,
        [
            "in first: read /x; read /x; read /x; read /x",
            "in host: read /x",
            "in first: read /x",
            "in first: read /x",
            "in first: stat /y",
            "in first: read /x",
        ]
    );
    assert_eq!(numbers(&execution), ["1", "2", "3", "4", "5", "6", "7"]);
    let counts: Vec<usize> = execution
        .outcome
        .steps
        .iter()
        .map(|step| match &step.answer {
            Some(Answer::Done(Value::Files(answers))) => answers.len(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(counts, [1, 1, 2, 1, 1, 1, 1]);
}

#[test]
fn a_batch_ends_with_the_step_that_ends_the_scenario() {
    let at = |number: &str| step(number, file(Place::Host, read("/x")));
    let fake = |answers: Vec<FileAnswer>| Fake {
        batches: true,
        ..scripted(vec![Answer::Done(Value::Files(answers))])
    };
    let done = || FileAnswer {
        result: Ok(Value::Nothing),
        changed: Vec::new(),
    };
    let refused = || FileAnswer {
        result: Err(Refusal::errno("EACCES".parse().unwrap())),
        changed: Vec::new(),
    };
    let steps = || scenario(vec![at("1"), at("2"), at("3")]);
    let (execution, _) = asked(&steps(), fake(vec![done(), refused()]));
    assert_eq!(execution.end, End::Refused("2".into()));
    assert_eq!(numbers(&execution), ["1", "2"]);
    let (execution, _) = asked(&steps(), fake(vec![done(), done()]));
    assert!(
        matches!(execution.end, End::Fault { .. }),
        "{:?}",
        execution.end
    );
}

#[test]
fn an_engine_that_stops_a_batch_too_early_is_a_fault() {
    let enoent = crate::engine::Code::Errno("ENOENT".parse().unwrap());
    let at = |number: &str| step(number, file(Place::Host, read("/x")));
    let steps = vec![refused(at("1"), enoent), at("2")];
    let fake = Fake {
        batches: true,
        ..scripted(vec![errno("ENOENT")])
    };
    let (execution, _) = asked(&scenario(steps), fake);
    let message = "gave 0 answers to 1 file operations".to_owned();
    assert_eq!(
        execution.end,
        End::Fault {
            step: Some("2".to_owned()),
            message
        }
    );
}

#[test]
fn a_place_that_refuses_a_batch_refuses_each_step() {
    let down = crate::engine::Code::Kind(Kind::ContainerNotRunning);
    let at = |number: &str| refused(step(number, file(container("first"), read("/x"))), down);
    let answer = || kind(Kind::ContainerNotRunning);
    let fake = Fake {
        batches: true,
        ..scripted(vec![answer(), answer(), answer()])
    };
    let (execution, _) = asked(&scenario(vec![at("1"), at("2")]), fake);
    assert_eq!(execution.end, End::Complete);
    assert_eq!(numbers(&execution), ["1", "2"]);
}
