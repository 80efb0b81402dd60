//! What is told of what went wrong.

use std::fs;

use super::WRONG;
use super::support::{Project, Ran};

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
fn who_runs_it_by_cargo_is_told_to_do_so_again() {
    let project = Project::new();
    project.write("scenarios/wrong.yaml", WRONG);
    let folder = fs::canonicalize(project.path()).unwrap();
    for (package, name, program) in [
        (folder.as_path(), "layerspec", "cargo run --"),
        (&folder, "another", "layerspec"),
        (&folder.join("below"), "layerspec", "layerspec"),
    ] {
        let mut command = project.command(["run", "scenarios", "--filter", "*=ro*"]);
        command.env("CARGO_MANIFEST_DIR", package);
        let ran = Ran::from(command.env("CARGO_PKG_NAME", name).output().unwrap());
        let again = format!("  again   {program} run scenarios/wrong.yaml --filter ");
        assert!(ran.out.contains(&again), "{name}: {ran:?}");
    }
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
