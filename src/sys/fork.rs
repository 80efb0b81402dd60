//! A copy of this process: fork(2), but for whose child it is.

use rustix::io::Errno;
use rustix::process::Pid;

/// Copies this process. The copy is a child of this one's parent, who is to wait for it; it gets `None` here, and this
/// process the copy's number.
///
/// # Errors
/// `EINVAL` in a process of several threads, of whose locks a copy could make no sense; else as `fork(2)`.
pub fn fork_sibling() -> Result<Option<Pid>, Errno> {
    let failed = || Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::INVAL);
    #[expect(unsafe_code, reason = "rustix has no such flag")]
    // SAFETY: changes nothing; refused with EINVAL where there is another thread (unshare(2)).
    let is_alone = unsafe { libc::unshare(libc::CLONE_THREAD) } == 0;
    if !is_alone {
        return Err(failed());
    }
    let flags = libc::CLONE_PARENT | libc::SIGCHLD;
    #[expect(unsafe_code, reason = "fork cannot be told whose child it makes")]
    // SAFETY: no other thread holds a lock or is about to; the copy has memory of its own, and no pointer is given, so
    // the order of the arguments does not matter, which is another on each architecture.
    let number = unsafe { libc::syscall(libc::SYS_clone, libc::c_long::from(flags), 0, 0, 0, 0) };
    match i32::try_from(number) {
        Ok(0) => Ok(None),
        Ok(number) if number > 0 => Ok(Pid::from_raw(number)),
        _ => Err(failed()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_threads_there_is_no_copy() {
        let waiting = std::sync::Barrier::new(2);
        std::thread::scope(|scope| {
            scope.spawn(|| waiting.wait());
            assert_eq!(fork_sibling(), Err(Errno::INVAL));
            waiting.wait();
        });
    }
}
