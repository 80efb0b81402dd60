//! `${}`: parameters filled in.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::super::decoder::Decoder;
use super::super::source::{Node, Pair, Spot, Value};
use super::super::words::quote;
use super::parameters::{Case, cases_pair};

/// Most bytes that filling in parameters may make of one case, beyond the length of the file.
const FILLED_MAX: usize = 4 << 20;

/// Notes parameters that nothing below uses, neither as `${name}` nor in a `when:`.
pub(crate) fn check_used(root: &Node, decoder: &mut Decoder<'_>) {
    let Some(cases) = cases_pair(root) else {
        return;
    };
    let parameters: &[Pair] = match &cases.value.value {
        Value::Map(pairs) => pairs,
        Value::List(items) => match items.first().map(|item| &item.value) {
            Some(Value::Map(pairs)) => pairs,
            _ => return,
        },
        Value::Null | Value::Scalar(_) => return,
    };
    let mut used = BTreeSet::new();
    collect_used(root, &mut used);
    for pair in parameters
        .iter()
        .filter(|pair| !used.contains(pair.key.as_str()))
    {
        let message = format!("nothing uses the parameter {}", quote(&pair.key));
        decoder.fault_help(
            pair.spot(),
            message,
            format!("it is used as `${{{}}}`", pair.key),
        );
    }
}

fn collect_used<'n>(node: &'n Node, used: &mut BTreeSet<&'n str>) {
    match &node.value {
        Value::Null => {}
        Value::Scalar(text) => used.extend(pieces(text).filter_map(Piece::name)),
        Value::List(items) => items.iter().for_each(|item| collect_used(item, used)),
        Value::Map(pairs) => {
            for pair in pairs {
                used.extend(pieces(&pair.key).filter_map(Piece::name));
                if pair.key == "when" {
                    collect_keys(&pair.value, used);
                }
                collect_used(&pair.value, used);
            }
        }
    }
}

/// The conditions of a `when:`, those under `not` included.
fn collect_keys<'n>(node: &'n Node, used: &mut BTreeSet<&'n str>) {
    let Value::Map(pairs) = &node.value else {
        return;
    };
    for pair in pairs {
        used.insert(&pair.key);
        if pair.key == "not" {
            collect_keys(&pair.value, used);
        }
    }
}

/// The document with the parameters of a case filled in everywhere but in `cases:` itself.
pub(crate) fn fill_in<'n>(root: &'n Node, case: &Case, decoder: &mut Decoder<'_>) -> Cow<'n, Node> {
    let Value::Map(pairs) = &root.value else {
        return Cow::Borrowed(root);
    };
    // Most documents have none, and copying them takes a fifth of the time that loading takes.
    if cases_pair(root).is_none() && !has_parameters(root) {
        return Cow::Borrowed(root);
    }
    let mut filler = Filler {
        case,
        left: FILLED_MAX,
        decoder,
    };
    let pairs = pairs
        .iter()
        .filter(|pair| pair.key != "cases")
        .map(|pair| filler.pair(pair));
    Cow::Owned(Node {
        id: root.id,
        value: Value::Map(pairs.collect()),
    })
}

/// Whether anything would be filled in, or is a literal `${`.
fn has_parameters(node: &Node) -> bool {
    match &node.value {
        Value::Null => false,
        Value::Scalar(text) => text.contains('$'),
        Value::List(items) => items.iter().any(has_parameters),
        Value::Map(pairs) => pairs
            .iter()
            .any(|pair| pair.key.contains('$') || has_parameters(&pair.value)),
    }
}

struct Filler<'f, 'd> {
    case: &'f Case,
    left: usize,
    decoder: &'f mut Decoder<'d>,
}

impl Filler<'_, '_> {
    fn node(&mut self, node: &Node) -> Node {
        let value = match &node.value {
            Value::Null => Value::Null,
            Value::Scalar(text) => Value::Scalar(self.text(text, node.spot())),
            Value::List(items) => Value::List(items.iter().map(|item| self.node(item)).collect()),
            Value::Map(pairs) => Value::Map(pairs.iter().map(|pair| self.pair(pair)).collect()),
        };
        Node { id: node.id, value }
    }

    fn pair(&mut self, pair: &Pair) -> Pair {
        Pair {
            key: self.text(&pair.key, pair.spot()),
            value: self.node(&pair.value),
        }
    }

    fn text(&mut self, text: &str, spot: Spot) -> String {
        if !text.contains("${") {
            return text.to_owned();
        }
        let mut filled = String::new();
        for piece in pieces(text) {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Parameter(name) => filled.push_str(&self.value(name, spot)),
                Piece::Unclosed => {
                    let help = "a literal one is `$${`".to_owned();
                    self.decoder
                        .fault_help(spot, "a `${` without its `}`", help);
                }
            }
        }
        filled
    }

    fn value(&mut self, name: &str, spot: Spot) -> String {
        let Some((_, value)) = self.case.iter().find(|(other, _)| other == name) else {
            let known: Vec<&str> = self.case.iter().map(|(name, _)| name.as_str()).collect();
            let help = self.decoder.meant(name, known);
            self.decoder.fault_help(
                spot,
                format!("no parameter of `cases` is called {}", quote(name)),
                help.or_else(|| Some("a literal `${` is `$${`".to_owned())),
            );
            return String::new();
        };
        let Some(left) = self.left.checked_sub(value.len()) else {
            self.decoder
                .fault(spot, "the parameters make too much of this file");
            return String::new();
        };
        self.left = left;
        value.clone()
    }
}

/// A piece of a text with parameters.
enum Piece<'t> {
    Text(&'t str),
    Parameter(&'t str),
    /// `${` without `}`.
    Unclosed,
}

impl<'t> Piece<'t> {
    fn name(self) -> Option<&'t str> {
        if let Self::Parameter(name) = self {
            Some(name)
        } else {
            None
        }
    }
}

/// Cuts a text at its parameters; `$${` is a literal `${`.
fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, after) = next_piece(rest);
        rest = after;
        Some(piece)
    })
}

fn next_piece(text: &str) -> (Piece<'_>, &str) {
    if let Some(after) = text.strip_prefix("$${") {
        return (Piece::Text("${"), after);
    }
    if let Some(inside) = text.strip_prefix("${") {
        return match inside.split_once('}') {
            Some((name, after)) => (Piece::Parameter(name), after),
            None => (Piece::Unclosed, ""),
        };
    }
    let found = text.find("${").unwrap_or(text.len());
    // Where a `$` stands before it, the piece starts there.
    let escaped = text.get(..found).is_some_and(|plain| plain.ends_with('$'));
    let start = if escaped && found < text.len() {
        found - 1
    } else {
        found
    };
    let (plain, after) = text.split_at(start);
    (Piece::Text(plain), after)
}
