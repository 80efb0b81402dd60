//! Looking at everything. A container that does not run is started to be looked at, last of all, and
//! stopped again: what its processes would see is best told by one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::ScopedJoinHandle;

use super::disk::Disk;
use super::engine::{Cli, Fault, Known, Remains, Result};
use super::flavor::Flavor;
use super::inspected::{self, Container, Volume};
use super::layers::storage_of;
use super::names::{CASE_LABEL, below, clean, joined, seen as seen_path};
use super::own::{OWN, OWN_PARENTS, changed_paths};
use super::volumes::users;
use crate::agent::wire::{Ask, Found, Given};
use crate::engine::{ContainerState, Place, Seen, SeenKind, Storage, Value, VolumeSeen, World};

/// How many containers are looked at at a time.
const SIDE_BY_SIDE: usize = 4;

impl Cli {
    pub(super) fn look(&self) -> Result<World> {
        self.take_in_all();
        // Three commands that wait for the daemon, side by side.
        let (containers, images, volumes) = std::thread::scope(|scope| {
            let images = scope.spawn(|| self.image_names());
            let volumes = scope.spawn(|| self.ours(&self.volume_names(&[])?));
            (
                self.inspected_containers(),
                joined_result(images),
                joined_result(volumes),
            )
        });
        let (mut containers, images, volumes) = (containers?, images?, volumes?);
        let remains = Remains {
            containers: containers
                .iter()
                .map(|(name, _)| self.names.container(name))
                .collect(),
            volumes: volumes.iter().map(|volume| volume.name.clone()).collect(),
        };
        for (name, container) in &mut containers {
            // Podman does not list all that it mounts (Docker row 95).
            for mount in self.known(name).mounts {
                if container.mounts.iter().all(|m| m.target != mount.target) {
                    container.mounts.push(mount);
                }
            }
        }
        let mut world = World {
            images,
            host: self.look_at_host()?,
            volumes: self.look_at_volumes(&volumes, &containers),
            ..World::default()
        };
        let mut uppers = Vec::new();
        for (name, container) in &containers {
            let mut known = self.known(name);
            let seen = || self.disk_seen(name, container);
            known.disk = container.disk.clone().or_else(seen);
            let upper = match &known.disk {
                Some(disk) => changed_paths(&known, &self.upper(&disk.upper)?),
                None => self.changed(name)?,
            };
            uppers.push((name, container, known, upper));
        }
        let mut looks = self.look_at_exited(&containers);
        let mut aside = false;
        for (name, container, mut known, mut upper) in uppers {
            let seen = self.container_seen(name, container);
            let look = looks.remove(name);
            let found = match look.unwrap_or_else(|| self.look_inside(name, container.state())) {
                // It cannot be started.
                Err(Fault::Refused(_)) => {
                    aside = true;
                    let (tree, made) = self.look_aside(name, &mut known)?;
                    upper.extend(made);
                    tree
                }
                found => {
                    // Where they lie a process has told by now.
                    known.mounts = self.known(name).mounts;
                    upper.extend(made_for_mounts(&known));
                    found?
                }
            };
            let found = self.with_own_of_image(&known, found);
            let tree = self.tree(name, &known, &upper, found);
            world.containers.push((seen, tree));
        }
        self.state().seen = (!aside).then_some(remains);
        Ok(world)
    }

    /// Looks at containers that have ended side by side. They were started before, so starting them again makes
    /// nothing that another one could show: mount points in what they share are there.
    fn look_at_exited(
        &self,
        containers: &[(String, Container)],
    ) -> BTreeMap<String, Result<Vec<Found>>> {
        let exited = containers.iter().filter(|(name, container)| {
            container.state() == ContainerState::Exited && !self.known(name).remove_on_exit
        });
        let exited: Vec<&str> = exited.map(|(name, _)| name.as_str()).collect();
        let mut looks = BTreeMap::new();
        for some in exited.chunks(SIDE_BY_SIDE) {
            std::thread::scope(|scope| {
                let look = |name: &&str| {
                    let name = (*name).to_owned();
                    scope.spawn(move || {
                        let found = self.look_inside(&name, ContainerState::Exited);
                        (name, found)
                    })
                };
                let running: Vec<_> = some.iter().map(look).collect();
                looks.extend(running.into_iter().filter_map(|look| look.join().ok()));
            });
        }
        looks
    }

    /// The containers of this case by their names in the scenario.
    pub(super) fn inspected_containers(&self) -> Result<Vec<(String, Container)>> {
        let filter = format!("label={CASE_LABEL}={}", self.names.case());
        let ids = self.command(&["ps", "--all", "--quiet", "--no-trunc", "--filter", &filter])?;
        let ids: Vec<&str> = ids.lines().map(str::trim).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let arguments: Vec<&str> = ["container", "inspect"].into_iter().chain(ids).collect();
        let said = self.command(&arguments)?;
        let containers = inspected::list(&said, Container::parse).map_err(Fault::Broken)?;
        let mut named: Vec<(String, Container)> = containers
            .into_iter()
            .filter_map(|container| {
                let name = self.names.of(&container.name)?.to_owned();
                Some((name, container))
            })
            .collect();
        named.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(named)
    }

    fn look_at_host(&self) -> Result<Vec<Seen>> {
        let found = self
            .ground
            .walk(&self.host.world, true)
            .map_err(Fault::Broken)?;
        Ok(of_one(found, &Storage::Host, "/"))
    }

    fn look_at_volumes(
        &self,
        listed: &[Volume],
        containers: &[(String, Container)],
    ) -> Vec<(VolumeSeen, Vec<Seen>)> {
        let users = users(containers);
        let mut volumes = Vec::new();
        for volume in listed {
            let seen = self.volume_seen(volume, &users);
            let device = self.state().devices.get(&volume.name).cloned();
            let (path, storage, top) = match device {
                Some(device) => (
                    Some(joined(&self.host.world, &clean(&device))),
                    Storage::Host,
                    self.device_of(&seen.volume).unwrap_or_default(),
                ),
                None => (
                    self.ground.in_world(&volume.at),
                    Storage::Volume(seen.volume.clone()),
                    "/".to_owned(),
                ),
            };
            // A volume whose directory is missing, or none, has no content.
            let tree = path
                .and_then(|path| self.ground.walk(&path, true).ok())
                .filter(|tree| is_directory(tree));
            volumes.push((seen, of_one(tree.unwrap_or_default(), &storage, &top)));
        }
        volumes.sort_by(|(one, _), (other, _)| one.volume.cmp(&other.volume));
        volumes
    }

    /// The layers of a container that told them before, or runs and tells them.
    fn disk_seen(&self, name: &str, container: &Container) -> Option<Disk> {
        match container.state() {
            ContainerState::Running => self.disk_of(name),
            _ => self.known(name).disk,
        }
    }

    /// What `diff` says is in the writable layer: all that there is to know of it where the daemon's disk
    /// cannot be looked at.
    fn changed(&self, container: &str) -> Result<BTreeSet<String>> {
        let said = self.command(&["diff", &self.names.container(container)])?;
        let there = |line: &str| {
            let (letter, path) = line.split_once(' ')?;
            (letter != "D").then(|| path.to_owned())
        };
        Ok(said
            .lines()
            .filter_map(there)
            .chain(["/".to_owned()])
            .collect())
    }

    /// The tree that a container's processes see.
    fn look_inside(&self, name: &str, state: ContainerState) -> Result<Vec<Found>> {
        let there = self.names.container(name);
        let place = Place::Container(name.to_owned());
        let known = self.known(name);
        let without: Vec<String> = OWN
            .iter()
            .filter(|own| known.mounts.iter().all(|mount| mount.target != **own))
            .map(|own| (*own).to_owned())
            .collect();
        let ask = Ask::Walk {
            top: "/".to_owned(),
            without,
            content: true,
        };
        let given = match state {
            ContainerState::Running => self.ask(&place, ask),
            ContainerState::Paused => {
                self.command(&["unpause", &there])?;
                self.pausing(name, false);
                let given = self.ask(&place, ask);
                self.command(&["pause", &there])?;
                self.pausing(name, true);
                given
            }
            ContainerState::Created | ContainerState::Exited => {
                self.start_to_look(name)?;
                let given = self.ask(&place, ask);
                if !known.remove_on_exit {
                    self.command(&["kill", &there])?;
                }
                self.hang_up(&place);
                given
            }
        };
        match given? {
            Given::Found(found) => Ok(found),
            other => Err(Fault::Broken(format!("the agent answered {other:?}"))),
        }
    }

    fn pausing(&self, name: &str, paused: bool) {
        if let Some(known) = self.state().containers.get_mut(name) {
            known.paused = paused;
        }
    }

    fn start_to_look(&self, name: &str) -> Result<()> {
        self.stay_inside(self.known(name).binds)?;
        let before = self.inspect(name)?;
        if let Value::Container(seen) = before
            && let Some(known) = self.state().containers.get_mut(name)
        {
            known.looked_at = Some((seen.state, seen.exit_code.unwrap_or(0)));
        }
        self.command(&["start", &self.names.container(name)])
            .map(drop)
    }

    /// What was found, with where it lies; without what the engine put there itself, which is in no layer.
    fn tree(
        &self,
        name: &str,
        known: &Known,
        upper: &BTreeSet<String>,
        found: Vec<Found>,
    ) -> Vec<Seen> {
        let writable = Storage::Writable {
            container: name.to_owned(),
        };
        let root = |path: &str| {
            if upper.contains(path) {
                Some(writable.clone())
            } else {
                storage_of(&known.layers, path).cloned()
            }
        };
        let mut inodes = BTreeMap::new();
        let mut tree: Vec<Seen> = Vec::new();
        for found in found {
            if let Some((storage, inner)) = self.lies(name, known, &found.path, root) {
                tree.push(seen(found, storage, inner, &mut inodes));
            }
        }
        if self.ground.about.flavor == Flavor::Podman {
            // It gives a root that no layer names the mode 0555.
            let unnamed = storage_of(&known.layers, "/").is_none();
            let root = tree.first_mut().filter(|root| unnamed && root.path == "/");
            if let Some(root) = root.filter(|root| root.mode == 0o555) {
                root.mode = 0o755;
            }
        }
        for &directory in OWN_PARENTS {
            let inside =
                |seen: &Seen| below(&seen.path, directory).is_some_and(|inner| inner != "/");
            let declared = storage_of(&known.layers, directory).is_some();
            if !declared && !tree.iter().any(inside) {
                tree.retain(|seen| seen.path != directory);
            }
        }
        tree
    }
}

/// Directories that a start makes on the way to mounts, also one that is only made to look.
fn made_for_mounts(known: &Known) -> Vec<String> {
    let mut made = Vec::new();
    for mount in &known.mounts {
        let target = seen_path(&mount.at);
        let mut path = target.as_str();
        while let Some((parent, _)) = path
            .rsplit_once('/')
            .filter(|(parent, _)| !parent.is_empty())
        {
            if storage_of(&known.layers, parent).is_none() {
                made.push(parent.to_owned());
            }
            path = parent;
        }
    }
    made
}

/// Whether what was walked through is a directory.
pub(super) fn is_directory(tree: &[Found]) -> bool {
    tree.first()
        .is_some_and(|top| top.kind == SeenKind::Directory)
}

fn joined_result<T>(thread: ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    let died = |_| Err(Fault::Broken("a thread panicked".to_owned()));
    thread.join().unwrap_or_else(died)
}

/// A tree of one storage, from a path of it on.
fn of_one(found: Vec<Found>, storage: &Storage, top: &str) -> Vec<Seen> {
    let mut inodes = BTreeMap::new();
    found
        .into_iter()
        .map(|found| {
            let inner = joined(&seen_path(top), &found.path);
            seen(found, storage.clone(), inner, &mut inodes)
        })
        .collect()
}

fn seen(
    found: Found,
    storage: Storage,
    inner: String,
    inodes: &mut BTreeMap<(u64, u64), String>,
) -> Seen {
    let mut same_file_as = None;
    if found.kind != SeenKind::Directory {
        same_file_as = inodes.get(&found.inode).cloned();
        inodes
            .entry(found.inode)
            .or_insert_with(|| found.path.clone());
    }
    Seen {
        path: found.path,
        kind: found.kind,
        mode: found.mode,
        uid: found.uid,
        gid: found.gid,
        xattrs: found.xattrs,
        same_file_as,
        storage,
        inner,
    }
}
