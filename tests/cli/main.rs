//! The real command, in projects in temporary directories.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod approval;
mod failures;
mod junit;
mod process;
mod reports;
#[path = "../support/mod.rs"]
mod support;

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
