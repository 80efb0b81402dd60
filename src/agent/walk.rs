//! Everything in a tree, as the superuser sees it. Changes nothing.

use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Dir, OFlags, Stat};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use super::wire::Found;
use super::{Result, attributes, link_to, parent_of};
use crate::engine::{Bytes, SeenKind, escape};

/// Bytes that are read at once.
const CHUNK: usize = 64 << 10;

/// The tree at `top`, sorted by the bytes of the path, less what lies at and below the paths in `without`.
/// Paths are told from the top.
///
/// # Errors
/// What looking at it gives; what goes away meanwhile is left out.
pub(super) fn walk(top: &str, without: &[String], content: bool) -> Result<Vec<Found>> {
    let top = Path::new(top);
    let mut files: Vec<(Vec<u8>, Found)> = Vec::new();
    let mut todo = vec![PathBuf::from("/")];
    while let Some(inner) = todo.pop() {
        let shown = inner.as_os_str().as_bytes();
        if without.iter().any(|path| path.as_bytes() == shown) {
            continue;
        }
        // The slash at the end of the top follows a symlink.
        let path = top.join(inner.strip_prefix("/").unwrap_or(&inner));
        let found = match look(&path, shown, content) {
            Err(Errno::NOTDIR) if shown == b"/" => look(top, shown, content)?,
            Err(Errno::NOENT) => continue,
            found => found?,
        };
        if found.kind == SeenKind::Directory {
            let names = match names(&path) {
                Err(Errno::NOENT) => continue,
                names => names?,
            };
            todo.extend(names.iter().map(|name| inner.join(OsStr::from_bytes(name))));
        }
        files.push((inner.into_os_string().into_vec(), found));
    }
    files.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(files.into_iter().map(|(_, found)| found).collect())
}

/// What a path of the tree at `top` is, if it is there and no symlink leads to it.
pub(super) fn one(top: &str, path: &str) -> Option<Found> {
    let inner = Path::new(path).strip_prefix("/").ok()?;
    let (directory, name) = parent_of(Path::new(top), inner)?;
    look(
        &Path::new(&link_to(&directory)).join(name),
        path.as_bytes(),
        true,
    )
    .ok()
}

fn names(path: &Path) -> Result<Vec<Vec<u8>>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = rustix::fs::open(path, flags, rustix::fs::Mode::empty())?;
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let name = entry?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.push(name);
        }
    }
    Ok(names)
}

fn look(path: &Path, shown: &[u8], content: bool) -> Result<Found> {
    let stat: Stat = rustix::fs::lstat(path)?;
    let mut kind = attributes::kind(&stat, || {
        Ok(rustix::fs::readlink(path, Vec::new())?.into_bytes())
    })?;
    if let (SeenKind::File { size, .. }, true) = (&kind, content) {
        kind = read(path, *size)?;
    }
    let xattrs = attributes::xattrs(
        |buffer| rustix::fs::llistxattr(path, buffer),
        |name, buffer| rustix::fs::lgetxattr(path, name, buffer),
    )?;
    Ok(Found {
        path: escape(shown),
        kind,
        mode: attributes::permissions(&stat),
        uid: stat.st_uid,
        gid: stat.st_gid,
        xattrs,
        inode: (stat.st_dev, stat.st_ino),
    })
}

/// Short content as it is, long content as its digest.
fn read(path: &Path, size: u64) -> Result<SeenKind> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, rustix::fs::Mode::empty())?;
    let keep = size <= SeenKind::CONTENT_MAX;
    let mut buffer = vec![0; CHUNK];
    let (mut digest, mut kept, mut length) = (Sha256::new(), Vec::new(), 0);
    loop {
        let count = rustix::io::read(&file, &mut *buffer)?;
        if count == 0 {
            break;
        }
        let bytes = buffer.get(..count).unwrap_or_default();
        if keep {
            kept.extend_from_slice(bytes);
        } else {
            digest.update(bytes);
        }
        length += count as u64;
    }
    let sha256 = || {
        use std::fmt::Write as _;
        let mut text = String::new();
        for byte in digest.finalize() {
            // Writing to a string cannot fail.
            let _: std::fmt::Result = write!(text, "{byte:02x}");
        }
        text
    };
    Ok(SeenKind::File {
        size: length,
        sha256: (!keep).then(sha256),
        content: keep.then_some(Bytes(kept)),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn one_path_is_looked_at_without_following_links() {
        let directory = tempfile::tempdir().unwrap();
        let at = |path: &str| directory.path().join(path);
        fs::create_dir_all(at("layer/etc")).unwrap();
        fs::create_dir_all(at("elsewhere/below")).unwrap();
        fs::write(at("layer/etc/hosts"), "of the image").unwrap();
        fs::write(at("elsewhere/hosts"), "of somebody else").unwrap();
        symlink("../../elsewhere/hosts", at("layer/etc/mtab")).unwrap();
        symlink("../elsewhere", at("layer/dev")).unwrap();
        let layer = at("layer");
        let look = |path: &str| one(layer.to_str().unwrap(), path);
        let hosts = look("/etc/hosts").unwrap();
        assert_eq!(hosts.path, "/etc/hosts");
        let content = Some(Bytes(b"of the image".to_vec()));
        assert!(matches!(hosts.kind, SeenKind::File { content: there, .. } if there == content));
        for link in ["/etc/mtab", "/dev"] {
            let kind = look(link).unwrap().kind;
            assert!(matches!(kind, SeenKind::Symlink { .. }), "{link}: {kind:?}");
        }
        for none in [
            "/dev/hosts",
            "/dev/below",
            "/etc/hosts/x",
            "/missing",
            "/missing/x",
        ] {
            assert!(look(none).is_none(), "{none}");
        }
        assert!(look("/../elsewhere/hosts").is_none());
    }
}
