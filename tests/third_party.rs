//! A crate of somebody else: a test target of three lines, one scenario, one approved snapshot.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[expect(dead_code, reason = "only whether an engine is here is asked")]
#[path = "support/daemon.rs"]
mod daemon;
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Project, Ran, quiet};

const MAIN: &str = r#"fn main() -> std::process::ExitCode {
    layerspec::harness::main("scenarios", "snapshots")
}
"#;

const SCENARIO: &str = r#"title: What is written to a volume is in the volume
steps:
  - volume create: store
  - in: volume store
    write: {/rows: "1\n"}
"#;

const CONTAINED: &str = r#"title: An image needs nothing in it
images: {empty: {layers: [{/x: "1"}]}}
steps:
  - run: {name: web, image: empty}
  - in: web
    read: /x
    expect: {text: "1"}
"#;

#[test]
fn another_crate_runs_scenarios_with_three_lines() {
    let project = Project::new();
    project.write("Cargo.toml", &manifest());
    project.write("src/lib.rs", "//! Nothing: only its storage is tested.\n");
    project.write("tests/storage.rs", MAIN);
    project.write("scenarios/volumes/rows.yaml", SCENARIO);
    project.write("scenarios/volumes/in-a-container.yaml", CONTAINED);
    // With our versions, so that nothing has to be looked for and what is built can be shared.
    fs::copy(root().join("Cargo.lock"), project.path().join("Cargo.lock")).unwrap();

    let first = test(&project, "new", &[]);
    assert_eq!(first.code, Some(0), "{first:?}");
    let snapshot = project.path().join("snapshots/volumes/rows.snap");
    let approved = fs::read_to_string(&snapshot).unwrap();

    // In a real container the test's own executable is the agent.
    if daemon::is_here("docker") {
        let mut docker = cargo_test(&project, "no", &[]);
        let docker = Ran::from(docker.env("LAYERSPEC_ENGINE", "docker").output().unwrap());
        assert_eq!(docker.code, Some(0), "{docker:?}");
        let trial = "test volumes/in-a-container@docker ... ok";
        assert!(docker.out.contains(trial), "{docker:?}");
    }

    let passed = test(&project, "no", &[]);
    assert_eq!(passed.code, Some(0), "{passed:?}");
    for trial in [
        "volumes/in-a-container",
        "volumes/rows",
        "layerspec::load",
        "layerspec::orphans",
    ] {
        let line = passed
            .out
            .lines()
            .find(|line| line.starts_with(&format!("test {trial} ")));
        assert!(
            line.is_some_and(|line| line.ends_with("ok")),
            "{trial}: {passed:?}"
        );
    }

    fs::write(&snapshot, approved.replace("/rows", "/lines")).unwrap();
    let failed = test(&project, "no", &[]);
    assert_eq!(failed.code, Some(101), "{failed:?}");
    let again = "again   cargo test --test storage -- --exact volumes/rows";
    for part in ["FAILED volumes/rows\n", "/rows", "/lines", again] {
        assert!(failed.out.contains(part), "{part:?}: {failed:?}");
    }

    fs::write(&snapshot, approved).unwrap();
    let exact = test(&project, "no", &["--exact", "volumes/rows"]);
    assert_eq!(exact.code, Some(0), "{exact:?}");
    assert!(exact.out.contains("1 passed; 0 failed"), "{exact:?}");
    let list = test(&project, "no", &["--list"]);
    assert_eq!(
        list.out,
        "layerspec::load: test\nlayerspec::orphans: test\nvolumes/in-a-container: test\nvolumes/rows: test\n",
        "{list:?}"
    );

    project.write("scenarios/volumes/bad.yaml", "titel: x\n");
    let faulty = test(&project, "no", &[]);
    assert_eq!(faulty.code, Some(101), "{faulty:?}");
    for part in [
        "test layerspec::load ",
        "did you mean `title`?",
        "bad.yaml:1:1",
    ] {
        assert!(faulty.out.contains(part), "{part:?}: {faulty:?}");
    }
    // Who names one trial has its file loaded, and no other.
    let exact = test(&project, "no", &["--exact", "volumes/rows"]);
    assert_eq!(exact.code, Some(0), "{exact:?}");
    fs::remove_file(project.path().join("scenarios/volumes/bad.yaml")).unwrap();

    project.write("snapshots/stray.snap", "---\nsource: x\n---\nx\n");
    let orphaned = test(&project, "no", &[]);
    assert_eq!(orphaned.code, Some(101), "{orphaned:?}");
    assert!(orphaned.out.contains("stray.snap"), "{orphaned:?}");
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The same profile as ours, so that dependencies that are built already need not be built again.
fn manifest() -> String {
    let ours = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let profile = &ours[ours.find("[profile.dev]").unwrap()..ours.find("[lints.rust]").unwrap()];
    format!(
        "[package]
name = \"somebody\"
version = \"0.0.0\"
edition = \"2024\"

[dev-dependencies]
layerspec = {{ path = '{}' }}

[[test]]
name = \"storage\"
harness = false

{profile}
[profile.dev.package.layerspec]
opt-level = 0

[workspace]
",
        root().display()
    )
}

fn test(project: &Project, update: &str, arguments: &[&str]) -> Ran {
    Ran::from(cargo_test(project, update, arguments).output().unwrap())
}

/// `cargo test` in the project, told what to do with snapshots.
fn cargo_test(project: &Project, update: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    quiet(&mut command);
    command
        .current_dir(project.path())
        .args(["test", "--quiet", "--offline", "--test", "storage", "--"])
        .args(arguments)
        .env("LAYERSPEC_UPDATE", update)
        .env("CARGO_TARGET_DIR", target())
        .env("CARGO_TERM_COLOR", "never");
    command
}

/// Our own target directory.
fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}
