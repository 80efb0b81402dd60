//! One case on every engine, and making it small.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, TestRunner};

use super::dice;
use super::difference::{Difference, Run, difference};
use super::found::told;
use super::generate::Worlds;
use super::reach::Reach;
use super::shrink::Shrinking;
use crate::case::{CaseOptions, execute_case};
use crate::engine::{Capability, Description, Provider};
use crate::scenario::{FoundFile, Scenario, load_text, to_yaml};
use crate::snapshot::UpdateMode;

/// Makes scenarios and holds engines against each other.
#[derive(Clone)]
pub struct Fuzzer {
    /// The engines; the last one is the reference.
    engines: Vec<(Arc<dyn Provider>, Description)>,
    worlds: Worlds,
    options: CaseOptions,
}

/// A difference, made small.
#[derive(Clone, Debug)]
pub struct Found {
    /// What differs in it.
    pub difference: Difference,
    /// The text of its scenario file.
    pub text: String,
    /// Whether the file, loaded again, shows the same kind of difference.
    pub again: bool,
}

/// What one case showed.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What it reached, as the reference answered.
    pub reach: Reach,
    /// What differed.
    pub difference: Option<Difference>,
}

impl Fuzzer {
    /// Holds these engines against the last one of them, in cases of so many steps. Only what all of them can show
    /// is asked of them.
    pub fn new(
        engines: Vec<(Arc<dyn Provider>, Description)>,
        steps: usize,
        scratch: PathBuf,
        timeout: Option<Duration>,
    ) -> Self {
        let capabilities = Capability::ALL
            .iter()
            .copied()
            .filter(|capability| {
                engines
                    .iter()
                    .all(|(_, description)| description.capabilities.contains(capability))
            })
            .collect::<BTreeSet<Capability>>();
        Self {
            engines,
            worlds: Worlds {
                capabilities,
                steps,
            },
            options: CaseOptions {
                scratch,
                keep: false,
                snapshots: PathBuf::new(),
                update: UpdateMode::Check,
                timeout,
            },
        }
    }

    /// The scenario of a case.
    ///
    /// # Errors
    /// When proptest makes none, which it has no reason for.
    pub fn scenario(&self, seed: u64) -> Result<Scenario, String> {
        Ok(self.tree(seed)?.current())
    }

    fn tree(&self, seed: u64) -> Result<Shrinking, String> {
        let mut runner = TestRunner::new_with_rng(Config::default(), dice::rng(seed));
        self.worlds
            .new_tree(&mut runner)
            .map_err(|reason| reason.to_string())
    }

    /// Runs a scenario on every engine.
    pub fn show(&self, scenario: &Scenario) -> Shown {
        let runs = self.runs(scenario);
        let reach = runs
            .last()
            .map(|(_, run)| Reach::of(scenario, run))
            .unwrap_or_default();
        Shown {
            reach,
            difference: difference(scenario, &runs),
        }
    }

    fn runs(&self, scenario: &Scenario) -> Vec<(&Description, Run)> {
        self.engines
            .iter()
            .map(|(provider, description)| {
                let run = execute_case(scenario, provider.as_ref(), description, &self.options);
                (description, run)
            })
            .collect()
    }

    /// Makes the scenario of a case small, writes it down as a file's text, and tries whether that shows the difference too.
    ///
    /// # Errors
    /// As [`Self::scenario`].
    pub fn find(
        &self,
        seed: u64,
        shown: &Difference,
        go_on: &dyn Fn() -> bool,
    ) -> Result<Found, String> {
        let (smallest, difference) = self.shrink(seed, shown, go_on)?;
        let runs = self.runs(&smallest);
        let usable = runs.iter().rfind(|(_, run)| run.is_ok()).or(runs.last());
        let (of, run) = usable.ok_or("there is no engine")?;
        let text = to_yaml(&told(&smallest, &difference, seed, (&of.name, run)));
        let found = FoundFile {
            path: PathBuf::from("found.yaml"),
            stem: "found".to_owned(),
        };
        let again = load_text(&found, text.clone())
            .ok()
            .and_then(|mut cases| cases.pop())
            .is_some_and(|scenario| self.same(&scenario, &difference).is_some());
        Ok(Found {
            difference,
            text,
            again,
        })
    }

    /// Makes the scenario of a case smaller for as long as the same kind of difference is shown and `go_on` says so.
    ///
    /// # Errors
    /// As [`Self::scenario`].
    fn shrink(
        &self,
        seed: u64,
        shown: &Difference,
        go_on: &dyn Fn() -> bool,
    ) -> Result<(Scenario, Difference), String> {
        let mut tree = self.tree(seed)?;
        let mut smallest = shown.clone();
        if let Some(position) = shown.position {
            // What comes after it has no part in it.
            tree.cut(position);
            match self.same(&tree.current(), shown) {
                Some(found) => smallest = found,
                None => tree = self.tree(seed)?,
            }
        }
        while go_on() && tree.simplify() {
            match self.same(&tree.current(), shown) {
                Some(found) => smallest = found,
                None => {
                    tree.complicate();
                }
            }
        }
        Ok((tree.current(), smallest))
    }

    fn same(&self, scenario: &Scenario, wanted: &Difference) -> Option<Difference> {
        self.show(scenario)
            .difference
            .filter(|found| found.class == wanted.class)
    }
}
