//! Files in the making, in the work directory.
//!
//! Their names are `#` and a hexadecimal number, as the kernel's, and always new: they are made
//! exclusively, so what an earlier crash left behind is never taken for one's own (union row 210).

use std::ffi::{OsStr, OsString};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::{Mode, OFlags, RawDir, openat};

use super::filesystem::Union;
use super::real::Real;
use super::{Directory, Errno, Result};

/// A file in the work directory, removed on drop unless it was moved away.
#[derive(Debug)]
pub(super) struct Temporary {
    real: Real,
    kept: bool,
}

impl Temporary {
    pub(super) fn real(&self) -> &Real {
        &self.real
    }

    /// Gives it its place, under a name that is free.
    pub(super) fn publish(mut self, to: &Real) -> Result<()> {
        self.real
            .rename_to(to, rustix::fs::RenameFlags::NOREPLACE)?;
        self.kept = true;
        Ok(())
    }

    /// Gives it its place, instead of what is there, which must not be a directory.
    pub(super) fn replace(mut self, to: &Real) -> Result<()> {
        self.real.rename_to(to, rustix::fs::RenameFlags::empty())?;
        self.kept = true;
        Ok(())
    }

    /// Changes places with another file, which is then removed on drop with all that is in it.
    pub(super) fn exchange(&self, with: &Real) -> Result<()> {
        self.real.rename_to(with, rustix::fs::RenameFlags::EXCHANGE)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed stays in the work directory, where it does no harm.
            let _result = remove(&self.real);
        }
    }
}

impl Union {
    /// Makes a file under a new name of the work directory.
    pub(super) fn temporary(
        &self,
        make: impl FnMut(&Directory, &OsStr) -> Result<()>,
    ) -> Result<Temporary> {
        temporary_in(self.work.as_ref().ok_or(Errno::ROFS)?, make)
    }

    /// Makes a file under a new name of the work directory, or, in a union that has none, of this one.
    pub(super) fn temporary_near(
        &self,
        directory: &Directory,
        make: impl FnMut(&Directory, &OsStr) -> Result<()>,
    ) -> Result<Temporary> {
        temporary_in(self.work.as_ref().unwrap_or(directory), make)
    }

    /// Moves a file into the work directory and removes it there, with all that is in it.
    pub(super) fn discard(&self, real: &Real) -> Result<()> {
        let moved = self.temporary(|work, name| {
            let to = Real::named(Arc::clone(work), name);
            real.rename_to(&to, rustix::fs::RenameFlags::NOREPLACE)
        })?;
        drop(moved);
        Ok(())
    }
}

fn temporary_in(
    directory: &Directory,
    mut make: impl FnMut(&Directory, &OsStr) -> Result<()>,
) -> Result<Temporary> {
    loop {
        let name = fresh_name();
        match make(directory, &name) {
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
            Ok(()) => {
                let real = Real::named(Arc::clone(directory), &name);
                return Ok(Temporary { real, kept: false });
            }
        }
    }
}

fn fresh_name() -> OsString {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut number = NEXT.fetch_add(1, Ordering::Relaxed);
    if number == 0 {
        // Starts somewhere else in every process, so that work directories can be shared.
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let start = (since.as_secs() << 30) ^ u64::from(since.subsec_nanos());
        number = start ^ (u64::from(std::process::id()) << 40) | 1;
        NEXT.store(number.wrapping_add(1), Ordering::Relaxed);
    }
    format!("#{number:x}").into()
}

/// Removes a file, a directory with what is in it. Directories in the work directory hold nothing but
/// whiteouts, except after a crash.
pub(super) fn remove(real: &Real) -> Result<()> {
    match real.unlink() {
        Err(Errno::ISDIR) => {}
        other => return other,
    }
    match real.remove_directory() {
        Err(Errno::NOTEMPTY) => {}
        other => return other,
    }
    for name in names_in(real)? {
        remove(&Real::named(open_directory(real)?, &name))?;
    }
    real.remove_directory()
}

fn open_directory(real: &Real) -> Result<Directory> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    real.open(flags).map(Arc::new)
}

/// Names in a real directory.
pub(super) fn names_in(real: &Real) -> Result<Vec<OsString>> {
    let mut names = Vec::new();
    read_names(&real.directory, &real.name, |name, _| names.push(name))?;
    Ok(names)
}

/// Calls back for every name in a real directory, with its type and inode number.
pub(super) fn read_names(
    directory: &Directory,
    name: &OsStr,
    mut entry: impl FnMut(OsString, (rustix::fs::FileType, u64)),
) -> Result<()> {
    use std::os::unix::ffi::OsStringExt as _;
    let name = if name.is_empty() {
        OsStr::new(".")
    } else {
        name
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open = openat(directory, name, flags, Mode::empty())?;
    let mut buffer = Vec::with_capacity(32 * 1024);
    let mut entries = RawDir::new(&open, buffer.spare_capacity_mut());
    while let Some(found) = entries.next() {
        let found = found?;
        let bytes = found.file_name().to_bytes();
        if bytes != b"." && bytes != b".." {
            entry(
                OsString::from_vec(bytes.to_vec()),
                (found.file_type(), found.ino()),
            );
        }
    }
    Ok(())
}
