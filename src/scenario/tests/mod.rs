//! Tests of the language as a whole: text in, engine data or rendered faults out.

mod cases;
mod expectations;
mod faults;
mod files;
mod finding;
mod fixtures;
mod handles;
mod hostile;
mod mounts;
mod objects;
mod page;
mod steps;
mod trees;

use std::path::Path;

use super::fault::Faults;
use super::load::parse;
use super::{Action, FoundFile, RuleBook, Scenario, Step};
use crate::engine::{FileAction, Operation};

/// Loads a text as the file `a.yaml`.
fn load_text(text: &str) -> Result<Vec<Scenario>, String> {
    load_with(text, Path::new("a.yaml"), None)
}

fn load_with(text: &str, path: &Path, rules: Option<&RuleBook>) -> Result<Vec<Scenario>, String> {
    let found = FoundFile {
        stem: "a".to_owned(),
        path: path.to_owned(),
    };
    parse(&found, text.to_owned(), rules).map_err(|faults| Faults::new(faults).to_string())
}

/// The only case of a text that has no faults.
fn good(text: &str) -> Scenario {
    match load_text(text) {
        Ok(mut cases) if cases.len() == 1 => cases.remove(0),
        Ok(cases) => panic!("{} cases of\n{text}", cases.len()),
        Err(faults) => panic!("{faults}\nin\n{text}"),
    }
}

/// The rendered faults of a text.
fn bad(text: &str) -> String {
    match load_text(text) {
        Ok(_) => panic!("no fault in\n{text}"),
        Err(faults) => faults,
    }
}

/// What steps stand on in most tests: an image, a container, a volume, open handles.
const GROUND: &str = "\
title: t
images: {app: {}}
volumes: {store: {}}
steps:
- run: {name: c, image: app, volumes: ['store:/data']}
- {in: c, open: {path: /f, for: read, as: h}}
";

/// The steps that a line of YAML adds.
fn steps_of(line: &str) -> Vec<Step> {
    good(&format!("{GROUND}- {line}\n")).steps.split_off(2)
}

/// The operation of a step that a line of YAML adds.
fn operation(line: &str) -> Operation {
    match steps_of(line).remove(0).action {
        Action::Operation(operation) => operation,
        Action::Concurrently(_) => panic!("branches"),
    }
}

/// The file actions of a step in the container.
fn actions(body: &str) -> Vec<FileAction> {
    match operation(&format!("{{in: c, {body}}}")) {
        Operation::Files { requests, .. } => {
            assert!(requests.iter().all(|request| request.stop_on_refusal));
            requests.into_iter().map(|request| request.action).collect()
        }
        other => panic!("{other:?}"),
    }
}
