//! The reference page is true.

use std::collections::BTreeSet;
use std::fs;

use super::super::steps::OPERATIONS;
use super::load_with;
use crate::engine::{Capability, Kind};

const PAGE: &str = include_str!("../language.md");

/// The blocks of the page: what their fence says after `yaml`, and their text.
fn blocks() -> Vec<(&'static str, &'static str)> {
    PAGE.split("```yaml")
        .skip(1)
        .filter_map(|rest| rest.split("```").next()?.split_once('\n'))
        .collect()
}

#[test]
fn every_block_of_the_page_loads() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("fixtures")).unwrap();
    fs::write(folder.path().join("fixtures/logo.png"), b"\x89PNG").unwrap();
    fs::write(folder.path().join("fixtures/app.tar"), b"").unwrap();
    let path = folder.path().join("page.yaml");
    let blocks = blocks();
    assert_eq!(blocks.len(), 3);
    for (form, block) in blocks {
        let text = match form.trim() {
            "" => block.to_owned(),
            "part" => format!("title: t\n{block}steps: [crash]\n"),
            "tree" => {
                let layer = block.trim_end().replace("\n/", "\n      /");
                format!("title: t\nimages:\n  app:\n    layers:\n    - {layer}\nsteps: [crash]\n")
            }
            other => panic!("a block of {other:?}"),
        };
        if let Err(faults) = load_with(&text, &path, None) {
            panic!("{faults}\nin\n{text}");
        }
    }
}

/// Names in backticks in the first column of the tables of a part of the page.
fn names_in_tables(part: &'static str) -> BTreeSet<&'static str> {
    let mut names = BTreeSet::new();
    for line in part.lines().filter(|line| line.starts_with("| `")) {
        let column = line.split('|').nth(1).unwrap();
        for name in column.split('`').skip(1).step_by(2) {
            names.insert(name.split(':').next().unwrap());
        }
    }
    names
}

#[test]
fn the_page_names_every_operation_and_no_other() {
    let known: BTreeSet<&str> = OPERATIONS.iter().map(|row| row.name).collect();
    let (operations, _) = PAGE.split_once("## Expectations").unwrap();
    assert_eq!(names_in_tables(operations), known);
}

#[test]
fn the_page_names_every_kind_and_every_capability() {
    let (_, rest) = PAGE.split_once("## Kinds of refusal").unwrap();
    let (kinds, capabilities) = rest.split_once("## Capabilities").unwrap();
    assert_eq!(
        names_in_tables(kinds),
        Kind::ALL.iter().map(|kind| kind.name()).collect()
    );
    assert_eq!(
        names_in_tables(capabilities),
        Capability::ALL.iter().map(|it| it.name()).collect()
    );
}

#[test]
fn the_page_names_every_expectation() {
    let expectations = PAGE.split("## Expectations").nth(1).unwrap();
    for key in OPERATIONS.iter().flat_map(|row| row.answers.keys()) {
        let plain = format!("`{key}`");
        let with_value = format!("`{key}:");
        assert!(
            expectations.contains(&plain) || expectations.contains(&with_value),
            "{key} is not on the page"
        );
    }
}
