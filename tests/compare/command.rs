//! Running scenarios on several engines.

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::good::{GOOD, good};
use super::support::{Project, Ran};

/// Changes the approved outcome.
pub(crate) fn falsify(project: &Project, from: &str, to: &str) {
    let path = project.path().join("snapshots/volumes/good.snap");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

fn compare(project: &Project, more: &[&str]) -> Ran {
    let mut words = vec!["compare", "--engines", "native"];
    words.extend(more);
    project.run(&words)
}

/// The row of the case in the matrix, without its blanks.
fn row(ran: &Ran) -> Vec<&str> {
    let row = ran
        .out
        .lines()
        .find(|line| line.starts_with("volumes/good"));
    assert!(row.is_some(), "{ran:?}");
    row.unwrap_or_default().split_whitespace().skip(1).collect()
}

#[test]
fn the_embedded_engine_and_the_kernel_agree() {
    let engines = Project::new().run(&["engines", "--format", "json"]).out;
    let overlayfs = engines.lines().find(|line| line.contains("\"overlayfs\""));
    if !overlayfs.unwrap().contains("\"available\":true") {
        eprintln!("skipped: {overlayfs:?}");
        return;
    }
    let project = good();
    let ran = project.run(&["compare", "scenarios", "--engines", "native,overlayfs"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(row(&ran), ["✔/✔", "✔/✔"]);
    assert!(!ran.out.contains("where engines part"), "{ran:?}");
    // The approved outcome is wrong on both: they still agree.
    falsify(&project, "0644 0:0  \"1\"", "0600 0:0  \"1\"");
    let ran = project.run(&["compare", "--engines", "native", "--engines", "overlayfs"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(row(&ran), ["✘/✔", "✘/✔"]);
    assert!(!ran.out.contains("where engines part"), "{ran:?}");
    assert!(ran.out.contains("/x: mode 0600 → 0644"), "{ran:?}");
    // What only one of them does.
    let more = "  - {in: first, write: {/y: \"2\"}, when: {engine: overlayfs}}\n";
    project.write("scenarios/volumes/good.yaml", &format!("{GOOD}{more}"));
    fs::remove_dir_all(project.path().join("snapshots")).unwrap();
    let ran = project.run(&["compare", "--engines", "native,overlayfs"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(row(&ran), ["?/?", "?/?"]);
    for part in [
        "native shows one thing\n",
        "overlayfs  no approved outcome\n",
        "parts at step 3, in first: write /y: left out by its `when:` → ok\n",
        "persistence: only now: ",
    ] {
        assert!(ran.out.contains(part), "{part:?}: {ran:?}");
    }
}

#[test]
fn each_axis_fails_alone() {
    for (from, to, marks) in [
        ("0644 0:0  \"1\"", "0600 0:0  \"1\"", "✘/✔"),
        ("kept  step 2.1", "lost  step 2.1", "✔/✘"),
    ] {
        let project = good();
        falsify(&project, from, to);
        let ran = compare(&project, &[]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert_eq!(row(&ran), [marks]);
        assert!(ran.out.contains("FAIL volumes/good on native\n"), "{ran:?}");
        // Nothing waits for review.
        assert!(
            !project
                .path()
                .join("snapshots/volumes/good.snap.new")
                .exists()
        );
    }
}

#[test]
fn a_known_bug_is_counted_apart_until_it_is_gone() {
    let differs =
        |value: &str| GOOD.replace("images:", &format!("differs: {{native: {value}}}\nimages:"));
    let bug = differs("{why: it is wrong, bug: \"https://example.org/1\"}");
    let project = Project::new();
    project.write("scenarios/volumes/good.yaml", &bug);
    assert_eq!(project.run(&["bless"]).code, Some(0));
    let ran = compare(&project, &[]);
    assert_eq!((ran.code, row(&ran)), (Some(0), vec!["!/!"]), "{ran:?}");
    // All others show something else, which persists alike.
    let variant = project.path().join("snapshots/volumes/good@native.snap");
    let common = project.path().join("snapshots/volumes/good.snap");
    let text = fs::read_to_string(&variant).unwrap();
    fs::write(&common, text.replace("0644 0:0  \"1\"", "0600 0:0  \"1\"")).unwrap();
    assert_eq!(row(&compare(&project, &[])), ["!/✔"]);
    project.write("scenarios/volumes/good.yaml", &differs("it may"));
    assert_eq!(row(&compare(&project, &[])), ["≈/✔"]);
    // It does what all others do.
    fs::write(&common, text).unwrap();
    for value in [
        "it may",
        "{why: it is wrong, bug: \"https://example.org/1\"}",
    ] {
        project.write("scenarios/volumes/good.yaml", &differs(value));
        let ran = compare(&project, &[]);
        assert_eq!((ran.code, row(&ran)), (Some(1), vec!["✘/✘"]), "{ran:?}");
        assert!(
            ran.out.contains("native does not differ here any more"),
            "{ran:?}"
        );
    }
}

#[test]
fn exit_codes_tell_what_happened() {
    let project = good();
    project.write("empty/readme.txt", "");
    project.write("bad/a.yaml", "title: x\nstep: []\n");
    project.write("new/a.yaml", GOOD);
    project.write(
        "refused/a.yaml",
        &GOOD.replace("/x: \"1\"", "/no/such/folder/x: \"1\""),
    );
    for (arguments, code, message) in [
        (&["scenarios"][..], 0, ""),
        (&["new"], 0, "?/?"),
        (&["refused"], 1, "✘/·"),
        (&["bad"], 2, "unknown key `step`"),
        (&["missing"], 2, "missing"),
        (&["--engines", "nativ"], 2, "did you mean `native`?"),
        (&["--timeout", "soon"], 2, "--timeout"),
        (
            &["--engines", "cli:/no/such/program"],
            3,
            "is not available: ",
        ),
        (
            &["scenarios", "--filter", "nothing"],
            4,
            "none of 1 case passes the filter",
        ),
        (&["empty"], 4, "no scenario in empty"),
    ] {
        let ran = compare(&project, arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}: {ran:?}");
        let told = format!("{}{}", ran.out, ran.err);
        assert!(told.contains(message), "{arguments:?}: {ran:?}");
    }
}

#[test]
fn without_names_every_engine_that_is_here_is_compared() {
    let project = good();
    let mut command = project.command(["compare"]);
    let ran = Ran::from(command.env("PATH", "/no/such/folder").output().unwrap());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(row(&ran).first(), Some(&"✔/✔"));
    assert!(ran.err.contains("left out docker: "), "{ran:?}");
    let mut command = project.command(["compare"]);
    let ran = Ran::from(command.env("LAYERSPEC_ENGINE", "native").output().unwrap());
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    assert_eq!(row(&ran), ["✔/✔"]);
}

#[test]
fn a_signal_leaves_nothing_behind() {
    let project = Project::new();
    let numbers: Vec<String> = (0..900).map(|number| number.to_string()).collect();
    let cases = format!("cases: {{n: [{}]}}\nimages:", numbers.join(", "));
    let text = GOOD.replace("images:", &cases).replace("/x:", "\"/${n}\":");
    project.write("scenarios/many.yaml", &text);
    let old = project.write("results.jsonl", "what was there before\n");
    let scratch = project.path().join("scratch");
    fs::create_dir(&scratch).unwrap();
    let words = [
        "compare",
        "--engines",
        "native",
        "--jobs",
        "1",
        "--scratch",
        "scratch",
    ];
    let child = project
        .command(words.iter().chain(&["--output", "results.jsonl"]))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let started = Instant::now();
    let under_way = || {
        let runs = fs::read_dir(&scratch).unwrap().flatten();
        runs.map(|run| fs::read_dir(run.path()))
            .any(|run| run.is_ok_and(|mut engines| engines.next().is_some()))
    };
    while !under_way() {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "nothing is run"
        );
        sleep(Duration::from_millis(1));
    }
    let id = child.id().to_string();
    let killed = Command::new("kill").args(["-2", &id]).status().unwrap();
    assert!(killed.success());
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(130), "{ran:?}");
    assert!(ran.err.starts_with("ended early: "), "{ran:?}");
    assert!(
        ran.err.contains("not started, no results are written"),
        "{ran:?}"
    );
    assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0);
    assert_eq!(fs::read_to_string(old).unwrap(), "what was there before\n");
    let names = fs::read_dir(project.path()).unwrap().flatten();
    assert_eq!(names.count(), 3, "scenarios, scratch and the results");
}
