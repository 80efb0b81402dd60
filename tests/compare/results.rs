//! Results files: written, rendered again, put side by side, compared.

use std::fs;
use std::path::PathBuf;

use super::command::falsify;
use super::good::{GOOD, good};
use super::support::{Project, Ran};

/// Runs the scenarios on the embedded engine and keeps the results.
fn keep(project: &Project, file: &str) -> Ran {
    project.run(&["compare", "--engines", "native", "--output", file])
}

#[test]
fn results_are_rendered_again() {
    let project = good();
    let ran = keep(&project, "a.jsonl");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let again = project.run(&["compare", "a.jsonl"]);
    assert_eq!((again.code, &again.out), (Some(0), &ran.out));
    let lines = project.run(&["compare", "a.jsonl", "--format", "json"]);
    let text = fs::read_to_string(project.path().join("a.jsonl")).unwrap();
    assert_eq!((lines.code, &lines.out), (Some(0), &text));
    for (format, part) in [
        ("markdown", "| `volumes/good` | ✔/✔ |\n"),
        (
            "junit",
            "<testcase name=\"volumes/good: persistence\" classname=\"native.volumes\"",
        ),
    ] {
        let ran = project.run(&["compare", "a.jsonl", "--format", format]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.out.contains(part), "{ran:?}");
    }
    // Two files are two columns, and may be one file again.
    let two = project.run(&["compare", "a.jsonl", "a.jsonl", "--output", "b.jsonl"]);
    assert_eq!(two.code, Some(0), "{two:?}");
    assert!(two.out.contains("native (1)  native (2)\n"), "{two:?}");
    assert_eq!(project.run(&["compare", "b.jsonl"]).out, two.out);
    let one = project.run(&["compare", "b.jsonl", "--filter", "@docker"]);
    assert_eq!(one.code, Some(4), "{one:?}");
    assert_eq!(
        project
            .run(&["compare", "b.jsonl", "-f", "good@native"])
            .out,
        two.out
    );
    // What was wrong stays wrong.
    falsify(&project, "0644 0:0  \"1\"", "0600 0:0  \"1\"");
    let ran = keep(&project, "wrong.jsonl");
    let again = project.run(&["compare", "wrong.jsonl"]);
    assert_eq!((ran.code, again.code), (Some(1), Some(1)));
    assert_eq!(ran.out, again.out);
}

#[test]
fn an_output_is_there_as_a_whole() {
    let project = good();
    for (file, message) in [
        ("/dev/null", "--output: /dev/null: not a regular file"),
        ("no/such/folder/a.jsonl", "cannot be written"),
        ("scenarios", "not a regular file"),
    ] {
        let ran = keep(&project, file);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.err.contains(message), "{ran:?}");
        assert_eq!(ran.out, "", "nothing is run");
    }
    // A link stays one.
    let file = project.write("there/a.jsonl", "");
    std::os::unix::fs::symlink(&file, project.path().join("link.jsonl")).unwrap();
    assert_eq!(keep(&project, "link.jsonl").code, Some(0));
    assert!(project.path().join("link.jsonl").is_symlink());
    assert_eq!(project.run(&["compare", "there/a.jsonl"]).code, Some(0));
    assert_eq!(
        fs::read_dir(project.path().join("there")).unwrap().count(),
        1
    );
}

#[test]
fn a_damaged_file_is_refused_with_its_place() {
    let project = good();
    assert_eq!(keep(&project, "a.jsonl").code, Some(0));
    let good = fs::read_to_string(project.path().join("a.jsonl")).unwrap();
    let half = &good[..good.len() / 2];
    let other = project.run(&["run", "--format", "json"]).out;
    for (name, text, message) in [
        ("cut.jsonl", half, "error: cut.jsonl:2: "),
        (
            "empty.jsonl",
            "",
            "error: empty.jsonl: is empty, and no results file",
        ),
        (
            "run.jsonl",
            &other,
            "error: run.jsonl:1: not a results file but the report of a run",
        ),
        (
            "mark.jsonl",
            &good.replace("\"tree\":\"pass\"", "\"tree\":\"\\u001b[2J\""),
            "error: mark.jsonl:2: unknown variant `\\u{1b}[2J`",
        ),
    ] {
        project.write(name, text);
        for arguments in [
            &["compare", name][..],
            &["compare", "--diff", "a.jsonl", name],
        ] {
            let ran = project.run(arguments);
            assert_eq!(ran.code, Some(2), "{ran:?}");
            assert!(ran.err.starts_with(message), "{ran:?}");
            assert_eq!(ran.out, "");
        }
    }
    let missing = project.run(&["compare", "missing.jsonl"]);
    assert_eq!(missing.code, Some(2), "{missing:?}");
    assert!(
        missing.err.contains("missing.jsonl: cannot be read: "),
        "{missing:?}"
    );
}

#[test]
fn a_foreign_file_cannot_command_the_terminal() {
    let project = good();
    falsify(&project, "0644 0:0  \"1\"", "0600 0:0  \"1\"");
    assert_eq!(keep(&project, "a.jsonl").code, Some(1));
    let text = fs::read_to_string(project.path().join("a.jsonl")).unwrap();
    let evil = text
        .replace("volumes/good", "volumes/\\u001b]0;evil\\u0007\\u202e\\r")
        .replace("\"title\":\"", "\"title\":\"\\u001b[2J\\u009b2J\\n")
        .replace("\"version\":\"", "\"version\":\"\\u001b[31m");
    assert_ne!(evil, text);
    project.write("evil.jsonl", &evil);
    for arguments in [
        &["evil.jsonl"][..],
        &["evil.jsonl", "--color", "always"],
        &["evil.jsonl", "--format", "markdown"],
        &["evil.jsonl", "--format", "junit"],
        &["evil.jsonl", "--format", "json"],
        &["--diff", "a.jsonl", "evil.jsonl"],
        &["--diff", "a.jsonl", "evil.jsonl", "--format", "markdown"],
        &["--diff", "a.jsonl", "evil.jsonl", "--format", "json"],
        &["evil.jsonl", "a.jsonl"],
    ] {
        let ran = project.run(&[&["compare"], arguments].concat());
        // Colours of our own are all that is left.
        let own = |c: char| c == '\u{1b}' && arguments.contains(&"always");
        let harmful = |c: char| (c.is_control() && c != '\n' && !own(c)) || c == '\u{202e}';
        assert!(!ran.out.contains(harmful), "{arguments:?}: {:?}", ran.out);
        assert!(
            !ran.out.contains("\u{1b}[2J") && !ran.out.contains("\u{1b}]"),
            "{ran:?}"
        );
    }
}

#[test]
fn two_results_are_compared() {
    let project = good();
    let right = keep(&project, "right.jsonl");
    let same = project.run(&["compare", "--diff", "right.jsonl", "right.jsonl"]);
    assert_eq!((same.code, same.out.as_str()), (Some(0), "1 the same\n"));

    falsify(&project, "kept  step 2.1", "lost  step 2.1");
    project.write("scenarios/new.yaml", GOOD);
    let wrong = keep(&project, "wrong.jsonl");
    assert_eq!((right.code, wrong.code), (Some(0), Some(1)));
    let worse = project.run(&["compare", "--diff", "right.jsonl", "wrong.jsonl"]);
    assert_eq!(worse.code, Some(1), "{worse:?}");
    assert_eq!(
        worse.out,
        "regression  volumes/good  native: persistence: pass → fail\n\
         new         new  native: no approved outcome\n\n\
         1 regression, 1 new, 0 the same\n"
    );
    let better = project.run(&["compare", "--diff", "wrong.jsonl", "right.jsonl"]);
    assert_eq!(better.code, Some(0), "{better:?}");
    assert_eq!(
        better.out,
        "vanished    new  native: no approved outcome\n\
         fixed       volumes/good  native: persistence: fail → pass\n\n\
         1 vanished, 1 fixed, 0 the same\n"
    );
    let part = project.run(&[
        "compare",
        "--diff",
        "right.jsonl",
        "wrong.jsonl",
        "-f",
        "new",
    ]);
    assert_eq!(part.code, Some(0), "{part:?}");
    let lines = project.run(&[
        "compare",
        "--diff",
        "right.jsonl",
        "wrong.jsonl",
        "--format",
        "json",
    ]);
    assert_eq!(
        (lines.code, lines.out.lines().count()),
        (Some(1), 3),
        "{lines:?}"
    );
    let markdown = [
        "compare",
        "--diff",
        "right.jsonl",
        "wrong.jsonl",
        "--format",
        "markdown",
    ];
    let markdown = project.run(&markdown);
    assert!(
        markdown
            .out
            .contains("| regression | `volumes/good` | native |"),
        "{markdown:?}"
    );
    let files: Vec<PathBuf> = fs::read_dir(project.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(files.len(), 4, "{files:?}");
}
