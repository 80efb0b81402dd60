//! One case on one engine, from opening the engine to the verdict: what `run`, `bless` and the
//! `cargo test` harness share.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::engine::{Description, Engine, OpenOptions, Provider};
use crate::outcome::{Halves, halves_that_differ, text};
use crate::run::{
    End, Execution, Progress, Unfinished, all_steps, execute_watched, step_words, within,
};
use crate::scenario::Scenario;
use crate::snapshot::{Approval, UpdateMode, approve};
use crate::verdict::{CaseResult, Judged, Verdict, judge, unmet};

/// How cases are run.
#[derive(Clone, Debug)]
pub struct CaseOptions {
    /// An existing directory under which engines make their private ones.
    pub scratch: PathBuf,
    /// Leave the private directories behind.
    pub keep: bool,
    /// The snapshot folder.
    pub snapshots: PathBuf,
    /// What may be written there.
    pub update: UpdateMode,
    /// The most that a case may take, from the first operation to the removal of what the engine
    /// made. `None`: for ever.
    pub timeout: Option<Duration>,
}

/// Why this engine cannot run this case, if it cannot: a capability that it lacks. Known before the
/// run, so that a harness can flag the trial as ignored.
pub fn skip_reason(scenario: &Scenario, description: &Description) -> Option<String> {
    let lacking: Vec<&str> = scenario
        .requires
        .iter()
        .filter(|need| !description.capabilities.contains(need))
        .map(|need| need.name())
        .collect();
    if lacking.is_empty() {
        return None;
    }
    let on = match description.file_system.as_str() {
        "" => String::new(),
        file_system => format!(" on {file_system}"),
    };
    Some(format!(
        "needs {}, which {}{on} has not",
        lacking.join(", "),
        description.name
    ))
}

/// Opens an engine, executes the case, observes, compares with the snapshot, judges, cleans up.
///
/// `description` is what [`Provider::probe`] gave once for all cases: asking a daemon costs more
/// than a case does. A text is written as far as the mode of update says, but never one of a case
/// whose steps did not come out as expected.
pub fn run_case(
    scenario: &Scenario,
    provider: &dyn Provider,
    description: &Description,
    options: &CaseOptions,
) -> CaseResult {
    let begin = Instant::now();
    let mut result = CaseResult {
        id: scenario.id(),
        engine: description.name.clone(),
        verdict: Verdict::Passed,
        duration: Duration::ZERO,
        outcome: None,
        excused: Halves::default(),
        timed_out: false,
        kept: None,
    };
    match skip_reason(scenario, description) {
        Some(reason) => result.verdict = Verdict::Skipped(reason),
        None => match open(provider, options) {
            Ok(engine) => {
                result.kept = engine.kept();
                match perform(scenario, engine, description, options) {
                    Ok(execution) => {
                        (result.verdict, result.excused) =
                            verdict(scenario, description, &execution, options);
                        result.outcome = Some(execution.outcome);
                    }
                    Err(Overdue { why, timed_out }) => {
                        result.verdict = Verdict::Errored(why);
                        result.timed_out = timed_out;
                    }
                }
            }
            Err(why) => result.verdict = Verdict::Errored(why),
        },
    }
    result.duration = begin.elapsed();
    result
}

/// [`run_case`], approving the outcome as it is, unless a step or an expectation failed.
pub fn bless_case(
    scenario: &Scenario,
    provider: &dyn Provider,
    description: &Description,
    options: &CaseOptions,
) -> CaseResult {
    let options = CaseOptions {
        update: UpdateMode::Bless,
        ..options.clone()
    };
    run_case(scenario, provider, description, &options)
}

/// Opens an engine, executes the case, observes and cleans up, without a judgement. A case that needs what the engine has
/// not is run all the same.
///
/// # Errors
/// What the engine failed at, as a sentence fragment: it could not be opened, or it took longer than the limit.
pub fn execute_case(
    scenario: &Scenario,
    provider: &dyn Provider,
    description: &Description,
    options: &CaseOptions,
) -> Result<Execution, String> {
    let engine = open(provider, options)?;
    perform(scenario, engine, description, options).map_err(|overdue| overdue.why)
}

fn open(provider: &dyn Provider, options: &CaseOptions) -> Result<Box<dyn Engine>, String> {
    let how = OpenOptions {
        scratch: options.scratch.clone(),
        keep: options.keep,
    };
    catch_unwind(AssertUnwindSafe(|| provider.open(&how)))
        .map_err(|_| "the engine panicked while it was opened".to_owned())?
        .map_err(|fault| format!("the engine cannot be opened: {fault}"))
}

/// Why an execution has no end.
struct Overdue {
    why: String,
    timed_out: bool,
}

fn perform(
    scenario: &Scenario,
    engine: Box<dyn Engine>,
    description: &Description,
    options: &CaseOptions,
) -> Result<Execution, Overdue> {
    let Some(limit) = options.timeout else {
        return Ok(execute_and_drop(
            scenario,
            engine,
            description,
            &Progress::default(),
        ));
    };
    let progress = Arc::new(Progress::default());
    let work = {
        let (scenario, description) = (scenario.clone(), description.clone());
        let progress = Arc::clone(&progress);
        move || execute_and_drop(&scenario, engine, &description, &progress)
    };
    within(limit, &progress, work).map_err(|why| match why {
        Unfinished::TooSlow => Overdue {
            why: too_slow(scenario, limit, progress.begun()),
            timed_out: true,
        },
        Unfinished::Died => Overdue {
            why: "the case's own thread died".to_owned(),
            timed_out: false,
        },
    })
}

/// The engine cleans up as it is dropped, which is part of the time limit.
fn execute_and_drop(
    scenario: &Scenario,
    engine: Box<dyn Engine>,
    description: &Description,
    progress: &Progress,
) -> Execution {
    let mut execution = execute_watched(scenario, engine.as_ref(), description, progress);
    if catch_unwind(AssertUnwindSafe(|| drop(engine))).is_err() && execution.end == End::Complete {
        let message = "the engine panicked as it cleaned up".to_owned();
        execution.end = End::Fault {
            step: None,
            message,
        };
    }
    execution
}

fn too_slow(scenario: &Scenario, limit: Duration, begun: usize) -> String {
    let steps = all_steps(&scenario.steps);
    let place = match begun.checked_sub(1).and_then(|index| steps.get(index)) {
        Some(step) => format!("step {}, {}", step.number, step_words(step)),
        None => "the set-up".to_owned(),
    };
    let limit = humantime::format_duration(limit);
    format!("more than the time limit of {limit}; the last that began was {place}")
}

/// The verdict, and where it rests on a variant of the engine's own.
fn verdict(
    scenario: &Scenario,
    description: &Description,
    execution: &Execution,
    options: &CaseOptions,
) -> (Verdict, Halves<bool>) {
    let unmet = unmet(scenario, execution);
    if execution.end != End::Complete {
        return (judge(scenario, execution, unmet, None), Halves::default());
    }
    let update = if unmet.is_empty() {
        options.update
    } else {
        UpdateMode::Check
    };
    let text = text(&execution.outcome);
    let engine = description
        .known_as(|name| scenario.differs.contains_key(name))
        .unwrap_or(&description.name);
    let approval = approve(&options.snapshots, scenario, engine, &text, update);
    let excused = match &approval {
        Approval::Variant { common } => common.as_deref().map_or(Halves::both(true), |common| {
            halves_that_differ(common, &text)
        }),
        _ => Halves::default(),
    };
    let judged = Judged {
        text: &text,
        approval: &approval,
    };
    (judge(scenario, execution, unmet, Some(judged)), excused)
}

#[cfg(test)]
mod tests {
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
        let said =
            "more than the time limit of 20ms; the last that began was step 2, in host: read /y";
        assert_eq!(why, said);
        drop(release);
    }
}
