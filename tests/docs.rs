//! Whatever the documents show is tried: scenarios are run, commands give the output that is shown.
//!
//! | block | what is done with it |
//! |---|---|
//! | `yaml` with `title:` and `steps:` | a scenario: blessed and run on the embedded engine. If its first line is `# scenarios/x.yaml`, it is only loaded, and a later `console` block has to run that file |
//! | `yaml tree` | the content of an image layer, in a scenario |
//! | `yaml part` | further top-level keys of a scenario |
//! | `console` | lines after `$ ` are commands, run in order in the document's directory, which has the scenarios; the lines after them are their output |
//! | `console in-repository` | the same, in this repository |
//! | any of these with `no-run=REASON` | nothing |
//!
//! In an output, `[..]` stands for anything in a line, `...` alone for any lines, and durations are not compared.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::{LAYERSPEC, Project, quiet};

#[test]
fn the_readme_tells_the_truth() {
    check("README.md");
}

#[test]
fn the_contributors_guide_tells_the_truth() {
    check("CONTRIBUTING.md");
}

#[test]
fn the_language_is_as_described() {
    check("src/scenario/language.md");
}

/// Tries every block of a document; a document that is not there yet has none.
fn check(name: &str) {
    let Ok(text) = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)) else {
        return;
    };
    let project = Project::new();
    let blocks = blocks(&text);
    for (index, block) in blocks.iter().enumerate() {
        let place = format!("{name}:{}", block.line);
        if let Some(file) = block.file() {
            let is_run = |later: &Block| later.language() == "console" && later.text.contains(file);
            assert!(
                blocks[index..].iter().any(is_run),
                "{place}: no command runs {file}"
            );
        }
        if let Some(reason) = block.word("no-run=") {
            assert!(!reason.is_empty(), "{place}: no-run= without a reason");
            continue;
        }
        match block.language() {
            "yaml" => yaml(&project, block, &place),
            "console" => console(&project, block, &place),
            "sh" | "bash" | "shell" => {
                panic!("{place}: commands are shown in a `console` block, each after `$ `")
            }
            _ => {}
        }
    }
}

/// A fenced block of a document.
#[derive(Debug, PartialEq, Eq)]
struct Block {
    /// What stands after the fence.
    info: String,
    /// Number of the fence's line.
    line: usize,
    text: String,
}

impl Block {
    fn language(&self) -> &str {
        self.info.split_whitespace().next().unwrap_or("")
    }

    /// The file that the first line names, as `# scenarios/x.yaml`.
    fn file(&self) -> Option<&str> {
        let name = self.text.lines().next()?.strip_prefix("# ")?;
        (name.starts_with("scenarios/") && !name.contains(' ')).then_some(name)
    }

    /// What follows a prefix among the words of the info string.
    fn word(&self, prefix: &str) -> Option<&str> {
        self.info
            .split_whitespace()
            .find_map(|word| word.strip_prefix(prefix))
    }
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in text.lines().enumerate() {
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, Some(info)) => {
                open = Some(Block {
                    info: info.to_owned(),
                    line: index + 1,
                    text: String::new(),
                });
            }
            (None, None) => {}
        }
    }
    assert_eq!(open, None, "a block without an end");
    blocks
}

/// Loads a scenario, or what can be made one, and runs it.
fn yaml(project: &Project, block: &Block, place: &str) {
    let has = |key: &str| block.text.lines().any(|line| line.starts_with(key));
    let lines: Vec<String> = block
        .text
        .lines()
        .map(|line| format!("          {line}"))
        .collect();
    let indented = lines.join("\n");
    let scenario = if block.info.ends_with(" tree") {
        format!(
            "title: A tree\nimages:\n  tree:\n    layers:\n      -\n{indented}\nsteps: [crash]\n"
        )
    } else if block.info.ends_with(" part") {
        format!("title: A part\n{}steps: [crash]\n", block.text)
    } else {
        assert!(
            has("title:") && has("steps:"),
            "{place}: no scenario; say `yaml part`, `yaml tree`"
        );
        block.text.clone()
    };
    // A document's own files stay for its commands, and what these say of them is right or wrong, as the
    // document wishes; what has no name is tried apart from them.
    if let Some(file) = block.file() {
        project.write(file, &scenario);
        let ran = project.run(&["check", file]);
        assert_eq!(ran.code, Some(0), "{place}: {}", ran.err);
        return;
    }
    let apart = Project::new();
    apart.write("scenarios/block.yaml", &scenario);
    apart.write("scenarios/fixtures/logo.png", "not really a picture\n");
    let saved = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/layers/saved/app.tar");
    fs::copy(saved, apart.path().join("scenarios/fixtures/app.tar")).unwrap();
    for command in ["bless", "run"] {
        // By its name: a block that shows `differs:` has no variant that a whole folder would need.
        let ran = apart.run(&[command, "scenarios/block.yaml"]);
        assert_eq!(
            ran.code,
            Some(0),
            "{place}: {command}:\n{}{}",
            ran.out,
            ran.err
        );
    }
}

/// Runs the commands of a block and compares what they say.
fn console(project: &Project, block: &Block, place: &str) {
    let mut lines = block.text.lines().peekable();
    assert!(
        lines.peek().is_some_and(|line| line.starts_with("$ ")),
        "{place}: a console block starts with `$ `"
    );
    while let Some(line) = lines.next() {
        let command = line.strip_prefix("$ ").unwrap();
        let mut expected = Vec::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
            expected.push(line.trim_end().to_owned());
        }
        let directory = if block.info.ends_with(" in-repository") {
            Path::new(env!("CARGO_MANIFEST_DIR"))
        } else {
            project.path()
        };
        let seen = shell(directory, command);
        let seen: Vec<String> = seen
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect();
        while expected.last().is_some_and(String::is_empty) {
            expected.pop();
        }
        assert!(
            matches(&expected, &seen),
            "{place}: `{command}` says\n{}\nand not\n{}",
            seen.join("\n"),
            expected.join("\n")
        );
    }
}

/// What a shell command says, both streams in their order.
fn shell(directory: &Path, line: &str) -> String {
    let mut command = Command::new("sh");
    quiet(&mut command);
    let bin = Path::new(LAYERSPEC).parent().unwrap().to_str().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let output = command
        .current_dir(directory)
        .args(["-c", &format!("exec 2>&1\n{line}")])
        .env("PATH", format!("{bin}:{path}"))
        .output()
        .unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .trim_end()
        .to_owned()
}

fn matches(expected: &[String], seen: &[String]) -> bool {
    match (expected.split_first(), seen.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first.trim() == "..." => {
            (0..=seen.len()).any(|skipped| matches(rest, &seen[skipped..]))
        }
        (Some((expected, rest)), Some((seen, others))) => {
            line_matches(&timeless(expected), &timeless(seen)) && matches(rest, others)
        }
        _ => false,
    }
}

fn line_matches(expected: &str, seen: &str) -> bool {
    match expected.split_once("[..]") {
        None => expected == seen,
        Some((start, rest)) => seen.strip_prefix(start).is_some_and(|tail| {
            let mut starts = tail.char_indices().map(|(at, _)| at).chain([tail.len()]);
            starts.any(|at| line_matches(rest, &tail[at..]))
        }),
    }
}

/// A line with every duration replaced: `0.31 s` and `1.5 ms` are `TIME`.
fn timeless(line: &str) -> String {
    let mut words: Vec<&str> = line.split(' ').collect();
    let is_number = |word: &str| {
        word.contains('.')
            && !word.is_empty()
            && word.chars().all(|c| c.is_ascii_digit() || c == '.')
    };
    let mut index = 0;
    while index + 1 < words.len() {
        if is_number(words[index]) && ["s", "ms"].contains(&words[index + 1]) {
            words.splice(index..=index + 1, ["TIME"]);
        }
        index += 1;
    }
    words.join(" ")
}

#[test]
fn blocks_are_found_with_their_words_and_lines() {
    let text = "a\n```yaml tree\nx: 1\n```\n\n  ```console no-run=needs-docker\n$ x\n  ```\n";
    let blocks = blocks(text);
    assert_eq!(blocks.len(), 2);
    assert_eq!((blocks[0].language(), blocks[0].line), ("yaml", 2));
    assert_eq!(blocks[0].text, "x: 1\n");
    assert_eq!(blocks[1].word("no-run="), Some("needs-docker"));
}

#[test]
fn outputs_match_but_for_wildcards_and_durations() {
    let lines = |text: &str| -> Vec<String> { text.lines().map(str::to_owned).collect() };
    for (expected, seen, same) in [
        ("a\nb", "a\nb", true),
        ("a", "a\nb", false),
        ("a\nb", "a", false),
        ("a\n...", "a\nb\nc", true),
        ("...\nc", "a\nb\nc", true),
        ("...", "", true),
        ("...\nd", "a\nb", false),
        ("a [..] c", "a b b c", true),
        ("a [..] c", "a b d", false),
        ("1 passed in 0.31 s", "1 passed in 4.2 ms", true),
        ("1 passed in 0.31 s", "2 passed in 4.2 ms", false),
    ] {
        assert_eq!(
            matches(&lines(expected), &lines(seen)),
            same,
            "{expected:?} {seen:?}"
        );
    }
}

#[test]
fn commands_run_where_the_tool_is_found() {
    let project = Project::new();
    assert_eq!(
        shell(project.path(), "layerspec --version"),
        concat!("layerspec ", env!("CARGO_PKG_VERSION"))
    );
    assert!(
        shell(project.path(), "layerspec fly").starts_with("error: "),
        "standard error is read too"
    );
}
