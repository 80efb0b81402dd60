//! `layerspec adapter …`
//!
//! | file | what it does |
//! |---|---|
//! | `check` | holds an adapter to the protocol, and to the capabilities that it claims |
//! | `probes` | a small scenario for each capability |

mod check;
mod probes;

use std::io::Write as _;
use std::path::Path;

use super::args::AdapterServeArgs;
use super::error::{CommandError, UsageError};
use super::execute::make_scratch;
use super::exit::Exit;
use super::output::Output;
use crate::engine::process;
use crate::registry;

pub(super) use check::check;

/// Writes the JSON Schema of the protocol.
///
/// # Errors
/// Output that cannot be written.
pub(super) fn schema(output: &mut Output) -> Result<Exit, CommandError> {
    let schema = process::schema();
    writeln!(output.out, "{schema:#}")?;
    Ok(Exit::Passed)
}

/// Serves an engine on standard input and output.
///
/// # Errors
/// A name that is no engine's, a broken conversation.
pub(super) fn serve(args: &AdapterServeArgs, scratch: Option<&Path>) -> Result<Exit, CommandError> {
    let provider =
        registry::provider(&args.engine).map_err(|unknown| UsageError::new(unknown.to_string()))?;
    let (_interrupt, scratch) = make_scratch(scratch)?;
    process::serve(
        &*provider,
        scratch.path(),
        std::io::stdin().lock(),
        std::io::stdout(),
    )?;
    Ok(Exit::Passed)
}
