//! Files that content comes from: `{from: fixtures/logo.png}`, and image archives.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags, open};
use rustix::io::Errno;

use crate::sys::open_scoped;

/// Longest file that content may come from, in bytes.
const SIZE_MAX: u64 = 16 << 20;

/// All content of one scenario file together, each use counted, in bytes.
const TOTAL_MAX: usize = 64 << 20;

/// The files below a scenario's own folder. Nothing outside it can be read, by `..` or by symlink.
#[derive(Debug)]
pub(crate) struct Fixtures {
    folder: PathBuf,
    read: BTreeMap<String, Vec<u8>>,
    used: usize,
}

impl Fixtures {
    /// The files beside a scenario file.
    pub(crate) fn beside(file: &Path) -> Self {
        let folder = match file.parent() {
            Some(parent) if parent != Path::new("") => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        Self {
            folder,
            read: BTreeMap::new(),
            used: 0,
        }
    }

    /// The bytes of a file, by its path below the folder; or what is wrong, as a fragment.
    pub(crate) fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        let bytes = if let Some(bytes) = self.read.get(path) {
            bytes.clone()
        } else {
            let bytes = read_below(&self.folder, path)?;
            self.read.insert(path.to_owned(), bytes.clone());
            bytes
        };
        self.used = self.used.saturating_add(bytes.len());
        if self.used > TOTAL_MAX {
            return Err("the files of one scenario are longer than 64 MiB together".to_owned());
        }
        Ok(bytes)
    }
}

impl Fixtures {
    /// The folder, wherever the process goes, if it has an archive at this path below it: a file or a
    /// folder. What is in it is for an engine to find out.
    pub(crate) fn archive(&self, path: &str) -> Result<PathBuf, String> {
        let metadata = open_below(&self.folder, path)?
            .metadata()
            .map_err(|error| format!("it cannot be read: {error}"))?;
        if !metadata.is_file() && !metadata.is_dir() {
            return Err("it is neither a regular file nor a folder".to_owned());
        }
        std::path::absolute(&self.folder)
            .map_err(|error| format!("its folder cannot be found: {error}"))
    }
}

/// Opens a file or folder below another folder, whatever symlinks are on the way.
fn open_below(folder: &Path, path: &str) -> Result<File, String> {
    let directory = open(
        folder,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .map_err(|errno| format!("its folder cannot be opened: {errno}"))?;
    // Not waiting for the other end of a pipe, nor becoming a terminal's owner.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let file = open_scoped(directory, path, flags, resolve).map_err(|errno| match errno {
        Errno::XDEV => "it leads out of the scenario's folder".to_owned(),
        Errno::NOENT => "there is no such file beside the scenario".to_owned(),
        other => format!("it cannot be opened: {other}"),
    })?;
    Ok(File::from(file))
}

fn read_below(folder: &Path, path: &str) -> Result<Vec<u8>, String> {
    let mut file = open_below(folder, path)?;
    let metadata = file
        .metadata()
        .map_err(|error| format!("it cannot be read: {error}"))?;
    if !metadata.is_file() {
        return Err("it is no regular file".to_owned());
    }
    let mut bytes = Vec::new();
    file.by_ref()
        .take(SIZE_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("it cannot be read: {error}"))?;
    if bytes.len() as u64 > SIZE_MAX {
        return Err("it is longer than 16 MiB".to_owned());
    }
    Ok(bytes)
}
