//! `when:`, whether a step is performed at all.

use super::super::When;
use super::super::decoder::Decoder;
use super::super::names;
use super::super::scalars;
use super::super::source::{Node, Pair, Value};
use super::super::words::quote;

/// A condition as far as it is known when the file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// It holds, or it is the engine that decides.
    Open(Option<When>),
    /// It does not hold in this case.
    Never,
}

impl Condition {
    /// Both conditions.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, _) | (_, Self::Never) => Self::Never,
            (Self::Open(None), open) | (open, Self::Open(None)) => open,
            (Self::Open(Some(one)), Self::Open(Some(two))) => both(one, two),
        }
    }
}

fn both(mut one: When, two: When) -> Condition {
    if one.engines.is_empty() {
        one.engines = two.engines;
    } else if !two.engines.is_empty() {
        one.engines.retain(|engine| two.engines.contains(engine));
        // An empty list would mean every engine.
        if one.engines.is_empty() {
            return Condition::Never;
        }
    }
    one.not_engines.extend(two.not_engines);
    one.requires.extend(two.requires);
    Condition::Open(Some(one))
}

/// Decodes `when:`. Parameters of the case are decided here.
pub(super) fn condition(
    node: &Node,
    parameters: &[(String, String)],
    decoder: &mut Decoder<'_>,
) -> Condition {
    let Value::Map(pairs) = &node.value else {
        decoder.unexpected(node, "a mapping such as `{engine: docker}`");
        return Condition::Open(None);
    };
    let mut when = When::default();
    let mut holds = true;
    for pair in pairs {
        match pair.key.as_str() {
            "engine" => when.engines.extend(engines(&pair.value, decoder)),
            "requires" => when
                .requires
                .extend(names::capabilities(&pair.value, decoder)),
            "not" => holds &= not(&pair.value, parameters, &mut when, decoder),
            _ => holds &= parameter(pair, parameters, decoder).unwrap_or(true),
        }
    }
    if !holds {
        return Condition::Never;
    }
    Condition::Open((when != When::default()).then_some(when))
}

fn not(
    node: &Node,
    parameters: &[(String, String)],
    when: &mut When,
    decoder: &mut Decoder<'_>,
) -> bool {
    let Value::Map(pairs) = &node.value else {
        decoder.unexpected(node, "a mapping such as `{engine: docker}`");
        return true;
    };
    let mut holds = true;
    for pair in pairs {
        if pair.key == "engine" {
            when.not_engines.extend(engines(&pair.value, decoder));
        } else {
            holds &= !parameter(pair, parameters, decoder).unwrap_or(false);
        }
    }
    holds
}

/// Most engines that a condition names: it is repeated for each step of a `do:`.
const ENGINES_MAX: usize = 32;

fn engines(node: &Node, decoder: &mut Decoder<'_>) -> Vec<String> {
    let written = names::each(node, decoder);
    if written.len() > ENGINES_MAX {
        decoder.fault(node.spot(), "too many engines");
    }
    written
        .into_iter()
        .take(ENGINES_MAX)
        .filter(|(node, name)| names::engine(node, name, decoder))
        .map(|(_, name)| name)
        .collect()
}

/// Whether a parameter of the case has one of these values.
fn parameter(
    pair: &Pair,
    parameters: &[(String, String)],
    decoder: &mut Decoder<'_>,
) -> Option<bool> {
    let Some((_, value)) = parameters.iter().find(|(name, _)| *name == pair.key) else {
        let known = parameters.iter().map(|(name, _)| name.as_str());
        let candidates: Vec<&str> = ["engine", "not", "requires"]
            .into_iter()
            .chain(known)
            .collect();
        decoder.fault_help(
            pair.spot(),
            format!("unknown condition {}", quote(&pair.key)),
            decoder.meant(&pair.key, candidates),
        );
        return None;
    };
    let wanted = scalars::texts(&pair.value, decoder);
    Some(wanted.contains(value))
}
