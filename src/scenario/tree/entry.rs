//! One entry of a tree: what is at its path.

use std::collections::BTreeMap;

use super::super::decoder::Decoder;
use super::super::fields::Fields;
use super::super::scalars;
use super::super::source::{Node as Yaml, Pair, Value};
use super::super::words::{one_of, quote};
use super::{TreeUse, host_path};
use crate::engine::{Bytes, Content, Node, NodeKind};

const KEYS: &[&str] = &[
    "text", "base64", "size", "fill", "from", "symlink", "hardlink", "fifo", "socket", "device",
    "whiteout", "opaque", "mode", "owner", "mtime", "xattrs",
];

/// The keys that say what an entry is.
const KINDS: &[&str] = &[
    "text", "base64", "size", "from", "symlink", "hardlink", "fifo", "socket", "device", "whiteout",
];

/// The keys of a directory's entry.
const DIRECTORY_KEYS: &[&str] = &["opaque", "mode", "owner", "mtime", "xattrs"];

/// Decodes one entry.
pub(super) fn entry(
    pair: &Pair,
    is_directory: bool,
    usage: TreeUse,
    decoder: &mut Decoder<'_>,
) -> Option<Node> {
    if is_directory {
        return directory(pair, usage, decoder);
    }
    match &pair.value.value {
        Value::Scalar(text) => Some(Node::new(NodeKind::File(Content::Bytes(
            text.as_str().into(),
        )))),
        Value::Map(_) => {
            let fields = Fields::open(&pair.value, "a tree's entry", KEYS, decoder)?;
            let kind = kind(pair, &fields, usage, decoder)?;
            Some(with_attributes(kind, &fields, usage, decoder))
        }
        Value::Null => {
            decoder.fault_help(
                pair.spot(),
                format!("nothing says what {} is", quote(&pair.key)),
                "an empty file is `\"\"`; a directory is `NAME/: {}`".to_owned(),
            );
            None
        }
        Value::List(_) => {
            decoder.unexpected(&pair.value, "text or a mapping");
            None
        }
    }
}

fn directory(pair: &Pair, usage: TreeUse, decoder: &mut Decoder<'_>) -> Option<Node> {
    if !matches!(pair.value.value, Value::Map(_)) {
        decoder.fault_help(
            pair.value.spot(),
            format!(
                "expected a directory's attributes, found {}",
                pair.value.describe()
            ),
            "a path that ends in `/` is a directory: `{}`, or `{mode: 0700}`".to_owned(),
        );
        return None;
    }
    let fields = Fields::open(&pair.value, "a directory", DIRECTORY_KEYS, decoder)?;
    let opaque = fields.flag("opaque", decoder);
    if let Some(pair) = fields.pair("opaque") {
        layers_only(pair, usage, decoder);
    }
    Some(with_attributes(
        NodeKind::Directory { opaque },
        &fields,
        usage,
        decoder,
    ))
}

fn layers_only(pair: &Pair, usage: TreeUse, decoder: &mut Decoder<'_>) {
    if usage != TreeUse::Layer {
        decoder.fault(
            pair.spot(),
            format!("`{}` belongs to layers of images only", pair.key),
        );
    }
}

/// A layer travels as a tar file, which has no such type: `docker commit` and `docker save` leave sockets out.
fn no_socket_in_layers(pair: &Pair, usage: TreeUse, decoder: &mut Decoder<'_>) {
    if usage == TreeUse::Layer {
        decoder.fault_help(
            pair.spot(),
            "a layer of an image cannot hold a socket",
            "a container makes one: `mksock: /x`".to_owned(),
        );
    }
}

/// In a tar file a record without a value takes one back (POSIX pax): Docker loads the layer without the attribute.
fn no_empty_xattr_in_layers(pair: &Pair, decoder: &mut Decoder<'_>) {
    decoder.fault_help(
        pair.value.spot(),
        "a layer of an image cannot hold an empty extended attribute",
        format!(
            "a container makes one: `setxattr: {{path: /x, name: {}, value: \"\"}}`",
            pair.key
        ),
    );
}

/// What the entry is: exactly one key says so.
fn kind(
    pair: &Pair,
    fields: &Fields<'_>,
    usage: TreeUse,
    decoder: &mut Decoder<'_>,
) -> Option<NodeKind> {
    let mut said = KINDS.iter().filter_map(|key| fields.pair(key));
    let Some(says) = said.next() else {
        let help = if fields.get("opaque").is_some() {
            "a directory's path ends in `/`".to_owned()
        } else {
            "an empty file has `text: \"\"`; a directory's path ends in `/`".to_owned()
        };
        decoder.fault_help(
            pair.spot(),
            format!("nothing says what {} is", quote(&pair.key)),
            help,
        );
        return None;
    };
    if let Some(second) = said.next() {
        let message = format!("an entry has either `{}` or `{}`", says.key, second.key);
        decoder.fault_twice(second.spot(), says.spot(), message);
    }
    if let Some(fill) = fields.pair("fill")
        && says.key != "size"
    {
        decoder.fault(fill.spot(), "`fill` needs a `size`");
    }
    if let Some(opaque) = fields.pair("opaque") {
        decoder.fault_help(
            opaque.spot(),
            "only a directory is opaque",
            "a directory's path ends in `/`".to_owned(),
        );
    }
    refuse_attributes(says.key.as_str(), fields, decoder);
    kind_of(says, fields, usage, decoder)
}

fn kind_of(
    says: &Pair,
    fields: &Fields<'_>,
    usage: TreeUse,
    decoder: &mut Decoder<'_>,
) -> Option<NodeKind> {
    let value = &says.value;
    Some(match says.key.as_str() {
        "text" => file(scalars::text(value, decoder)?.as_str().into()),
        "base64" => file(scalars::base64(value, decoder)?.into()),
        "from" => file(from_file(value, decoder)?),
        "size" => {
            let fill = fields.get("fill").and_then(|node| fill(node, decoder));
            NodeKind::File(Content::Fill {
                size: scalars::size(value, decoder)?,
                fill,
            })
        }
        "symlink" => NodeKind::Symlink {
            target: scalars::text(value, decoder)?,
        },
        "hardlink" => {
            let to = scalars::text(value, decoder)?;
            let outside = matches!(usage, TreeUse::Host | TreeUse::WriteOutside);
            NodeKind::Hardlink {
                to: if outside { host_path(&to) } else { to },
            }
        }
        "fifo" => {
            nothing_in(says, decoder);
            NodeKind::Fifo
        }
        "socket" => {
            nothing_in(says, decoder);
            no_socket_in_layers(says, usage, decoder);
            NodeKind::Socket
        }
        "device" => {
            let (kind, major, minor) = scalars::device(value, decoder)?;
            NodeKind::Device { kind, major, minor }
        }
        _ => {
            layers_only(says, usage, decoder);
            if scalars::boolean(value, decoder) == Some(false) {
                decoder.fault(value.spot(), "a whiteout is `true` or not there at all");
            }
            NodeKind::Whiteout
        }
    })
}

fn file(bytes: Bytes) -> NodeKind {
    NodeKind::File(Content::Bytes(bytes))
}

fn fill(node: &Yaml, decoder: &mut Decoder<'_>) -> Option<Bytes> {
    let bytes = scalars::bytes(node, decoder)?;
    if bytes.is_empty() {
        decoder.fault(node.spot(), "a fill must not be empty");
    }
    Some(bytes)
}

fn from_file(node: &Yaml, decoder: &mut Decoder<'_>) -> Option<Bytes> {
    let path = scalars::text(node, decoder)?;
    match decoder.fixtures.read(&path) {
        Ok(bytes) => Some(bytes.into()),
        Err(reason) => {
            decoder.fault(
                node.spot(),
                format!("cannot take content from {}: {reason}", quote(&path)),
            );
            None
        }
    }
}

/// `{fifo: {}}`: the mapping has no keys.
fn nothing_in(says: &Pair, decoder: &mut Decoder<'_>) {
    if !matches!(&says.value.value, Value::Map(pairs) if pairs.is_empty()) {
        decoder.unexpected(&says.value, "`{}`");
    }
}

/// Attributes that this kind of entry cannot have.
fn refuse_attributes(kind: &str, fields: &Fields<'_>, decoder: &mut Decoder<'_>) {
    let (what, refused): (&str, &[&str]) = match kind {
        "hardlink" => ("a hard link", &["mode", "owner", "mtime", "xattrs"]),
        "whiteout" => ("a whiteout", &["mode", "owner", "mtime", "xattrs"]),
        "symlink" => ("a symlink", &["mode"]),
        _ => return,
    };
    for key in refused {
        if let Some(pair) = fields.pair(key) {
            decoder.fault(
                pair.spot(),
                format!("{what} has no {} of its own", one_of([*key])),
            );
        }
    }
}

fn with_attributes(
    kind: NodeKind,
    fields: &Fields<'_>,
    usage: TreeUse,
    decoder: &mut Decoder<'_>,
) -> Node {
    let owner = fields
        .get("owner")
        .and_then(|node| scalars::owner(node, decoder));
    Node {
        kind,
        mode: fields
            .get("mode")
            .and_then(|node| scalars::mode(node, decoder)),
        uid: owner.map(|(uid, _)| uid),
        gid: owner.map(|(_, gid)| gid),
        mtime: fields
            .get("mtime")
            .and_then(|node| scalars::time(node, decoder)),
        xattrs: fields
            .get("xattrs")
            .map(|node| xattrs(node, usage, decoder))
            .unwrap_or_default(),
    }
}

fn xattrs(node: &Yaml, usage: TreeUse, decoder: &mut Decoder<'_>) -> BTreeMap<String, Bytes> {
    let Value::Map(pairs) = &node.value else {
        decoder.unexpected(node, "a mapping of attribute to value");
        return BTreeMap::new();
    };
    for pair in pairs.iter().filter(|pair| !pair.key.contains('.')) {
        decoder.fault_help(
            pair.spot(),
            format!("{} has no namespace", quote(&pair.key)),
            format!("the full name is meant: `user.{}`", pair.key),
        );
    }
    let mut xattrs = BTreeMap::new();
    for pair in pairs {
        let Some(value) = scalars::bytes(&pair.value, decoder) else {
            continue;
        };
        if value.is_empty() && usage == TreeUse::Layer {
            no_empty_xattr_in_layers(pair, decoder);
        }
        xattrs.insert(pair.key.clone(), value);
    }
    xattrs
}
