//! The protocol as a JSON Schema.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::protocol::{Reply, Request};

/// A JSON Schema (2020-12) of every line of the protocol: `#/$defs/Request` of those to an adapter,
/// `#/$defs/Reply` of those from it.
pub fn schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let request = generator.subschema_for::<Request>();
    let reply = generator.subschema_for::<Reply>();
    let mut definitions = Value::Object(generator.take_definitions(true));
    for_readers(&mut definitions);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "layerspec adapter protocol, version 1",
        "description": "One JSON object a line: requests on the adapter's standard input, replies on its standard output.",
        "anyOf": [request, reply],
        "$defs": definitions,
    })
}

/// Turns the links of our documentation into the words of the protocol.
fn for_readers(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(text) if key == "description" => *text = without_links(text),
                    value => for_readers(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(for_readers),
        _ => {}
    }
}

/// ``[`super::Value::Bytes`]`` is written `bytes` in the protocol.
fn without_links(text: &str) -> String {
    let text = text
        .replace("[`", "`")
        .replace("`]", "`")
        .replace("`None`", "`null`");
    let pieces = text.split('`').enumerate();
    let pieces: Vec<String> = pieces
        .map(|(index, piece)| match piece.rsplit_once("::") {
            Some((_, name)) if index % 2 == 1 => kebab_case(name),
            _ => piece.to_owned(),
        })
        .collect();
    pieces.join("`")
}

fn kebab_case(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 2);
    for (index, character) in name.chars().enumerate() {
        if character.is_uppercase() && index > 0 {
            text.push('-');
        }
        text.extend(character.to_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_become_words() {
        for (text, plain) in [
            (
                "Read bytes. Answer: [`super::Value::Bytes`].",
                "Read bytes. Answer: `bytes`.",
            ),
            (
                "Until [`Operation::RestartEngine`] it",
                "Until `restart-engine` it",
            ),
            (
                "one [`super::FileAnswer`] whose `changed` tells",
                "one `file-answer` whose `changed` tells",
            ),
            ("`a` and b::c; `None` is all", "`a` and b::c; `null` is all"),
        ] {
            assert_eq!(without_links(text), plain);
        }
    }
}
