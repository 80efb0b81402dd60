//! Operations on containers, images and volumes.

use super::super::decoder::Decoder;
use super::super::fields::Fields;
use super::super::mentions::Subject;
use super::super::source::{Node, Value};
use super::super::tree::host_path;
use super::super::words::quote;
use super::super::{mounts, names, scalars};
use super::place::{volume_ref, volume_used};
use crate::engine::{
    CommitSpec, ContainerSpec, CopyEnd, ImageConfig, Operation, VolumeFilter, VolumeSpec,
};

const CONTAINER_KEYS: &[&str] = &[
    "name",
    "image",
    "volumes",
    "volumes_from",
    "tmpfs",
    "read_only",
    "user",
    "working_dir",
    "rm",
];

pub(super) fn create(node: &Node, decoder: &mut Decoder<'_>) -> Option<Operation> {
    container(node, decoder).map(Operation::Create)
}

pub(super) fn run(node: &Node, decoder: &mut Decoder<'_>) -> Option<Operation> {
    container(node, decoder).map(Operation::Run)
}

fn container(node: &Node, decoder: &mut Decoder<'_>) -> Option<ContainerSpec> {
    let fields = Fields::open(node, "a container", CONTAINER_KEYS, decoder)?;
    let name = fields.text("name", decoder);
    if name == "host"
        && let Some(pair) = fields.pair("name")
    {
        decoder.fault_help(
            pair.value.spot(),
            "a container cannot be called `host`",
            "`in: host` means the host directory".to_owned(),
        );
    }
    let image = fields.uses("image", Subject::Image, decoder);
    if let Some(node) = fields.get("volumes_from") {
        for (item, text) in names::each(node, decoder) {
            let container = text.split_once(':').map_or(text.as_str(), |(name, _)| name);
            decoder.uses(item.spot(), Subject::Container(container.to_owned()));
        }
    }
    decoder.makes(Subject::Container(name.clone()));
    Some(ContainerSpec {
        name,
        image,
        mounts: fields
            .get("volumes")
            .map(|n| mounts::mounts(n, decoder))
            .unwrap_or_default(),
        volumes_from: fields.texts("volumes_from", decoder),
        tmpfs: fields.texts("tmpfs", decoder),
        read_only: fields.flag("read_only", decoder),
        user: fields.text_if("user", decoder),
        working_dir: fields.text_if("working_dir", decoder),
        remove_on_exit: fields.flag("rm", decoder),
    })
}

/// The name of a container, alone.
fn name(node: &Node, decoder: &mut Decoder<'_>) -> Option<String> {
    let name = scalars::scalar(node, "the name of a container", decoder)?;
    decoder.uses(node.spot(), Subject::Container(name.to_owned()));
    Some(name.to_owned())
}

pub(super) fn start(node: &Node, decoder: &mut Decoder<'_>) -> Option<Operation> {
    name(node, decoder).map(Operation::Start)
}

pub(super) fn stop(node: &Node, decoder: &mut Decoder<'_>) -> Option<Operation> {
    name(node, decoder).map(Operation::Stop)
}

pub(super) fn kill(node: &Node, decoder: &mut Decoder<'_>) -> Option<Operation> {
    name(node, decoder).map(Operation::Kill)
}

pub(super) fn restart(node: &Node, decoder: &mut Decoder<'_>) -> Option<Operation> {
    name(node, decoder).map(Operation::Restart)
}

pub(super) fn pause(node: &Node, decoder: &mut Decoder<'_>) -> Option<Operation> {
    name(node, decoder).map(Operation::Pause)
}

pub(super) fn unpause(node: &Node, decoder: &mut Decoder<'_>) -> Option<Operation> {
    name(node, decoder).map(Operation::Unpause)
}

pub(super) fn inspect(node: &Node, decoder: &mut Decoder<'_>) -> Option<Operation> {
    name(node, decoder).map(Operation::Inspect)
}

pub(super) fn diff(node: &Node, decoder: &mut Decoder<'_>) -> Option<Operation> {
    name(node, decoder).map(Operation::Diff)
}

pub(super) fn remove(node: &Node, decoder: &mut Decoder<'_>) -> Option<Operation> {
    if let Value::Scalar(_) = &node.value {
        let container = name(node, decoder)?;
        return Some(Operation::Remove {
            container,
            force: false,
            volumes: false,
        });
    }
    let fields = Fields::open(node, "`rm`", &["container", "force", "volumes"], decoder)?;
    Some(Operation::Remove {
        container: fields.uses("container", Subject::Container, decoder),
        force: fields.flag("force", decoder),
        volumes: fields.flag("volumes", decoder),
    })
}

pub(super) fn commit(node: &Node, decoder: &mut Decoder<'_>) -> Option<Operation> {
    let keys = &["container", "image", "volumes", "user", "working_dir"];
    let fields = Fields::open(node, "`commit`", keys, decoder)?;
    let container = fields.uses("container", Subject::Container, decoder);
    let image = fields.text("image", decoder);
    decoder.makes(Subject::Image(image.clone()));
    Some(Operation::Commit(CommitSpec {
        container,
        image,
        change: image_config(&fields, decoder),
    }))
}

/// The keys `volumes`, `user` and `working_dir` of an image or of `commit`.
pub(crate) fn image_config(fields: &Fields<'_>, decoder: &mut Decoder<'_>) -> ImageConfig {
    ImageConfig {
        volumes: fields.texts("volumes", decoder),
        user: fields.text_if("user", decoder),
        working_dir: fields.text_if("working_dir", decoder),
    }
}

pub(super) fn copy(node: &Node, decoder: &mut Decoder<'_>) -> Option<Operation> {
    let fields = Fields::open(node, "`cp`", &["from", "to", "archive", "follow"], decoder)?;
    Some(Operation::Copy {
        from: copy_end(&fields, "from", decoder),
        to: copy_end(&fields, "to", decoder),
        archive: fields.flag("archive", decoder),
        follow: fields.flag("follow", decoder),
    })
}

/// As Docker tells them apart: what starts with `.` or `/` is a host path, else a colon follows the
/// container's name.
fn copy_end(fields: &Fields<'_>, key: &str, decoder: &mut Decoder<'_>) -> CopyEnd {
    let text = fields.text(key, decoder);
    if text.starts_with(['.', '/']) {
        return CopyEnd::Host(host_path(&text));
    }
    if let Some((container, path)) = text.split_once(':').filter(|(_, path)| !path.is_empty()) {
        if let Some(node) = fields.get(key) {
            decoder.uses(node.spot(), Subject::Container(container.to_owned()));
        }
        return CopyEnd::Container {
            container: container.to_owned(),
            path: path.to_owned(),
        };
    }
    if let Some(node) = fields.get(key).filter(|_| !text.is_empty()) {
        decoder.fault_help(
            node.spot(),
            format!("{} is no end of a copy", quote(&text)),
            "an end is `CONTAINER:/path`, or a path of the host directory: `./x`".to_owned(),
        );
    }
    CopyEnd::Host(text)
}

pub(super) fn export(node: &Node, decoder: &mut Decoder<'_>) -> Option<Operation> {
    let fields = Fields::open(node, "`export`", &["container", "to"], decoder)?;
    Some(Operation::Export {
        container: fields.uses("container", Subject::Container, decoder),
        to: host_path(&fields.text("to", decoder)),
    })
}

pub(super) fn import(node: &Node, decoder: &mut Decoder<'_>) -> Option<Operation> {
    let fields = Fields::open(node, "`import`", &["from", "image"], decoder)?;
    let image = fields.text("image", decoder);
    decoder.makes(Subject::Image(image.clone()));
    Some(Operation::Import {
        from: host_path(&fields.text("from", decoder)),
        image,
    })
}

pub(super) fn image_remove(node: &Node, decoder: &mut Decoder<'_>) -> Option<Operation> {
    if let Value::Scalar(image) = &node.value {
        decoder.uses(node.spot(), Subject::Image(image.clone()));
        return Some(Operation::ImageRemove {
            image: image.clone(),
            force: false,
        });
    }
    let fields = Fields::open(node, "`image rm`", &["image", "force"], decoder)?;
    Some(Operation::ImageRemove {
        image: fields.uses("image", Subject::Image, decoder),
        force: fields.flag("force", decoder),
    })
}

pub(super) fn image_tag(node: &Node, decoder: &mut Decoder<'_>) -> Option<Operation> {
    let fields = Fields::open(node, "`image tag`", &["image", "tag"], decoder)?;
    let image = fields.uses("image", Subject::Image, decoder);
    let tag = fields.text("tag", decoder);
    decoder.makes(Subject::Image(tag.clone()));
    Some(Operation::ImageTag { image, tag })
}

pub(super) fn volume_create(node: &Node, decoder: &mut Decoder<'_>) -> Option<Operation> {
    match &node.value {
        Value::Null => return Some(Operation::VolumeCreate(VolumeSpec::default())),
        Value::Scalar(name) => {
            decoder.makes(Subject::Volume(name.clone()));
            let name = Some(name.clone());
            return Some(Operation::VolumeCreate(VolumeSpec {
                name,
                ..VolumeSpec::default()
            }));
        }
        Value::List(_) | Value::Map(_) => {}
    }
    let keys = &["name", "driver", "driver_opts", "labels"];
    let fields = Fields::open(node, "a volume", keys, decoder)?;
    let name = fields.text_if("name", decoder);
    if let Some(name) = &name {
        decoder.makes(Subject::Volume(name.clone()));
    }
    Some(Operation::VolumeCreate(volume_spec(name, &fields, decoder)))
}

/// The keys `driver`, `driver_opts` and `labels` of a volume.
pub(crate) fn volume_spec(
    name: Option<String>,
    fields: &Fields<'_>,
    decoder: &mut Decoder<'_>,
) -> VolumeSpec {
    let driver_opts = fields.get("driver_opts");
    let labels = fields.get("labels");
    VolumeSpec {
        name,
        driver: fields.text_if("driver", decoder),
        driver_opts: driver_opts
            .map(|n| scalars::labels(n, decoder))
            .unwrap_or_default(),
        labels: labels
            .map(|n| scalars::labels(n, decoder))
            .unwrap_or_default(),
    }
}

pub(super) fn volume_remove(node: &Node, decoder: &mut Decoder<'_>) -> Option<Operation> {
    if let Value::Scalar(_) = &node.value {
        let volume = volume_used(node, decoder)?;
        return Some(Operation::VolumeRemove {
            volume,
            force: false,
        });
    }
    let fields = Fields::open(node, "`volume rm`", &["volume", "force"], decoder)?;
    let force = fields.flag("force", decoder);
    let volume = fields.require("volume", decoder)?;
    // With force, Docker says nothing of a volume that does not exist (row 56).
    let volume = if force {
        volume_ref(volume, decoder)
    } else {
        volume_used(volume, decoder)
    };
    Some(Operation::VolumeRemove {
        volume: volume?,
        force,
    })
}

pub(super) fn volume_inspect(node: &Node, decoder: &mut Decoder<'_>) -> Option<Operation> {
    volume_used(node, decoder).map(Operation::VolumeInspect)
}

pub(super) fn volume_list(node: &Node, decoder: &mut Decoder<'_>) -> Option<Operation> {
    if matches!(node.value, Value::Null) {
        return Some(Operation::VolumeList {
            filters: Vec::new(),
        });
    }
    let fields = Fields::open(node, "`volume ls`", &["filters"], decoder)?;
    Some(Operation::VolumeList {
        filters: filters(&fields, decoder),
    })
}

pub(super) fn volume_prune(node: &Node, decoder: &mut Decoder<'_>) -> Option<Operation> {
    if matches!(node.value, Value::Null) {
        return Some(Operation::VolumePrune {
            all: false,
            filters: Vec::new(),
        });
    }
    let fields = Fields::open(node, "`volume prune`", &["all", "filters"], decoder)?;
    Some(Operation::VolumePrune {
        all: fields.flag("all", decoder),
        filters: filters(&fields, decoder),
    })
}

/// `filters: {label: "a=b", dangling: true}`; a list gives one key several values. Unknown filters
/// are the engine's to refuse.
fn filters(fields: &Fields<'_>, decoder: &mut Decoder<'_>) -> Vec<VolumeFilter> {
    let Some(node) = fields.get("filters") else {
        return Vec::new();
    };
    let Value::Map(pairs) = &node.value else {
        decoder.unexpected(node, "a mapping of filter to value");
        return Vec::new();
    };
    pairs
        .iter()
        .flat_map(|pair| {
            let values = scalars::texts(&pair.value, decoder);
            values.into_iter().map(|value| VolumeFilter {
                key: pair.key.clone(),
                value,
            })
        })
        .collect()
}
