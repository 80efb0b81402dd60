//! Whether a directory's mount has peers: mounts of other namespaces that see what is mounted below it
//! (`mount_namespaces(7)`, Shared subtrees).

use std::fs;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, StatxFlags};

/// Whether a directory is on a private mount. One that cannot be told counts as shared.
pub(super) fn is_private(directory: &Path) -> bool {
    let Ok(facts) = rustix::fs::statx(CWD, directory, AtFlags::empty(), StatxFlags::MNT_ID) else {
        return false;
    };
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    lies_private(&table, facts.stx_mnt_id)
}

/// Looks a mount up in the table (`proc_pid_mountinfo(5)`): what follows the sixth field, up to a
/// dash, are its ties to other mounts.
fn lies_private(table: &str, mount: u64) -> bool {
    let id = mount.to_string();
    let line = table
        .lines()
        .find(|line| line.split(' ').next() == Some(&*id));
    line.is_some_and(|line| line.split(' ').nth(6) == Some("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_stand_between_the_options_and_the_dash() {
        let table = "21 1 8:1 / / rw,relatime - ext4 /dev/sda rw\n\
                     22 21 0:5 / /a rw,relatime shared:7 - tmpfs none rw\n\
                     23 21 0:6 / /b rw,relatime master:7 - tmpfs none rw\n";
        assert!(lies_private(table, 21));
        for tied in [22, 23, 2, 24] {
            assert!(!lies_private(table, tied), "{tied}");
        }
    }

    #[test]
    fn a_directory_that_is_not_there_is_not_private() {
        assert!(!is_private(Path::new("/no/such/directory")));
    }
}
