//! Anonymous volumes that no container leads to any more: of one that was removed without them, and of one that was
//! refused. nerdctl makes them before it finds what is wrong, and leaves them there; what it logs on demand names
//! them (`pkg/mountutil`, `pkg/cmd/container/run_mount.go`).

use super::engine::{Cli, Result};
use super::flavor::Flavor;
use super::names::PREFIX;
use super::program::Said;
use super::sweep::MARKER_LABEL;
use super::words;
use crate::engine::{ContainerSpec, VolumeRef};

/// A volume that was made for a container: its name, and where it was to be mounted.
type Made = (String, String);

/// Has nerdctl (`$0`) make a container, and marks what it leaves when it refuses. A shell does that, which goes on when this
/// process is killed. `$1` is the label of a marker, `$2` what its name begins with.
const MAKE: &str = r#"
label=$1 prefix=$2
shift 2
{ log=$("$0" --debug "$@" 2>&1 >&3); code=$?; } 3>&1
[ "$code" != 0 ] || exit 0
printf '%s\n' "$log" | sed -n 's/.*creating anonymous volume \\"\([0-9a-f]*\)\\".*/\1/p' | while read -r id; do
    "$0" volume create --label "$label=$id" "$prefix$(printf %.12s "$id")" >/dev/null
done
printf '%s\n' "$log" >&2
exit "$code"
"#;

impl Cli {
    /// Runs a command that makes a container.
    pub(super) fn make(&self, arguments: &[String]) -> Result<Said> {
        let program = &self.ground.program;
        if self.ground.about.flavor != Flavor::Nerdctl {
            return Ok(program.run(arguments)?);
        }
        let words = ["-c", MAKE];
        let marker = [MARKER_LABEL.to_owned(), self.marker("")];
        let words = words.map(str::to_owned).into_iter().chain([program.name()]);
        let words = words.chain(marker).chain(arguments.iter().cloned());
        Ok(program.with("sh").run(words)?)
    }

    /// Remembers the volumes that a refused command has made, as its log tells, which no container has.
    pub(super) fn remember_left(&self, spec: &ContainerSpec, log: &str) {
        if self.ground.about.flavor != Flavor::Nerdctl {
            return;
        }
        for (id, target) in log.lines().filter_map(made) {
            let mut state = self.state();
            if state.anonymous.iter().all(|(other, _)| *other != id) {
                let container = spec.name.clone();
                let volume = VolumeRef::Anonymous { container, target };
                state.anonymous.push((id.clone(), volume));
                state.marked.insert(id);
            }
        }
    }

    /// Anonymous volumes that lose their container are found by nobody but us: a volume with a label of
    /// ours says so, for whoever tidies up after a run that was killed.
    pub(super) fn mark_volumes_of(&self, container: Option<&str>) -> Result<()> {
        let volumes = {
            let state = self.state();
            let known = state.containers.iter();
            let concerned = known.filter(|(name, _)| container.is_none_or(|only| only == *name));
            concerned
                .flat_map(|(_, known)| &known.mounts)
                .filter_map(|mount| mount.volume())
                .filter(|id| state.anonymous.iter().any(|(other, _)| other == id))
                .map(str::to_owned)
                .collect()
        };
        self.mark(volumes)
    }

    fn mark(&self, volumes: Vec<String>) -> Result<()> {
        let unmarked: Vec<String> = {
            let mut state = self.state();
            let volumes = volumes.into_iter();
            volumes
                .filter(|id| state.marked.insert(id.clone()))
                .collect()
        };
        for id in unmarked {
            let label = format!("{MARKER_LABEL}={id}");
            let name = self.marker(&id);
            self.command(&["volume", "create", "--label", &label, &name])?;
        }
        Ok(())
    }

    /// The name of the volume that names another.
    pub(super) fn marker(&self, id: &str) -> String {
        let short: String = id.chars().take(12).collect();
        format!("{PREFIX}{}-marks-{short}", self.ground.run)
    }
}

/// The volume that a line of the log tells of.
fn made(line: &str) -> Option<Made> {
    let message = words::logged(line.trim(), &["debug"]);
    let (id, target) = message
        .strip_prefix("creating anonymous volume \"")?
        .split_once("\", for \"")?;
    let target = target.strip_suffix('"')?;
    let target = target.strip_prefix("VOLUME ").unwrap_or(target);
    Some((id.to_owned(), target.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::{Command, Output};

    use super::{MAKE, made};
    use crate::engine::cli::testing::program;

    /// Stands for nerdctl: logs what a container would leave, refuses one with a bad option, and remembers which volumes it made.
    const NERDCTL: &str = r#"#!/bin/sh
[ "$1" != volume ] || { echo "$@" >>"$0.made"; exit 0; }
echo "$@"
echo 'time="2026-01-02T03:04:05Z" level=debug msg="creating anonymous volume \"0123456789abcdef\", for \"/a\""' >&2
echo 'time="2026-01-02T03:04:05Z" level=debug msg="creating anonymous volume \"fedcba9876543210\", for \"/b\""' >&2
case "$*" in
*bad*) echo 'level=fatal msg="no such thing"' >&2; exit 3 ;;
esac
"#;

    /// What comes of `create` with an option, and which volumes nerdctl was told to make.
    fn make(option: &str) -> (Output, String) {
        let directory = tempfile::tempdir().unwrap();
        let nerdctl = program(directory.path(), "nerdctl", NERDCTL);
        let words = ["label", "run-marks-", "create", option, "with space"];
        let shell = Command::new("sh")
            .args(["-c", MAKE])
            .arg(&nerdctl)
            .args(words)
            .output();
        let made = fs::read_to_string(directory.path().join("nerdctl.made"));
        (shell.unwrap(), made.unwrap_or_default())
    }

    #[test]
    fn what_a_refused_container_leaves_is_marked() {
        let (output, made) = make("--bad");
        assert_eq!(output.status.code(), Some(3));
        assert_eq!(output.stdout, b"--debug create --bad with space\n");
        let log = String::from_utf8(output.stderr).unwrap();
        assert_eq!(log.lines().filter_map(super::made).count(), 2, "{log}");
        assert!(log.contains("no such thing"), "{log}");
        let expected = "volume create --label label=0123456789abcdef run-marks-0123456789ab\n\
                        volume create --label label=fedcba9876543210 run-marks-fedcba987654\n";
        assert_eq!(made, expected);
    }

    #[test]
    fn nothing_is_marked_of_a_container_that_is_made() {
        let (output, made) = make("--good");
        assert!(output.status.success());
        assert_eq!(output.stdout, b"--debug create --good with space\n");
        assert_eq!((output.stderr, made), (Vec::new(), String::new()));
    }

    #[test]
    fn a_log_tells_what_was_made() {
        let line = r#"time="2026-01-02T03:04:05Z" level=debug msg="creating anonymous volume \"0a1b\", for \"/data\"""#;
        let expected = Some(("0a1b".to_owned(), "/data".to_owned()));
        assert_eq!(made(line), expected);
        assert_eq!(made(&line.replace("/data", "VOLUME /data")), expected);
        assert_eq!(made(&line.replace("debug", "fatal")), None);
        assert_eq!(made("creating anonymous volume \\\"0a1b\\\""), None);
    }
}
