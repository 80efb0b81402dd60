//! Snapshots by the command: missing, changed, approved and orphaned ones.

use std::fs;
use std::process::Command;

use super::support::Project;
use super::{GOOD, good};

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

/// By the tool of insta, where it is installed: `cargo install cargo-insta`.
#[test]
fn cargo_insta_approves_what_waits() {
    let project = good();
    project.write("Cargo.toml", "[package]\nname = \"specs\"\n");
    project.write("src/lib.rs", "");
    project.write("scenarios/volumes/good.yaml", &GOOD.replace("/x", "/y"));
    let ran = project.run(&["run"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let mut insta = Command::new("cargo");
    let insta = insta.args(["insta", "accept"]).current_dir(project.path());
    let said = insta.output().unwrap();
    if !said.status.success() {
        let why = String::from_utf8_lossy(&said.stderr).into_owned();
        let required = std::env::var("LAYERSPEC_REQUIRE").unwrap_or_default();
        assert!(
            !required.split(',').any(|name| name == "cargo-insta"),
            "{why}"
        );
        assert!(why.contains("no such command"), "{why}");
        eprintln!("skipped: {why}");
        return;
    }
    let ran = project.run(&["run"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
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
