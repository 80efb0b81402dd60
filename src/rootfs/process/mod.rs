//! A process: credentials, a working directory, and one method per system call.
//!
//! | file | system calls |
//! |---|---|
//! | `open` | `open` |
//! | `data` | `read`, `write`, `truncate`, `fallocate`, `lseek`, `getdents`, `fsync` |
//! | `make` | `mkdir`, `mknod`, `symlink`, `link` |
//! | `remove` | `unlink`, `rmdir`, and whole trees |
//! | `rename` | `renameat2` |
//! | `attributes` | `stat`, `access`, `chmod`, `chown`, `utimensat`, `readlink` |
//! | `xattr` | `setxattr` and its kin |

mod attributes;
mod data;
mod make;
mod open;
mod remove;
mod rename;
mod subject;
mod xattr;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use super::credentials::host_root;
use super::mounts::{Location, Rootfs, Table};
use super::walk::Walk;
use crate::union::{Caller, Errno, FileKind, Result};

pub use attributes::{Stat, Times};
pub use make::{NewNode, textual_parent};
pub use open::Opened;
pub use subject::{Changed, Subject};

/// A process on a [`Rootfs`]. Cheap to make; open files outlive it.
#[derive(Clone, Debug)]
pub struct Process {
    rootfs: Arc<Rootfs>,
    caller: Caller,
    working: Location,
}

impl Process {
    /// A process in a working directory, which is entered as the superuser: runc changes to it before it
    /// changes the user.
    ///
    /// # Errors
    /// `ENOENT` or `ENOTDIR` when the working directory is none.
    pub fn new(rootfs: Arc<Rootfs>, caller: Caller, working_directory: &Path) -> Result<Self> {
        let superuser = host_root();
        let table = rootfs.table();
        let found = Walk::new(&superuser, &table, table.root())
            .find(working_directory.as_os_str(), true)?;
        if found.location.node.kind() != FileKind::Directory {
            return Err(Errno::NOTDIR);
        }
        Ok(Self {
            rootfs,
            caller,
            working: found.location,
        })
    }

    fn table(&self) -> Arc<Table> {
        self.rootfs.table()
    }

    fn walk<'a>(&'a self, table: &'a Table) -> Walk<'a> {
        Walk::new(&self.caller, table, self.working.clone())
    }
}
