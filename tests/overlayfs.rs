//! The engine `overlayfs`: it agrees with our own union on file requests, keeps a container in, and leaves nothing.
//! Skipped with the reason where the engine cannot be used, unless `LAYERSPEC_REQUIRE` names it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use layerspec::engine::{
    Answer, Capability, ContainerSpec, Engine, FileAnswer, FileRequest, ImageConfig, ImageSpec,
    OpenOptions, Operation, Place, Tree, Value,
};
use layerspec::registry;
use layerspec::scenario::{Action, Scenario, find, load};
use libtest_mimic::{Arguments, Failed, Trial};

use processes::{Process, processes_of};
use values::comparable;

#[path = "overlayfs/again.rs"]
mod again;
#[path = "overlayfs/processes.rs"]
mod processes;
#[path = "support/values.rs"]
mod values;

const NAME: &str = "overlayfs";

/// Requests that are put to a container of this engine and to one of the embedded engine.
const REQUESTS: &str = include_str!("agent/requests.yaml");

/// An environment variable by which the processes of a run are found.
const MARK: &str = "LAYERSPEC_TEST_MARK";

fn main() -> ExitCode {
    layerspec::agent::dispatch();
    let scratch = tempfile::tempdir().unwrap();
    let probed = registry::provider(NAME)
        .unwrap()
        .probe(&options(scratch.path()));
    let required = std::env::var("LAYERSPEC_REQUIRE")
        .is_ok_and(|names| names.split(',').any(|name| name.trim() == NAME));
    let (owners, devices_too) = (Some(Capability::Owners), Some(Capability::Devices));
    let trials = [
        trial("requests_are_answered_as_by_our_union", owners, requests),
        trial(
            "container_root_has_what_docker_leaves_it",
            None,
            capabilities,
        ),
        trial("no_disk_of_the_machine_is_reached", devices_too, devices),
        trial("many_layers_fit", None, layers),
        trial("options_are_the_kernels", devices_too, mount_options),
        trial(
            "the_next_engine_finds_nothing",
            None,
            again::nothing_of_the_one_before,
        ),
        trial(
            "one_that_was_killed_is_no_error",
            None,
            again::one_that_was_killed_is_no_error,
        ),
        trial("nothing_is_left_when_killed", None, killed),
        trial("nothing_is_left_when_interrupted", None, interrupted),
    ];
    let trials = trials.into_iter().map(|(name, needs, run)| {
        let lacks = match (&probed, needs) {
            (Err(absent), _) => (!required).then(|| absent.to_string()),
            (Ok(found), Some(need)) => {
                let lacks = !found.capabilities.contains(&need);
                lacks.then(|| format!("this user's {NAME} lacks {need}"))
            }
            (Ok(_), None) => None,
        };
        if let Some(why) = &lacks {
            skipped(name, why);
        }
        let probed = probed.clone();
        let trial = Trial::test(name, move || match probed {
            Ok(_) => {
                run();
                Ok(())
            }
            Err(absent) => Err(Failed::from(format!("{absent}; {}", absent.remedy))),
        });
        trial.with_ignored_flag(lacks.is_some())
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

type Run = fn();

fn trial(name: &str, needs: Option<Capability>, run: Run) -> (&str, Option<Capability>, Run) {
    (name, needs, run)
}

/// Tells why a test does not run.
#[expect(clippy::print_stderr, reason = "where a test tells why it is skipped")]
fn skipped(name: &str, why: &str) {
    eprintln!("skipped: {name}: {why}");
}

fn options(scratch: &Path) -> OpenOptions {
    OpenOptions {
        scratch: scratch.to_owned(),
        keep: false,
    }
}

/// Opens an engine, does something with it, and looks whether anything is left.
fn with(name: &str, act: impl FnOnce(&dyn Engine)) {
    let scratch = tempfile::tempdir().unwrap();
    let engine = registry::provider(name)
        .unwrap()
        .open(&options(scratch.path()))
        .unwrap();
    act(&*engine);
    let processes = processes_of(scratch.path());
    assert_eq!(processes.is_empty(), !name.starts_with(NAME), "{name}");
    drop(engine);
    let left: Vec<_> = processes.iter().filter(|it| it.is_alive()).collect();
    assert!(left.is_empty(), "{name} left {left:?}");
    assert_eq!(
        fs::read_dir(scratch.path()).unwrap().count(),
        0,
        "{name} left something"
    );
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(
        !mounts.contains(scratch.path().to_str().unwrap()),
        "{mounts}"
    );
}

fn scenario(text: &str) -> Scenario {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("scenarios/x.yaml");
    fs::create_dir(file.parent().unwrap()).unwrap();
    fs::write(&file, text).unwrap();
    load(&find(&[file]).unwrap(), None).unwrap().remove(0)
}

fn done(engine: &dyn Engine, operation: &Operation) -> Value {
    match engine.perform(operation) {
        Answer::Done(value) => value,
        other => unreachable!("{operation:?}: {other:?}"),
    }
}

/// A running container `box` of these layers.
fn run_container(engine: &dyn Engine, layers: Vec<Tree>) {
    let image = ImageSpec {
        name: "image".to_owned(),
        from: None,
        layers,
        config: ImageConfig::default(),
        platform: None,
        archive: None,
    };
    done(engine, &Operation::LoadImage(image));
    let container = ContainerSpec {
        name: "box".to_owned(),
        image: "image".to_owned(),
        ..ContainerSpec::default()
    };
    done(engine, &Operation::Run(container));
}

fn files(engine: &dyn Engine, user: Option<&String>, requests: &[FileRequest]) -> Vec<FileAnswer> {
    let operation = Operation::Files {
        place: Place::Container("box".to_owned()),
        user: user.cloned(),
        requests: requests.to_vec(),
    };
    match done(engine, &operation) {
        Value::Files(answers) => answers,
        other => unreachable!("{other:?}"),
    }
}

/// The steps of a scenario, performed in the container, whatever place they name.
fn steps(engine: &dyn Engine, scenario: &Scenario) -> Vec<(String, Vec<FileAnswer>)> {
    let file = |step: &layerspec::scenario::Step| match &step.action {
        Action::Operation(Operation::Files { user, requests, .. }) => {
            let words = serde_json::to_string(requests).unwrap();
            (words, files(engine, user.as_ref(), requests))
        }
        _ => unreachable!("only file operations are here"),
    };
    scenario.steps.iter().map(file).collect()
}

/// The same requests, put to a container whose disk the kernel merges and to one whose disk we merge. Every file
/// begins in a lower layer.
fn requests() {
    let scenario = scenario(REQUESTS);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for (name, told) in [("native", &mut ours), (NAME, &mut theirs)] {
        with(name, |engine| {
            run_container(engine, vec![scenario.host.clone()]);
            *told = steps(engine, &scenario);
        });
    }
    let mut differences = Vec::new();
    for ((words, ours), (_, theirs)) in ours.into_iter().zip(theirs) {
        let told = |answers: Vec<FileAnswer>| -> Vec<_> {
            let told = |answer: FileAnswer| (comparable(answer.result), answer.changed);
            answers.into_iter().map(told).collect()
        };
        let (ours, theirs) = (told(ours), told(theirs));
        if ours != theirs {
            differences.push(format!("{words}\n  union  {ours:?}\n  kernel {theirs:?}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn errnos(text: &str) -> Vec<String> {
    let scenario = scenario(text);
    let mut told = Vec::new();
    with(NAME, |engine| {
        run_container(engine, vec![scenario.host.clone()]);
        let answers = steps(engine, &scenario);
        let answers = answers.into_iter().flat_map(|(_, answers)| answers);
        told = answers
            .map(|answer| match answer.result {
                Ok(_) => "ok".to_owned(),
                Err(refusal) => refusal.code.to_string(),
            })
            .collect();
    });
    told
}

fn capabilities() {
    let told = errnos(
        "
title: Capabilities of root
host: {./f: x, ./none: {text: x, mode: 0000}}
steps:
  - {in: host, setxattr: {path: /f, name: trusted.x, value: y}, expect: {error: EPERM}}
  - {in: host, read: /none}
  - {in: host, chmod: {/f: 04755}}
",
    );
    // CAP_SYS_ADMIN is gone; CAP_DAC_OVERRIDE and CAP_FOWNER are there.
    assert_eq!(told, ["EPERM", "ok", "ok"]);
}

fn devices() {
    let told = errnos(
        r#"
title: Devices
host: {./null: {device: "c 1:3"}, ./loops: {device: "c 10:237"}, ./closed: {device: "c 1:3", mode: 0600}}
steps:
  - {in: host, read: /null}
  - {in: host, append: {/null: x}}
  - {in: host, open: {path: /loops, for: [read], as: loops}, expect: {error: EPERM}}
  - {in: host, as: "1000", read: /closed, expect: {error: EACCES}}
  - {in: host, mknod: {/disk: "b 254:0"}}
  - {in: host, read: {path: /disk, length: 1}, expect: {error: EPERM}}
  - {in: host, write: {/new: x}}
"#,
    );
    assert_eq!(told, ["ok", "ok", "EPERM", "EACCES", "ok", "EPERM", "ok"]);
}

/// Docker's limit is 125; paths of so many would not fit into the one page that mount(2) takes.
fn layers() {
    with(NAME, |engine| {
        let layer = |number: usize| {
            scenario(&format!(
                "title: x\nhost: {{./f{number}: x}}\nsteps: [{{in: host, list: /}}]\n"
            ))
        };
        let layers: Vec<Scenario> = (0..125).map(layer).collect();
        run_container(
            engine,
            layers.iter().map(|layer| layer.host.clone()).collect(),
        );
        let listed = steps(engine, layers.first().unwrap()).remove(0).1.remove(0);
        match listed.result.unwrap() {
            Value::Names(names) => assert_eq!(names.len(), 125),
            other => unreachable!("{other:?}"),
        }
    });
}

/// A directory of a lower layer is renamed, or is not, as the kernel's options say; and our union says the same.
fn mount_options() {
    let scenario = scenario(
        "
title: A directory of a lower layer is renamed
host: {./d/f: x}
steps:
  - {in: host, rename: {/d: /e}, expect: {error: EXDEV}}
  - {in: host, chmod: {/d/f: 0600}, expect: {error: ENOENT}}
  - {in: host, read: /e/f, expect: {error: ENOENT}}
",
    );
    for (options, expected) in [
        ("redirect_dir=off", ["EXDEV", "ok", "ENOENT"]),
        ("redirect_dir=on", ["ok", "ENOENT", "ok"]),
        ("metacopy=on", ["ok", "ENOENT", "ok"]),
        (
            "redirect_dir=on,metacopy=on,volatile",
            ["ok", "ENOENT", "ok"],
        ),
        ("volatile", ["EXDEV", "ok", "ENOENT"]),
    ] {
        let native = (!options.contains("volatile")).then_some("native");
        for family in [NAME].into_iter().chain(native) {
            let name = format!("{family}:{options}");
            with(&name, |engine| {
                run_container(engine, vec![scenario.host.clone()]);
                let answers = steps(engine, &scenario).into_iter();
                let told: Vec<String> = answers
                    .flat_map(|(_, answers)| answers)
                    .map(|answer| {
                        answer
                            .result
                            .map_or_else(|r| r.code.to_string(), |_| "ok".to_owned())
                    })
                    .collect();
                assert_eq!(told, expected, "{name}");
            });
        }
    }
    let scratch = tempfile::tempdir().unwrap();
    for name in [
        "overlayfs:redirect_dir=off,metacopy=on",
        "native:redirect_dir=off,metacopy=on",
    ] {
        let probed = registry::provider(name)
            .unwrap()
            .probe(&options(scratch.path()));
        let absent = probed.unwrap_err();
        assert!(
            absent.reason.contains("Invalid argument"),
            "{name}: {absent}"
        );
        assert!(absent.reason.contains("metacopy=on"), "{name}: {absent}");
    }
    let probed = registry::provider("native:volatile")
        .unwrap()
        .probe(&options(scratch.path()));
    let absent = probed.unwrap_err();
    assert!(absent.reason.contains("which volatile forbids"), "{absent}");
    let probed = registry::provider("native:index=on").unwrap();
    let found = probed.probe(&options(scratch.path())).unwrap();
    assert_eq!(found.driver, "union (index=on)");
    let probed = registry::provider("overlayfs:index=on").unwrap();
    let found = probed.probe(&options(scratch.path())).unwrap();
    assert_eq!(
        found.driver,
        "overlay (redirect_dir=off,metacopy=off,index=on)"
    );
    assert_eq!(found.form_of.as_deref(), Some(NAME));
}

fn killed() {
    end_early("KILL");
}

fn interrupted() {
    let scratch = end_early("INT");
    assert_eq!(
        fs::read_dir(scratch.path()).unwrap().count(),
        0,
        "files are left"
    );
}

/// Sends a signal to a run in the middle of its work; waits until none of its processes is left.
fn end_early(signal: &str) -> tempfile::TempDir {
    let scratch = tempfile::tempdir().unwrap();
    let mark = scratch.path().to_str().unwrap();
    let mut run = Command::new(env!("CARGO_BIN_EXE_layerspec"))
        .args(["run", "scenarios", "--engine", NAME])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("LAYERSPEC_SCRATCH", scratch.path())
        .env(MARK, mark)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The command, an engine, the process that forks, a container.
    wait_until("four processes", || marked(mark).len() >= 4);
    let pid = run.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-s", signal, &pid])
            .status()
            .unwrap()
            .success()
    );
    run.wait().unwrap();
    wait_until("no process", || marked(mark).is_empty());
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(mark), "{mounts}");
    scratch
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(
            begin.elapsed() < Duration::from_secs(30),
            "waited for {what}"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Processes that have the mark in their environment.
fn marked(mark: &str) -> BTreeSet<String> {
    let wanted = format!("{MARK}={mark}");
    let has_mark = |pid: &String| {
        fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environment| {
            environment
                .split(|byte| *byte == 0)
                .any(|pair| pair == wanted.as_bytes())
        })
    };
    let entries = fs::read_dir("/proc").unwrap();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names
        .filter(|name| name.parse::<u32>().is_ok())
        .filter(has_mark)
        .collect()
}
