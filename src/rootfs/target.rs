//! Making mount points, as runc does before it mounts (`createIfNotExists`, `securejoin`).

use std::collections::VecDeque;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::credentials::host_root;
use super::process::{Process, Subject};
use super::{OpenFlag, OpenHow, Rootfs};
use crate::union::{Errno, Result};

/// Most symlinks in a mount target (filepath-securejoin's limit).
const LINKS_MAX: usize = 255;

/// What a mount point is to be when it is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// A directory, mode 0755, owner 0:0.
    Directory,
    /// An empty file, mode 0755, owner 0:0 (Docker row 126).
    File,
}

impl Rootfs {
    /// Makes a mount point that is missing, and its parents, through whatever is mounted so far: a target
    /// below a writable bind mount is made on the host (Docker row 137). What exists stays, whatever
    /// it is.
    ///
    /// # Errors
    /// `EROFS` below a read-only mount (Docker row 136), `ENOTDIR` below a file.
    pub fn make_target(self: &Arc<Self>, path: &Path, kind: TargetKind) -> Result<()> {
        let process = Process::new(Arc::clone(self), host_root(), Path::new("/"))?;
        let path = secure_join(&process, path)?;
        let subject = Subject::Path {
            path: path.as_os_str(),
            follow: true,
        };
        match process.stat(&subject) {
            Err(Errno::NOENT) => {}
            found => return found.map(drop),
        }
        if kind == TargetKind::Directory {
            return process.make_directories(path.as_os_str(), 0o755).map(drop);
        }
        if let Some(parent) = path.parent() {
            drop(process.make_directories(parent.as_os_str(), 0o755)?);
        }
        let how = OpenHow::new(&[OpenFlag::Create, OpenFlag::Read]);
        process.open(path.as_os_str(), how, 0o755).map(drop)
    }
}

/// Resolves symlinks and `..` inside the root, through components that do not exist too.
fn secure_join(process: &Process, path: &Path) -> Result<PathBuf> {
    let mut rest: VecDeque<OsString> = components(path).collect();
    let mut resolved = PathBuf::from("/");
    let mut links = 0;
    while let Some(name) = rest.pop_front() {
        if name == ".." {
            resolved.pop();
            continue;
        }
        let candidate = resolved.join(&name);
        match process.read_link(candidate.as_os_str()) {
            Ok(text) => {
                links += 1;
                if links > LINKS_MAX {
                    return Err(Errno::LOOP);
                }
                if text.as_bytes().starts_with(b"/") {
                    resolved = PathBuf::from("/");
                }
                for name in components(Path::new(&text)).rev() {
                    rest.push_front(name);
                }
            }
            Err(Errno::INVAL | Errno::NOENT) => resolved = candidate,
            Err(errno) => return Err(errno),
        }
    }
    Ok(resolved)
}

/// Names and `..`; the root and `.` are left out.
fn components(path: &Path) -> impl DoubleEndedIterator<Item = OsString> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        _ => None,
    })
}
