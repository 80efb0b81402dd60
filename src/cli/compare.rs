//! `layerspec compare`

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::MatrixFormat;
use super::compare_settings::{CompareSettings, Running, Work};
use super::error::{CommandError, UsageError};
use super::execute::{Execution, Found, make_scratch, probe, select};
use super::exit::Exit;
use super::output::Output;
use super::run::nothing;
use crate::engine::OpenOptions;
use crate::registry;
use crate::report::compare::{
    Recorder, changes_json, changes_markdown, changes_pretty, matrix_junit, matrix_markdown,
    matrix_pretty,
};
use crate::report::style::{FAINT, paint, printable};
use crate::report::{Bar, Reporter, Reporters, Rerun, count};
use crate::results::{
    ChangeKind, Matrix, Results, Worth, changes, merge, read, write, write_lines,
};
use crate::snapshot::UpdateMode;
use crate::suite::{Covers, Filter, Suite};

/// Runs scenarios on several engines, or reads what others showed, and tells where they part.
///
/// # Errors
/// Faults in scenario or results files, an engine that was named and cannot be used, output that
/// cannot be written.
pub(super) fn compare(
    settings: &CompareSettings,
    output: &mut Output,
) -> Result<Exit, CommandError> {
    let results = match &settings.work {
        Work::Run(running) => match run(running, settings, output)? {
            Ok(results) => results,
            Err(exit) => return Ok(exit),
        },
        Work::Render(files) => {
            let all = files
                .iter()
                .map(|file| load(file))
                .collect::<Result<Vec<_>, _>>()?;
            filtered(merge(all), &settings.filter)
        }
        Work::Diff(old, new) => return diff([old, new], settings, output),
    };
    let matrix = Matrix::new(&results);
    let worth = matrix.worth();
    if worth == Worth::Nothing {
        writeln!(output.err, "no case is selected")?;
        return Ok(Exit::Nothing);
    }
    match settings.format {
        MatrixFormat::Pretty => write!(output.out, "{}", matrix_pretty(&matrix))?,
        MatrixFormat::Markdown => write!(output.out, "{}", matrix_markdown(&matrix))?,
        MatrixFormat::Json => write_lines(&results, &mut output.out)?,
        MatrixFormat::Junit => matrix_junit(&matrix, &mut output.out)?,
    }
    if let Some(path) = &settings.output {
        write(&results, path).map_err(|error| {
            let message = format!("--output: {}: cannot be written: {error}", path.display());
            UsageError::new(printable(&message))
        })?;
    }
    Ok(match worth {
        Worth::Nothing => Exit::Nothing,
        Worth::Good => Exit::Passed,
        Worth::Bad => Exit::Failed,
        Worth::Broken => Exit::Engine,
    })
}

/// Runs the selected cases on each engine; or how the command ends when there is nothing to tell.
fn run(
    running: &Running,
    settings: &CompareSettings,
    output: &mut Output,
) -> Result<Result<Results, Exit>, CommandError> {
    let snapshots = running.place.snapshots.as_deref();
    let suite = Suite::load(&running.paths, snapshots, Covers::Known)?;
    let (interrupt, scratch) = make_scratch(running.place.scratch.as_deref())?;
    let engines = match &running.engines {
        Some(engines) => probe(engines, scratch.path(), false)?,
        None => usable(scratch.path(), output)?,
    };
    let jobs = select(&suite, &settings.filter, &engines);
    if jobs.is_empty() {
        return Ok(Err(nothing(&suite, &running.paths, output)?));
    }
    let execution = Execution {
        suite: &suite,
        scratch: scratch.path(),
        keep: false,
        // Comparing approves nothing and puts nothing down for review.
        update: UpdateMode::Check,
        jobs: running.jobs,
        timeout: running.timeout,
        fail_fast: false,
        rerun: Rerun::Tool {
            program: running.place.program,
            snapshots: running.place.snapshots.clone(),
        },
    };
    let mut results = Results::default();
    let totals = {
        let mut all: Vec<Box<dyn Reporter + '_>> = vec![Box::new(Recorder::new(&mut results))];
        if output.terminal && !running.still {
            all.push(Box::<Bar>::default());
        }
        execution.run(&jobs, &interrupt, &mut Reporters(all))?
    };
    if let Some(signal) = interrupt.signal() {
        let left = count(totals.not_started, "case");
        let kept = if settings.output.is_some() {
            ", no results are written"
        } else {
            ""
        };
        writeln!(output.err, "ended early: {left} not started{kept}")?;
        return Ok(Err(Exit::Signal(signal)));
    }
    Ok(Ok(results))
}

/// Every engine that can be used here. Those that cannot are told on standard error.
fn usable(scratch: &Path, output: &mut Output) -> Result<Vec<Found>, CommandError> {
    let options = OpenOptions {
        scratch: scratch.to_path_buf(),
        keep: false,
    };
    let mut found = Vec::new();
    for provider in registry::providers() {
        match provider.probe(&options) {
            Ok(description) => found.push(Found {
                provider,
                description: Arc::new(description),
            }),
            Err(absent) => {
                let why = printable(&format!("{}: {absent}", provider.name()));
                writeln!(output.err, "{} {why}", paint(FAINT, "left out"))?;
            }
        }
    }
    Ok(found)
}

/// Tells what has changed.
fn diff(
    files: [&PathBuf; 2],
    settings: &CompareSettings,
    output: &mut Output,
) -> Result<Exit, CommandError> {
    let [old, new] = files.map(|file| load(file).map(|it| filtered(it, &settings.filter)));
    let (old, new) = (old?, new?);
    if old.cells.is_empty() && new.cells.is_empty() {
        writeln!(output.err, "no case is selected")?;
        return Ok(Exit::Nothing);
    }
    let changes = changes(&Matrix::new(&old), &Matrix::new(&new));
    match settings.format {
        MatrixFormat::Markdown => write!(output.out, "{}", changes_markdown(&changes))?,
        MatrixFormat::Json => changes_json(&changes, &mut output.out)?,
        MatrixFormat::Pretty | MatrixFormat::Junit => {
            write!(output.out, "{}", changes_pretty(&changes))?;
        }
    }
    Ok(if changes.count(ChangeKind::Regression) > 0 {
        Exit::Failed
    } else {
        Exit::Passed
    })
}

fn load(path: &Path) -> Result<Results, UsageError> {
    read(path).map_err(|damaged| UsageError::new(printable(&damaged.to_string())))
}

/// The cells that pass the filter, and the columns that have any.
fn filtered(mut results: Results, filter: &Filter) -> Results {
    if filter.is_empty() {
        return results;
    }
    let engines: Vec<String> = results.columns.iter().map(|it| it.engine.clone()).collect();
    results.cells.retain(|cell| {
        let engine = engines.get(cell.column).map_or("", String::as_str);
        filter.selects(&cell.case, engine)
    });
    let used = |column: usize| results.cells.iter().any(|cell| cell.column == column);
    let kept: Vec<usize> = (0..results.columns.len()).filter(|it| used(*it)).collect();
    for cell in &mut results.cells {
        let place = kept.iter().position(|column| *column == cell.column);
        cell.column = place.unwrap_or_default();
    }
    results.columns = kept
        .iter()
        .filter_map(|column| results.columns.get(*column).cloned())
        .collect();
    results
}
