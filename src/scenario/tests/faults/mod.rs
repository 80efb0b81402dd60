//! Faults, as they are shown.
//!
//! The tables are text files: lines after `> ` are what is loaded, the lines below them its faults, as
//! `line:column: message | help`, and a blank line ends each entry.

use std::fmt::Write as _;

use super::{GROUND, bad};

/// The faults of a text without their excerpts.
fn brief(text: &str) -> String {
    let shown = bad(text);
    let faults: Vec<String> = shown
        .split("\n\n")
        .map(|fault| {
            let mut lines = fault.lines();
            let first = lines
                .next()
                .unwrap()
                .strip_prefix("a.yaml:")
                .unwrap()
                .to_owned();
            match lines.find_map(|line| line.strip_prefix("help: ")) {
                Some(help) => format!("{first} | {help}"),
                None => first,
            }
        })
        .collect();
    faults.join("\n")
}

/// Compares each entry of a table with what loading shows, all of them before it fails.
fn check(table: &str, file: impl Fn(&str) -> String) {
    let mut wrong = String::new();
    for entry in table
        .split("\n\n")
        .map(|entry| entry.trim_end_matches('\n'))
    {
        let (input, expected): (Vec<&str>, Vec<&str>) =
            entry.lines().partition(|line| line.starts_with("> "));
        let input: Vec<&str> = input.iter().map(|line| &line[2..]).collect();
        let faults = brief(&file(&input.join("\n")));
        if faults != expected.join("\n") {
            write!(wrong, "\n{}\n{faults}\n", input.join("\n")).unwrap();
        }
    }
    assert!(wrong.is_empty(), "these are the faults now:\n{wrong}");
}

#[test]
fn what_is_no_yaml() {
    check(include_str!("yaml.txt"), |text| format!("{text}\n"));
}

#[test]
fn documents() {
    check(include_str!("documents.txt"), |text| format!("{text}\n"));
}

#[test]
fn trees() {
    check(include_str!("trees.txt"), |entries| {
        format!("title: t\nvolumes: {{ab: {{content: {{{entries}}}}}}}\nsteps: [crash]\n")
    });
}

#[test]
fn steps() {
    check(include_str!("steps.txt"), |step| {
        format!("{GROUND}- {step}\n")
    });
}

#[test]
fn names_that_may_resolve() {
    for line in [
        "{stop: nobody, expect: {error: no-such-container}}",
        "{in: nobody, read: /x, expect: {error: no-such-container}}",
        "volume rm: {volume: nowhere, force: true}",
        "run: {name: d, image: 'app:latest'}",
        "run: {name: d, image: app, volumes: ['made:/x']}\n- volume rm: made",
        "run: {name: d, image: app, volumes: [{type: volume, source: made, target: /x}]}\n- volume rm: made",
        "commit: {container: c, image: two}\n- run: {name: d, image: two}",
        "image tag: {image: app, tag: two}\n- image rm: two",
        "import: {from: ./x.tar, image: two}\n- image rm: two",
        "concurrently: [{start: d}, {run: {name: d, image: app}}]",
        "{run: {name: d, image: app}, when: {engine: docker}}\n- stop: d",
    ] {
        super::steps_of(line);
    }
}

#[test]
fn a_fault_shows_its_place() {
    let text = "title: t\nimages:\n\tapp: {}\n";
    let expected = "\
a.yaml:3:1: a tab cannot indent
 3 | \tapp: {}
   | ^
help: use spaces";
    assert_eq!(bad(text), expected);

    let text = "title: t\nimages: {漢字アプリ: {layer: []}}\nsteps:\n- run: {name: c, imagee: app}\n- crash: 1\n";
    let expected = "\
a.yaml:2:10: `漢字アプリ` cannot be the name of an image
 2 | images: {漢字アプリ: {layer: []}}
   |          ^
help: lower-case letters, digits and `.`, `_`, `-`, `/`, `:`

a.yaml:2:18: unknown key `layer` of an image
 2 | images: {漢字アプリ: {layer: []}}
   |                       ^
help: did you mean `layers`?

a.yaml:4:8: a container needs `image`
 4 | - run: {name: c, imagee: app}
   |        ^

a.yaml:4:18: unknown key `imagee` of a container
 4 | - run: {name: c, imagee: app}
   |                  ^
help: did you mean `image`?

a.yaml:5:10: `crash` takes nothing
 5 | - crash: 1
   |          ^";
    let faults = bad(text);
    assert_eq!(faults, expected, "\n{faults}\n");
}

#[test]
fn a_long_line_and_the_end_of_a_file_are_shown_too() {
    let text = format!(
        "title: t\nhost: {{/a: {}, b: x}}\nsteps: [crash]\n",
        "y".repeat(2000)
    );
    let shown = bad(&text);
    assert!(shown.contains("yyy, b: x}\n"), "{shown}");
    let text = "title: t\nsteps: [crash\n\n";
    let expected = "\
a.yaml:2:14: did not find expected ',' or ']'
 2 | steps: [crash
   |              ^
help: while parsing a flow sequence at line 2 column 8";
    assert_eq!(bad(text), expected);
}

#[test]
fn faults_are_plain_data() {
    let found = super::super::FoundFile {
        stem: "a".to_owned(),
        path: "a.yaml".into(),
    };
    let text = "title: t\nstep: []\n".to_owned();
    let faults = super::super::load::parse(&found, text, None).unwrap_err();
    let json = serde_json::to_value(super::super::Faults::new(faults)).unwrap();
    let expected = serde_json::json!([
        {"file": "a.yaml", "at": {"line": 1, "column": 1}, "message": "a scenario needs `steps`",
         "help": null, "line": "title: t"},
        {"file": "a.yaml", "at": {"line": 2, "column": 1}, "message": "unknown key `step` of a scenario",
         "help": "did you mean `steps`?", "line": "step: []"},
    ]);
    assert_eq!(json, expected);
}

#[test]
fn terminals_are_not_at_the_mercy_of_files() {
    let faults = bad("title: t\n\"\\e[31m\\u202e\": 1\nsteps: [crash]\n");
    assert!(
        faults.contains("unknown key `\\u{1b}[31m\\u{202e}` of a scenario"),
        "{faults}"
    );
    assert!(
        faults.chars().all(|c| c == '\n' || !c.is_control()),
        "{faults}"
    );
}

#[test]
fn many_faults_are_counted() {
    let mut text = "title: t\nsteps: [crash]\n".to_owned();
    for index in 0..150 {
        writeln!(text, "x{index}: 1").unwrap();
    }
    let shown = bad(&text);
    assert_eq!(shown.matches("unknown key").count(), 100);
    assert!(shown.ends_with("a.yaml: and 50 more faults"), "{shown}");
}
