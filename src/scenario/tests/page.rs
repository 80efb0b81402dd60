//! The reference page is true.

use std::collections::BTreeSet;
use std::fs;

use super::super::steps::OPERATIONS;
use super::load_with;

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

/// Names in backticks in the first column of the page's tables.
fn operations_of_the_page() -> BTreeSet<&'static str> {
    let mut names = BTreeSet::new();
    for line in PAGE.lines().filter(|line| line.starts_with("| `")) {
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
    assert_eq!(operations_of_the_page(), known);
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
