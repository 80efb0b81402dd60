//! Compose's mounts, short and long. What is wrong with a mount as such is the engine's to say,
//! since its refusal is a behaviour; only what the contract's data cannot hold is a fault here.

use super::decoder::Decoder;
use super::fields::Fields;
use super::mentions::Subject;
use super::scalars;
use super::source::{Node, Pair, Value};
use super::tree::host_path;
use crate::engine::{
    BindRequest, MountRequest, MountSource, Propagation, TmpfsRequest, VolumeRequest,
};

const KEYS: &[&str] = &[
    "type",
    "source",
    "target",
    "read_only",
    "consistency",
    "bind",
    "volume",
    "tmpfs",
    "image",
];

/// The types of a long mount, each also the name of its own options.
const TYPES: &[(&str, &str)] = &[
    ("volume", "volume"),
    ("bind", "bind"),
    ("tmpfs", "tmpfs"),
    ("image", "image"),
];

const PROPAGATIONS: &[(&str, Propagation)] = &[
    ("private", Propagation::Private),
    ("rprivate", Propagation::Rprivate),
    ("shared", Propagation::Shared),
    ("rshared", Propagation::Rshared),
    ("slave", Propagation::Slave),
    ("rslave", Propagation::Rslave),
];

const CONSISTENCIES: &[(&str, &str)] = &[
    ("default", "default"),
    ("consistent", "consistent"),
    ("cached", "cached"),
    ("delegated", "delegated"),
];

const RECURSIVE: &[(&str, &str)] = &[
    ("enabled", "enabled"),
    ("disabled", "disabled"),
    ("writable", "writable"),
    ("readonly", "readonly"),
];

/// Decodes the `volumes` of a container.
pub(crate) fn mounts(node: &Node, decoder: &mut Decoder<'_>) -> Vec<MountRequest> {
    let Value::List(items) = &node.value else {
        decoder.unexpected(node, "a list of mounts");
        return Vec::new();
    };
    items
        .iter()
        .filter_map(|item| mount(item, decoder))
        .collect()
}

fn mount(node: &Node, decoder: &mut Decoder<'_>) -> Option<MountRequest> {
    if let Value::Scalar(text) = &node.value {
        // A volume that a mount names is made when it is missing.
        if let Some((source, _)) = text.split_once(':')
            && !source.starts_with(['.', '/'])
        {
            decoder.makes(Subject::Volume(source.to_owned()));
        }
        return Some(MountRequest::Short(text.clone()));
    }
    if !matches!(node.value, Value::Map(_)) {
        decoder.unexpected(node, "a mount such as `store:/data`, or a mapping");
        return None;
    }
    let fields = Fields::open(node, "a mount", KEYS, decoder)?;
    let target = fields.text_if("target", decoder).unwrap_or_default();
    let read_only = fields.flag("read_only", decoder);
    if let Some(consistency) = fields.get("consistency") {
        // It tells Docker Desktop how to share files of other systems, and means nothing on Linux.
        let _checked = scalars::choice(consistency, "consistency", CONSISTENCIES, decoder);
    }
    let kind = fields.require("type", decoder)?;
    let kind = scalars::choice(kind, "type of mount", TYPES, decoder)?;
    for (other, _) in TYPES.iter().filter(|(name, _)| *name != kind) {
        if let Some(pair) = fields.pair(other) {
            decoder.fault(
                pair.spot(),
                format!("`{other}` options on a mount of type `{kind}`"),
            );
        }
    }
    let own = fields.pair(kind);
    let source = match kind {
        "volume" => MountSource::Volume(volume(&fields, own, decoder)),
        "bind" => MountSource::Bind(bind(&fields, own, decoder)),
        "tmpfs" => MountSource::Tmpfs(tmpfs(&fields, own, decoder)),
        _ => MountSource::Image {
            source: fields.uses("source", Subject::Image, decoder),
            subpath: own
                .and_then(|pair| Fields::open(&pair.value, "`image`", &["subpath"], decoder))
                .and_then(|options| options.text_if("subpath", decoder)),
        },
    };
    Some(MountRequest::Long {
        target,
        read_only,
        source,
    })
}

fn volume(fields: &Fields<'_>, own: Option<&Pair>, decoder: &mut Decoder<'_>) -> VolumeRequest {
    let name = fields.text_if("source", decoder);
    if let Some(name) = &name {
        decoder.makes(Subject::Volume(name.clone()));
    }
    let allowed = &["nocopy", "subpath", "labels"];
    let options = own.and_then(|pair| Fields::open(&pair.value, "`volume`", allowed, decoder));
    let Some(options) = options else {
        return VolumeRequest {
            name,
            ..VolumeRequest::default()
        };
    };
    VolumeRequest {
        name,
        nocopy: options.flag("nocopy", decoder),
        subpath: options.text_if("subpath", decoder),
        labels: options
            .get("labels")
            .map(|n| scalars::labels(n, decoder))
            .unwrap_or_default(),
    }
}

fn bind(fields: &Fields<'_>, own: Option<&Pair>, decoder: &mut Decoder<'_>) -> BindRequest {
    let source = host_path(&fields.text_if("source", decoder).unwrap_or_default());
    let allowed = &["create_host_path", "propagation", "recursive", "selinux"];
    let mut request = BindRequest {
        source,
        create_host_path: false,
        propagation: None,
        recursive: None,
        selinux: None,
    };
    let options = own.and_then(|pair| Fields::open(&pair.value, "`bind`", allowed, decoder));
    if let Some(options) = options {
        request.create_host_path = options.flag("create_host_path", decoder);
        request.propagation = options
            .get("propagation")
            .and_then(|node| scalars::choice(node, "propagation", PROPAGATIONS, decoder));
        request.recursive = options
            .get("recursive")
            .and_then(|node| scalars::choice(node, "value of `recursive`", RECURSIVE, decoder))
            .map(str::to_owned);
        request.selinux = options
            .get("selinux")
            .and_then(|node| {
                scalars::choice(
                    node,
                    "value of `selinux`",
                    &[("z", "z"), ("Z", "Z")],
                    decoder,
                )
            })
            .map(str::to_owned);
    }
    request
}

fn tmpfs(fields: &Fields<'_>, own: Option<&Pair>, decoder: &mut Decoder<'_>) -> TmpfsRequest {
    if let Some(pair) = fields.pair("source") {
        decoder.fault(pair.spot(), "a tmpfs has no `source`");
    }
    let options =
        own.and_then(|pair| Fields::open(&pair.value, "`tmpfs`", &["size", "mode"], decoder));
    let Some(options) = options else {
        return TmpfsRequest::default();
    };
    TmpfsRequest {
        size: options
            .get("size")
            .and_then(|node| scalars::size(node, decoder)),
        mode: options
            .get("mode")
            .and_then(|node| scalars::mode(node, decoder)),
    }
}
