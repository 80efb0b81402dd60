//! Whatever the bytes, loading ends soon and does not panic.

use std::fmt::Write as _;
use std::path::PathBuf;

use proptest::prelude::*;

use super::super::{FoundFile, source};
use super::{bad, load_text};

/// A scenario with a little of everything, to be mutated.
const RICH: &str = "\
title: A ${who}
about: |
  prose
covers: [notes/S20]
requires: [hard-links]
differs: {podman: \"why\"}
cases:
  who: [a, b]
images:
  app: &app
    layers:
      - /etc/app.conf: \"mode = default\\n\"
        /data/: {mode: \"2750\", owner: 1000:1000, mtime: 2024-01-02T03:04:05Z}
        /big: {size: 64MiB, fill: abc}
        /twin: {hardlink: /etc/app.conf}
        /gone: {whiteout: true}
    volumes: [/data]
    user: 1000
  two: *app
host: {./share/: {}, ./f: {base64: AAEC/w==}}
volumes: {store: {content: {/a: 'x'}}}
steps:
  - run: {name: first, image: app, volumes: [\"store:/data\", {type: bind, source: ./share, target: /s}]}
  - in: first
    as: 5
    when: {engine: [docker, native], who: a}
    do:
      - write: {/data/rows: \"1\\n\", /x/: {}}
      - {open: {path: /f, for: [read, write], as: h}, expect: {error: [EACCES, ENOENT]}}
      - {stat: /x, expect: {mode: 0755, owner: '0:0'}}
  - concurrently:
      - {in: first, append: {/l: x}}
      - {in: volume store, delete: {path: /a, recursive: true}}
  - rm: {container: first, force: true}
  - crash
";

fn load_bytes(bytes: Vec<u8>) {
    if let Ok(text) = source::decode(bytes) {
        match load_text(&text) {
            Ok(cases) => assert!(!cases.is_empty()),
            Err(faults) => assert!(!faults.is_empty()),
        }
    }
}

#[test]
fn the_rich_scenario_is_good() {
    assert_eq!(
        load_text(RICH)
            .unwrap_or_else(|faults| panic!("{faults}"))
            .len(),
        2
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        load_bytes(bytes);
    }

    #[test]
    fn arbitrary_yaml_characters(text in "[-\\[\\]{}:,&*!|>'\"%@`#?ab0~<$ \\t\\n]{0,200}") {
        load_bytes(text.into_bytes());
    }

    #[test]
    fn mutated_scenarios(
        edits in proptest::collection::vec((0..RICH.len(), any::<u8>(), 0..3_u8), 1..8)
    ) {
        let mut bytes = RICH.as_bytes().to_vec();
        for (index, byte, how) in edits {
            let index = index % bytes.len().max(1);
            match how {
                0 => bytes[index] = byte,
                1 => bytes.insert(index, byte),
                _ => drop(bytes.remove(index)),
            }
        }
        load_bytes(bytes);
    }

    #[test]
    fn lines_that_are_moved_and_repeated(order in proptest::collection::vec(0..40_usize, 1..60)) {
        let lines: Vec<&str> = RICH.lines().collect();
        let text: Vec<&str> = order.iter().map(|i| lines[i % lines.len()]).collect();
        let text = text.join("\n");
        load_bytes(text.into_bytes());
    }

    #[test]
    fn every_node_of_a_good_file_has_a_place(cut in 1..RICH.len()) {
        // Where a file is cut off, it is mostly bad; every fault then has its place.
        let found = FoundFile { stem: "a".to_owned(), path: PathBuf::from("a.yaml") };
        if let Err(faults) = super::super::load::parse(&found, RICH[..cut].to_owned(), None) {
            for fault in faults {
                prop_assert!(fault.at.is_some() || fault.message == "the file is empty", "{fault:?}");
            }
        }
    }
}

#[test]
fn bombs_are_refused() {
    let deep_flow = |depth: usize| format!("title: {}{}\n", "[".repeat(depth), "]".repeat(depth));
    let deep_block = |depth: usize| format!("title: {}x\n", "- ".repeat(depth));
    let mut laughs = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
    for (index, name) in ('b'..='j').enumerate() {
        let before = char::from(b'a' + u8::try_from(index).unwrap());
        let nine = vec![format!("*{before}"); 9].join(", ");
        writeln!(laughs, "{name}: &{name} [{nine}]").unwrap();
    }
    let repeats = format!(
        "a: &a {}\nb: [{}]\n",
        "x".repeat(100_000),
        vec!["*a"; 10_000].join(", ")
    );
    let itself = "a: &a [*a]\n".to_owned();
    let table = [
        (deep_flow(65), "1:71: nested more than 64 levels deep"),
        (deep_flow(400_000), "too many nested brackets"),
        (
            format!("title: {}", "[".repeat(1_000_000)),
            "too many nested brackets",
        ),
        (
            format!("title: {}", "{".repeat(1_000_000)),
            "too many nested brackets",
        ),
        (deep_block(500_000), "not allowed in this context"),
        ("- ".repeat(500_000), "nested more than 64 levels deep"),
        ("? ".repeat(500_000), "a key must be plain text"),
        (laughs, "aliases repeat too much"),
        (repeats, "aliases repeat too much"),
        (itself, "nested more than 64 levels deep"),
    ];
    for (text, wanted) in table {
        let faults = match source::decode(text.clone().into_bytes()) {
            Ok(text) => bad(&text),
            Err(unreadable) => unreadable.message,
        };
        assert!(
            faults.contains(wanted),
            "{}…\n{faults}",
            &text[..40.min(text.len())]
        );
    }
}

#[test]
fn large_files_are_bounded() {
    let many = |unit: &str| {
        let count = 700_000 / (unit.len() + 5);
        (0..count)
            .map(|index| unit.replace('#', &index.to_string()))
            .collect::<String>()
    };
    // What each of them says is of no interest, that they end is.
    for text in [
        format!("title: t\nsteps:\n{}", many("- {in: host, read: /x#}\n")),
        format!("title: t\nsteps:\n{}", many("- stop: nobody#\n")),
        format!("title: t\nhost:\n{}", many("  /x#: {hardlink: /y#}\n")),
        format!("title: t\nimages:\n{}", many("  a#: {from: a}\n")),
        format!("title: t\n{}", many("x#: 1\n")),
        format!(
            "title: t\ncases: {{a: [1]}}\nabout: \"{}\"\n",
            "${a}".repeat(200_000)
        ),
        format!(
            "title: t\ncases: {{a: [{}]}}\nabout: \"{}\"\n",
            "x".repeat(100_000),
            "${a}".repeat(200_000)
        ),
        format!(
            "title: t\ncases: [{}]\nsteps: [crash]\n",
            "{a: 1, b: 2},".repeat(50_000)
        ),
        format!("title: t\nabout: \"{}\"\n", "$${".repeat(300_000)),
        format!("title: t\nhost: {{/{}: x}}\n", "a/".repeat(400_000)),
        format!("title: {}\n", "0".repeat(1_000_000)),
        format!("{}: t\n", "k".repeat(1_000_000)),
    ] {
        drop(load_text(&text));
    }
}
