//! Looking at a container that cannot be started: one that is like it but for the mounts is, and what can
//! be mounted is laid over what is seen there.

use super::engine::{Cli, Fault, Known, Result};
use super::inspected::{Mount, Source};
use super::names::{PREFIX, below, clean, joined, seen};
use crate::agent::wire::{Ask, Found, Given};
use crate::agent::{Mode, VARIABLE};
use crate::engine::{Place, SeenKind};

use super::ground::AGENT;
use super::observe::OWN;

impl Cli {
    /// The tree of a container that cannot be started. Mounts that cannot be made are taken out of `known`.
    pub(super) fn look_aside(&self, name: &str, known: &mut Known) -> Result<Vec<Found>> {
        let twin = format!("{PREFIX}{}-twin", self.names.case());
        let image = format!("localhost/{PREFIX}{}-twin/image", self.names.case());
        let found = self.look_at_twin(name, &twin, &image);
        self.command(&["rm", "--force", &twin]).ok();
        self.command(&["image", "rm", "--force", &image]).ok();
        let mut tree = found?;
        let mut mounts = std::mem::take(&mut known.mounts);
        mounts.sort_by_key(|mount| mount.target.matches('/').count());
        for mount in mounts {
            if self.lay_over(&mut tree, &known.mounts, &mount)? {
                known.mounts.push(mount);
            }
        }
        tree.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(tree)
    }

    fn look_at_twin(&self, name: &str, twin: &str, image: &str) -> Result<Vec<Found>> {
        self.command(&["commit", &self.names.container(name), image])?;
        let mut arguments: Vec<String> = ["run", "--detach", "--network=none"]
            .map(str::to_owned)
            .to_vec();
        arguments.push(format!("--name={twin}"));
        arguments.extend(self.names.labels().map(|label| format!("--label={label}")));
        arguments.push(format!("--env={VARIABLE}={}", Mode::Idle));
        arguments.push(format!("--volume={}:{AGENT}:ro", self.ground.volume()));
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

    /// Lays what a mount shows over a tree, unless its source is missing, of another type than its target,
    /// or its target would have to be made in something that is mounted.
    fn lay_over(&self, tree: &mut Vec<Found>, laid: &[Mount], mount: &Mount) -> Result<bool> {
        let Some(source) = self.source(mount)? else {
            return Ok(false);
        };
        let Ok(shown) = self.ground.walk(&source, true) else {
            return Ok(false);
        };
        let target = seen(&mount.target);
        let is_directory = |found: &Found| found.kind == SeenKind::Directory;
        let fits = if let Some(there) = tree.iter().find(|found| found.path == target) {
            let top = shown.first();
            top.is_some_and(|top| is_directory(top) == is_directory(there))
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
        Ok(fits)
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
