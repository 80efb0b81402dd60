//! `layerspec clean`

use std::io::Write as _;
use std::path::Path;

use super::args::CleanArgs;
use super::error::{CommandError, UsageError};
use super::exit::Exit;
use super::output::Output;
use crate::engine::{Absent, cli};
use crate::registry;
use crate::report::style::{FAINT, NAME, paint, printable};
use crate::scratch::sweep;

/// Removes what runs left in daemons and on the disk whose process was killed.
///
/// # Errors
/// An engine that is named and has no daemon or cannot be asked; a scratch directory that cannot be read; output that
/// cannot be written.
pub(super) fn clean(
    args: &CleanArgs,
    scratch: Option<&Path>,
    output: &mut Output,
) -> Result<Exit, CommandError> {
    let named = !args.engine.is_empty();
    let mut programs: Vec<(&str, &str)> = Vec::new();
    for name in &args.engine {
        let program = registry::program(name).ok_or_else(|| {
            UsageError::new(format!("nothing outlives a run of the engine `{name}`"))
                .help("docker, nerdctl, podman, or cli:PROGRAM")
        })?;
        programs.push((name.as_str(), program));
    }
    if !named {
        for pair in registry::programs() {
            programs.push(pair);
        }
    }
    for (name, program) in programs {
        match cli::sweep(program, args.all) {
            Ok(swept) => {
                let left = match swept.left {
                    0 => String::new(),
                    left => format!("; left alone: {}", count(left, "run")),
                };
                writeln!(
                    output.out,
                    "{}  removed {} of {}{left}",
                    paint(NAME, name),
                    count(swept.objects, "object"),
                    count(swept.runs, "run"),
                )?;
            }
            Err(reason) if named => {
                let absent = Absent {
                    reason,
                    remedy: "start its daemon, or say where it is".to_owned(),
                };
                return Err(CommandError::Absent {
                    name: name.to_owned(),
                    absent,
                });
            }
            Err(reason) => {
                writeln!(
                    output.out,
                    "{}  {}",
                    paint(NAME, name),
                    paint(FAINT, &reason)
                )?;
            }
        }
    }
    // Containers that were left may have had directories in there.
    if named {
        return Ok(Exit::Passed);
    }
    directories(scratch, output)
}

fn directories(base: Option<&Path>, output: &mut Output) -> Result<Exit, CommandError> {
    let swept = sweep(base)?;
    let left = match swept.left {
        0 => String::new(),
        left => format!("; left alone: {left} in use"),
    };
    writeln!(
        output.out,
        "{}  removed {} in {}{left}",
        paint(NAME, "scratch"),
        match swept.removed {
            1 => "1 directory".to_owned(),
            number => format!("{number} directories"),
        },
        printable(&swept.base.to_string_lossy()),
    )?;
    for (path, reason) in &swept.stuck {
        let path = printable(&path.to_string_lossy());
        writeln!(output.err, "error: cannot remove {path}: {reason}")?;
    }
    Ok(if swept.stuck.is_empty() {
        Exit::Passed
    } else {
        Exit::Failed
    })
}

fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}
