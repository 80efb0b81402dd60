//! The real command, in projects in temporary directories.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod approval;
mod failures;
#[path = "../support/good.rs"]
mod good;
mod junit;
mod process;
mod reports;
#[path = "../support/mod.rs"]
mod support;

use good::{GOOD, good};
use serde_json::Value;
use support::Ran;

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

/// JSON Lines as values.
fn json(ran: &Ran) -> Vec<Value> {
    ran.out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
