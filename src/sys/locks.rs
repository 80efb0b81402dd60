//! Record locks that belong to an open file and not to a process (`F_OFD_SETLK`, fcntl(2), "Open file description locks").

use std::os::fd::{AsFd, AsRawFd as _};

use rustix::io::Errno;

/// What is asked of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordLock {
    /// `F_RDLCK`
    Shared,
    /// `F_WRLCK`
    Exclusive,
    /// `F_UNLCK`
    Unlock,
}

/// Takes a lock over the whole file, or over the one byte at an offset, or gives it back; never waits.
///
/// # Errors
/// `EAGAIN` when another open file has one that is in the way; `EBADF` for a file that is not open for reading (shared) or
/// writing (exclusive).
pub fn lock_record(file: impl AsFd, lock: RecordLock, byte: Option<i64>) -> Result<(), Errno> {
    let kind = match lock {
        RecordLock::Shared => libc::F_RDLCK,
        RecordLock::Exclusive => libc::F_WRLCK,
        RecordLock::Unlock => libc::F_UNLCK,
    };
    let narrow = |number: i32| libc::c_short::try_from(number).map_err(|_| Errno::INVAL);
    let record = libc::flock {
        l_type: narrow(kind)?,
        l_whence: narrow(libc::SEEK_SET)?,
        l_start: byte.unwrap_or(0),
        // No length is to the end, wherever that will be.
        l_len: byte.map_or(0, |_| 1),
        l_pid: 0,
    };
    let descriptor = file.as_fd().as_raw_fd();
    #[expect(
        unsafe_code,
        reason = "rustix locks for the process, and whole files only"
    )]
    // SAFETY: the descriptor is borrowed, and what is pointed at lives through the call, which only reads it.
    let done = unsafe { libc::fcntl(descriptor, libc::F_OFD_SETLK, &raw const record) };
    if done == -1 {
        let error = std::io::Error::last_os_error();
        return Err(Errno::from_io_error(&error).unwrap_or(Errno::IO));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_files_are_in_each_others_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let open = || {
            let mut options = std::fs::OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            options.open(&path).unwrap()
        };
        let (one, other) = (open(), open());
        let (exclusive, unlock) = (RecordLock::Exclusive, RecordLock::Unlock);
        lock_record(&one, exclusive, None).unwrap();
        for lock in [exclusive, RecordLock::Shared] {
            assert_eq!(lock_record(&other, lock, Some(7)), Err(Errno::AGAIN));
        }
        lock_record(&one, unlock, None).unwrap();
        lock_record(&one, exclusive, Some(7)).unwrap();
        lock_record(&other, exclusive, Some(8)).unwrap();
        assert_eq!(lock_record(&other, exclusive, None), Err(Errno::AGAIN));
        drop(one);
        lock_record(&other, exclusive, None).unwrap();
    }
}
