//! Operations on containers, images and volumes.

use std::collections::BTreeMap;

use super::yaml::{Map, Yaml, list, number};
use crate::engine::{
    CommitSpec, ContainerSpec, CopyEnd, ImageConfig, MountRequest, MountSource, Operation,
    Propagation, VolumeFilter, VolumeRef, VolumeSpec,
};

/// The value of a step's operation.
pub(super) fn object(operation: &Operation) -> Yaml {
    use Operation as O;
    match operation {
        O::Create(spec) | O::Run(spec) => container(spec),
        O::Start(name)
        | O::Stop(name)
        | O::Kill(name)
        | O::Restart(name)
        | O::Pause(name)
        | O::Unpause(name)
        | O::Inspect(name)
        | O::Diff(name) => name.as_str().into(),
        O::Remove {
            container,
            force: false,
            volumes: false,
        } => container.as_str().into(),
        O::Remove {
            container,
            force,
            volumes,
        } => Map::default()
            .with("container", container.as_str())
            .flag("force", *force)
            .flag("volumes", *volumes)
            .into(),
        O::Commit(spec) => commit(spec),
        O::Copy {
            from,
            to,
            archive,
            follow,
        } => Map::default()
            .with("from", copy_end(from))
            .with("to", copy_end(to))
            .flag("archive", *archive)
            .flag("follow", *follow)
            .into(),
        O::Export { container, to } => Map::default()
            .with("container", container.as_str())
            .with("to", host_path(to))
            .into(),
        O::Import { from, image } => Map::default()
            .with("from", host_path(from))
            .with("image", image.as_str())
            .into(),
        O::ImageRemove {
            image,
            force: false,
        } => image.as_str().into(),
        O::ImageRemove { image, force } => Map::default()
            .with("image", image.as_str())
            .flag("force", *force)
            .into(),
        O::ImageTag { image, tag } => Map::default()
            .with("image", image.as_str())
            .with("tag", tag.as_str())
            .into(),
        _ => volume_operation(operation),
    }
}

fn volume_operation(operation: &Operation) -> Yaml {
    use Operation as O;
    match operation {
        O::VolumeCreate(spec) => {
            let map = Map::default().with_if("name", spec.name.as_deref());
            described(map, spec).into()
        }
        O::VolumeRemove {
            volume,
            force: false,
        }
        | O::VolumeInspect(volume) => volume_ref(volume).into(),
        O::VolumeRemove { volume, force } => Map::default()
            .with("volume", volume_ref(volume))
            .flag("force", *force)
            .into(),
        O::VolumeList { filters } => Map::default()
            .with_if("filters", filter_map(filters))
            .into(),
        O::VolumePrune { all, filters } => Map::default()
            .flag("all", *all)
            .with_if("filters", filter_map(filters))
            .into(),
        // The rest takes nothing.
        _ => Map::default().into(),
    }
}

/// A volume by its name, or as the anonymous one of a container.
pub(super) fn volume_ref(volume: &VolumeRef) -> String {
    match volume {
        VolumeRef::Named(name) => name.clone(),
        VolumeRef::Anonymous { container, target } => {
            format!("anonymous volume of {container} at {target}")
        }
    }
}

/// Driver, its options, labels.
pub(super) fn described(map: Map, spec: &VolumeSpec) -> Map {
    map.with_if("driver", spec.driver.as_deref())
        .with_if("driver_opts", labels(&spec.driver_opts))
        .with_if("labels", labels(&spec.labels))
}

fn labels(labels: &BTreeMap<String, String>) -> Option<Map> {
    let mut map = Map::default();
    for (key, value) in labels {
        map = map.with(key, value.as_str());
    }
    (!map.is_empty()).then_some(map)
}

/// One key with several values is a list.
fn filter_map(filters: &[VolumeFilter]) -> Option<Map> {
    let mut by_key: Vec<(&str, Vec<&str>)> = Vec::new();
    for filter in filters {
        match by_key.iter_mut().find(|(key, _)| *key == filter.key) {
            Some((_, values)) => values.push(&filter.value),
            None => by_key.push((&filter.key, vec![&filter.value])),
        }
    }
    let mut map = Map::default();
    for (key, values) in by_key {
        map = match values.as_slice() {
            [value] => map.with(key, *value),
            values => map.with(key, list(values.iter().copied())),
        };
    }
    (!map.is_empty()).then_some(map)
}

/// A path of the host directory: what does not begin with a dot or a slash would be taken for a container.
fn host_path(path: &str) -> String {
    if path.starts_with('/') {
        format!(".{path}")
    } else {
        path.to_owned()
    }
}

fn copy_end(end: &CopyEnd) -> String {
    match end {
        CopyEnd::Container { container, path } => format!("{container}:{path}"),
        CopyEnd::Host(path) => host_path(path),
    }
}

/// VOLUME, USER, WORKDIR.
pub(super) fn config(map: Map, config: &ImageConfig) -> Map {
    map.texts("volumes", config.volumes.iter().map(String::as_str))
        .with_if("user", config.user.as_deref())
        .with_if("working_dir", config.working_dir.as_deref())
}

fn commit(spec: &CommitSpec) -> Yaml {
    let map = Map::default()
        .with("container", spec.container.as_str())
        .with("image", spec.image.as_str());
    config(map, &spec.change).into()
}

fn container(spec: &ContainerSpec) -> Yaml {
    let mut map = Map::default()
        .with("name", spec.name.as_str())
        .with("image", spec.image.as_str());
    if !spec.mounts.is_empty() {
        map = map.with(
            "volumes",
            Yaml::List(spec.mounts.iter().map(mount).collect()),
        );
    }
    map.texts("volumes_from", spec.volumes_from.iter().map(String::as_str))
        .texts("tmpfs", spec.tmpfs.iter().map(String::as_str))
        .flag("read_only", spec.read_only)
        .with_if("user", spec.user.as_deref())
        .with_if("working_dir", spec.working_dir.as_deref())
        .flag("rm", spec.remove_on_exit)
        .into()
}

fn mount(request: &MountRequest) -> Yaml {
    let (target, read_only, source) = match request {
        MountRequest::Short(text) => return text.as_str().into(),
        MountRequest::Long {
            target,
            read_only,
            source,
        } => (target, *read_only, source),
    };
    let (kind, name, options) = source_of(source);
    let has_options = !options.is_empty();
    Map::default()
        .with("type", kind)
        .with_if("source", name)
        .with("target", target.as_str())
        .flag("read_only", read_only)
        .with_if(kind, has_options.then_some(options))
        .into()
}

/// The type of a long mount, its source, its own options.
fn source_of(source: &MountSource) -> (&'static str, Option<String>, Map) {
    let options = Map::default();
    match source {
        MountSource::Volume(volume) => {
            let options = options
                .flag("nocopy", volume.nocopy)
                .with_if("subpath", volume.subpath.as_deref())
                .with_if("labels", labels(&volume.labels));
            ("volume", volume.name.clone(), options)
        }
        MountSource::Bind(bind) => {
            let options = options
                .flag("create_host_path", bind.create_host_path)
                .with_if("propagation", bind.propagation.map(propagation))
                .with_if("recursive", bind.recursive.as_deref())
                .with_if("selinux", bind.selinux.as_deref());
            ("bind", Some(host_path(&bind.source)), options)
        }
        MountSource::Tmpfs(tmpfs) => {
            let options = options
                .with_if("size", tmpfs.size.map(number))
                .with_if("mode", tmpfs.mode.map(super::tree::mode));
            ("tmpfs", None, options)
        }
        MountSource::Image { source, subpath } => (
            "image",
            Some(source.clone()),
            options.with_if("subpath", subpath.as_deref()),
        ),
    }
}

fn propagation(propagation: Propagation) -> &'static str {
    match propagation {
        Propagation::Private => "private",
        Propagation::Rprivate => "rprivate",
        Propagation::Shared => "shared",
        Propagation::Rshared => "rshared",
        Propagation::Slave => "slave",
        Propagation::Rslave => "rslave",
    }
}
