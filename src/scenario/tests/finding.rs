//! Finding files, loading several, the rule book.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::super::{Level, RuleBook, find, load};
use super::load_with;

const GOOD: &str = "title: t\nsteps: [crash]\n";

fn tree() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path();
    for file in [
        "scenarios/b.yaml",
        "scenarios/a/z.yml",
        "scenarios/a/my file.yaml",
        "scenarios/a/notes.txt",
        "scenarios/rules.yaml",
        "scenarios/.hidden.yaml",
        "scenarios/.git/x.yaml",
        "other/deep/c.yaml",
    ] {
        let path = top.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, GOOD).unwrap();
    }
    symlink("..", top.join("scenarios/a/loop")).unwrap();
    folder
}

fn stems(top: &Path, paths: &[&str]) -> Vec<String> {
    let paths: Vec<PathBuf> = paths.iter().map(|path| top.join(path)).collect();
    find(&paths)
        .unwrap()
        .into_iter()
        .map(|found| found.stem)
        .collect()
}

#[test]
fn folders_files_and_globs() {
    let folder = tree();
    let top = folder.path();
    let all = ["a/my_file", "a/z", "b"];
    assert_eq!(stems(top, &["scenarios"]), all);
    assert_eq!(stems(top, &["scenarios/"]), all);
    assert_eq!(
        stems(
            top,
            &["scenarios", "scenarios/b.yaml", "scenarios/../scenarios"]
        ),
        all
    );
    assert_eq!(stems(top, &["scenarios/a"]), ["a/my_file", "a/z"]);
    assert_eq!(stems(top, &["scenarios/*"]), all);
    assert_eq!(stems(top, &["scenarios/*.yaml"]), ["b"]);
    assert_eq!(stems(top, &["scenarios/**/z.*"]), ["a/z"]);
    assert_eq!(stems(top, &["scenarios/b.yaml"]), ["b"]);
    assert_eq!(stems(top, &["other"]), ["deep/c"]);
    assert_eq!(stems(top, &["other/deep/c.yaml"]), ["c"]);
    assert_eq!(stems(top, &["scenarios/a/notes.txt"]), ["a/notes"]);
    assert_eq!(stems(top, &["nothing*"]), [""; 0]);
}

#[test]
fn what_is_not_there_is_a_fault() {
    let faults = find(&["/nowhere/x.yaml".into(), "/nowhere/[".into()])
        .unwrap_err()
        .to_string();
    assert!(
        faults.contains("/nowhere/x.yaml: there is no such file or folder"),
        "{faults}"
    );
    assert!(faults.contains("/nowhere/[: is no glob: "), "{faults}");
}

#[test]
fn every_fault_of_every_file() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("a.yaml", "title: 1\n"),
        ("b.yaml", GOOD),
        ("c.yaml", ""),
        ("d.yaml", "x: [\n"),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    fs::write(folder.path().join("e.yaml"), b"title: \xff").unwrap();
    fs::write(folder.path().join("f.yaml"), b"\xff\xfet\0").unwrap();
    fs::write(folder.path().join("g.yaml"), "\u{feff}title: t").unwrap();
    fs::write(folder.path().join("h.yaml"), vec![b'#'; (1 << 20) + 1]).unwrap();
    let found = find(&[folder.path().to_owned()]).unwrap();
    let faults = load(&found, None).unwrap_err().to_string();
    let faults = faults.replace(&format!("{}/", folder.path().display()), "");
    let expected = "\
a.yaml:1:1: a scenario needs `steps`
 1 | title: 1
   | ^

c.yaml: the file is empty

d.yaml:1:5: did not find expected node content
 1 | x: [
   |     ^
help: while parsing a flow node

e.yaml:1:8: the file is not UTF-8
 1 | title: \u{fffd}
   |        ^
help: bytes that are no text are written as `{base64: …}`

f.yaml:1:1: the file is not UTF-8
 1 | \u{fffd}\u{fffd}t\\u{0}
   | ^
help: bytes that are no text are written as `{base64: …}`

g.yaml:1:1: the file starts with a byte order mark
 1 | \u{feff}title: t
   | ^
help: save it as UTF-8 without one

h.yaml: the file is longer than 1 MiB
help: large content can stand beside the scenario: `{from: FILE}`";
    assert_eq!(faults, expected, "\n{faults}\n");
}

#[test]
fn ids_are_unique_whatever_their_case() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["same.yaml", "Same.yml"] {
        fs::write(folder.path().join(name), GOOD).unwrap();
    }
    let found = find(&[folder.path().to_owned()]).unwrap();
    let faults = load(&found, None).unwrap_err().to_string();
    assert!(
        faults.contains("same.yaml: its tests have the same ids as those of"),
        "{faults}"
    );
}

#[test]
fn the_rule_book() {
    let text = "docker/51: {statement: s, source: moby, level: must}\nnotes/S14: {statement: t, source: n, level: varies}\n";
    let book = RuleBook::parse(Path::new("rules.yaml"), text).unwrap();
    assert_eq!(book.rules["docker/51"].level, Level::Must);
    assert_eq!(book.rules["notes/S14"].statement, "t");
    let scenario = "title: t\ncovers: [docker/51, notes/S15]\nsteps: [crash]\n";
    let faults = load_with(scenario, Path::new("a.yaml"), Some(&book)).unwrap_err();
    let expected = "a.yaml:2:21: the rule book has no rule `notes/S15`\n 2 | covers: [docker/51, notes/S15]\n   |                     ^\nhelp: did you mean `notes/S14`?";
    assert_eq!(faults, expected);
    assert!(load_with(scenario, Path::new("a.yaml"), None).is_ok());
}

#[test]
fn faults_of_the_rule_book() {
    let table = [
        (
            "x: {}\n",
            "r.yaml:1:1: `x` cannot be the id of a rule\n 1 | x: {}\n   | ^\nhelp: an id is `BOOK/ROW`: `docker/51`\n\nr.yaml:1:4: a rule needs `level`\n 1 | x: {}\n   |    ^\n\nr.yaml:1:4: a rule needs `source`\n 1 | x: {}\n   |    ^\n\nr.yaml:1:4: a rule needs `statement`\n 1 | x: {}\n   |    ^",
        ),
        (
            "a/1: {statement: s, source: x, level: mus}\n",
            "r.yaml:1:39: unknown level `mus`\n 1 | a/1: {statement: s, source: x, level: mus}\n   |                                       ^\nhelp: did you mean `must`?",
        ),
        (
            "- a\n",
            "r.yaml:1:1: expected a mapping of id to rule, found a list\n 1 | - a\n   | ^",
        ),
    ];
    for (text, expected) in table {
        let faults = RuleBook::parse(Path::new("r.yaml"), text).unwrap_err();
        let faults = super::super::Faults::new(faults).to_string();
        assert_eq!(faults, expected, "\n{faults}\n");
    }
}

#[test]
fn a_pipe_is_a_fault_among_others_and_not_waited_for() {
    let folder = tree();
    let top = folder.path();
    for pipe in ["scenarios/pipe.yaml", "rules.yaml"] {
        let (pipe, kind) = (top.join(pipe), rustix::fs::FileType::Fifo);
        rustix::fs::mknodat(rustix::fs::CWD, pipe, kind, rustix::fs::Mode::RUSR, 0).unwrap();
    }
    fs::write(top.join("scenarios/b.yaml"), "title: t\nstep: []\n").unwrap();
    let found = find(&[top.join("scenarios")]).unwrap();
    let faults = load(&found, None).unwrap_err().to_string();
    for wanted in [
        "pipe.yaml: cannot be read: it is no regular file",
        "unknown key `step`",
    ] {
        assert!(faults.contains(wanted), "{faults}");
    }
    let faults = RuleBook::load(&top.join("rules.yaml")).unwrap_err();
    assert!(faults.to_string().contains("it is no regular file"));
}
