//! What the language has, the scenarios of this repository show, so that every part of it runs end to end
//! on every engine that can.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::Path;

/// Every scenario, one after the other, without comments.
fn scenarios() -> String {
    fn gather(folder: &Path, text: &mut String) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                gather(&path, text);
            } else if path.extension().is_some_and(|ending| ending == "yaml")
                && path.file_name().unwrap() != "rules.yaml"
            {
                for line in fs::read_to_string(path).unwrap().lines() {
                    text.push_str(line.split(" # ").next().unwrap());
                    text.push('\n');
                }
            }
        }
    }
    let mut text = String::new();
    gather(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios"),
        &mut text,
    );
    text
}

/// The keys of one or more mappings, wherever they stand in the text: `- key:`, `{key:`, `, key:`, or alone in a line.
fn has_key(text: &str, key: &str) -> bool {
    let with_value = format!("{key}:");
    text.lines().any(|line| {
        let alone = line.trim().strip_prefix("- ") == Some(key);
        let keyed = line.match_indices(&with_value).any(|(at, _)| {
            let before = line.get(..at).unwrap_or_default();
            before.trim().is_empty()
                || before.ends_with("- ")
                || before.ends_with('{')
                || before.ends_with(", ")
        });
        alone || keyed
    })
}

fn missing<'k>(text: &str, keys: impl IntoIterator<Item = &'k str>) -> Vec<&'k str> {
    keys.into_iter().filter(|key| !has_key(text, key)).collect()
}

#[test]
fn every_operation_is_in_a_scenario() {
    let page = include_str!("../src/scenario/language.md");
    let (_, tables) = page.split_once("### Objects").unwrap();
    let (tables, _) = tables.split_once("## Expectations").unwrap();
    let operations: Vec<&str> = tables
        .lines()
        .filter(|line| line.starts_with("| `"))
        .flat_map(|line| {
            line.split('|')
                .nth(1)
                .unwrap()
                .split('`')
                .skip(1)
                .step_by(2)
        })
        .map(|name| name.split(':').next().unwrap())
        .collect();
    assert!(operations.len() > 50, "{operations:?}");
    assert_eq!(missing(&scenarios(), operations), Vec::<&str>::new());
}

#[test]
fn every_notation_is_in_a_scenario() {
    // A socket cannot be in an image; `mksock` makes one.
    let tree = [
        "text", "base64", "size", "fill", "from", "symlink", "hardlink", "fifo", "device",
        "whiteout", "opaque", "mode", "owner", "mtime", "xattrs",
    ];
    let mounts = [
        "type",
        "source",
        "target",
        "read_only",
        "bind",
        "create_host_path",
        "propagation",
        "recursive",
        "selinux",
        "volume",
        "nocopy",
        "subpath",
        "labels",
        "tmpfs",
        "consistency",
    ];
    let containers = [
        "name",
        "image",
        "volumes",
        "volumes_from",
        "tmpfs",
        "read_only",
        "user",
        "working_dir",
        "rm",
    ];
    let steps = ["in", "as", "do", "expect", "when", "note"];
    let file = [
        "title",
        "about",
        "covers",
        "requires",
        "differs",
        "cases",
        "images",
        "host",
        "volumes",
        "steps",
        "layers",
        "archive",
        "content",
        "driver_opts",
    ];
    let text = scenarios();
    for keys in [&tree[..], &mounts, &containers, &steps, &file] {
        assert_eq!(missing(&text, keys.iter().copied()), Vec::<&str>::new());
    }
}

#[test]
fn every_expectation_is_in_a_scenario() {
    let expectations = [
        "error",
        "text",
        "base64",
        "size",
        "names",
        "includes",
        "excludes",
        "type",
        "mode",
        "owner",
        "links",
        "device",
        "mtime",
        "atime",
        "blocks_max",
        "same_file_as",
        "number",
        "changes",
        "state",
        "exit_code",
        "mounts",
        "volumes",
        "labels",
        "used_by",
        "sha256",
    ];
    assert_eq!(missing(&scenarios(), expectations), Vec::<&str>::new());
}
