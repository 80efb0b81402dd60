//! Why a file of an image is in one merged tree and not in another.

use super::parse::{Row, Section};

/// What hides the file of `row` in `other`, a merged tree that does not have it; `None` when the row
/// is of no image's file. Layers are never written, so a mount lies above it or a deletion is stored:
/// a whiteout, or an opaque directory (overlayfs.rst, Whiteouts and opaque directories).
pub(super) fn hidden_by(row: &Row<'_>, other: &Section<'_>) -> Option<String> {
    if !other.title.starts_with("merged tree of ") || !from(row).starts_with("image ") {
        return None;
    }
    let above = |candidate: &&Row<'_>| {
        candidate.key.ends_with('/') && row.key.starts_with(&candidate.key) && is_mount(candidate)
    };
    Some(match other.rows.iter().rfind(above) {
        Some(mount) => format!("{} on {}", from(mount), mount.key),
        None => "whiteout".to_owned(),
    })
}

fn from<'t>(row: &Row<'t>) -> &'t str {
    row.fields
        .last()
        .map(|(_, value)| *value)
        .unwrap_or_default()
}

fn is_mount(row: &Row<'_>) -> bool {
    let from = from(row);
    !from.starts_with("image ") && !from.starts_with("writable layer")
}
