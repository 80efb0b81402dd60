//! A real Docker: its trees, and what it saves.

use std::io::{Read as _, Write as _};
use std::process::{Command, Output, Stdio};

use super::stage::{Listing, digest, fact};

/// Runs a program, which must end well.
pub(crate) fn run(program: &str, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
    let output = output(program, arguments, input);
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

fn output(program: &str, arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped());
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        // A program that refuses its input closes it early.
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().unwrap()
    })
}

/// A name that no other test uses at the same time.
pub(crate) fn name() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("layerspec-test/archive-{}-{number}:1", std::process::id())
}

/// An image in Docker, for as long as this is held.
pub(crate) struct Loaded(pub(crate) String);

impl Loaded {
    pub(crate) fn load(name: &str, archive: &[u8]) -> Result<Self, String> {
        run("docker", &["load", "--quiet"], archive)?;
        Ok(Self(name.to_owned()))
    }

    /// Its merged tree: that of a container that was created from it.
    pub(crate) fn listing(&self) -> Listing {
        let created = run("docker", &["create", &self.0, "x"], b"").unwrap();
        let container = String::from_utf8(created).unwrap();
        let exported = run("docker", &["export", container.trim()], b"");
        run("docker", &["rm", "--volumes", container.trim()], b"").unwrap();
        listing(&exported.unwrap())
    }

    /// What `docker save` writes of it.
    pub(crate) fn save(&self) -> Vec<u8> {
        run("docker", &["save", &self.0], b"").unwrap()
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        drop(output("docker", &["image", "rm", "--force", &self.0], b""));
    }
}

/// What Docker puts into every container.
fn is_dockers(path: &[u8]) -> bool {
    let names: [&[u8]; 4] = [b"/dev", b"/proc", b"/sys", b"/.dockerenv"];
    let is_in = |name: &&[u8]| *path == **name || path.starts_with(&[name, &b"/"[..]].concat());
    let files: [&[u8]; 4] = [
        b"/etc/hosts",
        b"/etc/hostname",
        b"/etc/resolv.conf",
        b"/etc/mtab",
    ];
    names.iter().any(is_in) || files.contains(&path) || path == b"/etc"
}

fn listing(exported: &[u8]) -> Listing {
    let mut lines = Listing::new();
    for entry in tar::Archive::new(exported).entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path_bytes().into_owned();
        let name = name.strip_suffix(b"/").unwrap_or(&name);
        let path = [b"/", name].concat();
        let header = entry.header().clone();
        let link = entry.link_name_bytes().map(std::borrow::Cow::into_owned);
        let link = link.unwrap_or_default();
        let what = match header.entry_type() {
            tar::EntryType::Directory => "dir".to_owned(),
            tar::EntryType::Symlink => format!("link {}", link.escape_ascii()),
            tar::EntryType::Link => {
                lines.insert(path, format!("hard link to /{}", link.escape_ascii()));
                continue;
            }
            tar::EntryType::Fifo => "fifo".to_owned(),
            tar::EntryType::Char | tar::EntryType::Block => {
                let letter = char::from(header.as_bytes()[156]);
                let letter = if letter == '3' { 'c' } else { 'b' };
                let major = header.device_major().unwrap().unwrap();
                format!(
                    "{letter} {major}:{}",
                    header.device_minor().unwrap().unwrap()
                )
            }
            _ => {
                let mut data = Vec::new();
                entry.read_to_end(&mut data).unwrap();
                format!("file {}", digest(&data))
            }
        };
        let owner = (header.uid().unwrap(), header.gid().unwrap());
        let owner = (
            u32::try_from(owner.0).unwrap(),
            u32::try_from(owner.1).unwrap(),
        );
        let fact = fact(&what, header.mode().unwrap(), owner);
        if !is_dockers(&path) && path != b"/." && path != b"/" {
            lines.insert(path, fact);
        }
    }
    lines
}

/// Whether a program that a test needs is here and works. One that `LAYERSPEC_REQUIRE` names must.
pub(crate) fn has(program: &str, probe: &[&str]) -> bool {
    let works = Command::new(program)
        .args(probe)
        .output()
        .is_ok_and(|output| output.status.success());
    let required = std::env::var("LAYERSPEC_REQUIRE").unwrap_or_default();
    let is_required = required.split(',').any(|name| name.trim() == program);
    assert!(
        works || !is_required,
        "LAYERSPEC_REQUIRE names {program}, and `{program} {}` fails",
        probe.join(" ")
    );
    if !works {
        println!("skipped: `{program} {}` fails here", probe.join(" "));
    }
    works
}

pub(crate) fn has_docker() -> bool {
    has("docker", &["version"])
}
