//! The forms of reports.

use std::fs;

use serde_json::Value;

use super::junit;
use super::support::{Project, Ran};
use super::{GOOD, WRONG, good, json};

#[test]
fn json_is_a_header_cases_and_totals() {
    let project = good();
    project.write("scenarios/wrong.yaml", WRONG);
    let ran = project.run(&["run", "--format", "json"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let lines = json(&ran);
    assert_eq!(lines.len(), 5, "{ran:?}");
    assert_eq!(lines[0]["event"], "run");
    assert_eq!(lines[0]["cases"], 3);
    assert_eq!(lines[0]["engines"][0]["name"], "native");
    let ids: Vec<&str> = lines[1..4]
        .iter()
        .map(|line| line["id"].as_str().unwrap())
        .collect();
    assert_eq!(
        ids,
        ["volumes/good", "wrong[access=ro]", "wrong[access=rw]"]
    );
    assert_eq!(lines[1]["verdict"], "passed");
    assert!(
        lines[1]["outcome"]
            .as_str()
            .unwrap()
            .contains("/etc/app.conf"),
        "{ran:?}"
    );
    assert_eq!(lines[2]["verdict"], "failed");
    assert_eq!(lines[2]["parameters"]["access"], "ro");
    assert_eq!(lines[2]["failures"][0]["at"]["line"], 10);
    assert_eq!(lines[4]["event"], "totals");
    assert_eq!(
        (&lines[4]["passed"], &lines[4]["failed"]),
        (&1.into(), &2.into())
    );
    let listed = json(&project.run(&["list", "--format", "json"]));
    let ids: Vec<&str> = listed
        .iter()
        .map(|line| line["id"].as_str().unwrap())
        .collect();
    assert_eq!(
        ids,
        ["volumes/good", "wrong[access=ro]", "wrong[access=rw]"]
    );
    let engines = json(&project.run(&["engines", "--format", "json"]));
    assert_eq!(
        (&engines[0]["name"], &engines[0]["available"]),
        (&"native".into(), &true.into())
    );
}

#[test]
fn reports_to_files_stand_beside_the_one_on_the_terminal() {
    let project = good();
    project.write("scenarios/wrong.yaml", WRONG);
    let reports = [
        "--report",
        "junit=j.xml",
        "--report",
        "json=j.json",
        "--report",
        "pretty=j.txt",
    ];
    let ran = project.run(&[&["run", "--color", "always"][..], &reports].concat());
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.out.contains("\u{1b}["), "{ran:?}");
    let read = |name: &str| fs::read_to_string(project.path().join(name)).unwrap();
    let junit = quick_junit::Report::deserialize_from_str(&read("j.xml")).unwrap();
    assert_eq!((junit.tests, junit.failures, junit.errors), (3, 2, 0));
    assert_eq!(junit.test_suites[0].name.as_str(), "native");
    assert_eq!(
        junit.test_suites[0].test_cases[0].name.as_str(),
        "volumes/good"
    );
    assert_eq!(read("j.json").lines().count(), 5);
    assert!(!read("j.txt").contains('\u{1b}') && read("j.txt").contains("1 passed, 2 failed"));
    let ran = project.run(&["run", "--format", "junit"]);
    assert!(
        quick_junit::Report::deserialize_from_str(&ran.out).is_ok(),
        "{ran:?}"
    );
}

#[test]
fn junit_is_what_build_servers_read() {
    let project = good();
    project.write("scenarios/wrong.yaml", WRONG);
    let skipped = GOOD.replace("images:", "requires: [windows]\nimages:");
    project.write("scenarios/skipped.yaml", &skipped);
    let ran = project.run(&["run", "--format", "junit"]);
    let cases = junit::check(&ran.out);
    let children: Vec<(&str, &str)> = cases
        .iter()
        .map(|case| (case.name.as_str(), case.child.as_deref().unwrap_or("")))
        .collect();
    assert_eq!(
        children,
        [
            ("skipped", "skipped"),
            ("volumes/good", ""),
            ("wrong[access=ro]", "failure"),
            ("wrong[access=rw]", "failure"),
        ]
    );
}

#[test]
fn colours_are_for_those_who_want_them() {
    let project = good();
    for (name, value, arguments, coloured) in [
        ("UNRELATED", "", &["run"][..], false),
        ("CLICOLOR_FORCE", "1", &["run"], true),
        ("NO_COLOR", "1", &["run"], false),
        ("UNRELATED", "", &["run", "--color", "always"], true),
        ("CLICOLOR_FORCE", "1", &["run", "--color", "never"], false),
    ] {
        let output = project
            .command(arguments)
            .env(name, value)
            .output()
            .unwrap();
        let ran = Ran::from(output);
        assert_eq!(
            ran.out.contains('\u{1b}'),
            coloured,
            "{name}={value} {arguments:?}: {ran:?}"
        );
    }
}

#[test]
fn nobody_reading_is_no_panic() {
    let project = good();
    for arguments in [
        &["run"][..],
        &["run", "--format", "json"],
        &["list"],
        &["engines"],
        &["help"],
    ] {
        // The reader is gone before anything is written.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = Ran::from(project.command(arguments).stdout(writer).output().unwrap());
        assert_eq!(
            (ran.code, ran.err.as_str()),
            (Some(141), ""),
            "{arguments:?}"
        );
    }
}

#[test]
fn results_come_in_order_whatever_runs_side_by_side() {
    let project = Project::new();
    let numbers: Vec<String> = (0..40).map(|number| format!("n{number:02}")).collect();
    let text = GOOD.replace(
        "images:",
        &format!("cases: {{n: [{}]}}\nimages:", numbers.join(", ")),
    );
    let text = text.replace("/x:", "\"/${n}\":");
    project.write("scenarios/many.yaml", &text);
    assert_eq!(project.run(&["bless", "--jobs", "8"]).code, Some(0));
    let one = json(&project.run(&["run", "--format", "json", "--jobs", "1"]));
    let eight = json(&project.run(&["run", "--format", "json", "--jobs", "8"]));
    let ids = |lines: &[Value]| -> Vec<String> {
        lines[1..41]
            .iter()
            .map(|line| line["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let expected: Vec<String> = numbers.iter().map(|n| format!("many[n={n}]")).collect();
    assert_eq!(ids(&one), expected);
    assert_eq!(ids(&eight), expected);
    assert_eq!(eight[41]["passed"], 40);
}
