use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use crate::rootfs::Rootfs;
use crate::rootfs::testing::{FIXTURE, is_root, perform, process, scratch, word};

use super::kernel;
use super::table::TABLE;

/// A disk for our calls, and another one for the kernel's.
struct Pair {
    ours: (tempfile::TempDir, Arc<Rootfs>),
    kernels: (tempfile::TempDir, Arc<Rootfs>),
}

impl Pair {
    fn new() -> Self {
        Self {
            ours: furnished(),
            kernels: furnished(),
        }
    }

    fn answers(&self, user: &str, call: &str) -> (String, Option<String>) {
        let ours = word(perform(&process(&self.ours.1, user), call));
        let root = is_root();
        let theirs = root
            .then(|| kernel::perform(self.kernels.0.path(), user, call))
            .flatten();
        (ours, theirs.map(word))
    }
}

fn furnished() -> (tempfile::TempDir, Arc<Rootfs>) {
    let (directory, rootfs) = scratch();
    let host = process(&rootfs, "host");
    for setup in FIXTURE {
        assert_eq!(word(perform(&host, setup)), "ok", "{setup}");
    }
    std::fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
    (directory, rootfs)
}

#[test]
fn calls_are_refused_as_the_kernel_refuses_them() {
    let mut faults = Vec::new();
    let mut pair = Pair::new();
    for (user, call, expected) in TABLE {
        let (ours, theirs) = pair.answers(user, call);
        let wrong = |answer: &String| answer != expected;
        if wrong(&ours) || theirs.as_ref().is_some_and(wrong) {
            faults.push(format!(
                "{user}: {call}: not {expected} but {ours}, kernel {theirs:?}"
            ));
        }
        // What is refused has changed nothing.
        if ours == "ok" || theirs.is_some_and(|theirs| theirs == "ok") {
            pair = Pair::new();
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
