//! One file of the real disk, named relative to an open directory: the system calls that act on names.
//!
//! Nothing here follows a symbolic link or takes more than one path component, so nothing can leave the
//! directory. Extended attributes have no `*at` call before Linux 6.13; they go through
//! `/proc/self/fd/N/NAME`, which is one component below an open directory just as well.

use std::ffi::{CString, OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{
    self, AtFlags, FileType, Gid, Mode, OFlags, Stat, StatxAttributes, StatxFlags, Timespec,
    Timestamps, Uid, XattrFlags,
};

use super::{Directory, Errno, FileKind, Result, SetTime, Timestamp};

/// What `stat` says about a file of the real disk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub(super) dev: u64,
    pub(super) ino: u64,
    pub(super) kind: FileKind,
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) size: u64,
    pub(super) blocks: u64,
    pub(super) links: u64,
    pub(super) device: (u32, u32),
    pub(super) atime: Timestamp,
    pub(super) mtime: Timestamp,
    pub(super) ctime: Timestamp,
}

impl Facts {
    /// Whether this is a whiteout in the form of a device node (overlayfs.rst, "whiteouts and opaque
    /// directories").
    pub(super) fn is_whiteout(&self) -> bool {
        self.kind == FileKind::Character && self.device == (0, 0)
    }

    /// Identity on this machine.
    pub(super) fn identity(&self) -> (u64, u64) {
        (self.dev, self.ino)
    }
}

/// Field types of `struct stat` differ between architectures; being generic keeps the conversions from
/// being useless on any of them.
fn wide<T: TryInto<u64>>(value: T) -> u64 {
    value.try_into().unwrap_or(0)
}

fn narrow<T: TryInto<u32>>(value: T) -> u32 {
    value.try_into().unwrap_or(0)
}

fn signed<T: TryInto<i64>>(value: T) -> i64 {
    value.try_into().unwrap_or(0)
}

impl From<Stat> for Facts {
    fn from(stat: Stat) -> Self {
        let time = |seconds: i64, nanos: u32| Timestamp { seconds, nanos };
        Self {
            dev: wide(stat.st_dev),
            ino: wide(stat.st_ino),
            kind: kind_of_type(FileType::from_raw_mode(stat.st_mode)),
            mode: stat.st_mode & 0o7777,
            uid: stat.st_uid,
            gid: stat.st_gid,
            size: wide(stat.st_size),
            blocks: wide(stat.st_blocks),
            links: wide(stat.st_nlink),
            device: (fs::major(stat.st_rdev), fs::minor(stat.st_rdev)),
            atime: time(signed(stat.st_atime), narrow(stat.st_atime_nsec)),
            mtime: time(signed(stat.st_mtime), narrow(stat.st_mtime_nsec)),
            ctime: time(signed(stat.st_ctime), narrow(stat.st_ctime_nsec)),
        }
    }
}

/// The kind that a type of `rustix` stands for. An unknown type cannot come from `stat`; it counts as a
/// regular file.
pub(super) fn kind_of_type(file_type: FileType) -> FileKind {
    match file_type {
        FileType::Directory => FileKind::Directory,
        FileType::Symlink => FileKind::Symlink,
        FileType::Fifo => FileKind::Fifo,
        FileType::Socket => FileKind::Socket,
        FileType::CharacterDevice => FileKind::Character,
        FileType::BlockDevice => FileKind::Block,
        FileType::RegularFile | FileType::Unknown => FileKind::Regular,
    }
}

/// The other way.
pub(super) fn type_of_kind(kind: FileKind) -> FileType {
    match kind {
        FileKind::Directory => FileType::Directory,
        FileKind::Symlink => FileType::Symlink,
        FileKind::Fifo => FileType::Fifo,
        FileKind::Socket => FileType::Socket,
        FileKind::Character => FileType::CharacterDevice,
        FileKind::Block => FileType::BlockDevice,
        FileKind::Regular => FileType::RegularFile,
    }
}

/// A name in an open directory, or, with an empty name, what the descriptor itself stands for.
#[derive(Clone, Debug)]
pub(super) struct Real {
    pub(super) directory: Directory,
    pub(super) name: OsString,
    /// The descriptor is open for more than its path, so that calls can take it as it is.
    is_open: bool,
}

impl Real {
    pub(super) fn named(directory: Directory, name: &OsStr) -> Self {
        Self {
            directory,
            name: name.to_owned(),
            is_open: false,
        }
    }

    pub(super) fn itself(descriptor: Directory) -> Self {
        Self {
            directory: descriptor,
            name: OsString::new(),
            is_open: false,
        }
    }

    /// An open file.
    pub(super) fn opened(descriptor: Directory) -> Self {
        Self {
            is_open: true,
            ..Self::itself(descriptor)
        }
    }

    fn at_flags(&self) -> AtFlags {
        if self.name.is_empty() {
            AtFlags::SYMLINK_NOFOLLOW | AtFlags::EMPTY_PATH
        } else {
            AtFlags::SYMLINK_NOFOLLOW
        }
    }

    pub(super) fn stat(&self) -> Result<Facts> {
        Ok(fs::statat(&self.directory, &self.name, self.at_flags())?.into())
    }

    /// Like [`Real::stat`], with `None` for a name that is not there.
    pub(super) fn look(&self) -> Result<Option<Facts>> {
        match self.stat() {
            Ok(facts) => Ok(Some(facts)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    /// Refuses files that must not be changed or removed (`chattr +i`, `+a`): the real file system would
    /// refuse it, but a change to a lower file never reaches it (union row 99).
    pub(super) fn refuse_immutable(&self) -> Result<()> {
        let attributes = fs::statx(
            &self.directory,
            &self.name,
            self.at_flags(),
            StatxFlags::TYPE,
        )?
        .stx_attributes;
        if attributes.intersects(StatxAttributes::IMMUTABLE | StatxAttributes::APPEND) {
            return Err(Errno::PERM);
        }
        Ok(())
    }

    /// A path that names the descriptor, or the name below it, for calls that have no `*at` form.
    fn proc_path(&self) -> Vec<u8> {
        let mut path = proc_path_of(&self.directory);
        if !self.name.is_empty() {
            path.push(b'/');
            path.extend_from_slice(self.name.as_bytes());
        }
        path
    }

    /// Opens the file. A nameless one is reached through `/proc`, which works for unlinked files too.
    pub(super) fn open(&self, flags: OFlags) -> Result<OwnedFd> {
        let flags = flags | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
        if self.name.is_empty() {
            if flags.contains(OFlags::DIRECTORY) {
                return fs::openat(&self.directory, ".", flags, Mode::empty());
            }
            return fs::open(self.proc_path(), flags, Mode::empty());
        }
        fs::openat(
            &self.directory,
            &self.name,
            flags | OFlags::NOFOLLOW,
            Mode::empty(),
        )
    }

    /// A descriptor that holds the file without opening it.
    pub(super) fn hold(&self) -> Result<Directory> {
        if self.name.is_empty() {
            return Ok(Arc::clone(&self.directory));
        }
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Arc::new(fs::openat(
            &self.directory,
            &self.name,
            flags,
            Mode::empty(),
        )?))
    }

    pub(super) fn read_link(&self) -> Result<OsString> {
        let target: CString = fs::readlinkat(&self.directory, &self.name, Vec::new())?;
        Ok(OsString::from_vec(target.into_bytes()))
    }

    pub(super) fn set_owner(&self, uid: Option<u32>, gid: Option<u32>) -> Result<()> {
        fs::chownat(
            &self.directory,
            &self.name,
            uid.map(Uid::from_raw),
            gid.map(Gid::from_raw),
            self.at_flags(),
        )
    }

    /// Sets the permission bits. `fchmodat` would follow a link, so the file is held first.
    pub(super) fn set_mode(&self, mode: u32) -> Result<()> {
        if self.is_open {
            return fs::fchmod(&self.directory, Mode::from_raw_mode(mode));
        }
        let held = self.hold()?;
        fs::chmod(proc_path_of(&held), Mode::from_raw_mode(mode))
    }

    pub(super) fn set_times(&self, atime: Option<SetTime>, mtime: Option<SetTime>) -> Result<()> {
        let times = Timestamps {
            last_access: timespec(atime),
            last_modification: timespec(mtime),
        };
        fs::utimensat(&self.directory, &self.name, &times, self.at_flags())
    }

    /// Value of an extended attribute; `None` when there is none or the file cannot have any.
    pub(super) fn xattr(&self, name: &OsStr) -> Result<Option<Vec<u8>>> {
        match self.get_xattr(name) {
            Ok(value) => Ok(Some(value)),
            Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    /// `getxattr` with the errno as it is.
    pub(super) fn get_xattr(&self, name: &OsStr) -> Result<Vec<u8>> {
        if self.name.is_empty() {
            let read = |buffer: &mut [u8]| fs::fgetxattr(&self.directory, name, buffer);
            match growing(256, read) {
                // Open for its path alone.
                Err(Errno::BADF) if !self.is_open => {}
                other => return other,
            }
        }
        let path = self.proc_path();
        growing(256, |buffer| {
            if self.name.is_empty() {
                fs::getxattr(&*path, name, buffer)
            } else {
                fs::lgetxattr(&*path, name, buffer)
            }
        })
    }

    /// Names of all extended attributes; empty where the file system has none.
    pub(super) fn xattr_names(&self) -> Result<Vec<OsString>> {
        let path = if self.is_open {
            Vec::new()
        } else {
            self.proc_path()
        };
        let list = growing(512, |buffer: &mut [u8]| {
            if self.is_open {
                fs::flistxattr(&self.directory, buffer)
            } else if self.name.is_empty() {
                fs::listxattr(&*path, buffer)
            } else {
                fs::llistxattr(&*path, buffer)
            }
        });
        match list {
            Ok(list) => Ok(split_names(&list)),
            Err(Errno::OPNOTSUPP) => Ok(Vec::new()),
            Err(errno) => Err(errno),
        }
    }

    pub(super) fn set_xattr(&self, name: &OsStr, value: &[u8], flags: XattrFlags) -> Result<()> {
        if self.is_open {
            return fs::fsetxattr(&self.directory, name, value, flags);
        }
        let path = self.proc_path();
        if self.name.is_empty() {
            fs::setxattr(&*path, name, value, flags)
        } else {
            fs::lsetxattr(&*path, name, value, flags)
        }
    }

    pub(super) fn remove_xattr(&self, name: &OsStr) -> Result<()> {
        let path = self.proc_path();
        if self.name.is_empty() {
            fs::removexattr(&*path, name)
        } else {
            fs::lremovexattr(&*path, name)
        }
    }

    /// Gives the file another name. A nameless file (`O_TMPFILE`) gets its first one.
    pub(super) fn link_to(&self, directory: &Directory, name: &OsStr) -> Result<()> {
        if self.name.is_empty() {
            let path = proc_path_of(&self.directory);
            return fs::linkat(fs::CWD, path, directory, name, AtFlags::SYMLINK_FOLLOW);
        }
        fs::linkat(
            &self.directory,
            &self.name,
            directory,
            name,
            AtFlags::empty(),
        )
    }

    pub(super) fn unlink(&self) -> Result<()> {
        fs::unlinkat(&self.directory, &self.name, AtFlags::empty())
    }

    pub(super) fn remove_directory(&self) -> Result<()> {
        fs::unlinkat(&self.directory, &self.name, AtFlags::REMOVEDIR)
    }

    /// `renameat2` with the real file system's flags.
    pub(super) fn rename_to(&self, to: &Self, flags: fs::RenameFlags) -> Result<()> {
        if flags.is_empty() {
            return fs::renameat(&self.directory, &self.name, &to.directory, &to.name);
        }
        fs::renameat_with(&self.directory, &self.name, &to.directory, &to.name, flags)
    }
}

/// `/proc/self/fd/N`
pub(super) fn proc_path_of(descriptor: &OwnedFd) -> Vec<u8> {
    use std::os::fd::AsRawFd as _;
    format!("/proc/self/fd/{}", descriptor.as_raw_fd()).into_bytes()
}

/// Path of an open file below an open directory, as the kernel knows it now; `None` when it is not there any more.
pub(super) fn path_below(top: &OwnedFd, file: &OwnedFd) -> Option<PathBuf> {
    let path = |descriptor| {
        let path = fs::readlink(proc_path_of(descriptor), Vec::new()).ok()?;
        Some(PathBuf::from(OsString::from_vec(path.into_bytes())))
    };
    let (top, path) = (path(top)?, path(file)?);
    // What is gone has a path with something behind it, which may be another file's.
    let there = fs::statat(fs::CWD, &path, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    let own = fs::fstat(file).ok()?;
    let is_it = (there.st_dev, there.st_ino) == (own.st_dev, own.st_ino);
    path.strip_prefix(top)
        .ok()
        .filter(|_| is_it)
        .map(Path::to_owned)
}

fn timespec(time: Option<SetTime>) -> Timespec {
    match time {
        None => Timespec {
            tv_sec: 0,
            tv_nsec: fs::UTIME_OMIT,
        },
        Some(SetTime::Now) => Timespec {
            tv_sec: 0,
            tv_nsec: fs::UTIME_NOW,
        },
        Some(SetTime::At(at)) => Timespec {
            tv_sec: at.seconds,
            tv_nsec: at.nanos.into(),
        },
    }
}

/// Reads into a buffer that is enlarged once, to the most that the kernel gives (64 KiB).
fn growing(first: usize, read: impl Fn(&mut [u8]) -> Result<usize>) -> Result<Vec<u8>> {
    let mut buffer = vec![0; first];
    let length = match read(&mut buffer) {
        Err(Errno::RANGE) => {
            buffer.resize(65_536, 0);
            read(&mut buffer)?
        }
        other => other?,
    };
    buffer.truncate(length);
    Ok(buffer)
}

fn split_names(list: &[u8]) -> Vec<OsString> {
    list.split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| OsStr::from_bytes(name).to_owned())
        .collect()
}
