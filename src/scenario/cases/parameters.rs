//! `cases:`, the parameters of a file and their values.

use std::collections::BTreeSet;

use super::super::decoder::Decoder;
use super::super::source::{Node, Pair, Spot, Value};
use super::super::words::quote;
use super::super::{names, scalars};

/// Parameters and their values, in the order of `cases:`.
pub(crate) type Case = Vec<(String, String)>;

/// Most cases of one file.
const CASES_MAX: usize = 1000;

/// Length of the file times the number of its cases, at most, in bytes: each case is decoded for itself.
const WORK_MAX: usize = 64 << 20;

/// Most parameters of one file.
const PARAMETERS_MAX: usize = 32;

/// Words that `when:` has for itself.
const RESERVED: &[&str] = &["engine", "not", "requires"];

/// Decodes `cases:` of a document. A document without has one case, without parameters.
pub(crate) fn cases(root: &Node, length: usize, decoder: &mut Decoder<'_>) -> Vec<Case> {
    let Some(pair) = cases_pair(root) else {
        return vec![Case::new()];
    };
    let cases = match &pair.value.value {
        Value::Map(pairs) => combinations(pair.spot(), pairs, decoder),
        Value::List(items) => listed(items, decoder),
        Value::Null | Value::Scalar(_) => {
            decoder.unexpected(
                &pair.value,
                "parameters with lists of values, or a list of cases",
            );
            Vec::new()
        }
    };
    if cases.is_empty() {
        if matches!(&pair.value.value, Value::Map(pairs) if pairs.is_empty())
            || matches!(&pair.value.value, Value::List(items) if items.is_empty())
        {
            decoder.fault(pair.spot(), "there are no cases");
        }
        return vec![Case::new()];
    }
    if cases.len() > CASES_MAX || cases.len().saturating_mul(length) > WORK_MAX {
        decoder.fault(pair.spot(), format!("{} cases are too many", cases.len()));
        return cases.into_iter().take(1).collect();
    }
    cases
}

/// The place of `cases:`, or of the whole document.
pub(crate) fn spot(root: &Node) -> Spot {
    cases_pair(root).map_or_else(|| root.spot(), Pair::spot)
}

pub(super) fn cases_pair(root: &Node) -> Option<&Pair> {
    let Value::Map(pairs) = &root.value else {
        return None;
    };
    pairs.iter().find(|pair| pair.key == "cases")
}

/// Every combination of values, the last parameter running fastest.
fn combinations(spot: Spot, pairs: &[Pair], decoder: &mut Decoder<'_>) -> Vec<Case> {
    let mut cases = vec![Case::new()];
    if pairs.len() > PARAMETERS_MAX {
        decoder.fault(
            spot,
            format!("more than {PARAMETERS_MAX} parameters are too many"),
        );
    }
    for pair in pairs.iter().take(PARAMETERS_MAX) {
        check_name(pair, decoder);
        let values: Vec<String> = match &pair.value.value {
            Value::List(_) => names::each(&pair.value, decoder)
                .into_iter()
                .map(|(_, value)| value)
                .collect(),
            Value::Null | Value::Scalar(_) | Value::Map(_) => {
                decoder.unexpected(&pair.value, "a list of values");
                Vec::new()
            }
        };
        if matches!(&pair.value.value, Value::List(items) if items.is_empty()) {
            decoder.fault(
                pair.value.spot(),
                format!("{} has no values", quote(&pair.key)),
            );
        }
        let unique: BTreeSet<&String> = values.iter().collect();
        if unique.len() < values.len() {
            decoder.fault(
                pair.value.spot(),
                format!("{} has a value twice", quote(&pair.key)),
            );
        }
        if cases.len().saturating_mul(values.len()) > CASES_MAX {
            decoder.fault(spot, format!("more than {CASES_MAX} cases are too many"));
            return cases;
        }
        // After a fault, the parameter is still known.
        let values = if values.is_empty() {
            vec![String::new()]
        } else {
            values
        };
        cases = cases
            .iter()
            .flat_map(|case| {
                values.iter().map(|value| {
                    let mut case = case.clone();
                    case.push((pair.key.clone(), value.clone()));
                    case
                })
            })
            .collect();
    }
    if pairs.is_empty() { Vec::new() } else { cases }
}

/// Cases one by one, all with the same parameters.
fn listed(items: &[Node], decoder: &mut Decoder<'_>) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for item in items {
        let Value::Map(pairs) = &item.value else {
            decoder.unexpected(item, "a case: a mapping of parameter to value");
            continue;
        };
        if pairs.len() > PARAMETERS_MAX {
            let message = format!("more than {PARAMETERS_MAX} parameters are too many");
            decoder.fault(item.spot(), message);
        }
        let mut case: Case = pairs
            .iter()
            .take(PARAMETERS_MAX)
            .map(|pair| {
                let value = scalars::text(&pair.value, decoder).unwrap_or_default();
                (pair.key.clone(), value)
            })
            .collect();
        match cases.first() {
            None => pairs.iter().for_each(|pair| check_name(pair, decoder)),
            Some(first) => {
                check_same(item, pairs, first, decoder);
                // After a fault, the parameter is still known.
                let lacks = |name: &str| !pairs.iter().any(|pair| pair.key == name);
                case.extend(first.iter().filter(|(name, _)| lacks(name)).cloned());
            }
        }
        cases.push(case);
    }
    // In one order, so that ids read alike.
    if let Some(order) = cases.first().cloned() {
        for case in &mut cases {
            case.sort_by_key(|(name, _)| order.iter().position(|(other, _)| other == name));
        }
    }
    cases
}

fn check_same(item: &Node, pairs: &[Pair], first: &Case, decoder: &mut Decoder<'_>) {
    for pair in pairs
        .iter()
        .filter(|pair| !first.iter().any(|(name, _)| *name == pair.key))
    {
        let help = decoder.meant(&pair.key, first.iter().map(|(name, _)| name.as_str()));
        let message = format!("the first case has no parameter {}", quote(&pair.key));
        decoder.fault_help(pair.spot(), message, help);
    }
    for (name, _) in first
        .iter()
        .filter(|(name, _)| !pairs.iter().any(|pair| pair.key == *name))
    {
        decoder.fault(
            item.spot(),
            format!("this case lacks the parameter {}", quote(name)),
        );
    }
}

fn check_name(pair: &Pair, decoder: &mut Decoder<'_>) {
    let name = pair.key.as_str();
    let sound = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !starts_well || !name.chars().all(sound) {
        decoder.fault_help(
            pair.spot(),
            format!("{} cannot be the name of a parameter", quote(name)),
            "letters, digits, `_` and `-`".to_owned(),
        );
    } else if RESERVED.contains(&name) {
        decoder.fault(pair.spot(), format!("`when` has `{name}` for itself"));
    }
}
