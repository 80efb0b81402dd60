//! `cp`, `export`, `diff`.

use super::engine::{Cli, Result};
use super::flavor::Flavor;
use super::mirror::Mirror;
use super::names::below;
use super::own::OWN;
use super::places::{host_place, placed};
use super::program::Said;
use crate::engine::{Change, ChangeKind, CopyEnd, Value};

/// How often a copy is tried again that found a container's disk gone.
const TRIES: usize = 3;

impl Cli {
    fn end(&self, mirror: &Mirror, end: &CopyEnd) -> Result<String> {
        match end {
            CopyEnd::Container { container, path } => {
                Ok(format!("{}:{path}", self.names.container(container)))
            }
            CopyEnd::Host(path) => mirror.path(path),
        }
    }

    pub(super) fn copy(
        &self,
        from: &CopyEnd,
        to: &CopyEnd,
        archive: bool,
        follow: bool,
    ) -> Result<Value> {
        let mirror = self.mirror()?;
        let mut arguments = vec!["cp".to_owned()];
        arguments.extend(archive.then(|| "--archive".to_owned()));
        // Podman always follows (Docker row 184).
        let says = self.ground.about.flavor != Flavor::Podman;
        arguments.extend((follow && says).then(|| "--follow-link".to_owned()));
        arguments.extend([self.end(&mirror, from)?, self.end(&mirror, to)?]);
        let place = self.destination(&mirror, from, to);
        let strays = self.strays(&mirror, from, to);
        let said = self.copied(&arguments)?;
        strays.remove();
        self.judge(said)?;
        if matches!(to, CopyEnd::Host(_)) {
            self.give_back(&mirror)?;
        }
        Ok(placed(place))
    }

    fn copied(&self, arguments: &[String]) -> Result<Said> {
        let mut said = self.ground.program.run(arguments)?;
        for _ in 0..TRIES {
            if !was_unmounted(&said) {
                break;
            }
            said = self.ground.program.run(arguments)?;
        }
        Ok(said)
    }

    pub(super) fn export(&self, container: &str, to: &str) -> Result<Value> {
        let mirror = self.mirror()?;
        let path = mirror.path(to)?;
        let place = host_place(&mirror, to, "");
        self.command(&[
            "export",
            "--output",
            &path,
            &self.names.container(container),
        ])?;
        self.give_back(&mirror)?;
        Ok(placed(place))
    }

    pub(super) fn diff(&self, container: &str) -> Result<Value> {
        let said = self.command(&["diff", &self.names.container(container)])?;
        let own = |path: &str| OWN.iter().any(|own| below(path, own).is_some());
        let mut changes: Vec<Change> = said
            .lines()
            .filter_map(change)
            .filter(|change| !own(&change.path))
            .collect();
        if self.ground.about.flavor == Flavor::Podman {
            // It puts files of its own into these, which makes them changed (Docker row 39).
            for directory in ["/etc", "/run"] {
                let inside = |change: &Change| {
                    below(&change.path, directory).is_some_and(|inner| inner != "/")
                };
                if !changes.iter().any(inside) {
                    changes.retain(|change| change.path != directory);
                }
            }
        }
        changes.sort();
        Ok(Value::Changes(changes))
    }
}

/// Whether Podman lost a container's disk before it copied anything. It mounts that of one that does not run for as
/// long as it looks or copies, and another of its processes may be unmounting it still.
fn was_unmounted(said: &Said) -> bool {
    let words = [
        "mounting storage for container",
        "/merged: no such file or directory",
    ];
    !said.success && words.iter().all(|words| said.err.contains(words))
}

/// `C /etc/app.conf`
fn change(line: &str) -> Option<Change> {
    let (letter, path) = line.split_once(' ')?;
    let kind = match letter {
        "A" => ChangeKind::Added,
        "C" => ChangeKind::Changed,
        "D" => ChangeKind::Deleted,
        _ => return None,
    };
    Some(Change {
        path: path.to_owned(),
        kind,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_lost_disk_is_worth_another_try() {
        let said = |err: &str| Said {
            err: err.to_owned(),
            ..Said::default()
        };
        // Podman 4.3.1 on a machine with too much to do.
        let lost = "Error: \"/etc/app.conf\" could not be found on container other: mounting storage for container \
            301da2135111: lstat /var/lib/containers/storage/overlay/ad3dd1e630c6/merged: no such file or directory";
        assert!(was_unmounted(&said(lost)));
        let absent =
            "Error: \"/nope\" could not be found on container other: no such file or directory";
        assert!(!was_unmounted(&said(absent)));
    }
}
