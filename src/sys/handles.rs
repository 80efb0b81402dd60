//! File handles, which name a file of a file system whatever it is called; and the identity of a file system.

use std::ffi::{CString, OsStr};
use std::os::fd::{AsFd, AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::ioctl::{Getter, Opcode, ioctl, opcode};

/// `MAX_HANDLE_SZ`: no handle is longer.
const LONGEST: u32 = 128;

/// How often what may be for lack of memory is tried again.
const PATIENCE: u32 = 50;

/// `FS_IOC_GETFSUUID`: one byte of length, and a UUID.
const GET_UUID: Opcode = opcode::read::<[u8; 17]>(0x15, 0);

/// What a file system calls one of its files: `name_to_handle_at(2)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileHandle {
    /// What the file system makes of the bytes.
    pub kind: i32,
    /// Nobody else's to understand.
    pub bytes: Vec<u8>,
}

/// `struct file_handle`, with room for any handle.
#[repr(C)]
struct Native {
    length: u32,
    kind: i32,
    bytes: [u8; LONGEST as usize],
}

/// Handle of a name in a directory, or, with an empty name, of what is open. Follows no link.
///
/// # Errors
/// `EOPNOTSUPP` where the file system has none; else what finding the name gives.
pub fn handle_of(directory: impl AsFd, name: &OsStr) -> Result<FileHandle, Errno> {
    let name = CString::new(name.as_bytes()).map_err(|_nul| Errno::INVAL)?;
    let mut native = Native {
        length: LONGEST,
        kind: 0,
        bytes: [0; LONGEST as usize],
    };
    let mut mount: libc::c_int = 0;
    let flags = if name.is_empty() {
        libc::AT_EMPTY_PATH
    } else {
        0
    };
    #[expect(unsafe_code, reason = "rustix has no name_to_handle_at")]
    // SAFETY: the path ends with a NUL; what is written to is as long as is said, and lives through the call.
    let done = unsafe {
        libc::syscall(
            libc::SYS_name_to_handle_at,
            directory.as_fd().as_raw_fd(),
            name.as_ptr(),
            &raw mut native,
            &raw mut mount,
            flags,
        )
    };
    if done < 0 {
        return Err(last_error());
    }
    let bytes = native.bytes.get(..native.length as usize);
    Ok(FileHandle {
        kind: native.kind,
        bytes: bytes.ok_or(Errno::OVERFLOW)?.to_vec(),
    })
}

/// Opens the file that a handle names, on the file system in which something is open.
///
/// # Errors
/// `ESTALE` when there is none any more; `EPERM` without `CAP_DAC_READ_SEARCH`; `EBADF` for a `disk` that is open
/// for its path only; `ENOMEM`.
pub fn open_handle(disk: impl AsFd, handle: &FileHandle, flags: OFlags) -> Result<OwnedFd, Errno> {
    // While somebody makes a file with the inode number of one that is gone, ext4 has none to give (`iget_locked` in
    // `fs/inode.c`; measured on 6.18). Soon it is another file, and the handle stale.
    for _ in 0..PATIENCE {
        match open_once(&disk, handle, flags) {
            Err(Errno::NOMEM) => std::thread::sleep(Duration::from_millis(1)),
            opened => return opened,
        }
    }
    open_once(disk, handle, flags)
}

fn open_once(disk: impl AsFd, handle: &FileHandle, flags: OFlags) -> Result<OwnedFd, Errno> {
    let mut native = Native {
        length: u32::try_from(handle.bytes.len()).map_err(|_long| Errno::INVAL)?,
        kind: handle.kind,
        bytes: [0; LONGEST as usize],
    };
    let room = native.bytes.get_mut(..handle.bytes.len());
    room.ok_or(Errno::INVAL)?.copy_from_slice(&handle.bytes);
    let flags = flags | OFlags::CLOEXEC;
    #[expect(unsafe_code, reason = "rustix has no open_by_handle_at")]
    // SAFETY: the handle is as long as it says, and lives through the call.
    let opened = unsafe {
        libc::syscall(
            libc::SYS_open_by_handle_at,
            disk.as_fd().as_raw_fd(),
            &raw const native,
            flags.bits(),
        )
    };
    let descriptor = i32::try_from(opened).map_err(|_large| Errno::BADF)?;
    if descriptor < 0 {
        return Err(last_error());
    }
    #[expect(unsafe_code, reason = "the call gives a bare number")]
    // SAFETY: it is a new descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

fn last_error() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}

/// UUID of the file system in which something is open; all zeros when it has none, or when the kernel, before Linux
/// 6.9, does not tell.
///
/// # Errors
/// `EBADF` for what is open for its path only.
pub fn file_system_uuid(open: impl AsFd) -> Result<[u8; 16], Errno> {
    #[expect(unsafe_code, reason = "every ioctl is")]
    // SAFETY: it is the number of a call that writes so many bytes.
    let getter = unsafe { Getter::<GET_UUID, [u8; 17]>::new() };
    #[expect(unsafe_code, reason = "every ioctl is")]
    // SAFETY: this one writes a length and sixteen bytes, and does nothing else.
    let told = unsafe { ioctl(open, getter) };
    match told {
        Ok([_, uuid @ ..]) => Ok(uuid),
        Err(Errno::BADF) => Err(Errno::BADF),
        Err(_) => Ok([0; 16]),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn a_handle_outlives_a_name() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("one"), "content").unwrap();
        let directory = std::fs::File::open(folder.path()).unwrap();
        let Ok(handle) = handle_of(&directory, OsStr::new("one")) else {
            return assert!(
                handle_of(&directory, OsStr::new("")).is_err(),
                "some files only"
            );
        };
        std::fs::rename(folder.path().join("one"), folder.path().join("other")).unwrap();
        assert_eq!(
            handle_of(&directory, OsStr::new("other")).as_ref(),
            Ok(&handle)
        );
        assert_eq!(handle_of(&directory, OsStr::new("one")), Err(Errno::NOENT));
        match open_handle(&directory, &handle, OFlags::RDONLY) {
            Ok(open) => {
                let text = std::io::read_to_string(std::fs::File::from(open)).unwrap();
                assert_eq!(text, "content");
            }
            Err(errno) => assert_eq!(errno, Errno::PERM),
        }
        let long = FileHandle {
            kind: 1,
            bytes: vec![0; 129],
        };
        assert_eq!(
            open_handle(&directory, &long, OFlags::RDONLY).err(),
            Some(Errno::INVAL)
        );
    }

    /// On a disk that gives the number of the file that is gone to the next one at once.
    #[test]
    fn a_handle_is_stale_while_its_number_is_given_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("gone"), "").unwrap();
        let directory = std::fs::File::open(folder.path()).unwrap();
        let Ok(handle) = handle_of(&directory, OsStr::new("gone")) else {
            return;
        };
        std::fs::remove_file(path("gone")).unwrap();
        let is_over = AtomicBool::new(false);
        let mut found: Vec<Option<Errno>> = std::thread::scope(|scope| {
            for name in ["one", "other"] {
                let (path, is_over) = (path(name), &is_over);
                scope.spawn(move || {
                    while !is_over.load(Ordering::Relaxed) {
                        std::fs::write(&path, "").unwrap();
                        std::fs::remove_file(&path).unwrap();
                    }
                });
            }
            let open = |_| open_handle(&directory, &handle, OFlags::PATH).err();
            let found = (0..20_000).map(open).collect();
            is_over.store(true, Ordering::Relaxed);
            found
        });
        found.dedup();
        assert!(
            matches!(found.as_slice(), [Some(Errno::STALE | Errno::PERM)]),
            "{found:?}"
        );
    }
}
