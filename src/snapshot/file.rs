//! insta's file format: a YAML header between two lines of three dashes, then the text and a
//! newline.

use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::scenario::{Scenario, read_regular};

/// The text of a snapshot, exactly as it is there; `None` when there is no such file.
///
/// # Errors
/// When it cannot be read, or insta could not read it.
pub(super) fn read(path: &Path) -> Result<Option<String>, String> {
    let cannot = |why: &dyn std::fmt::Display| format!("cannot read {}: {why}", path.display());
    let whole = match read_regular(path, u64::MAX) {
        Ok(bytes) => String::from_utf8(bytes).map_err(|error| cannot(&error))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(cannot(&error)),
    };
    if let Some(text) = body(&whole) {
        return Ok(Some(text.strip_suffix('\n').unwrap_or(text).to_owned()));
    }
    // A form that we do not write, but insta may.
    let snapshot = insta::Snapshot::from_file(path).map_err(|error| cannot(&error))?;
    let text = snapshot
        .as_text()
        .ok_or_else(|| cannot(&"it is a binary snapshot"))?;
    Ok(Some(text.to_string()))
}

fn body(whole: &str) -> Option<&str> {
    let after = whole.strip_prefix("---\n")?;
    let (_, text) = after.split_once("\n---\n")?;
    Some(text)
}

/// Writes a snapshot: whole or not at all.
pub(super) fn write(path: &Path, scenario: &Scenario, text: &str) -> Result<(), String> {
    let source = source(path, scenario);
    let header = format!(
        "---\nsource: {0}\ndescription: {1}\ninput_file: {0}\n---\n",
        scalar(&source),
        scalar(&scenario.title)
    );
    publish(path, &format!("{header}{text}\n"))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}

/// Removes a file that may not be there.
pub(super) fn remove(path: &Path) -> Result<(), String> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(format!("cannot remove {}: {error}", path.display()))
        }
        _ => Ok(()),
    }
}

fn publish(path: &Path, whole: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)?;
    file.write_all(whole.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

/// The scenario file as insta shows it, relative to the folder that holds scenarios and snapshots,
/// so that no snapshot names a place on somebody's machine.
fn source(snapshot: &Path, scenario: &Scenario) -> String {
    let file = &scenario.file.path;
    let relative = if file.is_relative() {
        Some(file.as_path())
    } else {
        snapshot.ancestors().skip(1).find_map(|above| {
            above.parent()?;
            file.strip_prefix(above).ok()
        })
    };
    relative.map_or_else(
        || format!("{}.yaml", scenario.stem),
        |path| path.display().to_string(),
    )
}

/// A YAML scalar, quoted as in JSON when it has to be.
fn scalar(text: &str) -> String {
    // Several words or a path cannot be taken for a number, a boolean or null.
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._- ".contains(c);
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic());
    if starts && text.contains([' ', '/']) && text.chars().all(plain) && !text.ends_with(' ') {
        return text.to_owned();
    }
    serde_json::Value::String(text.to_owned()).to_string()
}
