//! The records on disk: one file to which changes are appended, a line for each.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::change::Change;
use crate::union::Directory;

const NAME: &str = "records";

/// A shorter log in the making.
pub(super) const NEW: &str = "records.new";

/// Most bytes that are read back. A log that is longer is damaged.
const LENGTH_MAX: u64 = 1 << 30;

/// The open log.
#[derive(Debug)]
pub(super) struct Log {
    file: OwnedFd,
    /// Bytes of whole lines.
    length: u64,
    /// There may be part of a line behind them.
    torn: bool,
    durable: bool,
}

impl Log {
    /// Makes an empty one.
    pub(super) fn create(folder: &Directory, durable: bool) -> Result<Self, Errno> {
        let file = open(folder, NAME, OFlags::CREATE | OFlags::EXCL)?;
        keep_names(folder, durable)?;
        Ok(Self {
            file,
            length: 0,
            torn: false,
            durable,
        })
    }

    /// Opens the one that is there, or makes one, and reads it back. What a crash left of a line at its end
    /// was never published; the next line takes its place.
    ///
    /// # Errors
    /// Of the disk; `EUCLEAN` for a log that is damaged: what it no longer tells must not be taken for removed.
    pub(super) fn open(folder: &Directory, durable: bool) -> Result<(Self, Vec<Change>), Errno> {
        let file = open(folder, NAME, OFlags::CREATE)?;
        keep_names(folder, durable)?;
        let bytes = read(&file)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n');
        let length = whole.map_or(0, |last| last + 1);
        let mut changes = Vec::new();
        for line in bytes
            .split_at(length)
            .0
            .split_inclusive(|byte| *byte == b'\n')
        {
            changes.extend(Change::parse(line).ok_or(Errno::UCLEAN)?);
        }
        let log = Self {
            file,
            torn: length < bytes.len(),
            length: length as u64,
            durable,
        };
        Ok((log, changes))
    }

    /// Publishes some changes, all or none of them.
    pub(super) fn append(&mut self, changes: &[Change]) -> Result<(), Errno> {
        if self.torn {
            rustix::fs::ftruncate(&self.file, self.length)?;
            self.torn = false;
        }
        let line = Change::format(changes)?;
        self.torn = true;
        if let Err(errno) = self.write(&line) {
            // The next line takes its place; but the process may die before that.
            self.torn = rustix::fs::ftruncate(&self.file, self.length).is_err();
            return Err(errno);
        }
        self.length += line.len() as u64;
        self.torn = false;
        Ok(())
    }

    fn write(&self, line: &[u8]) -> Result<(), Errno> {
        let mut written = 0;
        while let Some(rest) = line.get(written..).filter(|rest| !rest.is_empty()) {
            let at = self.length + written as u64;
            written += match rustix::io::pwrite(&self.file, rest, at) {
                Ok(0) => return Err(Errno::IO),
                Err(Errno::INTR) => 0,
                other => other?,
            };
        }
        if self.durable {
            rustix::fs::fdatasync(&self.file)?;
        }
        Ok(())
    }

    /// Puts a log with nothing but these changes in its place.
    pub(super) fn replace(&mut self, folder: &Directory, changes: &[Change]) -> Result<(), Errno> {
        let mut new = Self {
            file: open(folder, NEW, OFlags::CREATE | OFlags::TRUNC)?,
            length: 0,
            torn: false,
            durable: self.durable,
        };
        for change in changes {
            new.append(std::slice::from_ref(change))?;
        }
        rustix::fs::renameat(folder, NEW, folder, NAME)?;
        keep_names(folder, self.durable)?;
        *self = new;
        Ok(())
    }
}

fn open(folder: &Directory, name: &str, how: OFlags) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC | how;
    rustix::fs::openat(folder, name, flags, Mode::RUSR | Mode::WUSR)
}

/// Sees to it that the names in a folder are on the medium, where that is wanted.
fn keep_names(folder: &Directory, durable: bool) -> Result<(), Errno> {
    if durable {
        rustix::fs::fsync(folder)?;
    }
    Ok(())
}

fn read(file: &OwnedFd) -> Result<Vec<u8>, Errno> {
    let size = u64::try_from(rustix::fs::fstat(file)?.st_size).unwrap_or(u64::MAX);
    if size > LENGTH_MAX {
        return Err(Errno::FBIG);
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::from(file.as_fd().try_clone_to_owned().map_err(errno)?);
    let mut reader = std::io::Read::take(file, LENGTH_MAX);
    std::io::Read::read_to_end(&mut reader, &mut bytes).map_err(errno)?;
    Ok(bytes)
}

#[expect(clippy::needless_pass_by_value, reason = "taken by map_err")]
fn errno(error: std::io::Error) -> Errno {
    error
        .raw_os_error()
        .map_or(Errno::IO, Errno::from_raw_os_error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    /// A line that was written, then told to have failed, and could not be cut off either.
    #[test]
    fn nothing_of_a_line_that_failed_stays_behind_the_next() {
        let scratch = tempfile::tempdir().unwrap();
        let folder: Directory = Arc::new(std::fs::File::open(scratch.path()).unwrap().into());
        let mut log = Log::create(&folder, false).unwrap();
        log.append(&[Change::Next(2)]).unwrap();
        log.write(&Change::format(&[Change::Next(1_000_000), Change::Image(7, None)]).unwrap())
            .unwrap();
        log.torn = true;
        log.append(&[Change::Next(3)]).unwrap();
        let (_, changes) = Log::open(&folder, false).unwrap();
        assert_eq!(changes, [Change::Next(2), Change::Next(3)]);
    }
}
