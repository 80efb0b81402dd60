//! Names that are known before any scenario: capabilities, engines.

use super::decoder::Decoder;
use super::scalars;
use super::source::{Node, Value};
use super::words::quote;
use crate::engine::Capability;

/// The engines, by the names by which they are chosen.
pub(crate) const ENGINES: &[&str] = &["native", "overlayfs", "fuse", "docker", "podman", "nerdctl"];

/// Longest name, in bytes.
pub(crate) const NAME_MAX: usize = 1000;

/// Each text of a list, or of a text alone, with its node.
pub(crate) fn each<'n>(node: &'n Node, decoder: &mut Decoder<'_>) -> Vec<(&'n Node, String)> {
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        Value::Scalar(_) => std::slice::from_ref(node),
        Value::Null | Value::Map(_) => {
            decoder.unexpected(node, "a list");
            &[]
        }
    };
    items
        .iter()
        .filter_map(|item| Some((item, scalars::text(item, decoder)?)))
        .collect()
}

/// Decodes a list of capabilities.
pub(crate) fn capabilities(node: &Node, decoder: &mut Decoder<'_>) -> Vec<Capability> {
    let mut found = Vec::new();
    for (item, name) in each(node, decoder) {
        match name.parse() {
            Ok(capability) if found.contains(&capability) => {
                decoder.fault(item.spot(), format!("`{capability}` is there twice"));
            }
            Ok(capability) => found.push(capability),
            Err(_) => decoder.fault_help(
                item.spot(),
                format!("unknown capability {}", quote(&name)),
                decoder.meant(
                    &name,
                    Capability::ALL.iter().map(|capability| capability.name()),
                ),
            ),
        }
    }
    found
}

/// Checks an engine's name.
pub(crate) fn engine(node: &Node, name: &str, decoder: &mut Decoder<'_>) -> bool {
    let known = is_engine(name) && name.len() <= NAME_MAX;
    if !known {
        let help = decoder.meant(name, ENGINES.iter().copied());
        decoder.fault_help(node.spot(), format!("unknown engine {}", quote(name)), help);
    }
    known
}

/// Engines of which there are other forms: their options, or a program, come after a colon.
const FAMILIES: &[&str] = &["native", "overlayfs", "fuse", "cli", "process"];

/// Whether an engine can go by this name.
pub(crate) fn is_engine(name: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match name.split_once(':') {
        None => match name.split_once('@') {
            None => ENGINES.contains(&name),
            Some((engine, version)) => {
                let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
                ENGINES.contains(&engine) && is_number(major) && is_number(minor)
            }
        },
        Some((family, argument)) => FAMILIES.contains(&family) && !argument.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_engine_has_a_name() {
        for name in [
            "docker",
            "cli:/usr/local/bin/docker",
            "process:python3 mine.py",
            "overlayfs:metacopy=on",
            "native:index=on,volatile",
            "fuse:fuse-overlayfs",
            "docker@28",
            "podman@5.4",
        ] {
            assert!(is_engine(name), "{name}");
        }
        for name in [
            "",
            "cli",
            "cli:",
            "process",
            "process:",
            "docker:x",
            "x:docker",
            "docker@",
            "docker@x",
            "docker@28.",
            "docker@28.5.2",
            "x@28",
            "@28",
        ] {
            assert!(!is_engine(name), "{name}");
        }
    }
}
