//! What lies in which layer of an image.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::names::seen;
use crate::agent::wire::Found;
use crate::engine::{Bytes, DeviceKind, NodeKind, SeenKind, Storage, Tree};

/// Attributes of a directory: what a layer above has to say of it when it only puts something in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Directory {
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) xattrs: BTreeMap<String, Bytes>,
}

/// What is at each path of a layer, escaped: attributes for a directory, nothing for others.
pub(super) type Paths = BTreeMap<String, Option<Directory>>;

/// One layer: where it comes from and the paths that are in it, escaped.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) storage: Storage,
    pub(super) paths: Paths,
}

/// An image's layers, bottom first.
pub(super) type Layers = Vec<Arc<Layer>>;

/// The topmost layer that has a path: what the union shows of it lies there.
pub(super) fn storage_of<'a>(layers: &'a Layers, path: &str) -> Option<&'a Storage> {
    let mut downwards = layers.iter().rev();
    let layer = downwards.find(|layer| layer.paths.contains_key(path))?;
    Some(&layer.storage)
}

/// Whether a path is in a layer and not hidden by what is no directory in one above. A whiteout is there, too.
pub(super) fn is_there(layers: &Layers, path: &str) -> bool {
    let mut downwards = layers.iter().rev();
    let found = downwards.find_map(|layer| {
        let is_there = layer.paths.contains_key(path);
        (is_there || hides(layer, path)).then_some(is_there)
    });
    found.unwrap_or(false)
}

/// Whether a layer has something above a path that is no directory, or deletes it: that hides what is below it in the layers below.
fn hides(layer: &Layer, path: &str) -> bool {
    let mut above = path
        .match_indices('/')
        .skip(1)
        .filter_map(|(at, _)| layer.paths.get(path.get(..at)?));
    above.any(Option::is_none)
}

/// The attributes that a directory has in the topmost layer that has it.
pub(super) fn directory<'a>(layers: &'a Layers, path: &str) -> Option<&'a Directory> {
    for layer in layers.iter().rev() {
        if let Some(found) = layer.paths.get(path) {
            return found.as_ref();
        }
        if hides(layer, path) {
            return None;
        }
    }
    None
}

/// The paths of a declared layer. What it implies takes its attributes from below, else 0755 0:0.
pub(super) fn of_tree(tree: &Tree, below: &Layers) -> Paths {
    let mut paths = BTreeMap::new();
    for entry in &tree.0 {
        for (at, _) in entry.path.match_indices('/').skip(1) {
            let parent = seen(entry.path.get(..at).unwrap_or_default());
            paths
                .entry(parent.clone())
                .or_insert_with(|| Some(implied(below, &parent)));
        }
    }
    for entry in &tree.0 {
        let node = &entry.node;
        let what = match node.kind {
            NodeKind::Directory { .. } => Some(Directory {
                mode: node.mode.unwrap_or(0o755),
                uid: node.uid.unwrap_or(0),
                gid: node.gid.unwrap_or(0),
                xattrs: node.xattrs.clone(),
            }),
            // A whiteout too: it has none of the attributes that it had below.
            _ => None,
        };
        paths.insert(seen(&entry.path), what);
    }
    paths
}

/// An implied directory.
pub(super) fn implied(below: &Layers, path: &str) -> Directory {
    directory(below, path).cloned().unwrap_or(Directory {
        mode: 0o755,
        ..Directory::default()
    })
}

/// Whether what was found in a layer on the disk marks a deletion.
pub(super) fn is_whiteout(found: &Found) -> bool {
    let whiteout = SeenKind::Device {
        kind: DeviceKind::Char,
        major: 0,
        minor: 0,
    };
    found.kind == whiteout
}

/// The paths of a writable layer as it lies on the disk, where a whiteout is a device 0:0.
pub(super) fn of_upper(found: &[Found]) -> Paths {
    let there = found.iter().filter(|found| !is_whiteout(found));
    there
        .map(|found| {
            let directory = Directory {
                mode: found.mode,
                uid: found.uid,
                gid: found.gid,
                xattrs: found.xattrs.clone(),
            };
            let directory = (found.kind == SeenKind::Directory).then_some(directory);
            (found.path.clone(), directory)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(of: &[&[(&str, bool)]]) -> Layers {
        let layer = |(number, paths): (usize, &&[(&str, bool)])| {
            let what = |(path, is_directory): &(&str, bool)| {
                let directory = is_directory.then(Directory::default);
                ((*path).to_owned(), directory)
            };
            Arc::new(Layer {
                storage: Storage::Layer {
                    image: "app".to_owned(),
                    number: number + 1,
                },
                paths: paths.iter().map(what).collect(),
            })
        };
        of.iter().enumerate().map(layer).collect()
    }

    #[test]
    fn what_is_no_directory_hides_what_is_below_it() {
        let base: &[(&str, bool)] = &[("/etc", true), ("/etc/hosts", false), ("/dev", true)];
        let there = |layers: &Layers, path: &str| is_there(layers, path);
        let one = layers(&[base]);
        assert!(there(&one, "/etc/hosts") && there(&one, "/dev"));
        assert!(!there(&one, "/etc/hostname") && !there(&one, "/etc/hosts/x"));
        // A whiteout, a file or a symlink in the place of a directory.
        let hidden = layers(&[base, &[("/etc", false)]]);
        assert!(!there(&hidden, "/etc/hosts") && there(&hidden, "/etc"));
        let again = layers(&[base, &[("/etc", false)], &[("/etc", true)]]);
        assert!(!there(&again, "/etc/hosts") && there(&again, "/etc"));
        let merged = layers(&[base, &[("/etc", true), ("/etc/app", false)]]);
        assert!(there(&merged, "/etc/hosts") && there(&merged, "/etc/app"));
    }
}
