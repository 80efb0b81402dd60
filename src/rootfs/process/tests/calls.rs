use crate::rootfs::testing::{FIXTURE, is_root, perform, process, scratch, word};

use super::kernel;
use super::table::TABLE;

/// One call on a fresh disk; and on a fresh directory by the kernel.
fn answers(user: &str, call: &str) -> (String, Option<String>) {
    let (directory, rootfs) = scratch();
    let host = process(&rootfs, "host");
    for setup in FIXTURE {
        assert_eq!(word(perform(&host, setup)), "ok", "{setup}");
    }
    std::fs::set_permissions(
        directory.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    // The kernel goes second: a call that is refused has changed nothing for it.
    let ours = word(perform(&process(&rootfs, user), call));
    if !is_root() || ours == "ok" {
        return (ours, None);
    }
    let theirs = kernel::perform(directory.path(), user, call);
    (ours, theirs.map(word))
}

#[test]
fn calls_are_refused_as_the_kernel_refuses_them() {
    let mut faults = Vec::new();
    for (user, call, expected) in TABLE {
        let (ours, theirs) = answers(user, call);
        if ours != *expected || theirs.as_ref().is_some_and(|theirs| theirs != expected) {
            faults.push(format!(
                "{user}: {call}: expected {expected}, got {ours}, kernel {theirs:?}"
            ));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
