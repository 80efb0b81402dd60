//! What goes into the process and comes out of it: arguments, environment, scratch, signals, exit codes.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use super::support::Project;
use super::{GOOD, WRONG, good, json};

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
