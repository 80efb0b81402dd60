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
    use super::made;

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
