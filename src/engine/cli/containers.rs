//! Containers: created, run, inspected; and what lies where in them.

use super::engine::{Cli, Fault, Known, Result};
use super::flavor::Flavor;
use super::inspected::{Container, Mount, Source, is_hidden};
use super::layers::storage_of;
use super::names::{below, clean, joined, seen};
use crate::agent::wire::{Ask, Given};
use crate::engine::{
    Code, ContainerSeen, ContainerSpec, ContainerState, Kind, MountRequest, MountSeen, MountSource,
    Storage, Value, VolumeRef,
};

impl Cli {
    /// `create`, or `run` in the background.
    pub(super) fn create(&self, verb: &str, spec: &ContainerSpec) -> Result<Value> {
        self.take_in(&spec.name);
        self.names_are_names(spec)?;
        let mut binds = self.bind_sources(spec);
        for from in &spec.volumes_from {
            let name = from.split(':').next().unwrap_or_default();
            binds.extend(self.known(name).binds);
        }
        // Where a symlink among its sources leads to may change; and Podman does not list what is borrowed.
        let at_once = !binds.is_empty() || !spec.volumes_from.is_empty();
        self.stay_inside(binds)?;
        let mut arguments = vec![verb.to_owned()];
        if verb == "run" {
            arguments.push("--detach".to_owned());
        }
        if verb == "run" && self.ground.about.flavor == Flavor::Podman {
            // No line for the user in the image's passwd file. `create` cannot be told.
            arguments.push("--passwd=false".to_owned());
        }
        arguments.extend(self.arguments(spec));
        let before = self.known(&spec.name).id;
        let said = self.make(&arguments)?;
        let log = said.err.clone();
        let done = self.judge(said);
        if done.is_ok() && !at_once {
            self.remember_later(spec);
        } else if (done.is_ok() || verb == "run")
            // A container that cannot be started is there all the same; one of before may have its name.
            && let Ok(Some(container)) = self.inspect_container(&spec.name)
            && container.id != before
        {
            self.learn(spec, container);
        }
        if done.is_err() {
            self.remember_left(spec, &log);
        }
        done.map(|_| Value::Nothing)
            .map_err(|fault| of_borrowed(spec, fault))
    }

    /// Where a container's processes start; empty when that is not told. nerdctl tells in its own way of inspecting only.
    fn directory(&self, container: &Container) -> String {
        if self.ground.about.flavor != Flavor::Nerdctl {
            return container.directory.clone();
        }
        let format = "{{.Spec.process.cwd}}";
        let native = ["container", "inspect", "--mode=native", "--format", format];
        let arguments = native.into_iter().chain([container.id.as_str()]);
        let said = self.command(&arguments.collect::<Vec<_>>());
        said.map(|said| said.trim().to_owned()).unwrap_or_default()
    }

    /// nerdctl takes a volume's name with a slash for a path, from where we are: out of the sandbox.
    fn names_are_names(&self, spec: &ContainerSpec) -> Result<()> {
        let is_path = |mount: &MountRequest| match mount {
            MountRequest::Short(text) => text
                .split_once(':')
                .is_some_and(|(source, _)| !source.starts_with(['/', '.']) && source.contains('/')),
            MountRequest::Long {
                source: MountSource::Volume(volume),
                ..
            } => volume.name.as_ref().is_some_and(|name| name.contains('/')),
            MountRequest::Long { .. } => false,
        };
        if self.ground.about.flavor == Flavor::Nerdctl && spec.mounts.iter().any(is_path) {
            let why = "nerdctl takes a volume's name with a slash for a path of this machine";
            return Err(Fault::Unsupported(why.to_owned()));
        }
        Ok(())
    }

    /// The daemon follows symlinks on its own host, whoever made them: no bind source may lead out of the
    /// host directory.
    pub(super) fn stay_inside(&self, paths: Vec<String>) -> Result<()> {
        if paths.is_empty() {
            return Ok(());
        }
        let top = self.host.world.clone();
        match self.ground.ask(Ask::LeadsOut { top, paths }) {
            Ok(Given::Path(None)) => Ok(()),
            Ok(Given::Path(Some(path))) => Err(Fault::Unsupported(format!(
                "{path} leads out of the host directory"
            ))),
            other => Err(Fault::Broken(format!("the agent answered {other:?}"))),
        }
    }

    /// Paths of the host directory that a specification binds.
    fn bind_sources(&self, spec: &ContainerSpec) -> Vec<String> {
        let devices = self.state().devices.clone();
        let device = |name: &str| devices.get(&self.names.volume(name)).cloned();
        let source = |mount: &MountRequest| match mount {
            MountRequest::Short(text) => match text.split_once(':') {
                Some((source, _)) if source.starts_with(['/', '.']) => Some(clean(source)),
                Some((name, _)) => device(name),
                None => None,
            },
            MountRequest::Long { source, .. } => match source {
                MountSource::Bind(bind) => Some(clean(&bind.source)),
                MountSource::Volume(volume) => volume.name.as_deref().and_then(device),
                MountSource::Tmpfs(_) | MountSource::Image { .. } => None,
            },
        };
        spec.mounts.iter().filter_map(source).collect()
    }

    /// Remembers what was asked for, and what came of it.
    pub(super) fn learn(&self, spec: &ContainerSpec, mut container: Container) {
        let layers = self.image(&spec.image).layers;
        let devices = self.state().devices.clone();
        if self.ground.about.flavor == Flavor::Podman {
            let unlisted = self.borrowed_binds(spec, &container.mounts);
            container.mounts.extend(unlisted);
            let unlisted = unlisted_tmpfs(spec, &container.mounts);
            container.mounts.extend(unlisted);
        }
        let mounts = Self::mounts_of(&container)
            .into_iter()
            .map(|mount| self.real(mount))
            .collect();
        let bind = |mount: &Mount| match &mount.source {
            Source::Bind(path) => below(path, &self.host.daemon).map(str::to_owned),
            Source::Volume(id) => devices.get(id).cloned(),
            Source::Tmpfs | Source::Image(_) => None,
        };
        let binds = container.mounts.iter().filter_map(bind).collect();
        let directory = self.directory(&container);
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
            id: container.id,
            image: spec.image.clone(),
            layers,
            mounts,
            tmpfs: container.tmpfs,
            binds,
            disk: container.disk,
            directory,
            paused: false,
            remove_on_exit: spec.remove_on_exit,
            looked_at: None,
        };
        state.containers.insert(spec.name.clone(), known);
    }

    /// Bind mounts that come along with `--volumes-from`. Podman makes them and does not list them, which
    /// is why the next borrower does not get them (Docker row 95).
    fn borrowed_binds(&self, spec: &ContainerSpec, listed: &[Mount]) -> Vec<Mount> {
        let mut borrowed: Vec<Mount> = Vec::new();
        // The last one wins.
        for from in spec.volumes_from.iter().rev() {
            let (name, mode) = from.split_once(':').unwrap_or((from, ""));
            let Ok(Some(lender)) = self.inspect_container(name) else {
                continue;
            };
            for mut mount in lender.mounts {
                mount.read_only = match mode {
                    "ro" => true,
                    "rw" => false,
                    _ => mount.read_only,
                };
                let taken = |other: &Mount| other.target == mount.target;
                let is_bind = matches!(mount.source, Source::Bind(_));
                if is_bind && !listed.iter().chain(&borrowed).any(taken) {
                    borrowed.push(mount);
                }
            }
        }
        borrowed
    }

    /// Its mounts but ours.
    fn mounts_of(container: &Container) -> Vec<Mount> {
        let ours = |mount: &&Mount| mount.target != super::ground::AGENT;
        container.mounts.iter().filter(ours).cloned().collect()
    }

    /// A bind source where its symlinks lead to.
    fn real(&self, mut mount: Mount) -> Mount {
        if let Source::Bind(path) = &mut mount.source {
            let host = &self.host;
            let ask = |inner: &str| Ask::Real {
                path: joined(&host.world, inner),
            };
            let real = below(path, &host.daemon).map(|inner| self.ground.ask(ask(inner)));
            if let Some(Ok(Given::Path(Some(real)))) = real
                && let Some(inner) = below(&real, &host.world)
            {
                *path = joined(&host.daemon, inner);
            }
        }
        mount
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
        let listed = Self::mounts_of(container);
        let mut mounts: Vec<MountSeen> = listed
            .iter()
            .filter(|mount| !is_hidden(mount, &listed))
            .map(|mount| MountSeen {
                target: mount.target.clone(),
                // A volume that shows a host directory is a volume to `inspect`.
                storage: match mount.volume() {
                    Some(id) => Storage::Volume(self.volume_ref(id)),
                    None => self.storage(name, mount).0,
                },
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
        let part = mount.part.clone();
        match &mount.source {
            Source::Volume(id) => {
                if let Some(device) = self.state().devices.get(id) {
                    return (Storage::Host, clean(device));
                }
                (Storage::Volume(self.volume_ref(id)), part)
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
                (storage, part)
            }
            Source::Image(image) => {
                let image = self.image_of(image).unwrap_or_else(|| image.clone());
                let layers = self.image(&image).layers;
                let storage = layers.last().map(|layer| layer.storage.clone());
                (storage.unwrap_or(Storage::Layer { image, number: 0 }), part)
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
            .filter_map(|mount| Some((mount, below(path, &seen(&mount.at))?)))
            .max_by_key(|(mount, _)| mount.at.len());
        match covering {
            Some((
                Mount {
                    source: Source::Image(image),
                    part,
                    ..
                },
                inner,
            )) => {
                let image = self.image_of(image)?;
                let layers = self.image(&image).layers;
                let inner = joined(&seen(part), inner);
                let top = layers.last().filter(|_| inner == "/");
                let top = top.map(|layer| &layer.storage);
                Some((storage_of(&layers, &inner).or(top)?.clone(), inner))
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

/// What Podman mounts in a container that is read-only (Docker row 169). Podman 5 does not list it.
fn unlisted_tmpfs(spec: &ContainerSpec, listed: &[Mount]) -> Vec<Mount> {
    let targets = ["/run", "/tmp", "/var/tmp"].into_iter();
    let unlisted = targets
        .filter(|target| spec.read_only && listed.iter().all(|mount| mount.target != *target));
    unlisted
        .map(|target| Mount {
            target: target.to_owned(),
            at: target.to_owned(),
            source: Source::Tmpfs,
            part: "/".to_owned(),
            read_only: false,
        })
        .collect()
}

/// A mode that is wrong is told without where it stands: it may be that of `--volumes-from`.
fn of_borrowed(spec: &ContainerSpec, fault: Fault) -> Fault {
    let Fault::Refused(mut refusal) = fault else {
        return fault;
    };
    let wrong = refusal
        .message
        .trim_end_matches('.')
        .rsplit(": ")
        .next()
        .unwrap_or_default();
    let borrowed = spec
        .volumes_from
        .iter()
        .any(|from| from.split_once(':').is_some_and(|(_, mode)| mode == wrong));
    let elsewhere = spec.mounts.iter().any(|mount| match mount {
        MountRequest::Short(text) => text.ends_with(wrong),
        MountRequest::Long { .. } => false,
    });
    if refusal.message.contains("invalid mode: ") && borrowed && !elsewhere {
        refusal.code = Code::Kind(Kind::InvalidVolumesFrom);
    }
    Fault::Refused(refusal)
}

/// 64 hexadecimal digits: a name that the engine made up.
pub(super) fn is_generated(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}
