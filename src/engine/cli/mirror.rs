//! The host directory on this machine. Where the daemon is on another one, or does not see our files, it is
//! copied here for the time of a command, and what the command made or changed is copied back.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use tar::{Builder, Header, HeaderMode};
use tempfile::TempDir;

use crate::agent::leads_out;
use crate::store::archive::append_symlink;

use super::engine::{Cli, Fault, Result};
use super::names::clean;

/// The host directory on this machine.
pub(super) enum Mirror {
    /// It is here.
    Here(PathBuf),
    /// A copy, which goes away again; and what was in it, with the time of the last change.
    Copy(TempDir, Vec<(PathBuf, Stamp)>),
}

/// Inode, and time of the last change of anything about it.
type Stamp = (u64, i64, i64);

impl Mirror {
    /// A path of the host directory, as it was written after its start: a trailing `/.` means something
    /// to `cp`.
    ///
    /// # Errors
    /// When it leads out of the directory: the program would follow it on this machine.
    pub(super) fn path(&self, path: &str) -> Result<String> {
        if leads_out(self.top(), path) {
            let why = format!("{path} leads out of the host directory");
            return Err(Fault::Unsupported(why));
        }
        if clean(path) == "/" {
            // Our directory has a name, which the top of a host has not: only its content is meant.
            return Ok(format!("{}/.", self.top().display()));
        }
        let path = path
            .strip_prefix("./")
            .unwrap_or(path.trim_start_matches('/'));
        Ok(format!("{}/{path}", self.top().display()))
    }

    /// Its top on this machine.
    pub(super) fn top(&self) -> &Path {
        match self {
            Self::Here(top) => top,
            Self::Copy(directory, _) => directory.path(),
        }
    }
}

impl Cli {
    /// The host directory, or a copy of it as it is now.
    pub(super) fn mirror(&self) -> Result<Mirror> {
        if let Some(local) = &self.host.local {
            return Ok(Mirror::Here(local.clone()));
        }
        let directory = tempfile::tempdir().map_err(|error| broken(&error))?;
        let source = format!("{}:{}/.", self.ground.files_name(), self.host.world);
        let said = self.ground.fetch(&source, directory.path())?;
        self.judge(said)?;
        let before = stamps(directory.path()).map_err(|error| broken(&error))?;
        Ok(Mirror::Copy(directory, before))
    }

    /// Copies back what is new or changed in a copy.
    pub(super) fn give_back(&self, mirror: &Mirror) -> Result<()> {
        let Mirror::Copy(directory, before) = mirror else {
            return Ok(());
        };
        let top = directory.path();
        let now = stamps(top).map_err(|error| broken(&error))?;
        let changed: Vec<PathBuf> = now
            .into_iter()
            .filter(|entry| !before.contains(entry))
            .map(|(path, _)| path)
            .collect();
        if changed.is_empty() {
            return Ok(());
        }
        let target = format!("{}:{}/", self.ground.files_name(), self.host.world);
        let said = self.ground.put(&target, |to| write(top, &changed, to))?;
        self.judge(said).map(drop)
    }
}

fn broken(error: &io::Error) -> Fault {
    Fault::Broken(format!("the copy of the host directory: {error}"))
}

/// Everything below a directory, parents first.
fn stamps(top: &Path) -> io::Result<Vec<(PathBuf, Stamp)>> {
    let mut all = Vec::new();
    let mut todo = vec![PathBuf::new()];
    while let Some(inner) = todo.pop() {
        for entry in fs::read_dir(top.join(&inner))? {
            let entry = entry?;
            let meta = entry.metadata()?;
            let inner = inner.join(entry.file_name());
            if meta.is_dir() {
                todo.push(inner.clone());
            }
            all.push((inner, (meta.ino(), meta.ctime(), meta.ctime_nsec())));
        }
    }
    all.sort();
    Ok(all)
}

fn write(top: &Path, paths: &[PathBuf], to: impl Write) -> io::Result<()> {
    let mut archive = Builder::new(to);
    archive.follow_symlinks(false);
    archive.mode(HeaderMode::Complete);
    for inner in paths {
        let path = top.join(inner);
        let meta = fs::symlink_metadata(&path)?;
        if meta.is_dir() {
            archive.append_dir(inner, &path)?;
        } else if meta.is_file() {
            archive.append_file(inner, &mut File::open(&path)?)?;
        } else if meta.is_symlink() {
            let mut header = Header::new_gnu();
            header.set_metadata_in_mode(&meta, HeaderMode::Complete);
            header.set_size(0);
            let text = fs::read_link(&path)?;
            append_symlink(
                &mut archive,
                &mut header,
                inner,
                text.as_os_str().as_bytes(),
            )?;
        } else {
            archive.append_path_with_name(&path, inner)?;
        }
    }
    archive.into_inner()?.flush()
}

#[cfg(test)]
mod tests {
    use tar::Archive;

    use super::*;

    #[test]
    fn what_is_new_or_changed_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path();
        fs::create_dir(top.join("d")).unwrap();
        fs::write(top.join("d/old"), "x").unwrap();
        fs::write(top.join("same"), "x").unwrap();
        let before = stamps(top).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(top.join("d/old"), "y").unwrap();
        fs::write(top.join("d/new"), "x").unwrap();
        std::os::unix::fs::symlink("../d//old/.", top.join("link")).unwrap();
        let now = stamps(top).unwrap();
        let changed: Vec<PathBuf> = now
            .into_iter()
            .filter(|entry| !before.contains(entry))
            .map(|(path, _)| path)
            .collect();
        let expected: Vec<PathBuf> = ["d", "d/new", "d/old", "link"].map(PathBuf::from).to_vec();
        assert_eq!(changed, expected);
        let mut archive = Vec::new();
        write(top, &changed, &mut archive).unwrap();
        let mut archive = Archive::new(archive.as_slice());
        let entries: Vec<_> = archive
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap())
            .collect();
        let links = entries.iter().filter_map(tar::Entry::link_name_bytes);
        assert_eq!(links.collect::<Vec<_>>(), [&b"../d//old/."[..]]);
        assert_eq!(entries.len(), 4);
    }
}
