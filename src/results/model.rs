//! Columns and cells.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::engine::Description;
use crate::outcome::Halves;
use crate::verdict::{Failure, Mark};

/// One column: an engine, with everything that its answers may depend on, so that two Dockers are two
/// columns.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// The name by which it was chosen: `docker`.
    pub engine: String,
    /// Its version.
    pub version: String,
    /// Kernel release.
    pub kernel: String,
    /// Storage driver.
    pub driver: String,
    /// File system under it.
    pub file_system: String,
    /// What it could show, by the names that scenarios have for it.
    pub capabilities: Vec<String>,
}

impl From<&Description> for Product {
    fn from(description: &Description) -> Self {
        let capabilities = description.capabilities.iter();
        Self {
            engine: description.name.clone(),
            version: description.version.clone(),
            kernel: description.kernel.clone(),
            driver: description.driver.clone(),
            file_system: description.file_system.clone(),
            capabilities: capabilities.map(|it| it.name().to_owned()).collect(),
        }
    }
}

/// One case on one engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// Id of the case.
    pub case: String,
    /// Index of the column, from 0.
    pub column: usize,
    /// The scenario's file.
    pub file: String,
    /// The scenario's title.
    pub title: String,
    /// What the merged tree is worth, and what persisted.
    pub marks: Halves<Mark>,
    /// Why the engine may differ, cannot show it, or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where the bug is reported, when it is a known one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bug: Option<String>,
    /// What is not as it should be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failure>,
    /// What was seen, as a snapshot holds it; absent when the engine showed nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// What came back from the steps with a `when:` that were performed, by their numbers. `outcome`
    /// leaves that out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub conditional: BTreeMap<String, String>,
    /// From opening the engine to the verdict, in microseconds.
    pub duration_us: u64,
    /// The command that runs just this again.
    pub again: String,
}

/// What many engines made of many cases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Results {
    /// Version of layerspec.
    pub layerspec: String,
    /// The columns.
    pub columns: Vec<Product>,
    /// Each case and column at most once.
    pub cells: Vec<Cell>,
}
