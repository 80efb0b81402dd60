//! Name spaces of one's own: unshare(2).

use rustix::io::Errno;
use rustix::thread::UnshareFlags;

/// What a process can have of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameSpace {
    /// Mounts: nobody else sees those that are made from now on.
    Mount,
    /// Users and mounts: an ordinary user has every capability over what it mounts.
    UserAndMount,
    /// Working directory, root and file mode mask, of this thread alone.
    WorkingDirectory,
}

/// Gives this process, or this thread, name spaces of its own.
///
/// # Errors
/// `EPERM` for [`NameSpace::Mount`] without `CAP_SYS_ADMIN`, and where the system lets ordinary users have no user
/// name spaces; `ENOSPC` when there are too many of them; `EINVAL` for [`NameSpace::UserAndMount`] in a process of
/// several threads.
pub fn enter_own(space: NameSpace) -> Result<(), Errno> {
    let flags = match space {
        NameSpace::Mount => UnshareFlags::NEWNS,
        NameSpace::UserAndMount => UnshareFlags::NEWUSER.union(UnshareFlags::NEWNS),
        NameSpace::WorkingDirectory => UnshareFlags::FS,
    };
    #[expect(
        unsafe_code,
        reason = "only CLONE_FILES, which is not among these flags, can make descriptors unsound"
    )]
    // SAFETY: the table of descriptors stays shared.
    unsafe {
        rustix::thread::unshare_unsafe(flags)
    }
}
