//! Nothing is left behind, however a run ends: no directory, no process, no mount.
//!
//! The runs under test are those of the `layerspec` command, and those of a harness with an engine that hangs or
//! panics: this program again, as its own child. Each is tried on the embedded engine, and on `overlayfs`, which has
//! processes and mounts.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails; the engine panics on purpose"
)]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use layerspec::engine::{
    Absent, Answer, Description, Engine, EngineFault, FileAction, OpenOptions, Operation, Provider,
    World,
};
use layerspec::harness::Harness;
use layerspec::registry;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use rustix::process::{Pid, Signal, kill_process, set_parent_process_death_signal};
use support::{Project, quiet};

/// Tells this program that it is the child, and which time limit cases have.
const CHILD: &str = "LEFTOVERS_TIMEOUT";

/// Tells the child which engine has the faults.
const ENGINE: &str = "LEFTOVERS_ENGINE";

const ENGINES: [&str; 2] = ["native", "overlayfs"];

/// An environment variable by which the processes of a run are found.
const MARK: &str = "LEFTOVERS_MARK";

/// How long a run that is to end may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A case that writes this file meets the engine's fault.
const SIMPLE: &str = r#"
title: A file is written
images:
  app: {layers: [{/etc/app.conf: "mode = default\n"}]}
steps:
  - run: {name: first, image: app, tmpfs: [/tmp]}
  - in: first
    do:
      - write: {/WHAT: "1"}
"#;

/// A test of what is left behind by an engine.
type Test = fn(&str);

fn main() -> ExitCode {
    layerspec::agent::dispatch();
    if let Ok(timeout) = std::env::var(CHILD) {
        // An engine that hangs would outlive a test that is killed.
        set_parent_process_death_signal(Some(Signal::KILL)).unwrap();
        let engine = registry::provider(&std::env::var(ENGINE).unwrap()).unwrap();
        return Harness::new("scenarios", "snapshots")
            .timeout(humantime::parse_duration(&timeout).ok())
            .provider(Faulty(engine))
            .main();
    }
    let tests: [(&str, Test); 7] = [
        ("a_signal_at_any_moment", a_signal_at_any_moment),
        ("a_second_signal", a_second_signal),
        ("a_kill_and_a_clean", a_kill_and_a_clean),
        ("a_time_out_in_the_midst_of_many_files", a_time_out),
        ("a_panic", a_panic),
        ("an_engine_that_hangs", an_engine_that_hangs),
        (
            "a_signal_while_an_engine_hangs",
            a_signal_while_an_engine_hangs,
        ),
    ];
    let mut trials = Vec::new();
    for engine in ENGINES {
        let obstacle = obstacle(engine);
        for (name, test) in tests {
            let obstacle = obstacle.clone();
            let name = format!("{engine}::{name}");
            trials.push(Trial::ignorable_test(name, move || match obstacle {
                None => {
                    test(engine);
                    Ok(Completion::Completed)
                }
                Some((why, true)) => Err(Failed::from(why)),
                Some((why, false)) => Ok(Completion::ignored_with(why)),
            }));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Why an engine cannot be used here, and whether `LAYERSPEC_REQUIRE` says that it must.
fn obstacle(engine: &str) -> Option<(String, bool)> {
    let scratch = tempfile::tempdir().unwrap();
    let options = OpenOptions {
        scratch: scratch.path().to_owned(),
        keep: false,
    };
    let absent = registry::provider(engine).unwrap().probe(&options).err()?;
    let is_required = std::env::var("LAYERSPEC_REQUIRE")
        .is_ok_and(|names| names.split(',').any(|name| name.trim() == engine));
    Some((absent.to_string(), is_required))
}

/// An engine with faults.
struct Faulty<T>(T);

impl Provider for Faulty<Arc<dyn Provider>> {
    fn name(&self) -> &'static str {
        "faulty"
    }

    fn probe(&self, options: &OpenOptions) -> Result<Description, Absent> {
        self.0.probe(options)
    }

    fn open(&self, options: &OpenOptions) -> Result<Box<dyn Engine>, EngineFault> {
        Ok(Box::new(Faulty(self.0.open(options)?)))
    }
}

impl Engine for Faulty<Box<dyn Engine>> {
    fn perform(&self, operation: &Operation) -> Answer {
        match written(operation) {
            Some("/panic") => panic!("on purpose"),
            Some("/hang") => loop {
                std::thread::sleep(Duration::from_secs(60));
            },
            _ => self.0.perform(operation),
        }
    }

    fn observe(&self) -> Result<World, EngineFault> {
        let world = self.0.observe()?;
        let has = |path: &str| {
            let mut all = world.containers.iter().flat_map(|(_, tree)| tree);
            all.any(|seen| seen.path == path)
        };
        assert!(!has("/panic-later"), "on purpose");
        Ok(world)
    }
}

fn written(operation: &Operation) -> Option<&str> {
    let Operation::Files { requests, .. } = operation else {
        return None;
    };
    requests.iter().find_map(|request| match &request.action {
        FileAction::Write { path, .. } => Some(path.as_str()),
        _ => None,
    })
}

/// A project with an empty scratch directory, and the engine that it is run on.
struct Stage(Project, String);

impl Stage {
    fn new(engine: &str) -> Self {
        let project = Project::new();
        fs::create_dir(project.path().join("scratch")).unwrap();
        Self(project, engine.to_owned())
    }

    /// Cases that write these files.
    fn cases(&self, names: &[&str]) {
        for name in names {
            let file = format!("scenarios/{name}.yaml");
            self.0.write(&file, &SIMPLE.replace("WHAT", name));
        }
    }

    /// A case whose image takes long to make.
    fn slow_case(&self) {
        let mut text =
            String::from("title: Many files\nimages:\n  app:\n    layers:\n      - /a: a\n");
        for number in 0..20_000 {
            writeln!(text, "        /d{}/{number}: x", number % 10).unwrap();
        }
        text.push_str("steps:\n  - create: {name: first, image: app}\n");
        self.0.write("scenarios/slow.yaml", &text);
    }

    fn run(&self, arguments: &[&str]) -> Running<'_> {
        let mut command = self.0.command(arguments);
        command.env("CI", "1").env("LAYERSPEC_ENGINE", &self.1);
        self.start(command)
    }

    fn harness(&self, timeout: &str) -> Running<'_> {
        let mut command = Command::new(std::env::current_exe().unwrap());
        quiet(&mut command);
        let child = command.current_dir(self.0.path());
        child.env(CHILD, timeout).env(ENGINE, &self.1);
        self.start(command)
    }

    /// Starts it with a mark in its environment, by which its processes are known: their groups are their own.
    fn start(&self, mut command: Command) -> Running<'_> {
        let scratch = self.0.path().join("scratch");
        command
            .env("LAYERSPEC_SCRATCH", &scratch)
            .env(MARK, &scratch)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        Running {
            stage: self,
            child: command.spawn().unwrap(),
        }
    }

    fn scratch(&self) -> std::path::PathBuf {
        self.0.path().join("scratch")
    }

    /// Waits until engines have made so many files and directories. Looking what a scratch directory can hold makes 20.
    fn wait_for_work(&self, files: usize) {
        let begin = Instant::now();
        while files_below(&self.scratch()) < files {
            assert!(begin.elapsed() < Duration::from_secs(60), "nothing happens");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn files_below(folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    let below = |entry: fs::DirEntry| 1 + files_below(&entry.path());
    entries.flatten().map(below).sum()
}

struct Running<'a> {
    stage: &'a Stage,
    child: Child,
}

struct Ended {
    code: Option<i32>,
    signal: Option<i32>,
    out: String,
}

impl Running<'_> {
    fn send(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        // It may have ended already.
        kill_process(pid, signal).ok();
    }

    /// Waits for the end, and looks what is left.
    fn end(mut self) -> Ended {
        let begin = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            if begin.elapsed() > PATIENCE {
                self.child.kill().unwrap();
                panic!("it does not end");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let output = self.child.wait_with_output().unwrap();
        let scratch = self.stage.scratch();
        wait_for_the_last_process(&scratch);
        let left: Vec<_> = fs::read_dir(&scratch).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
        let here = scratch.to_str().unwrap();
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        assert!(!mounts.contains(here), "{mounts}");
        let mut out = String::from_utf8_lossy(&output.stdout).into_owned();
        out.push_str(&String::from_utf8_lossy(&output.stderr));
        Ended {
            code: output.status.code(),
            signal: output.status.signal(),
            out,
        }
    }
}

/// An engine's process notices by its input that the run is gone, and tidies up.
fn wait_for_the_last_process(scratch: &Path) {
    let begin = Instant::now();
    while !processes_of(scratch).is_empty() {
        let left = || processes_of(scratch);
        assert!(
            begin.elapsed() < PATIENCE,
            "it outlives the run: {:?}",
            left()
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// What still runs of a run.
fn processes_of(scratch: &Path) -> Vec<String> {
    let mark = format!("{MARK}={}", scratch.display());
    let command = |entry: fs::DirEntry| {
        let environment = fs::read(entry.path().join("environ")).ok()?;
        let mut pairs = environment.split(|byte| *byte == 0);
        pairs.find(|pair| *pair == mark.as_bytes())?;
        fs::read_to_string(entry.path().join("cmdline")).ok()
    };
    let all = fs::read_dir("/proc").unwrap().flatten();
    all.filter_map(command).collect()
}

fn a_signal_at_any_moment(engine: &str) {
    let stage = Stage::new(engine);
    let names: Vec<String> = (0..400).map(|number| format!("n{number}")).collect();
    let cases = format!("cases: {{n: [{}]}}\nimages:", names.join(", "));
    let text = SIMPLE
        .replace("images:", &cases)
        .replace("/WHAT", "\"/${n}\"");
    stage.0.write("scenarios/many.yaml", &text);
    let signals = [Signal::INT, Signal::TERM, Signal::HUP];
    // An engine that is a process takes longer to come, and has more to leave behind.
    let (rounds, step) = if engine == "native" {
        (90, 700)
    } else {
        (30, 15_000)
    };
    for round in 0..rounds {
        let running = stage.run(&["run"]);
        std::thread::sleep(Duration::from_micros(round * step));
        running.send(signals[usize::try_from(round % 3).unwrap()]);
        let ended = running.end();
        let early = ended.signal.is_some() || matches!(ended.code, Some(129 | 130 | 143));
        assert!(early, "{:?}: {}", ended.code, ended.out);
    }
}

/// What a run left that could not tidy up, `layerspec clean` removes, and not before the run is gone.
fn a_kill_and_a_clean(engine: &str) {
    let stage = Stage::new(engine);
    stage.slow_case();
    let clean = || {
        let mut command = stage.0.command(["clean", "--scratch", "scratch"]);
        // Without a PATH there are no daemons to be cleaned.
        let output = command.env("PATH", "").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let mut running = stage.run(&["run"]);
    stage.wait_for_work(2000);
    let said = clean();
    let there = stage.scratch();
    let there = there.display();
    let none = format!("scratch  removed 0 directories in {there}; left alone: 1 in use");
    assert!(said.contains(&none), "{said}");
    running.send(Signal::KILL);
    running.child.wait().unwrap();
    wait_for_the_last_process(&stage.scratch());
    let said = clean();
    let one = format!("scratch  removed 1 directory in {there}\n");
    assert!(said.contains(&one), "{said}");
    running.end();
}

fn a_second_signal(engine: &str) {
    let stage = Stage::new(engine);
    stage.slow_case();
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let running = stage.run(&["run"]);
        stage.wait_for_work(200);
        running.send(signal);
        std::thread::sleep(Duration::from_millis(20));
        running.send(signal);
        let ended = running.end();
        assert_eq!(ended.signal, Some(signal.as_raw()), "{}", ended.out);
    }
}

fn a_time_out(engine: &str) {
    let stage = Stage::new(engine);
    stage.slow_case();
    stage.cases(&["quick"]);
    let blessed = stage
        .0
        .run(&["bless", "--engine", engine, "scenarios/quick.yaml"]);
    assert_eq!(blessed.code, Some(0), "{}{}", blessed.out, blessed.err);
    for timeout in ["1ms", "20ms", "50ms", "100ms", "150ms"] {
        let ended = stage
            .run(&["run", "--timeout", timeout, "--jobs", "1"])
            .end();
        assert_eq!(ended.code, Some(3), "{}", ended.out);
        let said = format!("more than the time limit of {timeout}");
        assert!(ended.out.contains(&said), "{}", ended.out);
    }
    let ended = stage
        .run(&["run", "--timeout", "5s", "scenarios/quick.yaml"])
        .end();
    assert!(ended.out.contains("1 passed"), "{}", ended.out);
}

/// Runs cases on the faulty engine, each of which writes a file of its name, and gives its results.
fn results(stage: &Stage, cases: &[&str], timeout: &str) -> Ended {
    stage.cases(cases);
    let ended = stage.harness(timeout).end();
    assert_eq!(ended.code, Some(101), "{}", ended.out);
    ended
}

fn a_panic(engine: &str) {
    let stage = Stage::new(engine);
    let ended = results(&stage, &["panic", "panic-later", "well", "yes"], "60s");
    assert!(ended.out.contains("panicked: on purpose"), "{}", ended.out);
    // These have no snapshot yet: they ran to their ends.
    assert_eq!(
        ended.out.matches("no approved outcome yet").count(),
        2,
        "{}",
        ended.out
    );
}

fn an_engine_that_hangs(engine: &str) {
    let stage = Stage::new(engine);
    // One whose processes have to start needs a while for the others.
    let limit = if engine == "native" { "300ms" } else { "5s" };
    let ended = results(&stage, &["hang", "well", "yes"], limit);
    let said = format!(
        "more than the time limit of {limit}; the last that began was step 2.1, in first: write /hang"
    );
    assert!(ended.out.contains(&said), "{}", ended.out);
    assert_eq!(
        ended.out.matches("no approved outcome yet").count(),
        2,
        "{}",
        ended.out
    );
}

fn a_signal_while_an_engine_hangs(engine: &str) {
    let stage = Stage::new(engine);
    stage.cases(&["hang"]);
    // A machine that sends SIGTERM waits ten seconds; a person who presses Ctrl-C does so again.
    for (signals, least) in [(&[Signal::INT, Signal::INT][..], 0), (&[Signal::TERM], 7)] {
        let mut running = stage.harness("none");
        let mut lines = BufReader::new(running.child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("running")));
        stage.wait_for_work(3);
        let begin = Instant::now();
        for signal in signals {
            running.send(*signal);
            std::thread::sleep(Duration::from_millis(50));
        }
        let ended = running.end();
        assert_eq!(ended.signal, Some(signals[0].as_raw()), "{}", ended.out);
        let took = begin.elapsed().as_secs();
        assert!((least..10).contains(&took), "{took} s");
    }
}
