//! Layers of images that stay for the next engine on the same private directory. Layers are never changed, so an image
//! that is declared alike may list them again, which spares planting and removing them.

use std::ffi::OsString;

use crate::engine::{Content, Entry, NodeKind, Tree};
use crate::store::{Number, layer_name};

/// Most layers that stay in one directory.
const LAYERS_MAX: usize = 16;

/// Most entries, and most bytes in them, of the trees from which a layer that stays was made.
const ENTRIES_MAX: usize = 64;
const BYTES_MAX: u64 = 64 << 10;

/// A layer, with what it was made from.
#[derive(Debug)]
struct Spare {
    /// What was written down for it, and for the layers below it: implied parents are like those.
    trees: Vec<Tree>,
    number: Number,
    /// By an image of the engine that is open.
    is_taken: bool,
}

/// Layers, those used last at the end.
#[derive(Debug, Default)]
pub(super) struct Spares(Vec<Spare>);

impl Spares {
    /// A layer made from this, the topmost tree last, if one is left over. Nobody else gets it: two images of one
    /// engine have a layer each.
    pub(super) fn take(&mut self, trees: &[Tree]) -> Option<Number> {
        let is_alike = |spare: &Spare| !spare.is_taken && spare.trees == trees;
        let at = self.0.iter().position(is_alike)?;
        let mut spare = self.0.remove(at);
        spare.is_taken = true;
        let number = spare.number;
        self.0.push(spare);
        Some(number)
    }

    /// A layer was made from this.
    pub(super) fn made(&mut self, trees: &[Tree], number: Number) {
        if !is_small(trees) {
            return;
        }
        if self.0.len() == LAYERS_MAX {
            self.0.remove(0);
        }
        self.0.push(Spare {
            trees: trees.to_vec(),
            number,
            is_taken: true,
        });
    }

    /// Those that nobody took, and those that are whole because an image or container lists them to the end.
    pub(super) fn left(mut self, is_listed: impl Fn(Number) -> bool) -> Self {
        self.0
            .retain(|spare| !spare.is_taken || is_listed(spare.number));
        for spare in &mut self.0 {
            spare.is_taken = false;
        }
        self
    }

    /// The lowest number above all of them.
    pub(super) fn next(&self) -> Number {
        self.0
            .iter()
            .map(|spare| spare.number + 1)
            .max()
            .unwrap_or(1)
    }

    /// Names of their directories.
    pub(super) fn names(&self) -> Vec<OsString> {
        let names = self.0.iter().map(|spare| layer_name(spare.number));
        names.map(OsString::from).collect()
    }
}

fn is_small(trees: &[Tree]) -> bool {
    let entries = || trees.iter().flat_map(|tree| &tree.0);
    let bytes = |entry: &Entry| match &entry.node.kind {
        NodeKind::File(Content::Bytes(bytes)) => bytes.len() as u64,
        NodeKind::File(Content::Fill { size, .. }) => *size,
        _ => 0,
    };
    entries().count() <= ENTRIES_MAX
        && entries().map(bytes).fold(0, u64::saturating_add) <= BYTES_MAX
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Node;

    fn tree(path: &str) -> Tree {
        let node = Node::new(NodeKind::Directory { opaque: false });
        let path = path.to_owned();
        Tree(vec![Entry { path, node }])
    }

    #[test]
    fn a_layer_is_taken_once_and_for_the_same_trees_only() {
        let mut spares = Spares::default();
        spares.made(&[tree("/a")], 3);
        spares.made(&[tree("/a"), tree("/b")], 4);
        assert_eq!(
            spares.take(&[tree("/a")]),
            None,
            "an image of this engine has it"
        );
        let mut spares = spares.left(|_| true);
        assert_eq!(spares.next(), 5);
        assert_eq!(spares.take(&[tree("/b")]), None);
        assert_eq!(spares.take(&[tree("/a"), tree("/b")]), Some(4));
        assert_eq!(spares.take(&[tree("/a")]), Some(3));
        assert_eq!(spares.take(&[tree("/a")]), None);
        // The first was removed with its image.
        assert_eq!(spares.left(|number| number == 4).names(), ["l4"]);
    }

    #[test]
    fn few_and_small_ones_stay() {
        let mut spares = Spares::default();
        for number in 1..40 {
            spares.made(&[tree(&format!("/{number}"))], number);
        }
        let many = Tree((0..65).flat_map(|n| tree(&format!("/{n}")).0).collect());
        spares.made(&[many], 40);
        let content = Content::Fill {
            size: 1 << 20,
            fill: None,
        };
        let mut big = tree("/big");
        big.0[0].node.kind = NodeKind::File(content);
        spares.made(&[big], 41);
        let names = spares.left(|_| true).names();
        assert_eq!((names.len(), names[0].to_str()), (16, Some("l24")));
    }
}
