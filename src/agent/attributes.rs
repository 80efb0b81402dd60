//! What the kernel tells of a file, in the contract's words.

use std::collections::BTreeMap;

use rustix::fs::{FileType, Stat};
use rustix::io::Errno;

use super::Result;
use crate::engine::{Bytes, DeviceKind, SeenKind, escape};

/// Longest list of names, and longest value, of extended attributes (xattr(7)).
const XATTR_MAX: usize = 64 << 10;

/// Labels that the host's security modules put on files: no behaviour of the engine.
const SECURITY_LABELS: &[&str] = &[
    "security.selinux",
    "security.ima",
    "security.evm",
    "security.apparmor",
];

/// The union's own, which the kernel shows where it is not the union that is looked at.
const OVERLAY: &[&str] = &["trusted.overlay.", "user.overlay."];

/// Type of a file; a regular one without its content.
pub(super) fn kind(stat: &Stat, target: impl FnOnce() -> Result<Vec<u8>>) -> Result<SeenKind> {
    let device = |kind| SeenKind::Device {
        kind,
        major: rustix::fs::major(stat.st_rdev),
        minor: rustix::fs::minor(stat.st_rdev),
    };
    Ok(match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => SeenKind::Directory,
        FileType::Symlink => SeenKind::Symlink(escape(&target()?)),
        FileType::Fifo => SeenKind::Fifo,
        FileType::Socket => SeenKind::Socket,
        FileType::CharacterDevice => device(DeviceKind::Char),
        FileType::BlockDevice => device(DeviceKind::Block),
        FileType::RegularFile | FileType::Unknown => SeenKind::File {
            size: u64::try_from(stat.st_size).unwrap_or(0),
            content: None,
            sha256: None,
        },
    })
}

/// Permission bits of a mode.
pub(super) fn permissions(stat: &Stat) -> u32 {
    stat.st_mode & 0o7777
}

/// Extended attributes that this thread can read, by `list` and `get`.
pub(super) fn xattrs(
    list: impl FnOnce(&mut [u8]) -> Result<usize>,
    get: impl Fn(&str, &mut [u8]) -> Result<usize>,
) -> Result<BTreeMap<String, Bytes>> {
    let mut xattrs = BTreeMap::new();
    let names = match names(list) {
        Err(Errno::OPNOTSUPP | Errno::BADF) => Vec::new(),
        names => names?,
    };
    for name in names {
        let hidden = SECURITY_LABELS.contains(&name.as_str())
            || name.starts_with("security.SMACK64")
            || OVERLAY.iter().any(|prefix| name.starts_with(prefix));
        if hidden {
            continue;
        }
        match value(|buffer| get(&name, buffer)) {
            Err(Errno::ACCESS | Errno::PERM | Errno::NODATA) => {}
            value => drop(xattrs.insert(name, Bytes(value?))),
        }
    }
    Ok(xattrs)
}

/// The names that a call of the `listxattr` family gives, sorted.
pub(super) fn names(list: impl FnOnce(&mut [u8]) -> Result<usize>) -> Result<Vec<String>> {
    let mut names: Vec<String> = value(list)?
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(text)
        .collect();
    names.sort();
    Ok(names)
}

/// What a call that fills a buffer gives.
pub(super) fn value(get: impl FnOnce(&mut [u8]) -> Result<usize>) -> Result<Vec<u8>> {
    let mut buffer = vec![0; XATTR_MAX];
    let length = get(&mut buffer)?;
    buffer.truncate(length);
    Ok(buffer)
}

/// A name or a link's text as it is, escaped only when it is no text.
pub(super) fn text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| escape(bytes), str::to_owned)
}
