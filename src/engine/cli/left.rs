//! Anonymous volumes that no container leads to any more: of one that was removed without them, and of one that was
//! refused. nerdctl makes them before it finds what is wrong, and leaves them there; what it logs on demand names
//! them (`pkg/mountutil`, `pkg/cmd/container/run_mount.go`).

use super::engine::{Cli, Result};
use super::flavor::Flavor;
use super::names::PREFIX;
use super::sweep::MARKER_LABEL;
use super::words;
use crate::engine::{ContainerSpec, VolumeRef};

/// A volume that was made for a container: its name, and where it was to be mounted.
type Made = (String, String);

impl Cli {
    /// The beginning of a command that makes a container.
    pub(super) fn making(&self, verb: &str) -> Vec<String> {
        let aloud = (self.ground.about.flavor == Flavor::Nerdctl).then_some("--debug");
        aloud.into_iter().chain([verb]).map(str::to_owned).collect()
    }

    /// Remembers the volumes that a refused command has made, as its log tells, which no container has.
    pub(super) fn remember_left(&self, spec: &ContainerSpec, log: &str) -> Result<()> {
        if self.ground.about.flavor != Flavor::Nerdctl {
            return Ok(());
        }
        let mut left = Vec::new();
        for (id, target) in log.lines().filter_map(made) {
            let mut state = self.state();
            if state.anonymous.iter().all(|(other, _)| *other != id) {
                let container = spec.name.clone();
                let volume = VolumeRef::Anonymous { container, target };
                state.anonymous.push((id.clone(), volume));
                left.push(id);
            }
        }
        self.mark(left)
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
