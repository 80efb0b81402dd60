//! `layerspec adapter check`

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use serde_json::json;

use super::super::args::{AdapterCheckArgs, ListFormat};
use super::super::error::CommandError;
use super::super::execute::make_scratch;
use super::super::exit::Exit;
use super::super::output::Output;
use super::probes;
use crate::engine::process::{Hello, Point, ProcessProvider, Trial, try_adapter};
use crate::engine::{Absent, OpenOptions, Provider as _};
use crate::report::style::{BAD, FAINT, GOOD, NAME, paint, printable};

/// Speaks with an adapter, tries the capabilities that it claims, and tells what it lacks.
///
/// # Errors
/// An adapter that cannot be started or used here; output that cannot be written.
pub(in crate::cli) fn check(
    args: &AdapterCheckArgs,
    scratch: Option<&Path>,
    output: &mut Output,
) -> Result<Exit, CommandError> {
    let (_interrupt, scratch) = make_scratch(scratch)?;
    let name = format!("process:{}", args.command);
    let absent = |absent: Absent| CommandError::Absent {
        name: name.clone(),
        absent,
    };
    let trial = try_adapter(&args.command, scratch.path()).map_err(absent)?;
    tell(&trial, args.format, output)?;
    let mut points = trial.points;
    // What an adapter claims is tried when it can be spoken with.
    let well_spoken = points.iter().all(|point| point.finding.is_none());
    if well_spoken {
        let provider = ProcessProvider::new(&name, &args.command).map_err(|why| {
            absent(Absent {
                reason: why.to_string(),
                remedy: "quote the command for a POSIX shell".to_owned(),
            })
        })?;
        let options = OpenOptions {
            scratch: scratch.path().to_owned(),
            keep: false,
        };
        let description = provider.probe(&options).map_err(absent)?;
        for point in probes::points(&provider, &description, &options) {
            tell_point(&point, args.format, output)?;
            points.push(point);
        }
    }
    let wrong = points
        .iter()
        .filter(|point| point.finding.is_some())
        .count();
    if args.format == ListFormat::Pretty {
        let total = points.len();
        let line = match wrong {
            0 => format!("nothing is missing: {total} checks"),
            1 => format!("1 of {total} checks found something"),
            _ => format!("{wrong} of {total} checks found something"),
        };
        writeln!(output.out, "\n{line}")?;
        if !well_spoken {
            writeln!(
                output.out,
                "what it claims to show was not tried: mend this first"
            )?;
        }
    }
    Ok(if wrong == 0 {
        Exit::Passed
    } else {
        Exit::Failed
    })
}

fn tell(trial: &Trial, format: ListFormat, output: &mut Output) -> std::io::Result<()> {
    if let Some(hello) = &trial.hello {
        match format {
            ListFormat::Pretty => write!(output.out, "{}", introduction(hello))?,
            ListFormat::Json => writeln!(output.out, "{}", json!({"hello": hello}))?,
        }
    }
    for point in &trial.points {
        tell_point(point, format, output)?;
    }
    Ok(())
}

/// What the adapter says of itself, for people.
fn introduction(hello: &Hello) -> String {
    let mut text = format!(
        "{} {}",
        paint(NAME, &printable(&hello.name)),
        printable(&hello.version)
    );
    for part in [&hello.driver, &hello.file_system, &hello.kernel] {
        if !part.is_empty() {
            text.push_str(", ");
            text.push_str(&printable(part));
        }
    }
    let capabilities: Vec<_> = hello.capabilities.iter().map(|c| c.name()).collect();
    let shows = match capabilities.as_slice() {
        [] => "no capability".to_owned(),
        names => names.join(", "),
    };
    // Writing to a string cannot fail.
    let _ = writeln!(text, "\n{}  {shows}", paint(FAINT, "shows"));
    for (label, link) in [("more", &hello.homepage), ("issues", &hello.issues)] {
        if let Some(link) = link {
            let _ = writeln!(text, "{}  {}", paint(FAINT, label), printable(link));
        }
    }
    text.push('\n');
    text
}

fn tell_point(point: &Point, format: ListFormat, output: &mut Output) -> std::io::Result<()> {
    match (format, &point.finding) {
        (ListFormat::Json, _) => {
            let line = serde_json::to_string(point)?;
            writeln!(output.out, "{line}")
        }
        (ListFormat::Pretty, None) => {
            writeln!(output.out, "{}       {}", paint(GOOD, "ok"), point.about)
        }
        (ListFormat::Pretty, Some(finding)) => {
            let lines: Vec<String> = finding.lines().map(printable).collect();
            let finding = lines.join("\n         ");
            let mark = paint(BAD, "missing");
            writeln!(output.out, "{mark}  {}\n         {finding}", point.about)
        }
    }
}
