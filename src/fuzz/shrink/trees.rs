//! Smaller images, host directories and volumes.

use crate::engine::{Bytes, Content, Entry, ImageConfig, Node, NodeKind, Tree};
use crate::scenario::Scenario;

/// Removes an item, if there is one.
pub(super) fn remove_at<T>(items: &mut Vec<T>, at: usize) -> bool {
    let is_there = at < items.len();
    if is_there {
        items.remove(at);
    }
    is_there
}

/// Every tree of the set-up.
fn trees(scenario: &mut Scenario) -> impl Iterator<Item = &mut Tree> {
    let layers = scenario
        .images
        .iter_mut()
        .flat_map(|image| &mut image.layers);
    let volumes = scenario.volumes.iter_mut().map(|(_, content)| content);
    layers.chain([&mut scenario.host]).chain(volumes)
}

/// How many entries there are.
pub(super) fn count(scenario: &Scenario) -> usize {
    let layers: usize = scenario
        .images
        .iter()
        .flat_map(|image| &image.layers)
        .map(|tree| tree.0.len())
        .sum();
    let volumes: usize = scenario
        .volumes
        .iter()
        .map(|(_, content)| content.0.len())
        .sum();
    layers + volumes + scenario.host.0.len()
}

pub(super) fn without_entries(scenario: &Scenario, at: usize, size: usize) -> Option<Scenario> {
    let from = at * size;
    if from >= count(scenario) {
        return None;
    }
    let mut smaller = scenario.clone();
    let mut index = 0;
    for tree in trees(&mut smaller) {
        tree.0.retain(|_| {
            index += 1;
            !(from..from + size).contains(&(index - 1))
        });
    }
    Some(smaller)
}

pub(super) fn without_layer(scenario: &Scenario, at: usize) -> Option<Scenario> {
    let mut smaller = scenario.clone();
    let mut rest = at;
    for image in &mut smaller.images {
        if remove_at(&mut image.layers, rest) {
            return Some(smaller);
        }
        rest -= image.layers.len();
    }
    None
}

/// The `at`th simplification of any entry.
pub(super) fn simpler_entry(scenario: &Scenario, at: usize) -> Option<Scenario> {
    let mut smaller = scenario.clone();
    let mut rest = at;
    let mut is_simpler = false;
    for Entry { node, .. } in trees(&mut smaller).flat_map(|tree| &mut tree.0) {
        let mut ways = simpler_nodes(node);
        if rest < ways.len() {
            *node = ways.swap_remove(rest);
            is_simpler = true;
            break;
        }
        rest -= ways.len();
    }
    is_simpler.then_some(smaller)
}

/// A node with one attribute less, or with less in it.
pub(super) fn simpler_nodes(node: &Node) -> Vec<Node> {
    let mut ways = Vec::new();
    let mut add = |applies: bool, change: &dyn Fn(&mut Node)| {
        if applies {
            let mut simpler = node.clone();
            change(&mut simpler);
            ways.push(simpler);
        }
    };
    add(node.mode.is_some(), &|node| node.mode = None);
    add(node.uid.is_some(), &|node| {
        (node.uid, node.gid) = (None, None);
    });
    add(node.mtime.is_some(), &|node| node.mtime = None);
    add(!node.xattrs.is_empty(), &|node| node.xattrs.clear());
    let plain = Content::Bytes(Bytes::from("x"));
    let is_plain = match &node.kind {
        NodeKind::File(content) => *content == plain,
        _ => true,
    };
    add(!is_plain, &|node| node.kind = NodeKind::File(plain.clone()));
    add(node.kind == NodeKind::Directory { opaque: true }, &|node| {
        node.kind = NodeKind::Directory { opaque: false };
    });
    ways
}

/// The `at`th simplification of any image.
pub(super) fn simpler_image(scenario: &Scenario, at: usize) -> Option<Scenario> {
    let mut smaller = scenario.clone();
    let mut rest = at;
    for image in &mut smaller.images {
        let mut ways = Vec::new();
        if image.config != ImageConfig::default() {
            ways.push(crate::engine::ImageSpec {
                config: ImageConfig::default(),
                ..image.clone()
            });
        }
        if image.from.is_some() {
            ways.push(crate::engine::ImageSpec {
                from: None,
                ..image.clone()
            });
        }
        if rest < ways.len() {
            *image = ways.swap_remove(rest);
            return Some(smaller);
        }
        rest -= ways.len();
    }
    None
}
