//! Looking at a container that cannot be started: one that is like it but for the mounts is, and what can
//! be mounted is laid over what is seen there.

use std::collections::BTreeMap;

use super::engine::{Cli, Fault, Known, Result};
use super::inspected::{Mount, Source, is_hidden};
use super::names::{PREFIX, below, clean, joined, seen};
use crate::agent::wire::{Ask, Found, Given};
use crate::agent::{Mode, VARIABLE};
use crate::engine::{Place, SeenKind};

use super::ground::AGENT;
use super::observe::is_directory;
use super::own::OWN;

impl Cli {
    /// The tree of a container that cannot be started, and the directories that a start would make in it. Mounts that
    /// cannot be made are taken out of `known`.
    pub(super) fn look_aside(
        &self,
        name: &str,
        known: &mut Known,
    ) -> Result<(Vec<Found>, Vec<String>)> {
        let twin = format!("{PREFIX}{}-twin", self.names.case());
        let image = format!("localhost/{PREFIX}{}-twin/image", self.names.case());
        let mut tmpfs = known.tmpfs.clone();
        let mut found = self
            .command(&["commit", &self.names.container(name), &image])
            .and_then(|_| self.look_at_twins(&twin, &image, &mut tmpfs));
        if let Err(Fault::Refused(_)) = found {
            // A VOLUME of its image can be in the way, and goes with no `commit`. What comes in its place has no extended
            // attributes.
            tmpfs.clone_from(&known.tmpfs);
            found = self
                .flatten(name, &image)
                .and_then(|()| self.look_at_twins(&twin, &image, &mut tmpfs));
        }
        known.tmpfs = tmpfs;
        self.command(&["image", "rm", "--force", &image]).ok();
        let mut tree = found?;
        let in_memory = tops(&tree, &known.tmpfs);
        let mut mounts = std::mem::take(&mut known.mounts);
        mounts.sort_by_key(|mount| mount.target.matches('/').count());
        let all = mounts.clone();
        let mut made = Vec::new();
        for mount in mounts.into_iter().filter(|mount| !is_hidden(mount, &all)) {
            let shown = match mount.source {
                Source::Tmpfs => in_memory.get(&seen(&mount.target)).cloned(),
                _ => self.shown(&mount)?,
            };
            if shown.is_some_and(|shown| lay_over(&mut tree, &known.mounts, &mount, shown)) {
                make_parents(&mut tree, &seen(&mount.target), &mut made);
                known.mounts.push(mount);
            }
        }
        tree.sort_by(|one, other| one.path.cmp(&other.path));
        Ok((tree, made))
    }

    /// A container's tree as an image that has nothing else.
    fn flatten(&self, name: &str, image: &str) -> Result<()> {
        let program = &self.ground.program;
        let name = self.names.container(name);
        let mut child = program.spawn(program.command(["export", &name]))?;
        let output = child.stdout.take();
        let mut arguments = vec!["import".to_owned()];
        arguments.extend(self.import_labels());
        arguments.extend(["-".to_owned(), image.to_owned()]);
        let said = program.feed(arguments, |to| match output {
            Some(mut output) => std::io::copy(&mut output, to).map(drop),
            None => Ok(()),
        });
        child.kill().ok();
        child.wait().ok();
        self.judge(said?).map(drop)
    }

    /// The tree of a twin with all that is in memory, or with what of it is not refused.
    fn look_at_twins(
        &self,
        twin: &str,
        image: &str,
        tmpfs: &mut Vec<String>,
    ) -> Result<Vec<Found>> {
        let look = |tmpfs: &[String]| {
            let found = self.look_at_twin(twin, image, tmpfs);
            self.command(&["rm", "--force", twin]).ok();
            found
        };
        match look(tmpfs) {
            Err(Fault::Refused(_)) if !tmpfs.is_empty() => {
                tmpfs.retain(|one| look(std::slice::from_ref(one)).is_ok());
                look(tmpfs)
            }
            found => found,
        }
    }

    fn look_at_twin(&self, twin: &str, image: &str, tmpfs: &[String]) -> Result<Vec<Found>> {
        let mut arguments: Vec<String> = ["run", "--detach", "--network=none"]
            .map(str::to_owned)
            .to_vec();
        arguments.push(format!("--name={twin}"));
        arguments.extend(self.names.labels().map(|label| format!("--label={label}")));
        arguments.push(format!("--env={VARIABLE}={}", Mode::Idle));
        // Who is to run in it may be nobody whom it knows.
        arguments.push("--user=0".to_owned());
        arguments.push(format!("--volume={}:{AGENT}:ro", self.ground.volume()));
        arguments.extend(tmpfs.iter().map(|tmpfs| format!("--tmpfs={tmpfs}")));
        arguments.extend(self.ground.entry(image));
        self.command(&arguments)?;
        let command = self.ground.exec(twin, &Mode::Serve { root: None });
        let link = self.ground.program.link(command).map_err(Fault::Broken)?;
        let ask = Ask::Walk {
            top: "/".to_owned(),
            without: OWN.iter().map(|own| (*own).to_owned()).collect(),
            content: true,
        };
        match link.ask(ask) {
            Ok(Given::Found(found)) => Ok(found),
            other => Err(Fault::Broken(format!("the agent answered {other:?}"))),
        }
    }

    /// What a mount shows, unless its source is missing.
    fn shown(&self, mount: &Mount) -> Result<Option<Vec<Found>>> {
        let Some(source) = self.source(mount)? else {
            return Ok(None);
        };
        let is_whole = mount.part == "/";
        let ask = Ask::LeadsOut {
            top: source.clone(),
            paths: vec![mount.part.clone()],
        };
        let source = if is_whole {
            source
        } else if matches!(self.ground.ask(ask), Ok(Given::Path(None))) {
            joined(&source, &mount.part)
        } else {
            return Ok(None);
        };
        let shown = self.ground.walk(&source, true).ok();
        // A whole volume cannot be a file.
        let is_volume = is_whole && mount.volume().is_some();
        Ok(shown.filter(|shown| !is_volume || is_directory(shown)))
    }

    /// Where the container that sees the daemon's disk has a mount's source.
    fn source(&self, mount: &Mount) -> Result<Option<String>> {
        Ok(match &mount.source {
            Source::Volume(id) => {
                let device = self.state().devices.get(id).cloned();
                Some(match device {
                    // Without its device a volume is an empty directory, which no container ever sees.
                    Some(device) => joined(&self.host.world, &clean(&device)),
                    None => self.in_world(&Place::Volume(self.volume_ref(id)))?,
                })
            }
            Source::Bind(path) => {
                below(path, &self.host.daemon).map(|inner| joined(&self.host.world, inner))
            }
            Source::Tmpfs | Source::Image(_) => None,
        })
    }
}

/// What is seen at the targets of what is in memory, by target.
fn tops(tree: &[Found], tmpfs: &[String]) -> BTreeMap<String, Vec<Found>> {
    let top = |tmpfs: &String| {
        let target = tmpfs.split(':').next().unwrap_or_default();
        let target = seen(&clean(target));
        let found = tree.iter().find(|found| found.path == target)?.clone();
        let path = "/".to_owned();
        Some((target, vec![Found { path, ..found }]))
    };
    tmpfs.iter().filter_map(top).collect()
}

/// Lays what a mount shows over a tree, unless it is of another type than its target, or its target would have to be made
/// in something that is mounted.
fn lay_over(tree: &mut Vec<Found>, laid: &[Mount], mount: &Mount, shown: Vec<Found>) -> bool {
    let target = seen(&mount.target);
    let fits = if let Some(there) = tree.iter().find(|found| found.path == target) {
        is_directory(&shown) == (there.kind == SeenKind::Directory)
    } else {
        let covers = |mount: &Mount| below(&target, &seen(&mount.target)).is_some();
        !laid.iter().any(covers)
    };
    if fits {
        tree.retain(|found| below(&found.path, &target).is_none());
        tree.extend(shown.into_iter().map(|found| Found {
            path: joined(&target, &found.path),
            ..found
        }));
    }
    fits
}

/// Adds the directories that are missing above a path.
fn make_parents(tree: &mut Vec<Found>, path: &str, made: &mut Vec<String>) {
    let mut path = path;
    while let Some((parent, _)) = path.rsplit_once('/') {
        if parent.is_empty() || tree.iter().any(|found| found.path == parent) {
            return;
        }
        made.push(parent.to_owned());
        tree.push(Found {
            path: parent.to_owned(),
            kind: SeenKind::Directory,
            mode: 0o755,
            uid: 0,
            gid: 0,
            xattrs: BTreeMap::new(),
            inode: (0, 0),
        });
        path = parent;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_above_a_mount_is_made() {
        let (mut tree, mut made) = (Vec::new(), Vec::new());
        make_parents(&mut tree, "/a/b/c", &mut made);
        assert_eq!(made, ["/a/b", "/a"]);
        make_parents(&mut tree, "/a/d", &mut made);
        make_parents(&mut tree, "/x", &mut made);
        assert_eq!((tree.len(), made.len()), (2, 2));
    }
}
