//! Adapters that behave, and those that do not: whatever one does, the run ends with a clear fault, in time, and
//! leaves no process behind.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::{Project, Ran};

/// One step in the host directory: `hello`, `begin`, one operation, `observe`, `end`.
const SCENARIO: &str = "\
title: A file on the host
steps:
  - in: host
    read: /x
    expect: {text: one}
";

/// An adapter in a few lines of shell. `id` is that of the request, and `say` answers it.
const SHELL: &str = r#"
say() { printf '{"id":%s,%s}\n' "$id" "$1"; }
hello() { say '"hello":{"protocol":1,"name":"shell","version":"1","capabilities":[],"seconds_per_request":1}'; }
operation() { say '"done":{"files":[{"result":{"done":{"bytes":"one"}}}]}'; }
observe() { say '"world":{"containers":[],"volumes":[],"host":[],"images":[]}'; }
finish() { say '"ended":{}'; }
talk() {
    while IFS= read -r line; do
        id=${line#*:} id=${id%%,*}
        case $line in
        *'"hello":'*) hello ;;
        *'"begin":'*) say '"begun":{}' ;;
        *'"operation":'*) operation ;;
        *'"observe":'*) observe ;;
        *'"end":'*) finish ;;
        esac
    done
}
"#;

/// What an adapter with these functions of its own makes of the scenario, approved from one that behaves.
fn run(own: &str, arguments: &[&str]) -> (Ran, Duration) {
    let project = project(own);
    let engine = engine(&project);
    let mut all = vec!["run", "--engine", engine.as_str()];
    all.extend(arguments);
    let begin = Instant::now();
    let ran = project.run(&all);
    let took = begin.elapsed();
    assert!(!ran.err.contains("panicked"), "{ran:?}");
    (ran, took)
}

fn project(own: &str) -> Project {
    let project = Project::new();
    project.write("scenarios/a.yaml", SCENARIO);
    project.write(
        "snapshots/a.snap",
        "---\nsource: scenarios/a.yaml\n---\nsteps\n  1  in host: read /x  \"one\"\npersistence\n  nothing was written\nend\n",
    );
    project.write("adapter.sh", &format!("{SHELL}{own}\ntalk\n"));
    project
}

fn engine(project: &Project) -> String {
    format!("process:sh {}", project.path().join("adapter.sh").display())
}

#[test]
fn one_that_behaves_passes() {
    let (ran, _) = run("", &[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("1 passed in "), "{ran:?}");
}

/// What an adapter does, and what is told of it.
const WRONG: &[(&str, &str)] = &[
    (
        "operation() { echo 'no luck' >&2; exit 3; }",
        "step 1, in host: read /x: the adapter: it has ended (exit status: 3); on its standard error it wrote:\nno luck",
    ),
    (
        "operation() { kill -SEGV $$; }",
        "the adapter: it has ended (signal: 11 (SIGSEGV)",
    ),
    (
        "operation() { echo working on it >&2; }",
        "the adapter: it gave no answer in 1s; on its standard error it wrote:\nworking on it",
    ),
    (
        "operation() { echo hello; }",
        "it wrote what is no reply: expected value at line 1 column 1: hello",
    ),
    (
        "operation() { printf '\\377\\n'; }",
        "it wrote what is no reply: not UTF-8: \\xff",
    ),
    (
        "operation() { echo; }",
        "it wrote what is no reply: EOF while parsing a value",
    ),
    (
        "operation() { say '\"done\":{\"bytes\":7}'; }",
        "it wrote what is no reply: done.bytes: ",
    ),
    (
        "operation() { say '\"undone\":{}'; }",
        "it wrote what is no reply: none of `hello`, ",
    ),
    (
        "operation() { id=99; say '\"done\":\"nothing\"'; }",
        "it answered request 99, which waits for no answer",
    ),
    (
        "operation() { say '\"done\":{\"files\":[{\"result\":{\"done\":{\"bytes\":\"one\"}}}]}'; say '\"done\":\"nothing\"'; }",
        "it answered request 3, which waits for no answer",
    ),
    (
        "operation() { say '\"ended\":{}'; }",
        "the adapter answered `operation` with `ended`",
    ),
    (
        "operation() { say '\"done\":\"nothing\"'; }",
        "answered file operations with Nothing",
    ),
    (
        "operation() { say '\"broken\":\"the disk is gone\"'; }",
        "the disk is gone",
    ),
    (
        "operation() { exec <&-; say '\"done\":{\"files\":[{\"result\":{\"done\":{\"bytes\":\"one\"}}}]}'; sleep 20; }",
        "the adapter: it closed its standard input",
    ),
    (
        "operation() { exec >&-; sleep 20; }",
        "the adapter: it closed its standard output",
    ),
    (
        "hello() { say '\"hello\":{\"protocol\":1,\"name\":\"x\",\"version\":\"1\",\"capabilities\":[]}'; }; operation() { yes | tr -d '\\n'; }",
        "it wrote a line of more than 64 MiB",
    ),
    (
        "operation() { while :; do echo 'so much to say'; done >&2; }",
        "it gave no answer in 1s; on its standard error it wrote:\n… ",
    ),
    (
        "observe() { say '\"unsupported\":\"eyes\"'; }",
        "cannot be observed: eyes",
    ),
    (
        "observe() { say '\"world\":{\"containers\":[]}'; }",
        "world: missing field `volumes`",
    ),
];

#[test]
fn whatever_goes_wrong_is_told() {
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let each = |(own, _): &(&'static str, _)| {
            let own = *own;
            scope.spawn(move || run(own, &[]))
        };
        let running: Vec<_> = WRONG.iter().map(each).collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    for ((own, message), (ran, took)) in WRONG.iter().zip(outcomes) {
        assert_eq!(ran.code, Some(3), "{own}: {ran:?}");
        // The report indents what has several lines.
        let told: Vec<&str> = ran.out.lines().map(str::trim).collect();
        assert!(told.join("\n").contains(message), "{own}: {ran:?}");
        assert!(ran.out.len() < 16 << 10, "{own}: {} bytes", ran.out.len());
        assert!(took < Duration::from_secs(60), "{own}: {took:?}");
    }
}

#[test]
fn one_that_cannot_begin_is_absent() {
    for (own, message) in [
        (
            "hello() { echo 'no licence' >&2; exit 1; }",
            "it has ended (exit status: 1); on its standard error it wrote:\nno licence",
        ),
        (
            "hello() { say '\"hello\":{\"protocol\":2,\"name\":\"x\",\"version\":\"1\",\"capabilities\":[]}'; }",
            "it speaks version 2 of the protocol, and this layerspec version 1",
        ),
        (
            "hello() { say '\"hello\":{\"protocol\":1,\"name\":\"x\",\"version\":\"1\",\"capabilities\":[\"wings\"]}'; }",
            "hello.capabilities[0]: unknown variant `wings`",
        ),
        (
            "hello() { say '\"absent\":{\"reason\":\"no fuse here\",\"remedy\":\"load the module\"}'; }",
            "is not available: no fuse here\n  help: load the module",
        ),
        (
            "hello() { say '\"world\":{\"containers\":[],\"volumes\":[],\"host\":[],\"images\":[]}'; }",
            "the adapter answered `hello` with `world`",
        ),
    ] {
        let (ran, _) = run(own, &[]);
        assert_eq!(ran.code, Some(3), "{own}: {ran:?}");
        assert!(ran.err.contains(message), "{own}: {ran:?}");
    }
    let project = Project::new();
    project.write("scenarios/a.yaml", SCENARIO);
    for (engine, code, message) in [
        (
            "process:/no/such/adapter",
            3,
            "no such program: /no/such/adapter",
        ),
        ("process:/", 3, "cannot start /: "),
        ("process:", 2, "`process:` needs the command of an adapter"),
        (
            "process:sh 'x",
            2,
            "a quote in the adapter's command does not end",
        ),
        (
            "process",
            3,
            "it is whatever program you name: process:COMMAND",
        ),
    ] {
        let ran = project.run(&["run", "--engine", engine]);
        assert_eq!(ran.code, Some(code), "{engine}: {ran:?}");
        assert!(ran.err.contains(message), "{engine}: {ran:?}");
    }
}

#[test]
fn a_silent_one_is_given_ten_seconds_to_say_who_it_is() {
    let (ran, took) = run("hello() { :; }", &[]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.err.contains("it gave no answer in 10s"), "{ran:?}");
    assert!(took < Duration::from_secs(30), "{took:?}");
}

#[test]
fn what_is_unsupported_is_skipped_with_the_reason() {
    let own = "operation() { say '\"unsupported\":\"the file operation read\"'; }";
    let (ran, _) = run(own, &[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let reason = "not supported: step 1, in host: read /x: the file operation read";
    assert!(ran.out.contains(reason), "{ran:?}");
    assert!(ran.out.contains("0 passed, 1 skipped"), "{ran:?}");
    let (ran, _) = run(own, &["--format", "json"]);
    let line: serde_json::Value = serde_json::from_str(ran.out.lines().nth(1).unwrap()).unwrap();
    assert_eq!(
        (&line["verdict"], &line["reason"]),
        (&"skipped".into(), &reason.into())
    );
    // What went wrong before counts all the same.
    let project = project(
        "operation() { case $line in *x*) say '\"done\":{\"files\":[{\"result\":{\"done\":{\"bytes\":\"two\"}}}]}' ;; *) say '\"unsupported\":\"that\"' ;; esac; }",
    );
    project.write(
        "scenarios/a.yaml",
        &format!("{SCENARIO}  - in: host\n    read: /y\n"),
    );
    let ran = project.run(&["run", "--engine", &engine(&project)]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
}

#[test]
fn a_failure_shows_what_was_complained_of_at_its_step() {
    let own = "hello_() { :; }; operation() { echo \"at $id\" >&2; say '\"done\":{\"files\":[{\"result\":{\"done\":{\"bytes\":\"two\"}}}]}'; }\n\
               observe() { echo elsewhere >&2; say '\"world\":{\"containers\":[],\"volumes\":[],\"host\":[],\"images\":[]}'; }";
    let (ran, _) = run(own, &[]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.out.contains("the engine wrote on standard error:\n"),
        "{ran:?}"
    );
    assert!(ran.out.contains("at 3"), "{ran:?}");
    assert!(!ran.out.contains("elsewhere"), "{ran:?}");
}

#[test]
fn one_that_reads_nothing_is_late() {
    let project = project("");
    let large = "x".repeat(200_000);
    let scenario = format!("title: Large\nsteps:\n  - in: host\n    write: {{/x: {large}}}\n");
    project.write("scenarios/a.yaml", &scenario);
    let deaf = "id=1; hello; id=2; say '\"begun\":{}'; sleep 60";
    project.write("adapter.sh", &format!("{SHELL}\nread -r line\n{deaf}\n"));
    let ran = project.run(&["run", "--engine", &engine(&project)]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    // It said that the scenario has begun before it was asked.
    assert!(
        ran.out.contains("which waits for no answer") || ran.out.contains("standard input"),
        "{ran:?}"
    );
    let deaf = "read -r line; id=1; hello; read -r line; id=2; say '\"begun\":{}'; sleep 60";
    project.write("adapter.sh", &format!("{SHELL}\n{deaf}\n"));
    let ran = project.run(&["run", "--engine", &engine(&project)]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(
        ran.out
            .contains("the adapter: it does not read its standard input"),
        "{ran:?}"
    );
}

/// Processes with this text among their arguments.
fn processes(mark: &str) -> Vec<String> {
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = all.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(mark))
        .collect()
}

fn gone(mark: &str) {
    let begin = Instant::now();
    while !processes(mark).is_empty() && begin.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(processes(mark), [""; 0]);
}

#[test]
fn its_children_end_with_it() {
    // A child that keeps the pipes open, of an adapter that goes, stays, or does not answer.
    for (number, then) in ["exit 1", "say '\"done\":\"nothing\"'", ":"]
        .into_iter()
        .enumerate()
    {
        let mark = format!("4{}.{number}", std::process::id());
        let (ran, _) = run(&format!("operation() {{ sleep {mark} & {then}; }}"), &[]);
        assert_eq!(ran.code, Some(3), "{ran:?}");
        gone(&mark);
    }
    // One that ignores the end of its input, and the signals that can be ignored.
    let mark = format!("5{}.1", std::process::id());
    let (ran, _) = run(
        &format!("trap '' TERM INT HUP; sleep {mark} &\ntalk\nwait"),
        &[],
    );
    assert_eq!(ran.code, Some(0), "{ran:?}");
    gone(&mark);
}

#[test]
fn the_time_limit_of_a_case_ends_it_too() {
    let mark = format!("6{}.1", std::process::id());
    let own = format!(
        "hello() {{ say '\"hello\":{{\"protocol\":1,\"name\":\"slow\",\"version\":\"1\",\"capabilities\":[],\"seconds_per_request\":600}}'; }}\n\
         operation() {{ sleep {mark}; }}"
    );
    let (ran, took) = run(&own, &["--timeout", "500ms"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(
        ran.out.contains("more than the time limit of 500ms"),
        "{ran:?}"
    );
    assert!(took < Duration::from_secs(30), "{took:?}");
    gone(&mark);
}

#[test]
fn a_run_that_is_killed_takes_it_along() {
    for signals in [&["-INT", "-INT"][..], &["-TERM", "-TERM"]] {
        let mark = format!("7{}.{}", std::process::id(), signals[0].len());
        let project = project(&format!(
            "hello() {{ say '\"hello\":{{\"protocol\":1,\"name\":\"slow\",\"version\":\"1\",\"capabilities\":[],\"seconds_per_request\":600}}'; }}\n\
             operation() {{ trap '' TERM INT HUP; sleep {mark}; sleep {mark}; }}"
        ));
        let mut command = project.command(["run", "--engine", &engine(&project)]);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begin = Instant::now();
        while processes(&mark)
            .iter()
            .all(|line| !line.starts_with("sleep"))
        {
            assert!(
                begin.elapsed() < Duration::from_secs(60),
                "it has not begun"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        for signal in signals {
            let pid = child.id().to_string();
            assert!(
                Command::new("kill")
                    .args([*signal, pid.as_str()])
                    .status()
                    .unwrap()
                    .success()
            );
            std::thread::sleep(Duration::from_millis(300));
        }
        child.wait().unwrap();
        gone(&mark);
    }
}

#[test]
fn only_one_that_can_is_asked_several_things_at_once() {
    // It answers the first of two requests when it has answered the second.
    let own = |capabilities: &str| {
        format!(
            "hello() {{ say '\"hello\":{{\"protocol\":1,\"name\":\"x\",\"version\":\"1\",\"capabilities\":[{capabilities}],\"seconds_per_request\":3}}'; }}\n\
             one() {{ say '\"done\":{{\"files\":[{{\"result\":{{\"done\":{{\"bytes\":\"one\"}}}}}}]}}'; }}\n\
             operation() {{ if [ -z \"$first\" ]; then first=$id; else one; id=$first; one; fi; }}"
        )
    };
    for (capabilities, code, told) in [
        ("\"concurrent\"", 0, "1 passed"),
        ("", 3, "it gave no answer in 3s"),
    ] {
        let project = project(&own(capabilities));
        project.write(
            "scenarios/a.yaml",
            "title: Two readers\nsteps:\n  - concurrently:\n      - {in: host, read: /x}\n      - {in: host, read: /y}\n",
        );
        project.write(
            "snapshots/a.snap",
            "---\nsource: scenarios/a.yaml\n---\nsteps\n  1    concurrently, 2 branches  ok\n  1.1  in host: read /x          \"one\"\n  1.2  in host: read /y          \"one\"\npersistence\n  nothing was written\nend\n",
        );
        let ran = project.run(&["run", "--engine", &engine(&project)]);
        assert_eq!(ran.code, Some(code), "{capabilities}: {ran:?}");
        assert!(ran.out.contains(told), "{capabilities}: {ran:?}");
    }
}

#[test]
fn one_that_failed_gets_no_further_scenario() {
    let project = project("echo start >> starts\noperation() { say '\"broken\":\"no luck\"'; }");
    for name in ["b", "c"] {
        project.write(&format!("scenarios/{name}.yaml"), SCENARIO);
    }
    let ran = project.run(&["run", "--jobs", "1", "--engine", &engine(&project)]);
    assert!(ran.out.contains("3 broken"), "{ran:?}");
    let starts = std::fs::read_to_string(project.path().join("starts")).unwrap();
    assert_eq!(starts.lines().count(), 3);
}

#[test]
fn one_process_serves_many_scenarios_and_may_end_between_them() {
    let project = project("echo start >> starts");
    for name in ["b", "c", "d"] {
        project.write(&format!("scenarios/{name}.yaml"), SCENARIO);
        let approved = std::fs::read_to_string(project.path().join("snapshots/a.snap")).unwrap();
        project.write(&format!("snapshots/{name}.snap"), &approved);
    }
    let count = || {
        std::fs::read_to_string(project.path().join("starts"))
            .unwrap()
            .lines()
            .count()
    };
    let ran = project.run(&["run", "--jobs", "1", "--engine", &engine(&project)]);
    assert!(ran.out.contains("4 passed"), "{ran:?}");
    assert_eq!(count(), 1);
    let ends = format!(
        "{SHELL}\nfinish() {{ say '\"ended\":{{}}'; exit; }}\necho start >> starts\ntalk\n"
    );
    project.write("adapter.sh", &ends);
    let ran = project.run(&["run", "--jobs", "1", "--engine", &engine(&project)]);
    assert!(ran.out.contains("4 passed"), "{ran:?}");
    assert_eq!(count(), 5);
}
