//! Trees in the language's notation.

use super::yaml::{Map, Yaml, bytes, bytes_entry, number};
use crate::engine::{Content, DeviceKind, Node, NodeKind, Time, Tree};

/// A mapping of path to entry.
pub(super) fn tree(tree: &Tree) -> Yaml {
    let mut map = Map::default();
    for entry in &tree.0 {
        map = map.with(&path(&entry.path, &entry.node), node(&entry.node));
    }
    map.into()
}

/// A key: a directory's ends in `/`.
pub(super) fn path(path: &str, node: &Node) -> String {
    match node.kind {
        NodeKind::Directory { .. } => format!("{}/", path.trim_end_matches('/')),
        _ => path.to_owned(),
    }
}

/// What is at a path.
pub(super) fn node(node: &Node) -> Yaml {
    let map = kind(&node.kind);
    let owner = node
        .uid
        .zip(node.gid)
        .map(|(uid, gid)| format!("{uid}:{gid}"));
    let mut xattrs = Map::default();
    for (name, value) in &node.xattrs {
        xattrs = xattrs.with(name, bytes(value.as_slice()));
    }
    let has_xattrs = !xattrs.is_empty();
    let map = map
        .with_if("mode", node.mode.map(mode))
        .with_if("owner", owner)
        .with_if("mtime", node.mtime.map(time))
        .with_if("xattrs", has_xattrs.then_some(xattrs));
    match Yaml::from(map) {
        // A file that is nothing but its text is written as that.
        Yaml::Map(entries) => match entries.as_slice() {
            [(key, text)] if key == "text" => text.clone(),
            _ => Yaml::Map(entries),
        },
        other => other,
    }
}

fn kind(kind: &NodeKind) -> Map {
    let map = Map::default();
    match kind {
        NodeKind::File(Content::Bytes(content)) => {
            let (key, value) = bytes_entry(content.as_slice());
            map.with(key, value)
        }
        NodeKind::File(Content::Fill { size, fill }) => map
            .with("size", number(size))
            .with_if("fill", fill.as_ref().map(|fill| bytes(fill.as_slice()))),
        NodeKind::Directory { opaque } => map.flag("opaque", *opaque),
        NodeKind::Symlink { target } => map.with("symlink", target.as_str()),
        NodeKind::Hardlink { to } => map.with("hardlink", to.as_str()),
        NodeKind::Fifo => map.with("fifo", Map::default()),
        NodeKind::Socket => map.with("socket", Map::default()),
        NodeKind::Device { kind, major, minor } => {
            map.with("device", device(*kind, *major, *minor))
        }
        NodeKind::Whiteout => map.with("whiteout", true),
    }
}

/// Octal, as modes are read.
pub(super) fn mode(mode: u32) -> String {
    format!("{mode:04o}")
}

/// `c 1:3`
pub(super) fn device(kind: DeviceKind, major: u32, minor: u32) -> String {
    let letter = match kind {
        DeviceKind::Char => 'c',
        DeviceKind::Block => 'b',
    };
    format!("{letter} {major}:{minor}")
}

/// Seconds since 1970, with a fraction where there is one.
pub(super) fn time(time: Time) -> String {
    match (time.seconds, time.nanos) {
        (seconds, 0) => seconds.to_string(),
        (seconds, nanos) if seconds < 0 => {
            // Nanoseconds count forward from the second before.
            format!("-{}.{:09}", -(seconds + 1), 1_000_000_000 - nanos)
        }
        (seconds, nanos) => format!("{seconds}.{nanos:09}"),
    }
}
