//! `cp`, `export`, `diff`.

use std::collections::BTreeSet;
use std::os::unix::fs::FileTypeExt as _;

use super::engine::{Cli, Result};
use super::flavor::Flavor;
use super::mirror::Mirror;
use super::names::below;
use super::own::{OWN, OWN_PARENTS};
use super::places::{host_place, placed};
use super::program::Said;
use super::words;
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
        let destination = self.destination(&mirror, from, to);
        let strays = self.strays(&mirror, from, to);
        let said = self.copied(&arguments)?;
        strays.remove();
        self.judge(said)?;
        if matches!(to, CopyEnd::Host(_)) {
            self.give_back(&mirror)?;
        }
        if let CopyEnd::Host(path) = from
            && is_socket(&mirror, path)
        {
            // No archive holds one.
            return Ok(placed(None));
        }
        Ok(placed(self.arrived(destination)))
    }

    fn copied(&self, arguments: &[String]) -> Result<Said> {
        let mut said = self.ground.program.run(arguments)?;
        for _ in 0..TRIES {
            if said.success || !words::lost_its_disk(&said.err) {
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
        if self.ground.about.flavor == Flavor::Nerdctl {
            // It tells the root, and a new directory once more as changed.
            let added: BTreeSet<String> = changes
                .iter()
                .filter(|change| change.kind == ChangeKind::Added)
                .map(|change| change.path.clone())
                .collect();
            changes.retain(|change| {
                change.path != "/"
                    && (change.kind != ChangeKind::Changed || !added.contains(&change.path))
            });
        }
        if self.ground.about.flavor != Flavor::Docker {
            // They put files of their own into these, which makes them changed (Docker row 39).
            for &directory in OWN_PARENTS {
                let inside = |change: &Change| {
                    below(&change.path, directory).is_some_and(|inner| inner != "/")
                };
                if !changes.iter().any(inside) {
                    changes.retain(|change| change.path != directory);
                }
            }
        }
        changes.sort();
        changes.dedup();
        Ok(Value::Changes(changes))
    }
}

fn is_socket(mirror: &Mirror, path: &str) -> bool {
    let path = mirror.path(path).ok();
    let there = path.and_then(|path| std::fs::symlink_metadata(path).ok());
    there.is_some_and(|there| there.file_type().is_socket())
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
