//! The example adapters on the scenarios of this repository, `layerspec adapter check`, and our own engine as an adapter.
//! `LAYERSPEC_REQUIRE=python3,buildah` makes the lack of one a failure.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on fails, one that cannot begin says so"
)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::{LAYERSPEC, Project, Ran};

fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn example(name: &str) -> String {
    format!(
        "python3 {}",
        home().join("examples/adapters").join(name).display()
    )
}

/// Whether a test can begin. If not it says why, unless somebody requires that it can.
fn can(what: &str, lacks: Option<String>) -> bool {
    let Some(lacks) = lacks else { return true };
    let required = layerspec::environment::Environment::read().require;
    let required = required.is_some_and(|names| names.split(',').any(|name| name == what));
    assert!(!required, "{what} is required: {lacks}");
    eprintln!("skipped: {what}: {lacks}");
    false
}

fn program(name: &str) -> Option<String> {
    let found = Command::new(name).arg("--version").output().is_ok();
    (!found).then(|| format!("no such program: {name}"))
}

/// Why an adapter says that it cannot be used here.
fn absent(command: &str) -> Option<String> {
    let ran = Project::new().run(&["adapter", "check", command]);
    (ran.code == Some(3)).then_some(ran.err)
}

/// Cases that did not pass, a line each.
fn told(others: &[(String, Value)]) -> String {
    let line = |(reason, event): &(String, Value)| format!("{}: {reason}\n", event["id"]);
    others.iter().map(line).collect()
}

/// Scenarios on an engine: how many cases passed, and the others, each with its reason. Only those that are known to fail
/// do, and tell why.
fn scenarios(
    engine: &str,
    paths: &[&str],
    known: &[(&str, &str)],
) -> (usize, Vec<(String, Value)>) {
    let project = Project::new();
    let paths: Vec<PathBuf> = paths.iter().map(|path| home().join(path)).collect();
    let mut command =
        project.command(["run", "--engine", engine, "--format", "json", "--snapshots"]);
    command
        .arg(home().join("snapshots"))
        .args(paths)
        .env("CI", "1");
    let ran = Ran::from(command.output().unwrap());
    let mut passed = 0;
    let mut others = Vec::new();
    let mut known = known.to_vec();
    for line in ran.out.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        match event.get("verdict").and_then(Value::as_str) {
            None => {}
            Some("passed") => passed += 1,
            Some("skipped") => {
                let reason = event.get("reason").unwrap().as_str().unwrap();
                let known = reason.starts_with("needs ") || reason.starts_with("not supported: ");
                assert!(known, "{line}");
                others.push((reason.to_owned(), event));
            }
            Some(_) => {
                let index = known
                    .iter()
                    .position(|(case, why)| line.contains(case) && line.contains(why));
                assert!(index.is_some(), "{event:#}\n{}", ran.err);
                known.remove(index.unwrap());
            }
        }
    }
    assert_eq!(known, [], "it is not different any more: {}", ran.err);
    (passed, others)
}

#[test]
fn bare_directories_pass_what_they_can_show() {
    if !can(
        "python3",
        program("python3").or_else(|| absent(&example("directories.py"))),
    ) {
        return;
    }
    let engine = format!("process:{}", example("directories.py"));
    let (passed, others) = scenarios(&engine, &["scenarios"], &[]);
    let total = passed + others.len();
    assert!(
        passed * 2 > total,
        "{passed} of {total}:\n{}",
        told(&others)
    );
}

/// Where buildah 1.28 is different. Its layers keep whole seconds.
const KNOWN: &[(&str, &str)] = &[(
    "copy-on-write/everything-comes-along",
    "mtime 2024-01-02T03:04:05Z",
)];

#[test]
fn buildah_passes_what_it_can_show() {
    let is_root = rustix::process::geteuid().is_root();
    let lacks = (!is_root).then(|| "only root may mount what it has made".to_owned());
    let lacks = lacks
        .or_else(|| program("python3"))
        .or_else(|| program("buildah"))
        .or_else(|| absent(&example("buildah.py")));
    // Who requires it, does so as root.
    if !is_root || !can("buildah", lacks) {
        return;
    }
    let engine = format!("process:{}", example("buildah.py"));
    let paths = [
        "scenarios/layers",
        "scenarios/copy-on-write",
        "scenarios/commit-and-copy",
    ];
    let (passed, others) = scenarios(&engine, &paths, KNOWN);
    let total = passed + others.len();
    assert!(
        passed * 2 > total,
        "{passed} of {total}:\n{}",
        told(&others)
    );
}

#[test]
fn our_own_engine_passes_through_the_pipe_what_it_passes_without() {
    let engine = format!("process:{LAYERSPEC} adapter serve native");
    let (passed, others) = scenarios(&engine, &["scenarios"], &[]);
    let (without, skipped) = scenarios("native", &["scenarios"], &[]);
    assert_eq!(
        (passed, others.len()),
        (without, skipped.len()),
        "{others:?}"
    );
}

#[test]
fn nothing_is_missing_from_those_that_are_right() {
    let ours = format!("{LAYERSPEC} adapter serve native");
    let mut commands = vec![ours];
    if can(
        "python3",
        program("python3").or_else(|| absent(&example("directories.py"))),
    ) {
        commands.push(example("directories.py"));
    }
    for command in commands {
        let ran = Project::new().run(&["adapter", "check", &command]);
        assert_eq!(ran.code, Some(0), "{command}: {}{}", ran.out, ran.err);
        assert!(ran.out.contains("nothing is missing: "), "{ran:?}");
    }
}

/// An adapter that is right but for what replaces a part of it.
fn wrong(from: &str, to: &str) -> (Ran, Vec<Value>) {
    let project = Project::new();
    for name in [
        "adapter.py",
        "directories.py",
        "disks.py",
        "files.py",
        "mounts.py",
    ] {
        let text = std::fs::read_to_string(home().join("examples/adapters").join(name)).unwrap();
        project.write(name, &text);
    }
    let texts = ["adapter.py", "directories.py", "disks.py"].map(|name| {
        let path = project.path().join(name);
        (std::fs::read_to_string(&path).unwrap(), path)
    });
    let (text, path) = texts.iter().find(|(text, _)| text.contains(from)).unwrap();
    let text = text.replacen(from, to, 1);
    let text = text.replacen("\nclass ", "\nSHARED = {}\n\nclass ", 1);
    std::fs::write(path, text).unwrap();
    let command = format!(
        "python3 {}",
        project.path().join("directories.py").display()
    );
    let json = project.run(&["adapter", "check", &command, "--format", "json"]);
    let points = json
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let points = points.filter(|point: &Value| {
        point
            .get("finding")
            .is_some_and(|finding| !finding.is_null())
    });
    let points = points.collect();
    (json, points)
}

/// A part of the example adapter, what takes its place, the check that finds it, and what that says.
const WRONG: &[(&str, &str, &str, &str)] = &[
    (
        "\"protocol\": 1",
        "\"protocol\": 7",
        "hello",
        "its version of the protocol is 7, not 1",
    ),
    (
        "\"version\": kind.version(),",
        "",
        "hello",
        "missing field `version`",
    ),
    (
        "raise Unsupported(f\"the request {ask}\")",
        "reply = {\"done\": \"nothing\"}",
        "unknown-request",
        "it answered `done`, not `unsupported`",
    ),
    (
        "raise Unsupported(f\"the operation {name}\")",
        "raise RuntimeError(name)",
        "unknown-operation",
        "it answered `broken`, not `unsupported`: RuntimeError",
    ),
    (
        "number = request.pop(\"id\")",
        "number = request.pop(\"id\") % 7",
        "hello",
        "which waits for no answer",
    ),
    (
        "\"changed\": changed}",
        "\"changed\": []}",
        "write",
        "`changed` is []",
    ),
    (
        "\"number\": number",
        "\"number\": 1",
        "observe",
        "the storage of /etc/app is",
    ),
    (
        "for name in os.listdir(self.directory):",
        "for name in ():",
        "end",
        "things are left in",
    ),
    (
        "self.images, self.containers, self.volumes, self.count = {}, {}, [], 0",
        "self.images, self.containers, self.volumes, self.count = SHARED, {}, [], 0",
        "fresh",
        "there is an image app",
    ),
    (
        "container.state, container.exit_code = \"running\", None",
        "print(\"started\"); container.state, container.exit_code = \"running\", None",
        "run",
        "it wrote what is no reply",
    ),
    (
        "    if state:\n        state.end(keep)",
        "    while True:\n        pass",
        "input-ends",
        "twenty seconds after",
    ),
    (
        "if MARK not in os.environ:\n        as_root",
        "if MARK in os.environ: subprocess.Popen([\"sleep\", \"60\"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n    if MARK not in os.environ:\n        as_root",
        "processes",
        "a process that it started was still there",
    ),
    (
        "\"sparse\", ",
        "\"sparse\", \"handles\", ",
        "handles",
        "not supported: step 3, in first: open /x",
    ),
    (
        "\"state\": self.state",
        "\"state\": \"running\"",
        "pause",
        "step 3, inspect first: expected state paused, and it was state running",
    ),
];

#[test]
fn what_is_missing_is_told_in_plain_words() {
    if !can(
        "python3",
        program("python3").or_else(|| absent(&example("directories.py"))),
    ) {
        return;
    }
    for (from, to, check, finding) in WRONG.iter().copied() {
        let (ran, points) = wrong(from, to);
        assert_eq!(ran.code, Some(1), "{check}: {ran:?}");
        let found = points.iter().any(|point| {
            let text = |key: &str| point.get(key).and_then(Value::as_str).unwrap_or_default();
            text("check") == check && text("finding").contains(finding)
        });
        assert!(found, "{check}: {finding}: {points:?}");
    }
}

#[test]
fn one_that_cannot_be_started_is_absent() {
    for (command, message) in [
        ("/no/such/adapter", "no such program: /no/such/adapter"),
        ("", "needs the command of an adapter"),
        ("sh 'x", "a quote in the adapter's command does not end"),
        (
            r#"sh -c 'read -r line; id=${line##*:}; echo "{\"id\":${id%?},\"absent\":{\"reason\":\"not here\",\"remedy\":\"go there\"}}"'"#,
            "not here\n  help: go there",
        ),
    ] {
        let ran = Project::new().run(&["adapter", "check", command]);
        assert_eq!(ran.code, Some(3), "{command}: {ran:?}");
        assert!(ran.err.contains(message), "{command}: {ran:?}");
    }
    let ran = Project::new().run(&["adapter", "check", "true"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.out.contains("missing  It answers `hello`"), "{ran:?}");
    assert!(ran.out.contains("it has ended (exit status: 0)"), "{ran:?}");
}
