//! Opening a path that must stay below a directory.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;
use rustix::path::Arg;

/// How often a walk that was disturbed is begun again.
const ATTEMPTS: usize = 1000;

/// `openat2` with `RESOLVE_BENEATH` or `RESOLVE_IN_ROOT`. The kernel gives up a walk over `..` with `EAGAIN` when
/// anything on the machine is renamed or mounted meanwhile (openat2(2)); it is then begun again.
///
/// # Errors
/// Those of `openat2`.
pub fn open_scoped(
    directory: impl AsFd,
    path: impl Arg + Copy,
    flags: OFlags,
    resolve: ResolveFlags,
) -> Result<OwnedFd, Errno> {
    let open = || openat2(directory.as_fd(), path, flags, Mode::empty(), resolve);
    for _ in 1..ATTEMPTS {
        match open() {
            Err(Errno::AGAIN) => std::thread::yield_now(),
            other => return other,
        }
    }
    open()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn renames_elsewhere_do_not_disturb() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        std::fs::write(&one, "").unwrap();
        let directory = std::fs::File::open(folder.path()).unwrap();
        let done = AtomicBool::new(false);
        std::thread::scope(|threads| {
            threads.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    std::fs::rename(&one, &other).unwrap();
                    std::fs::rename(&other, &one).unwrap();
                }
            });
            for _ in 0..5000 {
                let path = "sub/../sub/../sub/../sub";
                let opened = open_scoped(&directory, path, OFlags::PATH, ResolveFlags::BENEATH);
                if let Err(errno) = opened {
                    done.store(true, Ordering::Relaxed);
                    panic!("{errno}");
                }
            }
            done.store(true, Ordering::Relaxed);
        });
    }
}
