//! `layerspec image export`

use std::io::{BufWriter, Write as _};
use std::path::Path;

use super::args::{ArchiveFormat, ExportArgs};
use super::error::{CommandError, UsageError};
use super::execute::make_scratch;
use super::exit::Exit;
use super::output::Output;
use crate::engine::native::save;
use crate::engine::{DEFAULT_ENGINE, ImageSpec};
use crate::report::style::printable;
use crate::store::archive::Format;
use crate::suite::{Covers, Filter, Suite};

/// Bytes that are written at a time.
const BUFFER: usize = 256 << 10;

/// Writes one image of a scenario to an archive, which is there as a whole or not at all.
///
/// # Errors
/// Faults in the scenario, an image that it does not declare, a file that cannot be written.
pub(super) fn export(
    args: &ExportArgs,
    scratch: Option<&Path>,
    output: &mut Output,
) -> Result<Exit, CommandError> {
    let images = images(args)?;
    let (_interrupt, scratch) = make_scratch(scratch)?;
    let unwritable = |error: &dyn std::fmt::Display| {
        let path = args.output.display().to_string();
        UsageError::new(printable(&format!("{path}: cannot be written: {error}")))
    };
    let folder = match args.output.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let file = tempfile::NamedTempFile::new_in(folder).map_err(|error| unwritable(&error))?;
    let mut writer = BufWriter::with_capacity(BUFFER, file);
    let format = match args.format {
        ArchiveFormat::Docker => Format::Docker,
        ArchiveFormat::Oci => Format::Oci,
    };
    save(&images, &args.image, format, scratch.path(), &mut writer).map_err(|error| {
        let message = format!("image {} cannot be exported: {error}", args.image);
        UsageError::new(printable(&message))
    })?;
    let file = writer
        .into_inner()
        .map_err(|error| unwritable(&error.into_error()))?;
    // As any file that a program makes, not as a temporary one.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    file.as_file()
        .set_permissions(mode)
        .map_err(|error| unwritable(&error))?;
    file.persist(&args.output)
        .map_err(|error| unwritable(&error.error))?;
    let line = format!("new      {}", args.output.display());
    writeln!(output.out, "{}", printable(&line))?;
    Ok(Exit::Passed)
}

/// The images of the scenario, which must be the same in all the cases that are meant.
fn images(args: &ExportArgs) -> Result<Vec<ImageSpec>, CommandError> {
    let suite = Suite::load(std::slice::from_ref(&args.scenario), None, Covers::Any)?;
    let filter = Filter::new(&args.filter);
    let scenarios = suite.cases.into_iter().map(|case| case.scenario);
    let mut images = scenarios
        .filter(|scenario| filter.selects(&scenario.id(), DEFAULT_ENGINE))
        .map(|scenario| scenario.images.clone());
    let Some(first) = images.next() else {
        return Err(UsageError::new("there is no such case in the scenario").into());
    };
    if images.any(|other| other != first) {
        let fault = UsageError::new("the scenario's cases have different images");
        return Err(fault.help("--filter names one of them").into());
    }
    if first.iter().any(|image| image.name == args.image) {
        return Ok(first);
    }
    let names: Vec<&str> = first.iter().map(|image| image.name.as_str()).collect();
    let message = format!("the scenario has no image {}", args.image);
    let help = format!("its images are: {}", names.join(", "));
    Err(UsageError::new(printable(&message)).help(help).into())
}
