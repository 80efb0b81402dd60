//! `layerspec coverage`

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

use serde::Serialize;

use super::args::{CoverageArgs, ListFormat};
use super::error::{CommandError, UsageError};
use super::exit::Exit;
use super::output::Output;
use crate::report::style::{BAD, FAINT, GOOD, NAME, paint, printable};
use crate::scenario::{Level, Rule, RuleBook};
use crate::suite::{Covers, Root, Suite};

/// Tells which rules have scenarios, which have none, and which `covers:` name no rule.
///
/// # Errors
/// Faults in scenario files or the rule book, no rule book at all, output that cannot be written.
pub(super) fn coverage(args: &CoverageArgs, output: &mut Output) -> Result<Exit, CommandError> {
    let suite = Suite::load(&args.paths, None, Covers::Any)?;
    let book = rule_book(args, &suite)?;
    let coverage = Coverage::new(&book, &suite);
    match args.format {
        ListFormat::Pretty => write!(output.out, "{}", coverage.text())?,
        ListFormat::Json => {
            for line in coverage.json().map_err(std::io::Error::from)? {
                writeln!(output.out, "{line}")?;
            }
        }
    }
    let lacking = args.require_all && coverage.rules.values().any(|(_, by)| by.is_empty());
    Ok(if lacking || !coverage.unknown.is_empty() {
        Exit::Failed
    } else {
        Exit::Passed
    })
}

/// The rules of the book that was named, or of all scenario folders together.
fn rule_book(args: &CoverageArgs, suite: &Suite) -> Result<RuleBook, CommandError> {
    if let Some(path) = &args.rules {
        return Ok(RuleBook::load(path)?);
    }
    let mut all: Option<RuleBook> = None;
    for root in &suite.roots {
        if let Some(book) = root.rules()? {
            all.get_or_insert_default().rules.extend(book.rules);
        }
    }
    all.ok_or_else(|| {
        let folders: Vec<String> = suite
            .roots
            .iter()
            .map(|root| root.scenarios.display().to_string())
            .collect();
        let message = format!("no rule book `{}` in {}", Root::RULES, folders.join(", "));
        UsageError::new(message).help("--rules names one").into()
    })
}

/// Which rules are covered by what.
struct Coverage<'a> {
    /// Id → the rule and the stems of the scenarios that cover it.
    rules: BTreeMap<&'a str, (&'a Rule, BTreeSet<&'a str>)>,
    /// Id that no rule has → the stems of the scenarios that name it.
    unknown: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

/// One line of the JSON form.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Line<'a> {
    /// A rule of the book.
    Rule {
        id: &'a str,
        level: &'static str,
        statement: &'a str,
        source: &'a str,
        scenarios: &'a BTreeSet<&'a str>,
    },
    /// An id that is none.
    Unknown {
        id: &'a str,
        scenarios: &'a BTreeSet<&'a str>,
    },
    /// Last.
    Totals {
        rules: usize,
        covered: usize,
        unknown: usize,
    },
}

impl<'a> Coverage<'a> {
    fn new(book: &'a RuleBook, suite: &'a Suite) -> Self {
        let mut rules: BTreeMap<&str, (&Rule, BTreeSet<&str>)> = book
            .rules
            .iter()
            .map(|(id, rule)| (id.as_str(), (rule, BTreeSet::new())))
            .collect();
        let mut unknown: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for case in &suite.cases {
            for id in &case.scenario.covers {
                let by = match rules.get_mut(id.as_str()) {
                    Some((_, by)) => by,
                    None => unknown.entry(id).or_default(),
                };
                by.insert(&case.scenario.stem);
            }
        }
        Self { rules, unknown }
    }

    fn covered(&self) -> usize {
        self.rules.values().filter(|(_, by)| !by.is_empty()).count()
    }

    fn json(&self) -> serde_json::Result<Vec<String>> {
        let rules = self.rules.iter().map(|(id, (rule, scenarios))| Line::Rule {
            id,
            level: level(rule.level),
            statement: &rule.statement,
            source: &rule.source,
            scenarios,
        });
        let unknown = self
            .unknown
            .iter()
            .map(|(id, scenarios)| Line::Unknown { id, scenarios });
        let totals = Line::Totals {
            rules: self.rules.len(),
            covered: self.covered(),
            unknown: self.unknown.len(),
        };
        rules
            .chain(unknown)
            .chain(std::iter::once(totals))
            .map(|line| serde_json::to_string(&line))
            .collect()
    }

    /// The table for people: a line a rule, then what is unknown, then how much of each level is covered.
    fn text(&self) -> String {
        let mut lines = Vec::new();
        let longest = |ids: &mut dyn Iterator<Item = &&str>| {
            ids.map(|id| id.chars().count()).max().unwrap_or(0)
        };
        let width = longest(&mut self.rules.keys()).max(longest(&mut self.unknown.keys()));
        for (id, (rule, by)) in &self.rules {
            let id = paint(NAME, &format!("{:width$}", printable(id)));
            let level = format!("{:6}", level(rule.level));
            let names: Vec<&str> = by.iter().copied().collect();
            lines.push(if names.is_empty() {
                let none = paint(BAD, "no scenario");
                format!(
                    "{id}  {level}  {none}  {}",
                    paint(FAINT, &printable(&rule.statement))
                )
            } else {
                format!("{id}  {level}  {}", printable(&names.join(", ")))
            });
        }
        for (id, by) in &self.unknown {
            let names: Vec<&str> = by.iter().copied().collect();
            let id = paint(NAME, &format!("{:width$}", printable(id)));
            let what = paint(BAD, "no such rule");
            lines.push(format!(
                "{id}  {what}, named by {}",
                printable(&names.join(", "))
            ));
        }
        let totals = self.totals();
        let done = self.covered() == self.rules.len() && self.unknown.is_empty();
        lines.push(if done { paint(GOOD, &totals) } else { totals });
        lines.push(String::new());
        lines.join("\n")
    }

    /// How many rules are covered: of all, of each level, and of each source that ids begin with.
    fn totals(&self) -> String {
        let levels = [Level::Must, Level::Should, Level::Varies]
            .into_iter()
            .filter_map(|wanted| self.share(level(wanted), |_, rule| rule.level == wanted));
        let sources: BTreeSet<&str> = self.rules.keys().map(|id| source(id)).collect();
        let sources = sources
            .into_iter()
            .filter_map(|wanted| self.share(wanted, |id, _| source(id) == wanted));
        let (levels, sources): (Vec<String>, Vec<String>) = (levels.collect(), sources.collect());
        let all = format!("{} of {} rules covered", self.covered(), self.rules.len());
        if levels.is_empty() {
            all
        } else {
            format!("{all} ({}; {})", levels.join(", "), sources.join(", "))
        }
    }

    /// `notes 48 of 48`, unless there are none.
    fn share(&self, name: &str, is_meant: impl Fn(&str, &Rule) -> bool) -> Option<String> {
        let mut all = 0;
        let mut covered = 0;
        for (_, (_, by)) in self
            .rules
            .iter()
            .filter(|(id, (rule, _))| is_meant(id, rule))
        {
            all += 1;
            covered += usize::from(!by.is_empty());
        }
        (all > 0).then(|| format!("{} {covered} of {all}", printable(name)))
    }
}

/// What an id begins with: `notes` of `notes/S14`.
fn source(id: &str) -> &str {
    id.split_once('/').map_or(id, |(source, _)| source)
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Must => "must",
        Level::Should => "should",
        Level::Varies => "varies",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::style::plain;

    #[test]
    fn rules_are_covered_or_not_or_unknown() {
        let rule = |statement: &str, level| Rule {
            statement: statement.to_owned(),
            source: "a source".to_owned(),
            level,
        };
        let (one, two) = (rule("One.", Level::Must), rule("Two.", Level::Varies));
        let coverage = Coverage {
            rules: [
                ("docker/1", (&one, BTreeSet::from(["a/x", "b"]))),
                ("notes/S2", (&two, BTreeSet::new())),
            ]
            .into(),
            unknown: [("docker/9", BTreeSet::from(["b"]))].into(),
        };
        assert_eq!(
            plain(&coverage.text()),
            "\
docker/1  must    a/x, b
notes/S2  varies  no scenario  Two.
docker/9  no such rule, named by b
1 of 2 rules covered (must 1 of 1, varies 0 of 1; docker 1 of 1, notes 0 of 1)
"
        );
        assert_eq!(
            coverage.json().unwrap(),
            [
                r#"{"event":"rule","id":"docker/1","level":"must","statement":"One.","source":"a source","scenarios":["a/x","b"]}"#,
                r#"{"event":"rule","id":"notes/S2","level":"varies","statement":"Two.","source":"a source","scenarios":[]}"#,
                r#"{"event":"unknown","id":"docker/9","scenarios":["b"]}"#,
                r#"{"event":"totals","rules":2,"covered":1,"unknown":1}"#,
            ]
        );
    }
}
