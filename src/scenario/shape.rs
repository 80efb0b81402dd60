//! What must hold for every mapping of a document, wherever it stands.

use std::collections::BTreeMap;

use super::decoder::Decoder;
use super::source::{Node, Value};
use super::words::quote;

/// Notes every duplicate key and every merge key.
pub(crate) fn check(node: &Node, decoder: &mut Decoder<'_>) {
    match &node.value {
        Value::Null | Value::Scalar(_) => {}
        Value::List(items) => items.iter().for_each(|item| check(item, decoder)),
        Value::Map(pairs) => {
            let mut seen = BTreeMap::new();
            for pair in pairs {
                if pair.key == "<<" {
                    decoder.fault_help(
                        pair.spot(),
                        "the language has no merge keys",
                        "an alias can repeat a whole value: `*name`".to_owned(),
                    );
                } else if let Some(first) = seen.get(pair.key.as_str()) {
                    let message = format!("{} is there twice", quote(&pair.key));
                    decoder.fault_twice(pair.spot(), *first, message);
                } else {
                    seen.insert(pair.key.as_str(), pair.spot());
                }
                check(&pair.value, decoder);
            }
        }
    }
}
