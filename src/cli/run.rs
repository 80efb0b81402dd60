//! `layerspec run`

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anstream::StripStream;

use super::args::Format;
use super::check::untidy;
use super::error::{CommandError, UsageError};
use super::execute::{Execution, make_scratch_of_run, probe, select};
use super::exit::Exit;
use super::output::Output;
use super::settings::RunSettings;
use crate::interrupt::Interrupt;
use crate::report::{Detail, Json, Junit, Pretty, Reporter, Reporters, Rerun, Totals, count};
use crate::snapshot::UpdateMode;
use crate::suite::{Covers, Suite};

/// Runs the selected cases on each engine and reports.
///
/// # Errors
/// Faults in scenario files, an engine that cannot be used, a report that cannot be written.
pub(super) fn run(settings: &RunSettings, output: &mut Output) -> Result<Exit, CommandError> {
    let snapshots = settings.place.snapshots.as_deref();
    let suite = Suite::load(&settings.selection.paths, snapshots, Covers::Known)?;
    let (interrupt, scratch) =
        make_scratch_of_run(settings.place.scratch.as_deref(), settings.keep)?;
    let engines = probe(&settings.engines, scratch.path(), settings.keep)?;
    let jobs = select(&suite, &settings.selection.filter, &engines);
    if jobs.is_empty() {
        return nothing(&suite, &settings.selection.paths, output);
    }
    let terminal = output.terminal;
    let mut reporter = reporters(settings, terminal, &mut output.out)?;
    let execution = Execution {
        suite: &suite,
        scratch: scratch.path(),
        keep: settings.keep,
        // A build server reviews nothing, so nothing is put down for review.
        update: if settings.still {
            UpdateMode::Check
        } else {
            UpdateMode::Pending
        },
        jobs: settings.jobs,
        timeout: settings.timeout,
        fail_fast: settings.fail_fast,
        rerun: Rerun::Tool {
            program: settings.place.program,
            snapshots: settings.place.snapshots.clone(),
        },
    };
    let totals = execution.run(&jobs, &interrupt, &mut reporter)?;
    drop(reporter);
    if settings.keep {
        drop(scratch.keep());
    }
    // A selection tells nothing of what it left out.
    let whole = settings.selection.filter.is_empty();
    let untidy = whole && untidy(&suite, &settings.selection.paths, output)? > 0;
    Ok(match exit(&totals, &interrupt) {
        Exit::Passed if untidy => Exit::Failed,
        other => other,
    })
}

/// The exit code of a run: the worst of what happened.
pub(super) fn exit(totals: &Totals, interrupt: &Interrupt) -> Exit {
    if let Some(signal) = interrupt.signal() {
        Exit::Signal(signal)
    } else if totals.errored > 0 {
        Exit::Engine
    } else if totals.failed > 0 {
        Exit::Failed
    } else {
        Exit::Passed
    }
}

/// Tells that no case was selected, and from how many.
///
/// # Errors
/// When that cannot be written.
pub(super) fn nothing(
    suite: &Suite,
    paths: &[PathBuf],
    output: &mut Output,
) -> Result<Exit, CommandError> {
    if suite.cases.is_empty() {
        let paths: Vec<_> = paths
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        writeln!(output.err, "no scenario in {}", paths.join(", "))?;
    } else {
        writeln!(
            output.err,
            "none of {} passes the filter",
            count(suite.cases.len(), "case")
        )?;
    }
    Ok(Exit::Nothing)
}

/// The reporter on standard output, and those to files.
fn reporters<'a>(
    settings: &RunSettings,
    terminal: bool,
    out: &'a mut (dyn Write + Send),
) -> Result<Reporters<'a>, UsageError> {
    let bar = terminal && !settings.still;
    let detail = Detail {
        every_case: settings.verbose || !bar,
        raw_diff: settings.verbose,
        bar,
    };
    let mut all = vec![reporter(settings.format, detail, out)];
    for (format, path) in &settings.reports {
        let file = create(path)?;
        let detail = Detail {
            every_case: true,
            raw_diff: settings.verbose,
            bar: false,
        };
        all.push(match format {
            // Only this one has colours to strip; in the others escapes are content.
            Format::Pretty => reporter(*format, detail, StripStream::new(file)),
            Format::Json | Format::Junit => reporter(*format, detail, BufWriter::new(file)),
        });
    }
    Ok(Reporters(all))
}

fn reporter<'a>(format: Format, detail: Detail, out: impl Write + 'a) -> Box<dyn Reporter + 'a> {
    match format {
        Format::Pretty => Box::new(Pretty::new(out, detail)),
        Format::Json => Box::new(Json::new(out)),
        Format::Junit => Box::new(Junit::new(out)),
    }
}

fn create(path: &Path) -> Result<File, UsageError> {
    File::create(path)
        .map_err(|error| UsageError::new(format!("--report: {}: {error}", path.display())))
}
