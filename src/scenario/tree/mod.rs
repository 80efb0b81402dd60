//! The tree notation: a mapping of path → entry. Used for layers, the host directory, the content of
//! volumes and `write`.

mod entry;
mod path;

use std::collections::BTreeMap;

use super::decoder::Decoder;
use super::source::{Node, Spot, Value};
use super::words::quote;
use crate::engine::{Entry, NodeKind, Tree};

pub(crate) use path::host_path;

/// What a tree is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TreeUse {
    /// A layer of an image.
    Layer,
    /// The host directory at the start.
    Host,
    /// A volume's content at the start.
    Volume,
    /// A `write` in the host directory or in a volume.
    WriteOutside,
    /// A `write` in a container, where relative paths are the process's business.
    WriteInside,
}

impl TreeUse {
    /// Whether the tree is made before the first step, so that it has to be sound in itself.
    fn is_set_up(self) -> bool {
        matches!(self, Self::Layer | Self::Host | Self::Volume)
    }
}

/// Decodes a tree, its entries in the order in which they were written.
pub(crate) fn tree(node: &Node, usage: TreeUse, decoder: &mut Decoder<'_>) -> Tree {
    let Value::Map(pairs) = &node.value else {
        decoder.fault_help(
            node.spot(),
            format!("expected a tree, found {}", node.describe()),
            "a tree is a mapping of path to entry: `/etc/app.conf: \"text\"`".to_owned(),
        );
        return Tree::default();
    };
    let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
    let mut entries = Vec::new();
    for (order, pair) in pairs.iter().enumerate() {
        let Some((path, is_directory)) = path::entry_path(pair, usage, decoder) else {
            continue;
        };
        let Some(node) = entry::entry(pair, is_directory, usage, decoder) else {
            continue;
        };
        if let Some(first) = seen.get(&path) {
            decoder.fault_twice(
                pair.spot(),
                first.spot,
                format!("{} is there twice", quote(&path)),
            );
            continue;
        }
        let is_directory = matches!(node.kind, NodeKind::Directory { .. });
        seen.insert(
            path.clone(),
            Seen {
                spot: pair.spot(),
                order,
                is_directory,
            },
        );
        entries.push(Entry { path, node });
    }
    if usage.is_set_up() {
        check_parents(&seen, decoder);
        check_hard_links(&entries, &seen, decoder);
    }
    Tree(entries)
}

/// An entry that was decoded.
struct Seen {
    spot: Spot,
    order: usize,
    is_directory: bool,
}

/// The other name must be there when the link is made: entries are made in their order.
fn check_hard_links(entries: &[Entry], seen: &BTreeMap<String, Seen>, decoder: &mut Decoder<'_>) {
    for entry in entries {
        let NodeKind::Hardlink { to } = &entry.node.kind else {
            continue;
        };
        let Some(link) = seen.get(&entry.path) else {
            continue;
        };
        match seen.get(to) {
            None => decoder.fault_help(
                link.spot,
                format!(
                    "a hard link to {}, which this tree does not hold",
                    quote(to)
                ),
                decoder.meant(
                    to,
                    seen.keys()
                        .map(String::as_str)
                        .filter(|path| *path != entry.path),
                ),
            ),
            Some(other) if other.is_directory => decoder.fault(
                link.spot,
                format!("a hard link to {}, which is a directory", quote(to)),
            ),
            Some(other) if other.order >= link.order => decoder.fault_help(
                link.spot,
                format!("a hard link to {}, which comes only later", quote(to)),
                "put the file first and its further names after it".to_owned(),
            ),
            Some(_) => {}
        }
    }
}

/// What holds entries must be a directory.
fn check_parents(seen: &BTreeMap<String, Seen>, decoder: &mut Decoder<'_>) {
    for (path, entry) in seen {
        let mut parent = path.as_str();
        while let Some((above, _)) = parent.rsplit_once('/') {
            parent = above;
            if let Some(first) = seen.get(parent).filter(|above| !above.is_directory) {
                let message = format!("{} is no directory, so nothing can be in it", quote(parent));
                decoder.fault_twice(entry.spot, first.spot, message);
                break;
            }
        }
    }
}
