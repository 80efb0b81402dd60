//! The world in one order, whatever the engine's.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::engine::{Seen, World};

/// Sorts every tree so that what lies in a directory follows it, and makes each `same_file_as` name
/// the first path in that order.
pub(super) fn in_order(mut world: World) -> World {
    for (_, tree) in &mut world.containers {
        tree_in_order(tree);
    }
    for (_, tree) in &mut world.volumes {
        tree_in_order(tree);
    }
    tree_in_order(&mut world.host);
    world
        .containers
        .sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));
    world
        .volumes
        .sort_by(|(one, _), (other, _)| one.volume.cmp(&other.volume));
    world.images.sort();
    world
}

fn tree_in_order(tree: &mut [Seen]) {
    if tree.is_sorted_by(|one, other| by_component(&one.path, &other.path) != Ordering::Greater) {
        return;
    }
    tree.sort_by(|one, other| by_component(&one.path, &other.path));
    let mut first: BTreeMap<String, String> = BTreeMap::new();
    for seen in tree {
        let group = seen
            .same_file_as
            .take()
            .unwrap_or_else(|| seen.path.clone());
        match first.get(&group) {
            Some(path) => seen.same_file_as = Some(path.clone()),
            None => {
                first.insert(group, seen.path.clone());
            }
        }
    }
}

/// The order of the components: that of the bytes, with `/` before any other.
fn by_component(one: &str, other: &str) -> Ordering {
    let rank = |byte: u8| if byte == b'/' { 0 } else { byte };
    one.bytes().map(rank).cmp(other.bytes().map(rank))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{SeenKind, Storage};

    fn seen(path: &str, same_file_as: Option<&str>) -> Seen {
        Seen {
            path: path.to_owned(),
            kind: SeenKind::Fifo,
            mode: 0o644,
            uid: 0,
            gid: 0,
            xattrs: BTreeMap::new(),
            same_file_as: same_file_as.map(str::to_owned),
            storage: Storage::Host,
            inner: path.to_owned(),
        }
    }

    #[test]
    fn what_lies_in_a_directory_follows_it_and_links_name_the_first() {
        let mut tree = vec![
            seen("/", None),
            seen("/a", None),
            seen("/a-b", None),
            seen("/a/x", Some("/a-b")),
            seen("/z", Some("/a-b")),
        ];
        tree_in_order(&mut tree);
        let shown: Vec<_> = tree
            .iter()
            .map(|s| (s.path.as_str(), s.same_file_as.as_deref()))
            .collect();
        let expected = [
            ("/", None),
            ("/a", None),
            ("/a/x", None),
            ("/a-b", Some("/a/x")),
            ("/z", Some("/a/x")),
        ];
        assert_eq!(shown, expected);
    }
}
