//! The real command, in projects in temporary directories.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;
use support::{Project, Ran};

const GOOD: &str = r#"
title: A file that is written is there
images:
  app: {layers: [{/etc/app.conf: "mode = default\n"}]}
steps:
  - run: {name: first, image: app}
  - in: first
    do:
      - write: {/x: "1"}
      - read: /etc/app.conf
        expect: {text: "mode = default\n"}
"#;

const WRONG: &str = r#"
title: What is not there is expected
cases: {access: [ro, rw]}
images:
  app: {layers: [{/etc/app.conf: "mode = default\n"}]}
steps:
  - run: {name: first, image: app}
  - in: first
    read: /etc/app.conf
    expect: {text: "${access}"}
"#;

/// A project with one scenario, its outcome approved.
fn good() -> Project {
    let project = Project::new();
    project.write("scenarios/volumes/good.yaml", GOOD);
    let blessed = project.run(&["bless", "--new"]);
    assert_eq!(blessed.code, Some(0), "{blessed:?}");
    project
}

/// JSON Lines as values.
fn json(ran: &Ran) -> Vec<Value> {
    ran.out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_snapshot_without_a_case_fails_the_run() {
    let project = good();
    let orphan = project.write(
        "snapshots/volumes/gone.snap",
        "---\nsource: x\n---\nsteps\nend\n",
    );
    for arguments in [
        &["run"][..],
        &["run", "./scenarios"],
        &["check", "scenarios"],
    ] {
        let ran = project.run(arguments);
        assert_eq!(ran.code, Some(1), "{arguments:?}: {ran:?}");
        assert!(
            ran.err.contains("snapshots/volumes/gone.snap"),
            "{arguments:?}: {ran:?}"
        );
    }
    for arguments in [
        &["run", "scenarios/volumes"][..],
        &["run", "--filter", "good"],
    ] {
        assert_eq!(
            project.run(arguments).code,
            Some(0),
            "a selection knows nothing of the rest"
        );
    }
    fs::remove_file(orphan).unwrap();
    assert_eq!(project.run(&["run"]).code, Some(0));
}

#[test]
fn exit_codes_tell_what_happened() {
    let project = good();
    project.write("wrong/a.yaml", WRONG);
    project.write("bad/a.yaml", "title: x\nstep: []\n");
    project.write("empty/readme.txt", "");
    for (arguments, code) in [
        (&["run"][..], 0),
        (&["run", "scenarios"], 0),
        (&["run", "scenarios/volumes/good.yaml"], 0),
        (&["run", "scenarios/**/*.yaml"], 0),
        (&["run", "wrong"], 1),
        (&["run", "bad"], 2),
        (&["run", "missing.yaml"], 2),
        (&["run", "--jobs", "none"], 2),
        (&["run", "--engine", "nativ"], 2),
        (&["run", "--scratch", "missing"], 2),
        (&["run", "--no-such-flag"], 2),
        (&["frobnicate"], 2),
        (&[], 2),
        (&["run", "--engine", "process:/no/such/adapter"], 3),
        (&["run", "--filter", "nothing-has-this-name"], 4),
        (&["run", "empty"], 4),
        (&["list"], 0),
        (&["list", "bad"], 2),
        (&["list", "--filter", "nothing-has-this-name"], 4),
        (&["check"], 0),
        (&["check", "bad"], 2),
        (&["engines"], 0),
        (&["coverage"], 2),
        (&["--version"], 0),
        (&["help"], 0),
    ] {
        let ran = project.run(arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}: {ran:?}");
        assert!(!ran.err.contains("panicked"), "{arguments:?}: {ran:?}");
    }
}

#[test]
fn a_run_without_a_snapshot_fails_and_blessing_mends_it() {
    let project = Project::new();
    project.write("scenarios/volumes/good.yaml", GOOD);
    assert_eq!(project.run(&["run"]).code, Some(1));
    let blessed = project.run(&["bless"]);
    assert_eq!(blessed.code, Some(0), "{blessed:?}");
    assert!(
        blessed
            .out
            .contains("new      snapshots/volumes/good.snap\n"),
        "{blessed:?}"
    );
    let ran = project.run(&["run"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    assert!(ran.out.contains("volumes/good"), "{ran:?}");
    assert!(ran.out.contains("1 passed in "), "{ran:?}");
    assert!(
        project
            .run(&["bless"])
            .out
            .contains("no snapshot changed\n")
    );
}

#[test]
fn blessing_only_what_is_new_leaves_what_has_changed() {
    let project = good();
    let snapshot = project.path().join("snapshots/volumes/good.snap");
    let approved = fs::read_to_string(&snapshot).unwrap();
    project.write("scenarios/volumes/good.yaml", &GOOD.replace("/x", "/y"));
    project.write("scenarios/other.yaml", GOOD);
    let ran = project.run(&["bless", "--new"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.out.contains("new      snapshots/other.snap\n"),
        "{ran:?}"
    );
    assert_eq!(fs::read_to_string(&snapshot).unwrap(), approved);
    let ran = project.run(&["bless"]);
    assert!(
        ran.out.contains("changed  snapshots/volumes/good.snap\n"),
        "{ran:?}"
    );
    assert_ne!(fs::read_to_string(&snapshot).unwrap(), approved);
}

#[test]
fn orphans_are_told_and_deleted_on_request_only() {
    let project = good();
    fs::rename(
        project.path().join("scenarios/volumes/good.yaml"),
        project.path().join("scenarios/volumes/better.yaml"),
    )
    .unwrap();
    assert_eq!(project.run(&["bless"]).code, Some(0));
    let orphan = project.path().join("snapshots/volumes/good.snap");
    assert!(orphan.exists());
    let checked = project.run(&["check"]);
    assert_eq!(checked.code, Some(1), "{checked:?}");
    assert!(
        checked.err.contains("snapshots/volumes/good.snap: "),
        "{checked:?}"
    );
    let ran = project.run(&["bless", "--orphans"]);
    assert!(
        ran.out.contains("deleted  snapshots/volumes/good.snap\n"),
        "{ran:?}"
    );
    assert!(!orphan.exists());
    assert_eq!(project.run(&["check"]).code, Some(0));
}

#[test]
fn a_failure_is_one_block_with_place_values_and_command() {
    let project = Project::new();
    project.write("scenarios/a/wrong.yaml", WRONG);
    let ran = project.run(&["run", "--filter", "*access=ro*"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    for part in [
        "FAILED a/wrong[access=ro]\n  What is not there is expected\n",
        "--> scenarios/a/wrong.yaml:10:",
        "10 |     expect: {text: \"${access}\"}",
        "    expected  ",
        "    actual    ",
        "  again   layerspec run scenarios/a/wrong.yaml --filter 'a/wrong[access=ro]'\n",
        "0 passed, 1 failed in ",
    ] {
        assert!(ran.out.contains(part), "{part:?} is not in:\n{}", ran.out);
    }
    let again = ran
        .out
        .lines()
        .find_map(|line| line.trim().strip_prefix("again"))
        .unwrap();
    let words = "run scenarios/a/wrong.yaml --filter a/wrong[access=ro]";
    assert_eq!(again.trim().replace('\'', ""), format!("layerspec {words}"));
    let words: Vec<&str> = words.split(' ').collect();
    let once_more = project.run(&words);
    assert!(
        once_more.out.contains("0 passed, 1 failed in "),
        "{once_more:?}"
    );
}

#[test]
fn faults_are_told_all_at_once_with_their_places() {
    let project = Project::new();
    project.write("scenarios/a.yaml", "title: a\nsteps: []\nimges: {}\n");
    project.write("scenarios/b.yaml", "title: b\nsteps:\n  - fly: away\n");
    for command in ["check", "run", "list", "bless"] {
        let ran = project.run(&[command]);
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (Some(2), ""),
            "{command}: {ran:?}"
        );
        for part in [
            "--> scenarios/a.yaml:3:1\n  |\n3 | imges: {}\n  | ^\n",
            "did you mean `images`?",
            "--> scenarios/b.yaml:3:",
            " in 2 files\n",
        ] {
            assert!(
                ran.err.contains(part),
                "{command}: {part:?} is not in:\n{}",
                ran.err
            );
        }
    }
}

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
fn the_scratch_directory_is_left_only_when_it_is_to_be_kept() {
    let project = good();
    let scratch = project.path().join("scratch");
    fs::create_dir(&scratch).unwrap();
    let left = || fs::read_dir(&scratch).unwrap().count();
    assert_eq!(project.run(&["run", "--scratch", "scratch"]).code, Some(0));
    assert_eq!(left(), 0);
    let ran = project.run(&["run", "--scratch", "scratch", "--keep", "--format", "json"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(left(), 1);
    let kept = json(&ran)[1]["kept"].as_str().unwrap().to_owned();
    assert!(
        std::path::Path::new(&kept).is_dir() && kept.contains("/scratch/"),
        "{kept}"
    );
    let from_environment = project
        .command(["run"])
        .env("LAYERSPEC_SCRATCH", "nowhere")
        .output()
        .unwrap();
    assert_eq!(from_environment.status.code(), Some(2));
}

#[test]
fn the_environment_stands_in_for_flags() {
    let project = good();
    for (name, value, code) in [
        ("LAYERSPEC_ENGINE", "native", 0),
        ("LAYERSPEC_ENGINE", "process:/no/such/adapter", 3),
        ("LAYERSPEC_ENGINE", "nativ", 2),
        ("LAYERSPEC_JOBS", "2", 0),
        ("LAYERSPEC_JOBS", "many", 2),
    ] {
        let output = project.command(["run"]).env(name, value).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{name}={value}");
    }
    // What is typed comes first.
    let output = project
        .command(["run", "--engine", "native", "--jobs", "1"])
        .envs([("LAYERSPEC_ENGINE", "nativ"), ("LAYERSPEC_JOBS", "many")])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
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

#[test]
fn a_signal_ends_the_run_well() {
    let project = Project::new();
    let numbers: Vec<String> = (0..900).map(|number| number.to_string()).collect();
    let cases = format!("cases: {{n: [{}]}}\nimages:", numbers.join(", "));
    let text = GOOD.replace("images:", &cases).replace("/x:", "\"/${n}\":");
    project.write("scenarios/many.yaml", &text);
    let scratch = project.path().join("scratch");
    fs::create_dir(&scratch).unwrap();
    for (signal, number, code) in [("SIGINT", "-2", 130), ("SIGTERM", "-15", 143)] {
        let mut child = project
            .command([
                "run",
                "--format",
                "json",
                "--jobs",
                "1",
                "--scratch",
                "scratch",
            ])
            .env("CI", "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // The header, and a first case: the run is under way, with 899 cases to come.
        assert!(lines.next().unwrap().unwrap().contains("\"cases\":900"));
        assert!(
            lines
                .next()
                .unwrap()
                .unwrap()
                .contains("\"event\":\"case\"")
        );
        let killed = std::process::Command::new("kill")
            .args([number, &child.id().to_string()])
            .status()
            .unwrap();
        assert!(killed.success());
        let last = lines.map(Result::unwrap).last().unwrap();
        let totals: Value = serde_json::from_str(&last).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert_eq!(totals["interrupted"], signal);
        assert!(totals["not_started"].as_u64().unwrap() > 0, "{totals}");
        assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0, "{signal}");
    }
}
