//! Engines behind command lines: how they are reached, how often they are called, and that whatever ends a run,
//! nothing of it is left and nothing else is touched. `LAYERSPEC_REQUIRE=docker,podman` makes the lack of one a failure.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "support/daemon.rs"]
mod daemon;
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use daemon::{is_here, named};
use support::{Project, Ran};

/// Two containers that have nothing to do with each other, stopped and started.
const SCENARIO: &str = r#"title: A file stays when a container stops
cases: {n: [one, two, three]}
images:
  app: {layers: [{/etc/app.conf: "x"}]}
steps:
  - run: {name: first, image: app, volumes: ["store:/data"]}
  - run: {name: second, image: app}
  - in: first
    do:
      - write: {"/data/${n}": "1"}
      - write: {/here: "1"}
  - stop: first
  - start: first
  - in: first
    read: "/data/${n}"
    expect: {text: "1"}
"#;

/// Something of each kind, and a volume that has lost its container.
const LITTER: &str = r#"title: Something of each kind
cases: {n: [one, two, three, four]}
images:
  app: {layers: [{/data/x: "${n}"}], volumes: [/data]}
steps:
  - run: {name: first, image: app}
  - rm: {container: first, force: true}
  - run: {name: second, image: app, volumes: ["store:/store"], tmpfs: [/t]}
  - commit: {container: second, image: more}
  - image tag: {image: more, tag: "more:2"}
  - stop: second
  - start: second
"#;

/// A project with a scenario that has been approved on the embedded engine.
fn project(scenario: &str) -> Project {
    let project = Project::new();
    project.write("scenarios/volumes/it.yaml", scenario);
    let blessed = project.run(&["bless"]);
    assert_eq!(blessed.code, Some(0), "{}{}", blessed.out, blessed.err);
    project
}

/// A program that notes when it was called, how long that took, and with what.
struct Noted {
    program: PathBuf,
    log: PathBuf,
}

impl Noted {
    fn new(project: &Project, engine: &str) -> Self {
        let log = project.path().join("calls");
        let text = format!(
            "#!/bin/sh\nbegin=$(date +%s%N)\necho \"begin $begin $*\" >>'{log}'\n{engine} \"$@\"\ncode=$?\n\
             echo \"end $begin $(date +%s%N) $*\" >>'{log}'\nexit $code\n",
            log = log.display()
        );
        let program = project.write("bin/noted", &text);
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        Self { program, log }
    }

    fn engine(&self) -> String {
        format!("cli:{}", self.program.display())
    }

    /// Begin, end and arguments of each call that has ended.
    fn calls(&self) -> Vec<(u128, u128, String)> {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let call = |line: &str| {
            let mut words = line.strip_prefix("end ")?.splitn(3, ' ');
            let mut number = || words.next()?.parse().ok();
            Some((number()?, number()?, words.next()?.to_owned()))
        };
        text.lines().filter_map(call).collect()
    }

    /// The run that the calls were for.
    fn run(&self) -> Option<String> {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let (_, rest) = text.split_once("layerspec.run=")?;
        Some(
            rest.chars()
                .take_while(char::is_ascii_alphanumeric)
                .collect(),
        )
    }
}

fn passes(ran: &Ran, cases: usize) {
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    let passed = format!("{cases} passed");
    assert!(ran.out.contains(&passed), "{}", ran.out);
}

/// Another program that speaks the command line; and what it is called with.
fn a_run_calls_no_more_than_it_needs(engine: &str) {
    let project = project(SCENARIO);
    let noted = Noted::new(&project, engine);
    passes(
        &project.run(&["run", "--jobs", "1", "--engine", &noted.engine()]),
        3,
    );
    let calls = noted.calls();
    let of = |verb: &str| -> Vec<&(u128, u128, String)> {
        let starts = |call: &&(u128, u128, String)| call.2.split(' ').next() == Some(verb);
        calls.iter().filter(starts).collect()
    };
    let told = || format!("{calls:#?}");
    assert_eq!(
        of("load").len(),
        2,
        "the agent's image and the scenario's, once: {}",
        told()
    );
    assert_eq!(of("run").len(), 6, "{}", told());
    // Containers of one case start side by side.
    for pair in of("run").chunks(2) {
        let [one, other] = pair else {
            unreachable!("they are six")
        };
        assert!(one.0 < other.1 && other.0 < one.1, "{one:?} {other:?}");
    }
    for (begin, end, _) in of("stop") {
        // A first process that does not heed SIGTERM is killed after ten seconds.
        assert!(
            end - begin < 8_000_000_000,
            "stopping takes {} ns",
            end - begin
        );
    }
    // Of three cases, with what is made and removed for all of them.
    let most = 3 * (2 + 2 + 1 + 3 + 7) + 30;
    assert!(calls.len() <= most, "{} calls: {}", calls.len(), told());
    let run = noted.run().unwrap();
    assert_eq!(named(engine, &run), [""; 0]);
}

/// Copies what one end says to the other.
fn pump(mut from: impl io::Read, mut to: impl io::Write, done: impl FnOnce()) {
    io::copy(&mut from, &mut to).ok();
    done();
}

/// The daemon on a port of this machine, for as long as this process runs.
fn on_a_port(socket: &str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let socket = socket.to_owned();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(daemon) = UnixStream::connect(&socket) else {
                break;
            };
            let (to, from): (UnixStream, UnixStream) = (daemon.try_clone().unwrap(), daemon);
            let (up, down): (TcpStream, TcpStream) = (client.try_clone().unwrap(), client);
            std::thread::spawn(move || {
                let end = to.try_clone().unwrap();
                pump(up, to, move || drop(end.shutdown(Shutdown::Write)));
            });
            std::thread::spawn(move || {
                let end = down.try_clone().unwrap();
                pump(from, down, move || drop(end.shutdown(Shutdown::Write)));
            });
        }
    });
    port
}

/// `DOCKER_HOST` with another machine's daemon; a context of a configuration of our own.
fn a_daemon_is_where_it_is_said_to_be() {
    let Ok(host) = std::env::var("DOCKER_HOST") else {
        return;
    };
    let socket = host.strip_prefix("unix://").unwrap();
    let project = project(SCENARIO);
    let mut remote = project.command(["run", "--engine", "docker"]);
    remote.env(
        "DOCKER_HOST",
        format!("tcp://127.0.0.1:{}", on_a_port(socket)),
    );
    passes(&Ran::from(remote.output().unwrap()), 3);

    let configuration = project.path().join("docker");
    let endpoint = format!("host={host}");
    let mut context = Command::new("docker");
    context
        .args(["context", "create", "elsewhere", "--docker", &endpoint])
        .env("DOCKER_CONFIG", &configuration);
    assert!(context.output().unwrap().status.success());
    let mut by_context = project.command(["run", "--engine", "docker"]);
    by_context
        .env_remove("DOCKER_HOST")
        .env("DOCKER_CONFIG", &configuration)
        .env("DOCKER_CONTEXT", "elsewhere");
    passes(&Ran::from(by_context.output().unwrap()), 3);

    let mut nowhere = project.command(["run", "--engine", "docker"]);
    nowhere.env("DOCKER_HOST", "tcp://127.0.0.1:1");
    let nowhere = Ran::from(nowhere.output().unwrap());
    assert_eq!(nowhere.code, Some(3), "{nowhere:?}");
    assert!(nowhere.err.contains("tcp://127.0.0.1:1"), "{nowhere:?}");
}

/// Volumes with generated names, which nothing but their markers tells whose they are.
fn anonymous(engine: &str) -> BTreeSet<String> {
    let output = Command::new(engine)
        .args(["volume", "ls", "--quiet"])
        .output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    let names = text.lines().map(str::trim).filter(|name| name.len() == 64);
    names.map(str::to_owned).collect()
}

fn processes_with(part: &str) -> Vec<String> {
    let all = fs::read_dir("/proc").unwrap().flatten();
    let lines = all.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(part)).collect()
}

/// What is like ours by name or label and is not.
struct Foreign<'a> {
    engine: &'a str,
    names: [String; 3],
}

impl<'a> Foreign<'a> {
    fn new(engine: &'a str, project: &Project) -> Self {
        let name = format!("layerspec-{}", std::process::id());
        let names = [
            format!("{name}-container"),
            format!("{name}-1-store"),
            format!("localhost/{name}/app"),
        ];
        let [container, volume, image] = &names;
        let file = project.write("foreign/x", "x");
        let archive = project.path().join("foreign.tar");
        let packed = Command::new("tar")
            .args(["-C", file.parent().unwrap().to_str().unwrap(), "-cf"])
            .args([archive.to_str().unwrap(), "x"])
            .status();
        assert!(packed.unwrap().success());
        let foreign = Self {
            engine,
            names: names.clone(),
        };
        foreign.must(&["import", archive.to_str().unwrap(), image]);
        foreign.must(&["volume", "create", "--label", "layerspec.run=none", volume]);
        let mount = format!("{volume}:/data");
        foreign.must(&[
            "create",
            "--label",
            "layerspec.case=none",
            "--name",
            container,
            "--volume",
            &mount,
            "--network",
            "none",
            image,
            "/x",
        ]);
        foreign
    }

    fn must(&self, arguments: &[&str]) {
        let output = Command::new(self.engine).args(arguments).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {error}");
    }

    fn is_there(&self) {
        for name in &self.names {
            assert!(!named(self.engine, name).is_empty(), "{name} is gone");
        }
    }
}

impl Drop for Foreign<'_> {
    fn drop(&mut self) {
        let [container, volume, image] = &self.names;
        for arguments in [
            &["rm", "--force", container][..],
            &["volume", "rm", volume],
            &["image", "rm", image],
        ] {
            Command::new(self.engine).args(arguments).output().unwrap();
        }
    }
}

/// A signal that no process can heed, at moments all over a run; and one that ends it at once.
fn whenever_it_is_ended(engine: &str) {
    let project = project(LITTER);
    let foreign = Foreign::new(engine, &project);
    let begin = Instant::now();
    passes(&project.run(&["run", "--engine", engine]), 4);
    let whole = begin.elapsed();
    // Not the same moments each time.
    let nanoseconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let shift = nanoseconds.unwrap().subsec_nanos() % 1000;
    let rounds = 6;
    for round in 0..rounds {
        let noted = Noted::new(&project, engine);
        fs::remove_file(&noted.log).ok();
        let mut run = project.command(["run", "--engine", &noted.engine()]);
        let mut run = run
            // What is cleaned is the daemon: the directory goes with the project.
            .env("LAYERSPEC_SCRATCH", project.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(whole * (1000 * round + shift) / (1000 * rounds));
        let pid = rustix::process::Pid::from_child(&run);
        if round % 2 == 0 {
            run.kill().unwrap();
            run.wait().unwrap();
            let cleaned = project.run(&["clean", "--engine", engine]);
            assert_eq!(cleaned.code, Some(0), "{cleaned:?}");
        } else {
            for _ in 0..2 {
                rustix::process::kill_process(pid, rustix::process::Signal::INT).ok();
                std::thread::sleep(Duration::from_millis(30));
            }
            run.wait().unwrap();
        }
        let run = noted.run().unwrap_or("no run".to_owned());
        assert_eq!(named(engine, &run), [""; 0], "round {round}");
        let settled = Instant::now();
        // What a container was made with ends a moment after it.
        while !processes_with(&run).is_empty() && settled.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(processes_with(&run), [""; 0], "round {round}");
        // An anonymous volume of the last moment may be left: it can carry no label (Docker API 1.41), and the process
        // that would have made its marker is gone.
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        assert!(!mounts.contains(&run), "round {round}: {mounts}");
        foreign.is_there();
    }
}

/// A case that takes longer than it may.
fn a_time_out_leaves_nothing(engine: &str) {
    let project = project(LITTER);
    let noted = Noted::new(&project, engine);
    let before = anonymous(engine);
    let ran = project.run(&["run", "--engine", &noted.engine(), "--timeout", "1200ms"]);
    // A machine that is fast enough leaves nothing either.
    assert!(
        [Some(0), Some(3)].contains(&ran.code),
        "{}{}",
        ran.out,
        ran.err
    );
    let run = noted.run().unwrap();
    assert_eq!(named(engine, &run), [""; 0], "{}", ran.out);
    let left: Vec<String> = anonymous(engine).difference(&before).cloned().collect();
    assert_eq!(left, [""; 0], "{}", ran.out);
}

fn all(engine: &str) {
    if !is_here(engine) {
        return;
    }
    a_run_calls_no_more_than_it_needs(engine);
    whenever_it_is_ended(engine);
    a_time_out_leaves_nothing(engine);
}

#[test]
fn docker() {
    all("docker");
    if is_here("docker") {
        a_daemon_is_where_it_is_said_to_be();
    }
}

#[test]
fn podman() {
    all("podman");
}
