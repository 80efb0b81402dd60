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
    use std::time::{Duration, Instant};

    use super::*;

    /// So often the kernel has to give up before the test believes that it is seen.
    const DISTURBED: usize = 20;

    /// Where there is one processor only it may never be.
    const MOST: Duration = Duration::from_secs(10);

    #[test]
    fn renames_elsewhere_do_not_disturb() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        std::fs::write(&one, "").unwrap();
        let directory = std::fs::File::open(folder.path()).unwrap();
        let done = AtomicBool::new(false);
        let path = format!("{}sub", "sub/../".repeat(30));
        let (flags, resolve) = (OFlags::PATH, ResolveFlags::BENEATH);
        let failed = std::thread::scope(|threads| {
            threads.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    std::fs::rename(&one, &other).unwrap();
                    std::fs::rename(&other, &one).unwrap();
                }
            });
            let (begin, mut disturbed, mut failed) = (Instant::now(), 0, None);
            while failed.is_none() && disturbed < DISTURBED && begin.elapsed() < MOST {
                let once = openat2(&directory, &*path, flags, Mode::empty(), resolve);
                disturbed += usize::from(once.err() == Some(Errno::AGAIN));
                failed = open_scoped(&directory, &*path, flags, resolve).err();
            }
            done.store(true, Ordering::Relaxed);
            failed
        });
        assert_eq!(failed, None);
    }
}
