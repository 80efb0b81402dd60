//! Real engines: some scenarios on each that is here, and what is left of a run when it ends, is ended, or is
//! killed. `LAYERSPEC_REQUIRE=docker,podman` makes the lack of one a failure.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "support/daemon.rs"]
mod daemon;
mod support;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use daemon::{is_here, named};
use support::{Project, Ran};

/// What both engines show alike: layers, copy-up, deletions, held handles, volumes, binds, users, pausing,
/// borrowing, commits, an archive.
const SCENARIOS: &[&str] = &[
    "layers/the-file-that-would-not-die.yaml",
    "layers/an-image-out-of-docker-save.yaml",
    "copy-on-write/an-open-file-follows-its-copy.yaml",
    "copy-on-write/an-ordinary-user-copies-nothing-up.yaml",
    "binds/one-tree-many-disks.yaml",
    "binds/root-needs-no-escalation.yaml",
    "lifecycle/asleep-but-not-gone.yaml",
    "volumes/reattach.yaml",
    "volumes/two-writers.yaml",
    "commit-and-copy/a-committed-deletion.yaml",
];

/// A container, an anonymous volume that has lost its container, an implicit volume, an image.
const LITTER: &str = r#"title: Something of each kind
images:
  app: {layers: [{/data/x: "1"}], volumes: [/data]}
steps:
  - run: {name: first, image: app}
  - rm: {container: first, force: true}
  - run: {name: second, image: app, volumes: ["store:/store"]}
  - commit: {container: second, image: more}
"#;

fn scenarios_pass(engine: &str) {
    if !is_here(engine) {
        return;
    }
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let project = Project::new();
    let mut command = project.command(["run", "--engine", engine, "--snapshots"]);
    command.arg(home.join("snapshots"));
    command.args(
        SCENARIOS
            .iter()
            .map(|name| home.join("scenarios").join(name)),
    );
    let ran = Ran::from(command.output().unwrap());
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    let passed = format!("{} passed", SCENARIOS.len());
    assert!(ran.out.contains(&passed), "{}", ran.out);
}

/// A run that is in its middle: what its objects are called, and its anonymous volume.
struct Running {
    child: Child,
    prefix: String,
    anonymous: String,
}

fn start(project: &Project, engine: &str) -> Running {
    let reads = vec!["{read: /data/x}"; 20_000].join(", ");
    let endless = format!("{LITTER}  - in: second\n    do: [{reads}]\n");
    project.write("scenarios/volumes/endless.yaml", &endless);
    let mut command =
        project.command(["run", "--engine", engine, "scenarios/volumes/endless.yaml"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    // What is cleaned is the daemon: the directory goes with the project.
    command.env("LAYERSPEC_SCRATCH", project.path());
    let before = named(engine, "-1-second");
    let mut child = command.spawn().unwrap();
    let begin = Instant::now();
    let second = loop {
        let now = named(engine, "-1-second");
        if let Some(new) = now.into_iter().find(|name| !before.contains(name)) {
            break new;
        }
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "nothing has begun"
        );
        assert!(child.try_wait().unwrap().is_none(), "it has ended already");
        std::thread::sleep(Duration::from_millis(50));
    };
    let prefix = second.strip_suffix("-1-second").unwrap().to_owned();
    let marker = format!("{prefix}-marks-");
    let markers = named(engine, &marker);
    let anonymous = markers.first().and_then(|name| name.strip_prefix(&marker));
    let anonymous = anonymous.unwrap().to_owned();
    assert!(
        named(engine, &anonymous).len() > 1,
        "the volume and its marker"
    );
    std::thread::sleep(Duration::from_millis(500));
    Running {
        child,
        prefix,
        anonymous,
    }
}

/// A test that fails leaves nothing running.
impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.kill("-TERM");
            self.child.wait().ok();
        }
    }
}

impl Running {
    fn kill(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let kill = Command::new("kill").args([signal, &pid]).status();
        assert!(kill.unwrap().success());
    }

    fn left(&self, engine: &str) -> Vec<String> {
        let mut left = named(engine, &self.prefix);
        left.extend(named(engine, &self.anonymous));
        left
    }
}

/// A scratch directory on a file system that the daemon does not have, as with a daemon on another machine.
fn a_daemon_need_not_see_our_files(engine: &str) {
    if !is_here(engine) || !rustix::process::geteuid().is_root() {
        return;
    }
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let project = Project::new();
    let scratch = project.path().join("scratch");
    std::fs::create_dir(&scratch).unwrap();
    let script = "mount -t tmpfs tmpfs \"$LAYERSPEC_SCRATCH\" && exec \"$@\"";
    let mut command = Command::new("unshare");
    support::quiet(&mut command);
    command
        .args([
            "--mount",
            "sh",
            "-c",
            script,
            "sh",
            support::LAYERSPEC,
            "run",
        ])
        .args(["--engine", engine, "--snapshots"])
        .arg(home.join("snapshots"))
        .args(
            ["binds/one-tree-many-disks", "commit-and-copy/in-and-out"]
                .map(|name| home.join("scenarios").join(name).with_extension("yaml")),
        )
        .env("LAYERSPEC_SCRATCH", &scratch);
    let ran = Ran::from(command.output().unwrap());
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("2 passed"), "{}", ran.out);
}

/// A scenario is not trusted: the daemon, and `cp` on this machine, would follow its links as the superuser.
fn nothing_leads_out_of_the_host_directory(engine: &str) {
    if !is_here(engine) {
        return;
    }
    for step in [
        "run: {name: bold, image: app, volumes: [\"./out:/mnt\"]}",
        "create: {name: bold, image: app, volumes: [\"./out/below:/mnt\"]}",
        "cp: {from: \"app:/x\", to: ./out/layerspec-was-here}",
        "export: {container: app, to: ./out/layerspec-was-here}",
    ] {
        let project = Project::new();
        let outside = project.path().join("outside");
        std::fs::create_dir(&outside).unwrap();
        let scenario = format!(
            "title: A way out\nimages: {{app: {{layers: [{{/x: x}}]}}}}\nhost: {{./out: {{symlink: {}}}}}\n\
             steps:\n  - create: {{name: app, image: app}}\n  - {step}\n",
            outside.display()
        );
        project.write("scenarios/binds/out.yaml", &scenario);
        let ran = project.run(&["run", "--engine", engine]);
        assert!(
            ran.out.contains("leads out of the host directory"),
            "{step}: {ran:?}"
        );
        assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0, "{step}");
    }
}

/// An archive may name its image as somebody named theirs.
fn an_archive_takes_nobodys_name(engine: &str) {
    if !is_here(engine) {
        return;
    }
    let project = Project::new();
    let name = format!("localhost/layerspec-not-ours-{}", std::process::id());
    std::fs::create_dir_all(project.path().join("scenarios/layers")).unwrap();
    for text in ["theirs", "other"] {
        let scenario = format!(
            "title: An image\nimages: {{{name}: {{layers: [{{/x: {text}}}]}}}}\nsteps: [{{run: {{name: app, image: {name}}}}}]\n"
        );
        project.write("image.yaml", &scenario);
        let file = format!("scenarios/layers/{text}.tar");
        let ran = project.run(&["image", "export", "image.yaml", &name, &file]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    let run = |arguments: &[&str]| {
        let output = Command::new(engine).args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let theirs = project.path().join("scenarios/layers/theirs.tar");
    run(&["load", "--input", theirs.to_str().unwrap()]);
    let id = || run(&["image", "inspect", "--format", "{{.Id}}", &name]);
    let before = id();
    project.write(
        "scenarios/layers/it.yaml",
        "title: The other image\nimages: {app: {archive: other.tar}}\nsteps:\n  - run: {name: app, image: app}\n  \
         - {in: app, read: /x, expect: {text: other}}\n  - image tag: {image: app, tag: \"app:2\"}\n",
    );
    assert_eq!(project.run(&["bless"]).code, Some(0));
    let ran = project.run(&["run", "--engine", engine]);
    assert!(
        ran.code == Some(0) && ran.out.contains("1 passed"),
        "{ran:?}"
    );
    assert_eq!(id(), before, "it is theirs");
    run(&["image", "rm", &name]);
    assert_eq!(named(engine, &name), [""; 0], "no other has the name");
}

fn nothing_is_left(engine: &str) {
    if !is_here(engine) {
        return;
    }
    let project = Project::new();
    let theirs = format!("layerspec-not-ours-{}", std::process::id());
    let run = |arguments: &[&str]| Command::new(engine).args(arguments).output().unwrap();
    assert!(
        run(&["volume", "create", "--label", "layerspec.run=none", &theirs])
            .status
            .success()
    );

    let mut interrupted = start(&project, engine);
    interrupted.kill("-INT");
    // Once more: it is not to finish what it does.
    std::thread::sleep(Duration::from_millis(300));
    interrupted.kill("-INT");
    interrupted.child.wait().unwrap();
    assert_eq!(interrupted.left(engine), [""; 0], "after Ctrl-C twice");

    let mut killed = start(&project, engine);
    killed.kill("-KILL");
    killed.child.wait().unwrap();
    assert!(killed.left(engine).len() > 5, "{:?}", killed.left(engine));
    let running = start(&project, engine);
    let cleaned = project.run(&["clean", "--engine", engine]);
    assert_eq!(cleaned.code, Some(0), "{cleaned:?}");
    assert_eq!(killed.left(engine), [""; 0], "after cleaning: {cleaned:?}");
    assert!(
        running.left(engine).len() > 5,
        "a run that goes on is left alone: {cleaned:?}"
    );
    assert_eq!(
        named(engine, &theirs),
        [theirs.as_str()],
        "and what is not ours"
    );
    drop(running);
    assert!(run(&["volume", "rm", &theirs]).status.success());
}

#[test]
fn docker() {
    scenarios_pass("docker");
    a_daemon_need_not_see_our_files("docker");
    nothing_leads_out_of_the_host_directory("docker");
    an_archive_takes_nobodys_name("docker");
    nothing_is_left("docker");
}

#[test]
fn podman() {
    scenarios_pass("podman");
    nothing_leads_out_of_the_host_directory("podman");
    an_archive_takes_nobodys_name("podman");
    nothing_is_left("podman");
}
