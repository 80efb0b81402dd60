//! `layerspec coverage`, in projects in temporary directories.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::Value;
use support::{Project, Ran};

const SCENARIO: &str = r"
title: A volume
images: {}
steps: [{volume create: store}]
";

/// JSON Lines as values.
fn json_lines(ran: &Ran) -> Vec<Value> {
    ran.out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn every_rule_of_this_repository_has_a_scenario() {
    let scenarios = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
    let project = Project::new();
    let ran = project.run(&["coverage", "--require-all", scenarios]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("notes 48 of 48"), "{}", ran.out);
    for number in 1..=48 {
        let id = format!("notes/S{number} ");
        assert!(ran.out.contains(&format!("\n{id}")), "no rule {id}");
    }
}

#[test]
fn coverage_tells_rules_with_and_without_scenarios() {
    let project = Project::new();
    project.write(
        "scenarios/rules.yaml",
        "docker/1: {statement: One., source: a book, level: must}\n\
         docker/2: {statement: Two., source: a book, level: varies}\n",
    );
    project.write(
        "scenarios/a.yaml",
        &SCENARIO.replace("images:", "covers: [docker/1]\nimages:"),
    );
    let ran = project.run(&["coverage"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    assert_eq!(
        ran.out,
        "docker/1  must    a\ndocker/2  varies  no scenario  Two.\n\
         1 of 2 rules covered (must 1 of 1, varies 0 of 1; docker 1 of 2)\n"
    );
    assert_eq!(project.run(&["coverage", "--require-all"]).code, Some(1));
    let lines = json_lines(&project.run(&["coverage", "--format", "json"]));
    assert_eq!(lines[0]["scenarios"][0], "a");
    assert_eq!(
        (&lines[2]["rules"], &lines[2]["covered"]),
        (&2.into(), &1.into())
    );
    project.write(
        "scenarios/b.yaml",
        &SCENARIO.replace("images:", "covers: [docker/9]\nimages:"),
    );
    let ran = project.run(&["coverage"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.out.contains("docker/9  no such rule, named by b\n"),
        "{ran:?}"
    );
    assert_eq!(
        project.run(&["check"]).code,
        Some(2),
        "check holds covers to the rule book"
    );
}
