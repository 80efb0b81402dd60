//! Cases from YAML to the verdict.

use std::sync::Mutex;
use std::sync::mpsc::channel;

use super::*;
use crate::engine::{Answer, Capability, Value};
use crate::scenario::{find, load};
use crate::testing::*;
use crate::verdict::{Against, Failure};

const YAML: &str = "\
title: It works
steps:
  - in: host
    read: /x
    expect: {text: \"1\"}
  - in: host
    read: /y
    expect: {text: \"2\"}
  - in: host
    write: {/z: \"3\"}
";

fn loaded(folder: &std::path::Path, yaml: &str) -> Scenario {
    std::fs::create_dir_all(folder.join("scenarios")).unwrap();
    std::fs::write(folder.join("scenarios/b.yaml"), yaml).unwrap();
    let found = find(&[folder.join("scenarios")]).unwrap();
    load(&found, None).unwrap().remove(0)
}

fn options(folder: &std::path::Path) -> CaseOptions {
    CaseOptions {
        scratch: folder.to_path_buf(),
        keep: false,
        snapshots: folder.join("snapshots"),
        update: UpdateMode::Pending,
        timeout: Some(Duration::from_secs(60)),
    }
}

fn scripted(x: &str, y: &str) -> FakeProvider {
    let text = |text: &str| gave(Value::Bytes(text.into()));
    FakeProvider::of(Fake {
        script: Mutex::new([text(x), text(y)].into()),
        ..Fake::default()
    })
}

fn failures(result: CaseResult) -> Vec<Failure> {
    match result.verdict {
        Verdict::Failed(failures) => failures,
        other => panic!("{other:?}"),
    }
}

#[test]
fn from_yaml_to_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = loaded(folder.path(), YAML);
    let (fake, options) = (description(&[]), options(folder.path()));
    let snapshots = options.snapshots.clone();

    let first = failures(run_case(&scenario, &scripted("1", "2"), &fake, &options));
    assert_eq!(first.len(), 1);
    assert!(
        first[0].headline.starts_with("no approved outcome yet: "),
        "{first:?}"
    );
    assert!(snapshots.join("b.snap.new").exists());

    let blessed = bless_case(&scenario, &scripted("1", "2"), &fake, &options);
    assert_eq!(blessed.verdict, Verdict::Passed);
    assert!(snapshots.join("b.snap").exists() && !snapshots.join("b.snap.new").exists());

    let again = run_case(&scenario, &scripted("1", "2"), &fake, &options);
    assert_eq!(
        (again.verdict, again.id, again.engine),
        (Verdict::Passed, "b".into(), "fake".into())
    );
    assert_eq!(again.outcome.unwrap().steps.len(), 3);
}

/// Whoever watched it has told that it took too long.
#[test]
fn nothing_is_written_down_of_what_was_overdue() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = loaded(folder.path(), YAML);
    let (fake, mut options) = (description(&[]), options(folder.path()));
    options.update = UpdateMode::Bless;
    let watch = Watch::default();
    let told = overdue(&scenario, &fake, Duration::from_secs(1), &watch);
    assert!(told.timed_out, "{told:?}");
    let late = run_watched(&scenario, &scripted("1", "2"), &fake, &options, &watch);
    assert!(late.timed_out && late.outcome.is_none(), "{late:?}");
    assert!(!options.snapshots.join("b.snap").exists());
    let in_time = run_watched(
        &scenario,
        &scripted("1", "2"),
        &fake,
        &options,
        &Watch::default(),
    );
    assert_eq!(in_time.verdict, Verdict::Passed);
    assert!(options.snapshots.join("b.snap").exists());
}

#[test]
fn every_failure_is_told_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = loaded(folder.path(), YAML);
    let (fake, options) = (description(&[]), options(folder.path()));
    bless_case(&scenario, &scripted("1", "2"), &fake, &options);
    for bless in [false, true] {
        let run = if bless { bless_case } else { run_case };
        let failures = failures(run(&scenario, &scripted("7", "8"), &fake, &options));
        let told: Vec<_> = failures
            .iter()
            .map(|f| {
                (
                    f.headline.as_str(),
                    f.expected.as_deref(),
                    f.actual.as_deref(),
                    f.at.as_ref().map(|at| at.line),
                )
            })
            .take(2)
            .collect();
        assert_eq!(
            told,
            [
                (
                    "step 1, in host: read /x",
                    Some("\"1\""),
                    Some("\"7\""),
                    Some(5)
                ),
                (
                    "step 2, in host: read /y",
                    Some("\"2\""),
                    Some("\"8\""),
                    Some(8)
                ),
            ]
        );
        assert!(
            failures[2]
                .headline
                .starts_with("the outcome is not the approved one: ")
        );
        assert_eq!(
            failures[2].details,
            [
                "step 1, in host: read /x: \"1\" → \"7\"",
                "step 2, in host: read /y: \"2\" → \"8\""
            ]
        );
        assert!(
            failures[2]
                .text_diff
                .as_ref()
                .unwrap()
                .contains("\n-  1  in host: read /x")
        );
        assert_eq!(failures.len(), 3);
        assert!(!folder.path().join("snapshots/b.snap.new").exists());
    }
}

#[test]
fn a_refusal_ends_it_without_a_comparison() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = loaded(folder.path(), YAML);
    let provider = FakeProvider::of(Fake {
        script: Mutex::new([errno("EACCES")].into()),
        ..Fake::default()
    });
    let result = run_case(
        &scenario,
        &provider,
        &description(&[]),
        &options(folder.path()),
    );
    let failures = failures(result);
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].actual.as_deref(), Some("error EACCES"));
    assert_eq!(failures[0].at.as_ref().map(|at| at.line), Some(3));
    let excerpt = &failures[0].at.as_ref().unwrap().lines;
    let numbers: Vec<usize> = excerpt.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [2, 3, 4]);
    assert!(!folder.path().join("snapshots").exists());
}

#[test]
fn what_is_unsupported_is_skipped_unless_something_was_wrong_before() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = loaded(folder.path(), YAML);
    let (fake, options) = (description(&[]), options(folder.path()));
    let unsupported = || Answer::Unsupported("eyes".to_owned());
    let run = |scenario: &Scenario, script: Vec<Answer>| {
        let provider = FakeProvider::of(Fake {
            script: Mutex::new(script.into()),
            ..Fake::default()
        });
        run_case(scenario, &provider, &fake, &options)
    };
    let text = |text: &str| gave(Value::Bytes(text.into()));
    let skipped = |why: &str| Verdict::Skipped(format!("not supported: {why}: eyes"));
    let later = run(&scenario, vec![text("1"), unsupported()]);
    assert_eq!(later.verdict, skipped("step 2, in host: read /y"));
    let wrong = failures(run(&scenario, vec![text("7"), unsupported()]));
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert_eq!(wrong[0].against, Against::Expectation);
    assert_eq!(wrong[1].against, Against::Performing);
    let refusal = loaded(
        folder.path(),
        "title: x\nsteps:\n  - in: host\n    read: /x\n    expect: {error: ENOENT}\n",
    );
    let first = run(&refusal, vec![unsupported()]);
    assert_eq!(first.verdict, skipped("step 1, in host: read /x"));
    let host = loaded(
        folder.path(),
        "title: x\nhost: {./x: one}\nsteps:\n  - in: host\n    read: /x\n",
    );
    let Verdict::Skipped(why) = run(&host, vec![unsupported()]).verdict else {
        panic!("not skipped");
    };
    assert!(
        why.starts_with("not supported: set-up: ") && why.ends_with(": eyes"),
        "{why}"
    );
    assert!(!folder.path().join("snapshots").exists());
}

#[test]
fn what_an_engine_lacks_is_known_before() {
    let folder = tempfile::tempdir().unwrap();
    let mut scenario = loaded(folder.path(), YAML);
    scenario.requires = vec![Capability::Devices, Capability::Xattrs, Capability::Locks];
    let fake = description(&[Capability::Xattrs]);
    let reason = "needs devices, locks, which fake on memory has not";
    assert_eq!(skip_reason(&scenario, &fake).as_deref(), Some(reason));
    let none = FakeProvider::default();
    let result = run_case(&scenario, &none, &fake, &options(folder.path()));
    assert_eq!(result.verdict, Verdict::Skipped(reason.to_owned()));
}

#[test]
fn an_engine_that_fails_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = loaded(folder.path(), YAML);
    let run = |provider: FakeProvider, options: &CaseOptions| match run_case(
        &scenario,
        &provider,
        &description(&[]),
        options,
    )
    .verdict
    {
        Verdict::Errored(why) => why,
        other => panic!("{other:?}"),
    };
    let options = options(folder.path());
    let why = run(FakeProvider::default(), &options);
    assert_eq!(why, "the engine cannot be opened: no more fakes");
    for timeout in [None, options.timeout] {
        let options = CaseOptions {
            timeout,
            ..options.clone()
        };
        let fake = Fake {
            panics_at: Some("in host: read /y"),
            ..Fake::default()
        };
        let why = run(FakeProvider::of(fake), &options);
        assert!(
            why.starts_with("step 2, in host: read /y: panicked: "),
            "{why}"
        );
    }
    let (release, wait) = channel();
    let hangs_at = Some(("in host: read /y", Mutex::new(wait)));
    let fake = Fake {
        hangs_at,
        ..Fake::default()
    };
    let short = CaseOptions {
        timeout: Some(Duration::from_millis(20)),
        ..options
    };
    let why = run(FakeProvider::of(fake), &short);
    let said = "more than the time limit of 20ms; the last that began was step 2, in host: read /y";
    assert_eq!(why, said);
    drop(release);
}
