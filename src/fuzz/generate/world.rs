//! What there is before the first step: images, the host directory, volumes.

use std::collections::{BTreeMap, BTreeSet};

use super::pool;
use super::state::State;
use crate::engine::{
    Bytes, Capability, Content, Entry, ImageConfig, ImageSpec, Node, NodeKind, Place, Tree,
    VolumeRef, VolumeSpec,
};
use crate::fuzz::dice::Dice;

/// What a tree is for.
#[derive(Clone, Copy)]
enum Use<'m> {
    /// A layer, on what lies below it.
    Layer(&'m Merged),
    Outside,
}

/// What the layers so far come to: paths, and whether each is a directory.
#[derive(Clone, Debug, Default)]
struct Merged(BTreeMap<String, bool>);

impl Merged {
    /// One layer more.
    fn put(&mut self, layer: &Tree) {
        for Entry { path, node } in &layer.0 {
            let is_directory = matches!(node.kind, NodeKind::Directory { .. });
            let hides = !is_directory || node.kind == NodeKind::Directory { opaque: true };
            if hides && path != "/" {
                let below = format!("{path}/");
                self.0.retain(|other, _| !other.starts_with(&below));
            }
            for parent in parents(path) {
                // A file is no more: what takes its place begins anew.
                self.0.insert(parent.to_owned(), true);
            }
            if node.kind == NodeKind::Whiteout {
                self.0.remove(path);
            } else {
                self.0.insert(path.clone(), is_directory);
            }
        }
    }

    /// Whether a layer with these entries may have a whiteout here: in a directory that is merged, as only there a whiteout
    /// is one. The kernel shows it as a name elsewhere (union rows 23 to 25), and we do not.
    fn takes_whiteout(&self, path: &str, entries: &[Entry]) -> bool {
        parents(path).all(|parent| self.0.get(parent) == Some(&true))
            && !entries.iter().any(|entry| {
                entry.node.kind == NodeKind::Directory { opaque: true }
                    && path.starts_with(&format!("{}/", entry.path))
            })
    }
}

/// Every directory above a path but the root.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/')
        .map(|(at, _)| path.get(..at).unwrap_or_default())
        .filter(|parent| !parent.is_empty())
}

/// The images, each after the one that it builds on.
pub(super) fn images(state: &mut State, dice: &mut Dice) -> Vec<ImageSpec> {
    let mut images = Vec::new();
    let mut below: Vec<Merged> = Vec::new();
    let count = dice.weighted(&[(5, 1), (5, 2)]);
    for name in ["base", "app"].into_iter().take(count) {
        let from = images.last().map(|base: &ImageSpec| base.name.clone());
        let from = from.filter(|_| dice.chance(60));
        let count = dice.weighted(&[(2, 1), (4, 2), (3, 3), (1, 5)]);
        let mut merged = if from.is_some() {
            below.last().cloned().unwrap_or_default()
        } else {
            Merged::default()
        };
        let mut layers = Vec::new();
        for _ in 0..count {
            let layer = layer(&merged, state, dice);
            merged.put(&layer);
            layers.push(layer);
        }
        for (path, is_directory) in &merged.0 {
            let is_top = pool::is_top(path);
            if *is_directory && !is_top && !state.layered_directories.contains(path) {
                state.layered_directories.push(path.clone());
            }
        }
        below.push(merged);
        let spec = ImageSpec {
            name: name.to_owned(),
            from,
            layers,
            config: config(dice),
            ..ImageSpec::default()
        };
        state.images.push(spec.name.clone());
        images.push(spec);
    }
    images
}

fn layer(merged: &Merged, state: &mut State, dice: &mut Dice) -> Tree {
    let length = dice.between(1, 9);
    let tree = tree(Use::Layer(merged), length, state, dice);
    for entry in &tree.0 {
        state.has_layered_specials |= matches!(
            entry.node.kind,
            NodeKind::Fifo | NodeKind::Socket | NodeKind::Device { .. }
        );
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
        note(state, &Place::Host, entry);
    }
    tree
}

fn note(state: &mut State, place: &Place, entry: &Entry) {
    match entry.node.kind {
        NodeKind::Directory { .. } => state.note_directory(place, &entry.path),
        _ => state.note(place, &entry.path),
    }
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
            note(state, &place, entry);
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
fn tree(usage: Use<'_>, length: usize, state: &State, dice: &mut Dice) -> Tree {
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
        let is_layer = matches!(usage, Use::Layer(_));
        let has_whiteouts = entries
            .iter()
            .any(|entry| entry.node.kind == NodeKind::Whiteout);
        let kind = if path == "/" || holds {
            let opaque = is_layer && path != "/" && !has_whiteouts && dice.chance(15);
            NodeKind::Directory { opaque }
        } else {
            let takes_whiteout = match usage {
                Use::Layer(merged) => merged.takes_whiteout(&path, &entries),
                Use::Outside => false,
            };
            kind(&path, (is_layer, takes_whiteout), &files, state, dice)
        };
        let mut node = Node::new(kind);
        if !matches!(node.kind, NodeKind::Hardlink { .. } | NodeKind::Whiteout) {
            pool::dress(&mut node, dice, pool::plain_xattr);
        }
        if is_layer {
            // No archive of a layer holds one.
            node.xattrs.retain(|_, value| !value.is_empty());
            // Docker 20.10 makes a time before 1970 one of 1970, but for symlinks; later ones for them too.
            let is_symlink = matches!(node.kind, NodeKind::Symlink { .. });
            node.mtime = node.mtime.filter(|time| !is_symlink || time.seconds >= 0);
        }
        entries.push(Entry { path, node });
    }
    Tree(entries)
}

fn kind(
    path: &str,
    (is_layer, takes_whiteout): (bool, bool),
    files: &[String],
    state: &State,
    dice: &mut Dice,
) -> NodeKind {
    match dice.below(100) {
        0..28 => NodeKind::Directory {
            opaque: is_layer && dice.chance(15),
        },
        28..36 => NodeKind::Symlink {
            target: pool::link_text(path, dice),
        },
        36..46 if state.has(Capability::HardLinks) && !files.is_empty() => NodeKind::Hardlink {
            to: dice.pick(files).cloned().unwrap_or_default(),
        },
        // A layer holds no socket.
        49..51 if state.has(Capability::Fifos) && !is_layer => NodeKind::Socket,
        46..51 if state.has(Capability::Fifos) => NodeKind::Fifo,
        51..55 if state.has(Capability::Devices) => match pool::device(dice) {
            // In a tree it would be a whiteout that does not say so.
            NodeKind::Device { major: 0, .. } => NodeKind::Fifo,
            device => device,
        },
        55..68 if takes_whiteout => NodeKind::Whiteout,
        _ => NodeKind::File(pool::content(dice)),
    }
}
