//! What there is before the first step: images, the host directory, volumes.

use std::collections::BTreeSet;

use super::pool;
use super::state::State;
use crate::engine::{
    Bytes, Capability, Content, Entry, ImageConfig, ImageSpec, Node, NodeKind, Place, Tree,
    VolumeRef, VolumeSpec,
};
use crate::fuzz::dice::Dice;

/// What a tree is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Layer,
    Outside,
}

/// The images, each after the one that it builds on.
pub(super) fn images(state: &mut State, dice: &mut Dice) -> Vec<ImageSpec> {
    let mut images = Vec::new();
    let count = dice.weighted(&[(5, 1), (5, 2)]);
    for name in ["base", "app"].into_iter().take(count) {
        let from = images.last().map(|base: &ImageSpec| base.name.clone());
        let from = from.filter(|_| dice.chance(60));
        let layers = dice.weighted(&[(2, 1), (4, 2), (3, 3), (1, 5)]);
        let spec = ImageSpec {
            name: name.to_owned(),
            from,
            layers: (0..layers).map(|_| layer(state, dice)).collect(),
            config: config(dice),
            ..ImageSpec::default()
        };
        state.images.push(spec.name.clone());
        images.push(spec);
    }
    images
}

fn layer(state: &mut State, dice: &mut Dice) -> Tree {
    let length = dice.between(1, 9);
    let tree = tree(Use::Layer, length, state, dice);
    for entry in &tree.0 {
        if !state.layered.contains(&entry.path) {
            state.layered.push(entry.path.clone());
        }
    }
    tree
}

/// VOLUME, USER, WORKDIR.
pub(super) fn config(dice: &mut Dice) -> ImageConfig {
    let mut volumes = Vec::new();
    if dice.chance(25) {
        volumes.push(dice.text(pool::TARGETS));
    }
    ImageConfig {
        volumes,
        user: dice.maybe(10, |dice| dice.text(&["1000", "1000:2000", "0"])),
        working_dir: dice.maybe(15, |dice| dice.text(&["/a", "/work/deep", "/"])),
    }
}

/// The host directory.
pub(super) fn host(state: &mut State, dice: &mut Dice) -> Tree {
    let mut tree = tree(Use::Outside, dice.between(0, 6), state, dice);
    let taken: BTreeSet<String> = tree.0.iter().map(|entry| entry.path.clone()).collect();
    let is_free = |path: &str| !taken.contains(path);
    if is_free("/s") {
        push(&mut tree, "/s", NodeKind::Directory { opaque: false });
        push(
            &mut tree,
            "/s/a",
            NodeKind::File(Content::Bytes(Bytes::from("host"))),
        );
    }
    if is_free("/file") {
        push(
            &mut tree,
            "/file",
            NodeKind::File(Content::Bytes(Bytes::from("one"))),
        );
    }
    for entry in &tree.0 {
        state.note(&Place::Host, &entry.path);
    }
    tree
}

fn push(tree: &mut Tree, path: &str, kind: NodeKind) {
    tree.0.push(Entry {
        path: path.to_owned(),
        node: Node::new(kind),
    });
}

/// Volumes with content.
pub(super) fn volumes(state: &mut State, dice: &mut Dice) -> Vec<(VolumeSpec, Tree)> {
    let mut volumes = Vec::new();
    for (name, percent) in [("seeded", 50), ("disk", 10)] {
        if !dice.chance(percent) {
            continue;
        }
        let mut spec = VolumeSpec {
            name: Some(name.to_owned()),
            ..VolumeSpec::default()
        };
        if dice.chance(30) {
            spec.labels.insert("tier".to_owned(), "gold".to_owned());
        }
        let content = if name == "disk" {
            bound_to(&mut spec, "./s");
            Tree::default()
        } else {
            tree(Use::Outside, dice.between(0, 6), state, dice)
        };
        let place = Place::Volume(VolumeRef::Named(name.to_owned()));
        for entry in &content.0 {
            state.note(&place, &entry.path);
        }
        state.volumes.push(name.to_owned());
        volumes.push((spec, content));
    }
    volumes
}

/// Makes a volume one that is a path of the host directory.
pub(super) fn bound_to(spec: &mut VolumeSpec, device: &str) {
    for (key, value) in [("type", "none"), ("o", "bind"), ("device", device)] {
        spec.driver_opts.insert(key.to_owned(), value.to_owned());
    }
}

/// A tree that is sound in itself: what holds entries is a directory, and a hard link comes after its file.
fn tree(usage: Use, length: usize, state: &State, dice: &mut Dice) -> Tree {
    let mut entries: Vec<Entry> = Vec::new();
    for _ in 0..length {
        let path = if dice.chance(6) {
            "/".to_owned()
        } else {
            pool::path(dice)
        };
        let files: Vec<String> = entries
            .iter()
            .filter(|entry| matches!(entry.node.kind, NodeKind::File(_)))
            .map(|entry| entry.path.clone())
            .collect();
        let is_taken = entries.iter().any(|entry| {
            let is_directory = matches!(entry.node.kind, NodeKind::Directory { .. });
            entry.path == path || (!is_directory && path.starts_with(&format!("{}/", entry.path)))
        });
        let holds = entries
            .iter()
            .any(|entry| entry.path.starts_with(&format!("{path}/")));
        if is_taken {
            continue;
        }
        let kind = if path == "/" || holds {
            NodeKind::Directory {
                opaque: usage == Use::Layer && path != "/" && dice.chance(15),
            }
        } else {
            kind(usage, &files, state, dice)
        };
        let mut node = Node::new(kind);
        if !matches!(node.kind, NodeKind::Hardlink { .. } | NodeKind::Whiteout) {
            pool::dress(&mut node, dice, true);
        }
        entries.push(Entry { path, node });
    }
    Tree(entries)
}

fn kind(usage: Use, files: &[String], state: &State, dice: &mut Dice) -> NodeKind {
    match dice.below(100) {
        0..28 => NodeKind::Directory {
            opaque: usage == Use::Layer && dice.chance(15),
        },
        28..36 => NodeKind::Symlink {
            target: pool::link_text(dice),
        },
        36..46 if state.has(Capability::HardLinks) && !files.is_empty() => NodeKind::Hardlink {
            to: dice.pick(files).cloned().unwrap_or_default(),
        },
        46..49 if state.has(Capability::Fifos) => NodeKind::Fifo,
        49..51 if state.has(Capability::Fifos) => NodeKind::Socket,
        51..55 if state.has(Capability::Devices) => match pool::device(dice) {
            // In a tree it would be a whiteout that does not say so.
            NodeKind::Device { major: 0, .. } => NodeKind::Fifo,
            device => device,
        },
        55..66 if usage == Use::Layer => NodeKind::Whiteout,
        _ => NodeKind::File(pool::content(dice)),
    }
}
