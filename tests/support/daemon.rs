//! Real engines, asked past the tool.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test that cannot go on fails, one that cannot begin says so"
)]

use std::process::Command;

use crate::support::Project;

/// The engine, unless it is not here: then why, and a failure if it is required.
pub(crate) fn is_here(engine: &str) -> bool {
    let ran = Project::new().run(&["engines", "--format", "json"]);
    let line = ran
        .out
        .lines()
        .find(|line| line.contains(&format!("\"name\":\"{engine}\"")));
    assert!(line.is_some(), "{}{}", ran.out, ran.err);
    let item: serde_json::Value = serde_json::from_str(line.unwrap()).unwrap();
    let mut here = item["available"] == true;
    let required = layerspec::environment::Environment::read().require;
    let required = required.is_some_and(|names| names.split(',').any(|name| name == engine));
    assert!(here || !required, "{engine} is required: {item}");
    if !here {
        eprintln!("skipped: {engine}: {}", item["reason"]);
    } else if !required && let Some(reason) = unable(engine) {
        eprintln!("skipped: {engine}: {reason}");
        here = false;
    }
    here
}

/// Why an engine that answers cannot start a container, as Podman of a user for whom nothing is set up.
fn unable(engine: &str) -> Option<String> {
    let project = Project::new();
    let text = "title: A container\nimages: {app: {}}\nsteps: [{run: {name: one, image: app}}]\n";
    project.write("scenarios/volumes/one.yaml", text);
    let ran = project.run(&["run", "--engine", engine, "scenarios/volumes/one.yaml"]);
    (ran.code == Some(3)).then_some(ran.out)
}

/// Names of everything that the engine holds and that contains a text.
pub(crate) fn named(engine: &str, part: &str) -> Vec<String> {
    let mut all = Vec::new();
    for arguments in [
        &["ps", "--all", "--format", "{{.Names}}"][..],
        &["volume", "ls", "--format", "{{.Name}}"],
        &[
            "image",
            "ls",
            "--all",
            "--format",
            "{{.Repository}} {{.ID}}",
        ],
    ] {
        let output = Command::new(engine).args(arguments).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let ours = text.lines().filter(|line| line.contains(part));
        all.extend(ours.map(str::to_owned));
    }
    all
}
