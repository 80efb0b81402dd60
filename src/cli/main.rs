//! From the process's arguments to its exit code.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use super::args::{AdapterCommand, Args, Command, ImageCommand};
use super::compare_settings::CompareSettings;
use super::error::CommandError;
use super::exit::Exit;
use super::output::Output;
use super::settings::{BlessSettings, RunSettings, Selection, scratch};
use super::{adapter, bless, check, clean, compare, coverage, engines, fuzz, image, list, run};
use crate::environment::Environment;
use crate::report;

/// Does what the command line says.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version are "errors" with code 0 that go to standard output.
            let written = error.print().and_then(|()| std::io::stdout().flush());
            let code = u8::try_from(error.exit_code()).unwrap_or(2);
            return if written.is_ok() {
                code.into()
            } else {
                Exit::ClosedPipe.into()
            };
        }
    };
    let mut output = Output::new(args.color);
    let done = dispatch(args.command, &Environment::read(), &mut output).and_then(|exit| {
        output
            .out
            .flush()
            .map(|()| exit)
            .map_err(CommandError::from)
    });
    match done {
        Ok(exit) => exit.into(),
        Err(error) => {
            let exit = error.exit();
            if exit != Exit::ClosedPipe {
                // Nobody is left to tell when standard error is closed too.
                drop(output.err.write_all(message(&error).as_bytes()));
            }
            exit.into()
        }
    }
}

fn dispatch(
    command: Command,
    environment: &Environment,
    output: &mut Output,
) -> Result<Exit, CommandError> {
    match command {
        Command::Run(args) => run::run(&RunSettings::new(args, environment)?, output),
        Command::Compare(args) => {
            compare::compare(&CompareSettings::new(args, environment)?, output)
        }
        Command::List(args) => list::list(&Selection::new(args.selection), args.format, output),
        Command::Check(args) => check::check(&args, output),
        Command::Bless(args) => bless::bless(&BlessSettings::new(args, environment)?, output),
        Command::Fuzz(args) => fuzz::fuzz(args, environment, output),
        Command::Engines(args) => {
            let scratch = scratch(args.scratch, environment)?;
            engines::engines(scratch.as_deref(), args.format, output)
        }
        Command::Coverage(args) => coverage::coverage(&args, output),
        Command::Clean(args) => {
            let scratch = scratch(args.scratch.clone(), environment)?;
            clean::clean(&args, scratch.as_deref(), output)
        }
        Command::Adapter(AdapterCommand::Check(args)) => {
            let scratch = scratch(args.scratch.clone(), environment)?;
            adapter::check(&args, scratch.as_deref(), output)
        }
        Command::Adapter(AdapterCommand::Schema) => adapter::schema(output),
        Command::Adapter(AdapterCommand::Serve(args)) => {
            let scratch = scratch(args.scratch.clone(), environment)?;
            adapter::serve(&args, scratch.as_deref())
        }
        Command::Image(ImageCommand::Export(args)) => {
            let scratch = scratch(args.scratch.clone(), environment)?;
            image::export(&args, scratch.as_deref(), output)
        }
    }
}

/// What is told about a command that did not do its work.
fn message(error: &CommandError) -> String {
    match error {
        CommandError::Faults(faults) => report::faults(faults),
        other => format!(
            "{} {other}\n",
            report::style::paint(report::style::BAD, "error:")
        ),
    }
}
