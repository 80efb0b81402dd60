//! A text against the approved one, and what is written when they differ.

use std::path::{Path, PathBuf};

use crate::scenario::Scenario;

use super::file;
use super::name::{pending_path, snapshot_path};

/// What a run may write below the snapshot folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UpdateMode {
    /// Nothing: for CI.
    Check,
    /// A text that is new or has changed goes to `.snap.new`, for review; the case fails.
    #[default]
    Pending,
    /// A text that has no approved one yet is approved; one that has changed goes to `.snap.new`.
    Unseen,
    /// Every text is approved as it is.
    Bless,
}

/// What came of comparing a text with the approved one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Approval {
    /// They are equal, to the byte.
    Same,
    /// The text is the approved variant of an engine that `differs:` names.
    Variant {
        /// The approved text of all other engines, if there is one.
        common: Option<String>,
    },
    /// The text is approved now, in this file.
    Written(PathBuf),
    /// There is no approved text.
    Missing {
        /// Where it would be.
        path: PathBuf,
        /// Where the text waits for review.
        pending: Option<PathBuf>,
    },
    /// They differ.
    Differs {
        /// Where the approved one is.
        path: PathBuf,
        /// The approved one.
        approved: String,
        /// Where the text waits for review.
        pending: Option<PathBuf>,
    },
    /// The text is the common one, although the scenario says that this engine differs.
    Tidy {
        /// The variant to delete, or the scenario file to change.
        path: PathBuf,
        /// What to do, as a sentence fragment.
        message: String,
    },
    /// A file cannot be read or written, and why.
    Unusable(String),
}

/// Compares the text of a case's outcome on an engine with the approved one, to the byte, and
/// writes what the mode says.
///
/// An engine that `differs:` does not name has to give the common text. One that it names has to
/// give another, which is approved as its variant.
pub fn approve(
    root: &Path,
    scenario: &Scenario,
    engine: &str,
    text: &str,
    mode: UpdateMode,
) -> Approval {
    let common = snapshot_path(root, scenario, None);
    let result = if scenario.differs.contains_key(engine) {
        let variant = snapshot_path(root, scenario, Some(engine));
        excused(scenario, engine, (&common, &variant), text, mode)
    } else {
        against(scenario, &common, text, mode)
    };
    result.unwrap_or_else(Approval::Unusable)
}

fn excused(
    scenario: &Scenario,
    engine: &str,
    (common, variant): (&Path, &Path),
    text: &str,
    mode: UpdateMode,
) -> Result<Approval, String> {
    let common = file::read(common)?;
    if common.as_deref() != Some(text) {
        return Ok(match against(scenario, variant, text, mode)? {
            Approval::Same => Approval::Variant { common },
            other => other,
        });
    }
    let has_variant = file::read(variant)?.is_some();
    if mode != UpdateMode::Check {
        file::remove(&pending_path(variant))?;
    }
    if has_variant && mode == UpdateMode::Bless {
        file::remove(variant)?;
    } else if has_variant {
        let message = format!("{engine} does not differ here any more: delete its variant");
        return Ok(Approval::Tidy {
            path: variant.to_path_buf(),
            message,
        });
    }
    // Another case of the file may need the excuse; whether any does, `leftovers` finds out.
    if !scenario.case.is_empty() {
        return Ok(Approval::Same);
    }
    let message = format!("{engine} does not differ: remove it from `differs:`");
    Ok(Approval::Tidy {
        path: scenario.file.path.clone(),
        message,
    })
}

fn against(
    scenario: &Scenario,
    path: &Path,
    text: &str,
    mode: UpdateMode,
) -> Result<Approval, String> {
    let waiting = pending_path(path);
    let approved = file::read(path)?;
    if approved.as_deref() == Some(text) {
        if mode != UpdateMode::Check {
            file::remove(&waiting)?;
        }
        return Ok(Approval::Same);
    }
    let pending = match (mode, &approved) {
        (UpdateMode::Bless, _) | (UpdateMode::Unseen, None) => {
            file::write(path, scenario, text)?;
            file::remove(&waiting)?;
            return Ok(Approval::Written(path.to_path_buf()));
        }
        (UpdateMode::Pending | UpdateMode::Unseen, _) => {
            file::write(&waiting, scenario, text)?;
            Some(waiting)
        }
        (UpdateMode::Check, _) => None,
    };
    let path = path.to_path_buf();
    Ok(match approved {
        Some(approved) => Approval::Differs {
            path,
            approved,
            pending,
        },
        None => Approval::Missing { path, pending },
    })
}
