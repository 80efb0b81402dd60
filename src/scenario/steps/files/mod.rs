//! What a process does to its disk.

mod content;
mod handle;
mod meta;
mod name;

use super::super::decoder::Decoder;
use super::super::fields::Fields;
use super::super::mentions::Subject;
use super::super::scalars;
use super::super::source::{Node, Pair, Value};
use super::super::tree::host_path;
use super::super::words::quote;
use crate::engine::{Place, Target};

pub(super) use content::{allocate, append, read, seek_data, seek_hole, truncate, write};
pub(super) use handle::{close, lock, open, sync};
pub(super) use meta::{
    access, chmod, chown, getxattr, list, listxattr, removexattr, setxattr, stat, touch,
};
pub(super) use name::{
    delete, link, mkdir, mkfifo, mknod, mksock, readlink, rename, rmdir, symlink,
};

/// Where the operation happens, as far as its paths depend on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Files<'p> {
    /// The place, to which handles belong.
    pub(crate) place: &'p Place,
}

impl Files<'_> {
    /// In the host directory or a volume, where `./x` is `/x`.
    fn is_outside(self) -> bool {
        !matches!(self.place, Place::Container(_))
    }

    /// A path as the engine is given it.
    fn path(self, text: &str) -> String {
        if self.is_outside() {
            host_path(text)
        } else {
            text.to_owned()
        }
    }

    /// The name of a handle that is open, or may be.
    fn handle(self, node: &Node, decoder: &mut Decoder<'_>) -> String {
        let Some(name) = scalars::scalar(node, "the name of a handle", decoder) else {
            return String::new();
        };
        decoder.uses(
            node.spot(),
            Subject::Handle(self.place.clone(), name.to_owned()),
        );
        name.to_owned()
    }

    /// A path that stands alone.
    fn path_of(self, node: &Node, decoder: &mut Decoder<'_>) -> Option<String> {
        let text = scalars::scalar(node, "a path", decoder)?;
        if text.contains('\0') {
            decoder.fault(
                node.spot(),
                format!("{} holds a NUL character, which no path can", quote(text)),
            );
        }
        Some(self.path(text))
    }

    /// The path of a key that must be there.
    fn path_at(self, fields: &Fields<'_>, key: &str, decoder: &mut Decoder<'_>) -> String {
        let node = fields.require(key, decoder);
        node.and_then(|node| self.path_of(node, decoder))
            .unwrap_or_default()
    }

    /// The path of a mapping's key.
    fn path_of_key(self, pair: &Pair, decoder: &mut Decoder<'_>) -> String {
        if pair.key.contains('\0') {
            let message = format!(
                "{} holds a NUL character, which no path can",
                quote(&pair.key)
            );
            decoder.fault(pair.spot(), message);
        }
        self.path(&pair.key)
    }

    /// The keys `path` or `handle`, exactly one of them.
    fn target(self, fields: &Fields<'_>, decoder: &mut Decoder<'_>) -> Target {
        match (fields.get("path"), fields.pair("handle")) {
            (Some(path), None) => Target::Path(self.path_of(path, decoder).unwrap_or_default()),
            (None, Some(pair)) => Target::Handle(self.handle(&pair.value, decoder)),
            (None, None) => {
                decoder.fault(fields.spot(), "on what is missing: `path` or `handle`");
                Target::Path(String::new())
            }
            (Some(_), Some(pair)) => {
                decoder.fault(pair.spot(), "either `path` or `handle`, not both");
                Target::Path(String::new())
            }
        }
    }

    /// A path alone, or a mapping with `path` or `handle` and other keys.
    fn target_form<'n>(
        self,
        node: &'n Node,
        what: &'static str,
        keys: &[&str],
        decoder: &mut Decoder<'_>,
    ) -> Option<(Target, Option<Fields<'n>>)> {
        if matches!(node.value, Value::Map(_)) {
            let fields = Fields::open(node, what, keys, decoder)?;
            return Some((self.target(&fields, decoder), Some(fields)));
        }
        Some((Target::Path(self.path_of(node, decoder)?), None))
    }
}

/// `{PATH: value}`: the only entry of a mapping that has none of the long form's keys. `None` when
/// the long form was meant.
fn single_pair<'n>(node: &'n Node, long: &[&str]) -> Option<&'n Pair> {
    let Value::Map(pairs) = &node.value else {
        return None;
    };
    match pairs.as_slice() {
        [pair] if !long.contains(&pair.key.as_str()) => Some(pair),
        _ => None,
    }
}

/// Notes that a mapping `{PATH: value}` was expected where something else is.
fn expect_pair(node: &Node, form: &str, decoder: &mut Decoder<'_>) {
    match &node.value {
        Value::Map(pairs) if pairs.is_empty() => decoder.unexpected(node, form),
        Value::Map(pairs) => {
            if let Some(second) = pairs.get(1) {
                let message = format!("expected {form}, one entry only");
                decoder.fault_help(
                    second.spot(),
                    message,
                    "each further one is a step of its own, for example under `do:`".to_owned(),
                );
            }
        }
        Value::Null | Value::Scalar(_) | Value::List(_) => decoder.unexpected(node, form),
    }
}

/// Whether a mapping has one of the keys of an operation's long form.
fn is_long(node: &Node, long: &[&str]) -> bool {
    matches!(&node.value, Value::Map(pairs) if pairs.iter().any(|p| long.contains(&p.key.as_str())))
}
