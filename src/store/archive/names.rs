//! Names of an archive as paths below its top.

use super::error::{ArchiveFault, Result};
use super::limits::{Limits, NAME_MAX, PATH_MAX};

/// The components of a name, taken as a path from the top: `.` and doubled slashes mean nothing, `..` goes
/// back and not above the top, a leading slash is the top. So does Docker (seen for `/x`, `../x`, `a/../../x`).
pub(super) fn clean(name: &[u8]) -> Vec<&[u8]> {
    let mut path: Vec<&[u8]> = Vec::new();
    for component in name.split(|byte| *byte == b'/') {
        match component {
            b"" | b"." => {}
            b".." => drop(path.pop()),
            name => path.push(name),
        }
    }
    path
}

/// Refuses paths that Linux does not take, and deeper ones than the limit.
pub(super) fn check(path: &[&[u8]], limits: &Limits) -> Result<()> {
    if path.iter().any(|name| name.len() > NAME_MAX) {
        return Err(ArchiveFault::limit("bytes of a name", NAME_MAX as u64));
    }
    let length: usize = path.iter().map(|name| name.len() + 1).sum();
    if length > PATH_MAX {
        return Err(ArchiveFault::limit("bytes of a path", PATH_MAX as u64));
    }
    if path.len().saturating_sub(1) > limits.depth {
        return Err(ArchiveFault::limit(
            "directories above a file",
            limits.depth as u64,
        ));
    }
    Ok(())
}

/// Prefix of whiteouts: OCI image-spec, layer.md "Whiteouts".
const WHITEOUT: &[u8] = b".wh.";

/// What the last component of a name means in a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning<'a> {
    /// A file.
    File,
    /// `.wh.NAME`: the name is deleted.
    Whiteout(&'a [u8]),
    /// `.wh..wh..opq`: everything below is deleted.
    Opaque,
    /// `.wh..wh.` and anything else: what AUFS kept for itself, in images of its time.
    Nothing,
}

/// Reads the prefix of whiteouts. It may stand at the last component only: nothing else may have such a
/// name (layer.md), and a file below one would hide what the whiteout is there to delete.
pub(super) fn meaning<'a>(path: &[&'a [u8]]) -> Result<Meaning<'a>> {
    let Some((last, parents)) = path.split_last() else {
        return Ok(Meaning::File);
    };
    for parent in parents {
        match parent.strip_prefix(WHITEOUT) {
            None => {}
            Some(rest) if rest.starts_with(WHITEOUT) => return Ok(Meaning::Nothing),
            Some(_) => return Err(ArchiveFault::refused("it lies below a whiteout")),
        }
    }
    Ok(match last.strip_prefix(WHITEOUT) {
        None => Meaning::File,
        Some(b".wh..opq") => Meaning::Opaque,
        Some(rest) if rest.starts_with(WHITEOUT) => Meaning::Nothing,
        Some(b"" | b"." | b"..") => {
            return Err(ArchiveFault::refused("it is a whiteout of no name"));
        }
        Some(name) => Meaning::Whiteout(name),
    })
}
