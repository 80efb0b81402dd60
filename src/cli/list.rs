//! `layerspec list`

use std::collections::BTreeMap;
use std::io::Write as _;

use serde::Serialize;

use super::args::ListFormat;
use super::error::CommandError;
use super::exit::Exit;
use super::output::Output;
use super::run::nothing;
use super::settings::Selection;
use crate::engine::DEFAULT_ENGINE;
use crate::report::style::printable;
use crate::scenario::{Difference, Scenario};
use crate::suite::{Covers, Suite};

/// Lists the selected cases, sorted by id.
///
/// # Errors
/// Faults in scenario files, output that cannot be written.
pub(super) fn list(
    selection: &Selection,
    format: ListFormat,
    output: &mut Output,
) -> Result<Exit, CommandError> {
    let suite = Suite::load(&selection.paths, None, Covers::Known)?;
    let mut cases: Vec<(String, &Scenario)> = suite
        .cases
        .iter()
        .map(|case| (case.scenario.id(), &*case.scenario))
        .filter(|(id, _)| selection.filter.selects(id, DEFAULT_ENGINE))
        .collect();
    cases.sort_by(|(a, _), (b, _)| a.cmp(b));
    if cases.is_empty() {
        return nothing(&suite, &selection.paths, output);
    }
    for (id, scenario) in cases {
        match format {
            ListFormat::Pretty => writeln!(output.out, "{}", printable(&id))?,
            ListFormat::Json => {
                let line = serde_json::to_string(&item(&id, scenario));
                writeln!(output.out, "{}", line.map_err(std::io::Error::from)?)?;
            }
        }
    }
    Ok(Exit::Passed)
}

#[derive(Serialize)]
struct Item<'a> {
    id: &'a str,
    file: String,
    title: &'a str,
    parameters: BTreeMap<&'a str, &'a str>,
    covers: &'a [String],
    requires: Vec<&'static str>,
    differs: &'a BTreeMap<String, Difference>,
}

fn item<'a>(id: &'a str, scenario: &'a Scenario) -> Item<'a> {
    Item {
        id,
        file: scenario.file.path.display().to_string(),
        title: &scenario.title,
        parameters: scenario
            .case
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect(),
        covers: &scenario.covers,
        requires: scenario
            .requires
            .iter()
            .map(|capability| capability.name())
            .collect(),
        differs: &scenario.differs,
    }
}
