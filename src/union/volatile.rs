//! Unions whose upper layer is not meant to survive a crash.
//!
//! With `volatile` nothing is flushed, and a mark in the work directory says so. It stays when the union is
//! closed, as it does when the kernel's is unmounted: whoever has flushed the layer by other means may remove
//! it. Until then nothing opens the layer again, because nobody can tell what of it has reached the disk. The
//! mark is one of several that there could be: any of them means that the layer needs something that this
//! union does not know of.
//!
//! Source: overlayfs.rst "Volatile mount"; `ovl_make_workdir` and `ovl_workdir_cleanup_recurse` in
//! `fs/overlayfs`. Seen on Linux 6.18: any name in `work/incompat` of the work directory refuses the mount
//! with `EINVAL`, an empty `work/incompat` does not; the mark is the directory `volatile` with an empty
//! file `dirty`.

use std::sync::Arc;

use rustix::fs::{Mode, OFlags, mkdirat, openat};

use super::lower::directory_flags;
use super::real::Real;
use super::temporary::names_in;
use super::{Directory, Errno, Result};

/// The mark's place in the work directory, and an empty file in it.
const MARK: [&str; 3] = ["work", "incompat", "volatile"];
const DIRTY: &str = "dirty";

/// Refuses a work directory that says that its upper layer needs something unknown.
///
/// # Errors
/// `EINVAL`
pub(super) fn check(work: &Directory) -> Result<()> {
    let Some(inner) = below(work, "work")? else {
        return Ok(());
    };
    let Some(marks) = let_in(&inner, || below(&inner, "incompat"))? else {
        return Ok(());
    };
    let names = let_in(&marks, || names_in(&Real::itself(Arc::clone(&marks))))?;
    if names.is_empty() {
        Ok(())
    } else {
        Err(Errno::INVAL)
    }
}

/// The kernel makes these directories for nobody: their owner, unless it is root, has to let itself in first.
/// At the next mount the kernel makes them anew.
fn let_in<T>(directory: &Directory, look: impl Fn() -> Result<T>) -> Result<T> {
    match look() {
        Err(Errno::ACCESS) => {
            Real::itself(Arc::clone(directory)).set_mode(0o700)?;
            look()
        }
        other => other,
    }
}

/// Marks the work directory.
pub(super) fn mark(work: &Directory) -> Result<()> {
    let mut at = Arc::clone(work);
    for name in MARK {
        match mkdirat(&at, name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
        at = below(&at, name)?.ok_or(Errno::STALE)?;
    }
    let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(&at, DIRTY, flags, Mode::RUSR | Mode::WUSR).map(drop)
}

fn below(directory: &Directory, name: &str) -> Result<Option<Directory>> {
    match openat(directory, name, directory_flags(), Mode::empty()) {
        Ok(open) => Ok(Some(Arc::new(open))),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}
