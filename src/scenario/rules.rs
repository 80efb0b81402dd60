//! The rule book, `scenarios/rules.yaml`: every rule that the suite proves, as data.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::decoder::Decoder;
use super::fault::{Fault, Faults, located};
use super::fields::Fields;
use super::fixtures::Fixtures;
use super::source::{self, Document, Pair, Value};
use super::words::quote;
use super::{load, scalars, shape};

/// Every rule, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct RuleBook {
    /// Id (`notes/S14`, `docker/51`, `union/102`) → rule.
    pub rules: BTreeMap<String, Rule>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// One line.
    pub statement: String,
    /// Where it comes from.
    pub source: String,
    /// How binding it is.
    pub level: Level,
}

/// How binding a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Every engine.
    Must,
    /// Every engine that has no good reason.
    Should,
    /// Engines differ.
    Varies,
}

const LEVELS: &[(&str, Level)] = &[
    ("must", Level::Must),
    ("should", Level::Should),
    ("varies", Level::Varies),
];

impl RuleBook {
    /// Reads a rule book.
    ///
    /// # Errors
    /// Everything that is wrong with the file.
    pub fn load(path: &Path) -> Result<Self, Faults> {
        load::read(path)
            .and_then(|text| Self::parse(path, &text))
            .map_err(Faults::new)
    }

    /// Parses the text of a rule book.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, Vec<Fault>> {
        let document = source::parse(text)
            .map_err(|unreadable| vec![Fault::unreadable(path, text, unreadable)])?;
        let mut fixtures = Fixtures::beside(path);
        let mut decoder = Decoder::new(&document.origin, &mut fixtures);
        let book = book(&document, &mut decoder);
        let problems = decoder.into_problems();
        if problems.is_empty() {
            return Ok(book);
        }
        Err(located(path, text, &document.origin, &problems))
    }
}

fn book(document: &Document, decoder: &mut Decoder<'_>) -> RuleBook {
    shape::check(&document.root, decoder);
    match &document.root.value {
        Value::Map(pairs) => RuleBook {
            rules: pairs
                .iter()
                .filter_map(|pair| rule(pair, decoder))
                .collect(),
        },
        // A book may still be empty.
        Value::Null => RuleBook::default(),
        Value::Scalar(_) | Value::List(_) => {
            decoder.unexpected(&document.root, "a mapping of id to rule");
            RuleBook::default()
        }
    }
}

fn rule(pair: &Pair, decoder: &mut Decoder<'_>) -> Option<(String, Rule)> {
    let sane = |part: &str| {
        let sane = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        !part.is_empty() && part.chars().all(sane)
    };
    if !pair
        .key
        .split_once('/')
        .is_some_and(|(book, row)| sane(book) && sane(row))
    {
        decoder.fault_help(
            pair.spot(),
            format!("{} cannot be the id of a rule", quote(&pair.key)),
            "an id is `BOOK/ROW`: `docker/51`".to_owned(),
        );
    }
    let fields = Fields::open(
        &pair.value,
        "a rule",
        &["statement", "source", "level"],
        decoder,
    )?;
    let line = |key: &str, decoder: &mut Decoder<'_>| {
        let text = fields.text(key, decoder);
        if let Some(node) = fields.get(key)
            && (text.trim().is_empty() || text.trim().contains('\n'))
        {
            decoder.fault(node.spot(), format!("`{key}` is one line of text"));
        }
        text.trim().to_owned()
    };
    let statement = line("statement", decoder);
    let source = line("source", decoder);
    let level = fields.require("level", decoder);
    let level = level.and_then(|node| scalars::choice(node, "level", LEVELS, decoder));
    Some((
        pair.key.clone(),
        Rule {
            statement,
            source,
            level: level?,
        },
    ))
}
