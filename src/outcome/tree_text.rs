//! An observed tree as rows of text.

use crate::engine::{MountSeen, Seen, SeenKind};

use super::acl;
use super::place::{beneath, provenance};
use super::quote::{content, measured, seen_path, word};
use super::table::Table;

/// Path, type, mode and owner, content, provenance.
pub(super) type TreeTable = Table<5>;

/// The rows of a tree. Implied directories are left out, as in the tree notation: mode 0755, owner
/// 0:0, no extended attributes, something below them, no mount point. Provenance is shown for a
/// container's tree (`mounts`), where it differs from row to row.
pub(super) fn tree_rows(tree: &[Seen], mounts: Option<&[MountSeen]>) -> TreeTable {
    let mut table = Table::new(&[36, 7, 16, 36]);
    for (index, seen) in tree.iter().enumerate() {
        let is_mount = mounts.is_some_and(|all| all.iter().any(|m| m.target == seen.path));
        if !is_mount && is_implied(seen, tree.get(index + 1)) {
            continue;
        }
        table.row([
            shown_path(seen),
            short_type(&seen.kind).to_owned(),
            format!("{:04o} {}:{}", seen.mode, seen.uid, seen.gid),
            what(seen),
            mounts
                .map(|mounts| provenance(seen, mounts))
                .unwrap_or_default(),
        ]);
        for (name, value) in &seen.xattrs {
            let value =
                acl::decode(name, value.as_slice()).unwrap_or_else(|| content(value.as_slice()));
            table.note(format!("{} = {value}", word(name)));
        }
    }
    if table.is_empty() {
        table.note("empty".to_owned());
    }
    table
}

/// `next` is the entry that follows in the order of the paths.
fn is_implied(seen: &Seen, next: Option<&Seen>) -> bool {
    let plain = seen.kind == SeenKind::Directory
        && (seen.mode, seen.uid, seen.gid) == (0o755, 0, 0)
        && seen.xattrs.is_empty();
    plain && next.is_some_and(|next| beneath(&next.path, &seen.path).is_some())
}

fn shown_path(seen: &Seen) -> String {
    match seen.kind {
        SeenKind::Directory if seen.path != "/" => seen_path(&format!("{}/", seen.path)),
        _ => seen_path(&seen.path),
    }
}

fn short_type(kind: &SeenKind) -> &'static str {
    match kind {
        SeenKind::Directory => "dir",
        other => super::value::type_name(other),
    }
}

fn what(seen: &Seen) -> String {
    if let Some(first) = &seen.same_file_as {
        return format!("= {}", seen_path(first));
    }
    match &seen.kind {
        SeenKind::File {
            content: Some(bytes),
            ..
        } => content(bytes.as_slice()),
        SeenKind::File { size, sha256, .. } => {
            measured(*size, sha256.as_deref().unwrap_or("unknown"))
        }
        SeenKind::Symlink(target) => format!("-> {}", seen_path(target)),
        SeenKind::Device { major, minor, .. } => format!("{major}:{minor}"),
        SeenKind::Directory | SeenKind::Fifo | SeenKind::Socket => String::new(),
    }
}
