//! `layerspec check`

use std::collections::BTreeSet;
use std::io::Write as _;

use super::args::CheckArgs;
use super::error::{CommandError, UsageError};
use super::exit::Exit;
use super::output::Output;
use crate::report::count;
use crate::report::style::{BAD, paint, printable};
use crate::snapshot::Leftover;
use crate::suite::{Covers, Suite, short};

/// Loads scenarios and tells everything that is wrong with them, and with the snapshots of a folder
/// that was named as a whole.
///
/// # Errors
/// Faults in scenario files, output that cannot be written.
pub(super) fn check(args: &CheckArgs, output: &mut Output) -> Result<Exit, CommandError> {
    let suite = Suite::load(&args.paths, args.snapshots.as_deref(), Covers::Known)?;
    if suite.cases.is_empty() {
        return super::run::nothing(&suite, &args.paths, output);
    }
    let whole = |folder: &std::path::Path| args.paths.iter().any(|path| path == folder);
    let mut wrong = Vec::new();
    for root in suite.roots.iter().filter(|root| whole(&root.scenarios)) {
        let leftovers = root
            .leftovers(&root.all_cases()?)
            .map_err(|error| UsageError::new(format!("{}: {error}", root.snapshots.display())))?;
        wrong.extend(leftovers);
    }
    for leftover in &wrong {
        writeln!(output.err, "{} {}", paint(BAD, "error:"), line(leftover))?;
    }
    let files: BTreeSet<_> = suite
        .cases
        .iter()
        .map(|case| &case.scenario.file.path)
        .collect();
    writeln!(
        output.out,
        "{} in {}, {}",
        count(suite.cases.len(), "case"),
        count(files.len(), "file"),
        match wrong.len() {
            0 => "nothing wrong".to_owned(),
            count => format!("{count} to tidy up"),
        }
    )?;
    Ok(if wrong.is_empty() {
        Exit::Passed
    } else {
        Exit::Failed
    })
}

/// A leftover in one line.
pub(super) fn line(leftover: &Leftover) -> String {
    printable(&format!(
        "{}: {}",
        short(&leftover.path).display(),
        leftover.reason
    ))
}
