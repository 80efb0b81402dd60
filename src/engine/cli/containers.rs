//! Containers: created, run, inspected; and what lies where in them.

use super::engine::{Cli, Known, Result};
use super::inspected::{self, Container, Mount, Source};
use super::layers::storage_of;
use super::names::{below, joined, seen};
use crate::engine::{
    ContainerSeen, ContainerSpec, ContainerState, MountSeen, Storage, Value, VolumeRef,
};

impl Cli {
    /// `create`, or `run` in the background.
    pub(super) fn create(&self, verb: &str, spec: &ContainerSpec) -> Result<Value> {
        let mut arguments = vec![verb.to_owned()];
        if verb == "run" {
            arguments.push("--detach".to_owned());
        }
        arguments.extend(self.arguments(spec));
        let before = self.state().containers.contains_key(&spec.name);
        let done = self.command(&arguments);
        if done.is_ok() || (verb == "run" && !before) {
            // A container that cannot be started is there all the same.
            self.remember(spec);
        }
        done.map(|_| Value::Nothing)
    }

    fn remember(&self, spec: &ContainerSpec) {
        let layers = self.image(&spec.image).layers;
        let Ok(Some(container)) = self.inspect_container(&spec.name) else {
            return;
        };
        let mut state = self.state();
        for mount in &container.mounts {
            let Some(id) = mount.volume() else { continue };
            let known = self.names.of(id).is_some()
                || id == self.ground.volume()
                || !is_generated(id)
                || state.anonymous.iter().any(|(other, _)| other == id);
            if !known {
                let volume = VolumeRef::Anonymous {
                    container: spec.name.clone(),
                    target: mount.target.clone(),
                };
                state.anonymous.push((id.to_owned(), volume));
            }
        }
        let known = Known {
            image: spec.image.clone(),
            layers,
            mounts: self.mounts_of(&container),
            upper: container.upper,
            paused: false,
            remove_on_exit: spec.remove_on_exit,
            looked_at: None,
        };
        state.containers.insert(spec.name.clone(), known);
    }

    fn inspect_container(&self, name: &str) -> Result<Option<Container>> {
        let name = self.names.container(name);
        let said = self.command(&["container", "inspect", &name])?;
        let mut containers =
            inspected::list(&said, Container::parse).map_err(super::engine::Fault::Broken)?;
        Ok(containers.pop())
    }

    /// Its mounts but ours.
    fn mounts_of(&self, container: &Container) -> Vec<Mount> {
        let ours = |mount: &&Mount| mount.target != super::ground::AGENT;
        container.mounts.iter().filter(ours).cloned().collect()
    }

    pub(super) fn inspect(&self, name: &str) -> Result<Value> {
        let container = self.inspect_container(name)?;
        let seen = container.map(|container| self.container_seen(name, &container));
        Ok(seen.map_or(Value::Nothing, Value::Container))
    }

    pub(super) fn container_seen(&self, name: &str, container: &Container) -> ContainerSeen {
        let known = self.known(name);
        let (state, exit_code) = known
            .looked_at
            .unwrap_or((container.state(), container.exit_code));
        let mut mounts: Vec<MountSeen> = self
            .mounts_of(container)
            .iter()
            .map(|mount| MountSeen {
                target: mount.target.clone(),
                storage: self.storage(name, mount).0,
                read_only: mount.read_only,
            })
            .collect();
        mounts.sort_by(|a, b| a.target.cmp(&b.target));
        ContainerSeen {
            name: name.to_owned(),
            image: known.image,
            state,
            exit_code: (state == ContainerState::Exited).then_some(exit_code),
            mounts,
        }
    }

    /// What is mounted, and the path in it that is.
    fn storage(&self, container: &str, mount: &Mount) -> (Storage, String) {
        let top = "/".to_owned();
        match &mount.source {
            Source::Volume(id) => {
                if let Some(device) = self.state().devices.get(id) {
                    return (Storage::Host, device.clone());
                }
                (Storage::Volume(self.volume_ref(id)), top)
            }
            Source::Bind(path) => {
                let inner = below(path, &self.host.daemon).unwrap_or(path);
                (Storage::Host, inner.to_owned())
            }
            Source::Tmpfs => {
                let storage = Storage::Tmpfs {
                    container: container.to_owned(),
                    target: mount.target.clone(),
                };
                (storage, top)
            }
            Source::Image(image) => {
                let image = self.names.image_of(image).unwrap_or_else(|| image.clone());
                let layers = self.image(&image).layers;
                let storage = layers.last().map(|layer| layer.storage.clone());
                (storage.unwrap_or(Storage::Layer { image, number: 0 }), top)
            }
        }
    }

    /// Where a path of a container lies: in a mount, or what `root` makes of it.
    pub(super) fn lies(
        &self,
        name: &str,
        known: &Known,
        path: &str,
        root: impl FnOnce(&str) -> Option<Storage>,
    ) -> Option<(Storage, String)> {
        let covering = known
            .mounts
            .iter()
            .filter_map(|mount| Some((mount, below(path, &seen(&mount.target))?)))
            .max_by_key(|(mount, _)| mount.target.len());
        match covering {
            Some((
                Mount {
                    source: Source::Image(image),
                    ..
                },
                inner,
            )) => {
                let image = self.names.image_of(image)?;
                let layers = self.image(&image).layers;
                Some((storage_of(&layers, inner)?.clone(), inner.to_owned()))
            }
            Some((mount, inner)) => {
                let (storage, top) = self.storage(name, mount);
                Some((storage, joined(&seen(&top), inner)))
            }
            None => Some((root(path)?, path.to_owned())),
        }
    }
}

impl Mount {
    pub(super) fn volume(&self) -> Option<&str> {
        match &self.source {
            Source::Volume(id) => Some(id),
            _ => None,
        }
    }
}

/// 64 hexadecimal digits: a name that the engine made up.
pub(super) fn is_generated(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}
