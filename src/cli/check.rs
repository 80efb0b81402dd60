//! `layerspec check`

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;

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
    let untidy = untidy(&suite, &args.paths, output)?;
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
        match untidy {
            0 => "nothing wrong".to_owned(),
            count => format!("{count} to tidy up"),
        }
    )?;
    Ok(if untidy == 0 {
        Exit::Passed
    } else {
        Exit::Failed
    })
}

/// Tells what is left over in the snapshots of folders that were named as a whole; how many there are.
pub(super) fn untidy(
    suite: &Suite,
    paths: &[PathBuf],
    output: &mut Output,
) -> Result<usize, CommandError> {
    let leftovers = suite
        .leftovers(paths)
        .map_err(|error| UsageError::new(format!("snapshots cannot be read: {error}")))?;
    for leftover in &leftovers {
        writeln!(output.err, "{} {}", paint(BAD, "error:"), line(leftover))?;
    }
    Ok(leftovers.len())
}

/// A leftover in one line.
pub(super) fn line(leftover: &Leftover) -> String {
    printable(&format!(
        "{}: {}",
        short(&leftover.path).display(),
        leftover.reason
    ))
}
