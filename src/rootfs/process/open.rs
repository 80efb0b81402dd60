//! `open`.

use std::ffi::{OsStr, OsString};

use super::Process;
use super::subject::Changed;
use crate::rootfs::device::Device;
use crate::rootfs::mounts::{Location, Table};
use crate::rootfs::open_file::{Data, OpenFile, OpenFlag, OpenHow};
use crate::rootfs::permission::{self, Wish};
use crate::rootfs::pipe::PipeEnd;
use crate::rootfs::walk::{Found, Last, Parent};
use crate::union::{Errno, FileKind, Handle, OpenFlags, Result};

/// Attempts to create a file that others create and delete meanwhile.
const ATTEMPTS: usize = 16;

/// What `open` gave.
#[derive(Debug)]
pub struct Opened {
    /// The open file.
    pub file: OpenFile,
    /// Where it lies, if it was created or truncated.
    pub changed: Option<Changed>,
}

/// A file that is there by now.
struct Ready {
    found: Found,
    /// Of a file that was created: open already.
    created: Option<Handle>,
}

impl Process {
    /// `open`; the mode of a new file is before the umask.
    ///
    /// A named pipe is opened as with `O_NONBLOCK`; only memory devices can be opened.
    ///
    /// # Errors
    /// As the system call.
    pub fn open(&self, path: &OsStr, how: OpenHow, mode: u32) -> Result<Opened> {
        let how = how.checked()?;
        if how.has(OpenFlag::Tmpfile) {
            return self.open_nameless(path, how, mode);
        }
        if !how.has(OpenFlag::Create) {
            let found = self.find(path, !how.has(OpenFlag::Nofollow))?;
            return self.open_found(
                Ready {
                    found,
                    created: None,
                },
                how,
            );
        }
        let table = self.table();
        let ready = self.create_or_find(&table, path, how, mode)?;
        self.open_found(ready, how)
    }

    /// `O_TMPFILE`.
    fn open_nameless(&self, path: &OsStr, how: OpenHow, mode: u32) -> Result<Opened> {
        let dir = self.find(path, !how.has(OpenFlag::Nofollow))?.location;
        if dir.node.kind() != FileKind::Directory {
            return Err(Errno::NOTDIR);
        }
        dir.want_write()?;
        self.may_create(&dir)?;
        let mode = self.creation_mode(&dir, mode)?;
        let location = dir.beside(dir.union().create_nameless(&dir.node, mode, &self.caller)?);
        let data = regular(&location, how, false)?;
        let file = OpenFile::new(location, None, how, data, &self.rootfs.locks);
        Ok(Opened {
            file,
            changed: None,
        })
    }

    /// `O_CREAT`: the file at the path, or a new one.
    fn create_or_find(
        &self,
        table: &Table,
        path: &OsStr,
        how: OpenHow,
        mode: u32,
    ) -> Result<Ready> {
        let mut walk = self.walk(table);
        let mut parent = walk.parent(path)?;
        let exclusive = how.has(OpenFlag::Exclusive);
        let mut attempts = 0;
        loop {
            let (name, slash) = match parent.last {
                Last::Name(name, slash) => (name, slash),
                _ if exclusive => return Err(Errno::EXIST),
                _ => return Err(Errno::ISDIR),
            };
            if slash {
                return Err(Errno::ISDIR);
            }
            let dir = parent.dir;
            match walk.step(&dir, &name) {
                Ok(_) if exclusive => return Err(Errno::EXIST),
                Ok(link)
                    if link.node.kind() == FileKind::Symlink && !how.has(OpenFlag::Nofollow) =>
                {
                    parent = walk.follow(&dir, &link)?;
                    continue;
                }
                Ok(location) => return Ok(existing(dir, name, location)),
                Err(Errno::NOENT) => {}
                Err(errno) => return Err(errno),
            }
            match self.create_in(&dir, &name, mode) {
                Err(Errno::EXIST) if !exclusive && attempts < ATTEMPTS => attempts += 1,
                created => {
                    let handle = created?;
                    let location = dir.beside(handle.node().clone());
                    let found = Found {
                        location,
                        entry: Some((dir.node, name)),
                    };
                    return Ok(Ready {
                        found,
                        created: Some(handle),
                    });
                }
            }
            parent = Parent {
                dir,
                last: Last::Name(name, false),
            };
        }
    }

    fn create_in(&self, dir: &Location, name: &OsStr, mode: u32) -> Result<Handle> {
        dir.union().check_alive(&dir.node)?;
        dir.want_write()?;
        self.may_create(dir)?;
        let mode = self.creation_mode(dir, mode & 0o7777)?;
        dir.union().create_open(&dir.node, name, mode, &self.caller)
    }

    /// `do_open`: everything that is asked of a file that is there.
    fn open_found(&self, ready: Ready, how: OpenHow) -> Result<Opened> {
        let Ready { found, created } = ready;
        let kind = found.location.node.kind();
        if how.has(OpenFlag::Create) && kind == FileKind::Directory {
            return Err(Errno::ISDIR);
        }
        if how.has(OpenFlag::Directory) && kind != FileKind::Directory {
            return Err(Errno::NOTDIR);
        }
        if how.has(OpenFlag::Path) {
            let Found { location, entry } = found;
            let file = OpenFile::new(location, entry, how, Data::Place, &self.rootfs.locks);
            return Ok(Opened {
                file,
                changed: None,
            });
        }
        let is_new = created.is_some();
        let truncate = how.has(OpenFlag::Truncate) && kind == FileKind::Regular && !is_new;
        if truncate {
            found.location.want_write()?;
        }
        let data = match created {
            Some(handle) => Data::Regular(handle),
            None => self.open_data(&found.location, how, truncate)?,
        };
        let changed = if is_new || truncate {
            found.changed()
        } else {
            None
        };
        let Found { location, entry } = found;
        let file = OpenFile::new(location, entry, how, data, &self.rootfs.locks);
        Ok(Opened { file, changed })
    }

    /// `may_open`, then what the file system opens.
    fn open_data(&self, location: &Location, how: OpenHow, truncate: bool) -> Result<Data> {
        let kind = location.node.kind();
        let writes = how.has(OpenFlag::Write);
        let wish = match (how.reads(), writes || how.has(OpenFlag::Truncate)) {
            (true, true) => Wish::READ | Wish::WRITE,
            (false, true) => Wish::WRITE,
            _ => Wish::READ,
        };
        match kind {
            FileKind::Symlink => return Err(Errno::LOOP),
            FileKind::Directory if wish != Wish::READ => return Err(Errno::ISDIR),
            _ => {}
        }
        let (union, node) = (location.union(), &location.node);
        let attributes = union.attributes(node)?;
        permission::check_known(union, node, &attributes, &self.caller, wish)?;
        match kind {
            FileKind::Regular => {
                if writes {
                    location.want_write()?;
                }
                regular(location, how, truncate)
            }
            FileKind::Directory => Ok(Data::Directory),
            FileKind::Character | FileKind::Block if location.mount.restricted => {
                Err(Errno::ACCESS)
            }
            FileKind::Fifo => {
                let ends = (how.reads(), how.has(OpenFlag::Write));
                PipeEnd::open(&self.rootfs.locks, &location.node, ends).map(Data::Fifo)
            }
            FileKind::Character | FileKind::Block => Device::open(&attributes).map(Data::Device),
            // A socket is connected to.
            _ => Err(Errno::NXIO),
        }
    }
}

fn existing(dir: Location, name: OsString, location: Location) -> Ready {
    let here = std::sync::Arc::ptr_eq(&dir.mount, &location.mount);
    let entry = here.then_some((dir.node, name));
    Ready {
        found: Found { location, entry },
        created: None,
    }
}

fn regular(location: &Location, how: OpenHow, truncate: bool) -> Result<Data> {
    let flags = OpenFlags {
        read: how.reads(),
        write: how.has(OpenFlag::Write),
        truncate,
    };
    location
        .union()
        .open_file(&location.node, flags)
        .map(Data::Regular)
}
