//! The contract's mounts in the store's words, and the store's objects in the contract's.

use crate::engine::{
    self, BindRequest, ContainerSeen, ContainerState, MountRequest, MountSeen, Storage,
    TmpfsRequest, VolumeRef, VolumeRequest, VolumeSeen,
};
use crate::store::spec::{Source, Spec, check, parse_short, path};
use crate::store::{Container, MountSource, Propagation, Refusal, State, Volume};

/// One mount as asked for, checked in itself, and whether it is of the long form.
pub(super) fn spec(request: &MountRequest) -> Result<(Spec, bool), Refusal> {
    match request {
        MountRequest::Short(text) => Ok((parse_short(text)?, false)),
        MountRequest::Long {
            target,
            read_only,
            source,
        } => {
            let source = source_of(source);
            let spec = Spec {
                target: target.clone(),
                read_only: *read_only,
                source,
            };
            check(&spec)?;
            Ok((spec, true))
        }
    }
}

fn source_of(source: &engine::MountSource) -> Source {
    match source.clone() {
        engine::MountSource::Volume(VolumeRequest {
            name,
            nocopy,
            subpath,
            labels,
        }) => {
            let name = name.filter(|name| !name.is_empty());
            let subpath = subpath.filter(|subpath| !subpath.is_empty());
            Source::Volume {
                name,
                copy: !nocopy,
                subpath,
                labels,
            }
        }
        engine::MountSource::Bind(BindRequest {
            source,
            create_host_path,
            propagation,
            recursive,
            selinux: _,
        }) => Source::Bind {
            path: source,
            create: create_host_path,
            propagation: propagation.map(propagation_of),
            recursive,
        },
        engine::MountSource::Tmpfs(TmpfsRequest { size, mode }) => Source::Tmpfs { size, mode },
        engine::MountSource::Image { source, subpath } => Source::Image {
            image: source,
            subpath,
        },
    }
}

fn propagation_of(propagation: engine::Propagation) -> Propagation {
    match propagation {
        engine::Propagation::Private => Propagation::Private,
        engine::Propagation::Rprivate => Propagation::Rprivate,
        engine::Propagation::Shared => Propagation::Shared,
        engine::Propagation::Rshared => Propagation::Rshared,
        engine::Propagation::Slave => Propagation::Slave,
        engine::Propagation::Rslave => Propagation::Rslave,
    }
}

/// A path of the host as written, seen from the top of the host directory.
pub(super) fn host_path(path: &str) -> String {
    path::absolute(path)
}

/// How a volume is known to a scenario.
pub(super) fn volume_ref(volume: &Volume) -> VolumeRef {
    match &volume.owner {
        Some(owner) => VolumeRef::Anonymous {
            container: owner.container.clone(),
            target: owner.target.clone(),
        },
        None => VolumeRef::Named(volume.name.clone()),
    }
}

/// A volume as seen.
pub(super) fn volume_seen(volume: &Volume, users: &[&Container]) -> VolumeSeen {
    VolumeSeen {
        volume: volume_ref(volume),
        driver: volume.driver.clone(),
        labels: volume.labels.clone(),
        options: volume.options.clone(),
        used_by: users
            .iter()
            .map(|container| container.name.clone())
            .collect(),
    }
}

/// A container as seen; `volume` finds volumes by name.
pub(super) fn container_seen<'a>(
    container: &Container,
    volume: impl Fn(&str) -> Option<&'a Volume>,
) -> ContainerSeen {
    let state = match container.state {
        State::Created => ContainerState::Created,
        State::Running => ContainerState::Running,
        State::Paused => ContainerState::Paused,
        State::Exited => ContainerState::Exited,
    };
    let tmpfs = |target: &str| Storage::Tmpfs {
        container: container.name.clone(),
        target: target.to_owned(),
    };
    let own = container
        .mounts
        .iter()
        .filter(|mount| !container.tmpfs.contains_key(&mount.target));
    let mut mounts: Vec<MountSeen> = own
        .map(|mount| MountSeen {
            target: mount.target.clone(),
            read_only: mount.read_only,
            storage: match &mount.source {
                MountSource::Volume(source) => Storage::Volume(
                    volume(&source.name)
                        .map_or_else(|| VolumeRef::Named(source.name.clone()), volume_ref),
                ),
                MountSource::Bind(_) => Storage::Host,
                MountSource::Tmpfs(_) => tmpfs(&mount.target),
                MountSource::Image { image, layers, .. } => Storage::Layer {
                    image: layers.last().map_or(image, |layer| &layer.image).clone(),
                    number: layers.last().map_or(0, |layer| layer.position),
                },
            },
        })
        .collect();
    mounts.extend(container.tmpfs.iter().map(|(target, options)| MountSeen {
        // As it was asked for, a slash at its end counts when it is compared with other targets.
        target: path::clean(target),
        storage: tmpfs(&path::clean(target)),
        read_only: options.split(',').any(|word| word == "ro"),
    }));
    mounts.sort_by(|a, b| a.target.cmp(&b.target));
    ContainerSeen {
        name: container.name.clone(),
        image: container.image.clone(),
        state,
        exit_code: container
            .exit_code
            .filter(|_| container.state == State::Exited),
        mounts,
    }
}
