//! A mapping whose keys are known.

use super::decoder::Decoder;
use super::mentions::Subject;
use super::source::{Node, Pair, Spot, Value};
use super::{scalars, words};

/// The entries of a mapping whose keys were checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'n> {
    /// What it is, for messages: `a volume`.
    what: &'static str,
    spot: Spot,
    pairs: &'n [Pair],
}

impl<'n> Fields<'n> {
    /// Takes a node as a mapping with these keys. Notes unknown keys; a node that is no mapping is
    /// noted and has no entries.
    pub(crate) fn open(
        node: &'n Node,
        what: &'static str,
        allowed: &[&str],
        decoder: &mut Decoder<'_>,
    ) -> Option<Self> {
        let Value::Map(pairs) = &node.value else {
            decoder.fault_help(
                node.spot(),
                format!("expected {what} as a mapping, found {}", node.describe()),
                (!allowed.is_empty()).then(|| {
                    format!(
                        "its keys are {}",
                        words::one_of(allowed.iter().copied()).replace(" or ", " and ")
                    )
                }),
            );
            return None;
        };
        for pair in pairs {
            if !allowed.contains(&pair.key.as_str()) {
                decoder.fault_help(
                    pair.spot(),
                    format!("unknown key {} of {what}", words::quote(&pair.key)),
                    decoder.meant(&pair.key, allowed.iter().copied()),
                );
            }
        }
        Some(Self {
            what,
            spot: node.spot(),
            pairs,
        })
    }

    /// The entry of a key.
    pub(crate) fn pair(&self, key: &str) -> Option<&'n Pair> {
        self.pairs.iter().find(|pair| pair.key == key)
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&'n Node> {
        self.pair(key).map(|pair| &pair.value)
    }

    /// The value of a key that must be there.
    pub(crate) fn require(&self, key: &str, decoder: &mut Decoder<'_>) -> Option<&'n Node> {
        let found = self.get(key);
        if found.is_none() {
            decoder.fault(self.spot, format!("{} needs `{key}`", self.what));
        }
        found
    }

    /// The text of a key that must be there.
    pub(crate) fn text(&self, key: &str, decoder: &mut Decoder<'_>) -> String {
        let node = self.require(key, decoder);
        node.and_then(|node| scalars::text(node, decoder))
            .unwrap_or_default()
    }

    /// The name that a key which must be there gives to something that exists, or may exist.
    pub(crate) fn uses(
        &self,
        key: &str,
        subject: fn(String) -> Subject,
        decoder: &mut Decoder<'_>,
    ) -> String {
        let name = self.text(key, decoder);
        if let Some(node) = self.get(key) {
            decoder.uses(node.spot(), subject(name.clone()));
        }
        name
    }

    /// The text of a key.
    pub(crate) fn text_if(&self, key: &str, decoder: &mut Decoder<'_>) -> Option<String> {
        self.get(key).and_then(|node| scalars::text(node, decoder))
    }

    /// Whether a key is true; an absent one is not.
    pub(crate) fn flag(&self, key: &str, decoder: &mut Decoder<'_>) -> bool {
        self.flag_or(key, false, decoder)
    }

    /// Whether a key is true, with its default.
    pub(crate) fn flag_or(&self, key: &str, default: bool, decoder: &mut Decoder<'_>) -> bool {
        self.get(key)
            .and_then(|node| scalars::boolean(node, decoder))
            .unwrap_or(default)
    }

    /// A list of texts; an absent one is empty.
    pub(crate) fn texts(&self, key: &str, decoder: &mut Decoder<'_>) -> Vec<String> {
        self.get(key)
            .map(|node| scalars::texts(node, decoder))
            .unwrap_or_default()
    }

    /// The place of the mapping.
    pub(crate) fn spot(&self) -> Spot {
        self.spot
    }
}
