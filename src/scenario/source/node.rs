//! A YAML document as a tree. Scalars keep their source text; what they mean is the decoder's
//! business.

use super::super::At;

/// A node of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    /// Its number in the document, by which its place is found.
    pub(crate) id: u32,
    /// What it is.
    pub(crate) value: Value,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// Nothing, `~` or `null`, unquoted.
    Null,
    /// Text, a number or a boolean, by its source text; quotes and escapes are resolved.
    Scalar(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in order, duplicate keys included.
    Map(Vec<Pair>),
}

/// One entry of a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    /// The key, by its source text.
    pub(crate) key: String,
    /// Its value.
    pub(crate) value: Node,
}

impl Pair {
    /// The place of the key.
    pub(crate) fn spot(&self) -> Spot {
        Spot {
            id: self.value.id,
            key: true,
        }
    }
}

impl Node {
    /// The place of the node.
    pub(crate) fn spot(&self) -> Spot {
        Spot {
            id: self.id,
            key: false,
        }
    }

    /// What it is, for "expected …, found …".
    pub(crate) fn describe(&self) -> String {
        match &self.value {
            Value::Null => "nothing".to_owned(),
            Value::Scalar(text) => super::super::words::quote(text),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a mapping".to_owned(),
        }
    }
}

/// A place of a document: a node, or the key that leads to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot {
    /// The node.
    pub(crate) id: u32,
    /// Its key rather than itself.
    pub(crate) key: bool,
}

/// Where each node of a document hangs: the number of its parent and its index in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin(pub(super) Vec<(u32, u32)>);

impl Origin {
    /// The path of indexes that leads to a node.
    pub(crate) fn at(&self, id: u32) -> At {
        let mut path = Vec::new();
        let mut current = id;
        // The root is node 0; every other node's parent has a smaller number.
        while current != 0 {
            let Some((parent, index)) = self.0.get(current as usize) else {
                break;
            };
            path.push(*index as usize);
            current = *parent;
        }
        path.reverse();
        At(path)
    }
}
