//! Requests that give something and change nothing.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, CWD, Dir, FileType, OFlags, SeekFrom, Stat};
use rustix::io::Errno;

use super::super::{Result, attributes};
use super::batch::{Batch, Resolved, open};
use crate::engine::{Bytes, FileAction, StatAnswer, Target, Time, Value};

/// Most bytes that one read gives; more is `ENOMEM`.
const READ_MAX: usize = 256 << 20;

/// Bytes of one `read`.
const CHUNK: usize = 64 << 10;

impl Batch<'_> {
    pub(super) fn look(&self, action: &FileAction) -> Result<Value> {
        match action {
            FileAction::Read {
                target,
                offset,
                length,
            } => {
                let file = self.open(target, OFlags::RDONLY)?;
                let offset = match (offset, target) {
                    (None, Target::Path(_)) => None,
                    (offset, _) => *offset,
                };
                read(&*file, offset, *length).map(|bytes| Value::Bytes(Bytes(bytes)))
            }
            FileAction::Readlink { path } => {
                let text = rustix::fs::readlink(path.as_str(), Vec::new())?;
                Ok(Value::Text(attributes::text(text.to_bytes())))
            }
            FileAction::GetXattr { target, name } => {
                let resolved = self.resolve(target)?;
                let value = attributes::value(|buffer| match &resolved {
                    Resolved::Path(path) => rustix::fs::getxattr(*path, name.as_str(), buffer),
                    Resolved::File(file) => file.get_xattr(name, buffer),
                })?;
                Ok(Value::Bytes(Bytes(value)))
            }
            FileAction::ListXattr { target } => {
                let resolved = self.resolve(target)?;
                attributes::names(|buffer| match &resolved {
                    Resolved::Path(path) => rustix::fs::listxattr(*path, buffer),
                    Resolved::File(file) => file.list_xattr(buffer),
                })
                .map(Value::Names)
            }
            FileAction::List { target } => {
                let file = self.open(target, OFlags::RDONLY | OFlags::DIRECTORY)?;
                list(&*file).map(Value::Names)
            }
            FileAction::Stat { target, follow } => Self::stat(&self.resolve(target)?, *follow),
            FileAction::SeekData { target, offset } => {
                self.seek(target, SeekFrom::Data(*offset), *offset)
            }
            FileAction::SeekHole { target, offset } => {
                self.seek(target, SeekFrom::Hole(*offset), *offset)
            }
            _ => Err(Errno::NOSYS),
        }
    }

    fn seek(&self, target: &Target, to: SeekFrom, offset: u64) -> Result<Value> {
        if i64::try_from(offset).is_err() {
            return Err(Errno::NXIO);
        }
        let file = self.open(target, OFlags::RDONLY)?;
        rustix::fs::seek(&*file, to).map(Value::Number)
    }

    fn stat(subject: &Resolved<'_>, follow: bool) -> Result<Value> {
        let (stat, link) = match subject {
            Resolved::Path(path) => {
                let flags = if follow {
                    AtFlags::empty()
                } else {
                    AtFlags::SYMLINK_NOFOLLOW
                };
                (rustix::fs::statat(CWD, *path, flags)?, Some(*path))
            }
            Resolved::File(file) => (file.stat()?, None),
        };
        let kind = attributes::kind(&stat, || match link {
            Some(path) => Ok(rustix::fs::readlink(path, Vec::new())?.into_bytes()),
            None => Ok(Vec::new()),
        })?;
        let xattrs = attributes::xattrs(
            |buffer| match subject {
                Resolved::Path(path) if follow => rustix::fs::listxattr(*path, buffer),
                Resolved::Path(path) => rustix::fs::llistxattr(*path, buffer),
                Resolved::File(file) => file.list_xattr(buffer),
            },
            |name, buffer| match subject {
                Resolved::Path(path) if follow => rustix::fs::getxattr(*path, name, buffer),
                Resolved::Path(path) => rustix::fs::lgetxattr(*path, name, buffer),
                Resolved::File(file) => file.get_xattr(name, buffer),
            },
        )?;
        Ok(Value::Stat(StatAnswer {
            kind,
            mode: attributes::permissions(&stat),
            uid: stat.st_uid,
            gid: stat.st_gid,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            blocks: u64::try_from(stat.st_blocks).unwrap_or(0),
            links: stat.st_nlink,
            ino: stat.st_ino,
            dev: stat.st_dev,
            atime: time(stat.st_atime, stat.st_atime_nsec),
            mtime: time(stat.st_mtime, stat.st_mtime_nsec),
            xattrs,
        }))
    }
}

fn time(seconds: i64, nanos: impl TryInto<u32>) -> Time {
    Time {
        seconds,
        nanos: nanos.try_into().unwrap_or(0),
    }
}

/// The names in a directory, sorted.
pub(super) fn list(directory: impl AsFd) -> Result<Vec<String>> {
    // One that stands for a path alone has no position, and is told apart before what it is.
    match rustix::fs::seek(&directory, SeekFrom::Current(0)) {
        Ok(_) | Err(Errno::SPIPE) => {}
        Err(errno) => return Err(errno),
    }
    let kind = FileType::from_raw_mode(rustix::fs::fstat(&directory)?.st_mode);
    if kind != FileType::Directory {
        // The position of another file stays where it is.
        return Err(Errno::NOTDIR);
    }
    // The descriptor itself: opening `.` through it would ask for permission to search, which reading does not need.
    // Its position is shared, and has to be at the beginning afterwards too: one that is far out makes `read` answer
    // EINVAL before it is told that this is a directory.
    rustix::fs::seek(&directory, SeekFrom::Start(0))?;
    let mut names = Vec::new();
    for entry in Dir::new(rustix::io::fcntl_dupfd_cloexec(&directory, 0)?)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(attributes::text(name));
        }
    }
    rustix::fs::seek(&directory, SeekFrom::Start(0))?;
    names.sort();
    Ok(names)
}

/// `read` or `pread` until there is nothing more. A device without an end gives nothing unless it is told
/// how much.
fn read(file: impl AsFd, offset: Option<u64>, length: Option<u64>) -> Result<Vec<u8>> {
    let stat: Stat = rustix::fs::fstat(&file)?;
    let endless = FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice;
    let wanted = match length {
        Some(length) => usize::try_from(length).unwrap_or(usize::MAX),
        None if endless => 0,
        None => usize::MAX,
    };
    let mut bytes = Vec::new();
    let mut buffer = vec![0; CHUNK];
    loop {
        let step = (wanted - bytes.len()).min(CHUNK);
        let part = buffer.get_mut(..step).unwrap_or_default();
        let read = match offset {
            Some(offset) => rustix::io::pread(&file, &mut *part, offset + bytes.len() as u64),
            None => rustix::io::read(&file, &mut *part),
        };
        let count = match read {
            // An empty pipe.
            Err(Errno::AGAIN) => 0,
            Err(Errno::INTR) => continue,
            count => count?,
        };
        bytes.extend_from_slice(part.get(..count).unwrap_or_default());
        if bytes.len() > READ_MAX {
            return Err(Errno::NOMEM);
        }
        if count == 0 || bytes.len() >= wanted {
            return Ok(bytes);
        }
    }
}

/// Opens a directory to read its names, without following a link.
pub(super) fn open_directory(path: &str) -> Result<OwnedFd> {
    open(
        path,
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW,
        0,
    )
}
