//! Podman's words. Texts of Podman 4.3 unless a row says otherwise.

use super::Row;
use crate::engine::Kind;

pub(super) const TABLE: &[Row] = &[
    (&["no space left on device"], Kind::NoSpace),
    (
        &["the container name", "is already in use"],
        Kind::NameInUse,
    ),
    (&["that name is already in use"], Kind::NameInUse),
    (&["names must match"], Kind::InvalidName),
    (&["invalid reference format"], Kind::InvalidName),
    (&["file name too long"], Kind::InvalidName),
    (
        &["cannot remove container", "as it is running"],
        Kind::ContainerRunning,
    ),
    (
        &["cannot remove container", "as it is paused"],
        Kind::ContainerPaused,
    ),
    (&["is paused"], Kind::ContainerPaused),
    (&["is in state paused"], Kind::ContainerPaused),
    (&["is already paused"], Kind::ContainerPaused),
    (&["restart a container in a paused"], Kind::ContainerPaused),
    (
        &["can only kill running containers"],
        Kind::ContainerNotRunning,
    ),
    (
        &["can only create exec sessions on running containers"],
        Kind::ContainerNotRunning,
    ),
    (&["is not running"], Kind::ContainerNotRunning),
    (&["is not paused"], Kind::ContainerNotPaused),
    (&["volume is being used"], Kind::VolumeInUse),
    (&["image is in use by a container"], Kind::ImageInUse),
    (&["no such volume"], Kind::NoSuchVolume),
    (&["no such container"], Kind::NoSuchContainer),
    (
        &["container \"", "\" does not exist"],
        Kind::NoSuchContainer,
    ),
    (&["image not known"], Kind::NoSuchImage),
    (&["no such image"], Kind::NoSuchImage),
    (
        &["initializing source docker://localhost"],
        Kind::NoSuchImage,
    ),
    (
        &["copying to container", "read-only file system"],
        Kind::ReadOnly,
    ),
    (&["could not be found on container"], Kind::NoSuchPath),
    (&["could not be found on the host"], Kind::NoSuchPath),
    (
        &["error opening", "no such file or directory"],
        Kind::NoSuchPath,
    ),
    (&["duplicate mount destination"], Kind::DuplicateMount),
    (
        &["statfs", "no such file or directory"],
        Kind::MountSourceMissing,
    ),
    (
        &[
            "runc: runc create failed",
            "error mounting",
            "not a directory",
        ],
        Kind::MountTypeMismatch,
    ),
    (
        &["error mounting", "not a directory"],
        Kind::MountTypeMismatch,
    ),
    (
        &["error mounting", "too many levels of symbolic links"],
        Kind::MountTargetFailed,
    ),
    (
        &["error mounting", "read-only file system"],
        Kind::MountTargetFailed,
    ),
    (
        &["error mounting", "no such file or directory"],
        Kind::MountSourceMissing,
    ),
    (
        &[
            "failed to fulfil mount request",
            "no such file or directory",
        ],
        Kind::MountSourceMissing,
    ),
    (
        &["special device", "does not exist"],
        Kind::MountSourceMissing,
    ),
    (&["must be an absolute path"], Kind::InvalidMount),
    (&["incorrect volume format"], Kind::InvalidMount),
    (&["invalid mount option", "for driver"], Kind::InvalidOption),
    (&["invalid mount option"], Kind::InvalidMount),
    (&["invalid options"], Kind::InvalidMount),
    (&["invalid option type"], Kind::InvalidMount),
    (&["invalid filesystem type"], Kind::InvalidMount),
    (
        &["looking up container \"\" for volumes-from"],
        Kind::InvalidVolumesFrom,
    ),
    (
        &["volumes from another container can only use"],
        Kind::InvalidVolumesFrom,
    ),
    (&["is an invalid volume filter"], Kind::InvalidFilter),
    (
        &["is not a valid value for the", "filter"],
        Kind::InvalidFilter,
    ),
    (&["no volume plugin"], Kind::NoSuchDriver),
    (&["required plugin missing"], Kind::NoSuchDriver),
    (&["not a directory"], Kind::NotADirectory),
    (&["destination must be a directory"], Kind::NotADirectory),
    (&["unable to find user"], Kind::InvalidUser),
    (&["unable to find group"], Kind::InvalidUser),
];

/// Whether it lost a container's disk before it did anything. It mounts that of one that does not run for as long as it
/// looks or copies, and another of its processes may be unmounting it still.
pub(in super::super) fn lost_its_disk(text: &str) -> bool {
    let words = [
        "mounting storage for container",
        "/merged: no such file or directory",
    ];
    words.iter().all(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::lost_its_disk;
    use crate::engine::Kind as K;
    use crate::engine::cli::flavor::Flavor;

    #[test]
    fn only_a_lost_disk_is_worth_another_try() {
        // Podman 4.3.1 on a machine with too much to do.
        let lost = "Error: \"/etc/app.conf\" could not be found on container other: mounting storage for container \
            301da2135111: lstat /var/lib/containers/storage/overlay/ad3dd1e630c6/merged: no such file or directory";
        assert!(lost_its_disk(lost));
        let absent =
            "Error: \"/nope\" could not be found on container other: no such file or directory";
        assert!(!lost_its_disk(absent));
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "one table")]
    fn what_podman_says_means() {
        check(
            Flavor::Podman,
            &[
                (
                    "Error: creating container storage: the container name \"n\" is already in use by 4f. You have to remove that container to be able to reuse that name: that name is already in use",
                    K::NameInUse,
                ),
                (
                    "Error: cannot remove container 4f as it is running - running or paused containers cannot be removed without force: container state improper",
                    K::ContainerRunning,
                ),
                (
                    "Error: cannot remove container 4f as it is paused - running or paused containers cannot be removed without force: container state improper",
                    K::ContainerPaused,
                ),
                (
                    "Error: \"4f\" is already paused: container state improper",
                    K::ContainerPaused,
                ),
                (
                    "Error: unable to restart a container in a paused or unknown state: container state improper",
                    K::ContainerPaused,
                ),
                (
                    "Error: destination must be a directory when copying a directory",
                    K::NotADirectory,
                ),
                (
                    "Error: invalid mount option foo for driver 'local': invalid argument",
                    K::InvalidOption,
                ),
                (
                    "Error: looking up container \"\" for volumes-from: name or ID cannot be empty",
                    K::InvalidVolumesFrom,
                ),
                (
                    "Error: unable to start container \"da\": runc: runc create failed: unable to start container process: error during container init: error mounting \"/long\" to rootfs at \"/m\": stat /long: no such file or directory: OCI runtime attempted to invoke a command that was not found",
                    K::MountSourceMissing,
                ),
                (
                    "Error: unable to start container \"a3\": mounting volume gone for container a3: mount: /x/_data: special device /missing does not exist.; dmesg(1) may have more information after failed mount system call.",
                    K::MountSourceMissing,
                ),
                // Podman 5.8 with runc 1.3.
                (
                    "Error: unable to start container \"87c0\": runc: runc create failed: unable to start container process: error during container init: failed to fulfil mount request: open /long: no such file or directory: OCI runtime attempted to invoke a command that was not found",
                    K::MountSourceMissing,
                ),
                (
                    "Error: can only kill running containers. 4f is in state exited: container state improper",
                    K::ContainerNotRunning,
                ),
                (
                    "Error: can only create exec sessions on running containers: container state improper",
                    K::ContainerNotRunning,
                ),
                (
                    "Error: volume store is being used by the following container(s): 4f: volume is being used",
                    K::VolumeInUse,
                ),
                (
                    "Error: image used by 4f: image is in use by a container: consider listing external containers and force-removing image",
                    K::ImageInUse,
                ),
                (
                    "Error: no volume with name \"nope\" found: no such volume",
                    K::NoSuchVolume,
                ),
                (
                    "Error: container \"gone\" does not exist",
                    K::NoSuchContainer,
                ),
                (
                    "Error: error opening \"/missing.tar\": open /missing.tar: no such file or directory",
                    K::NoSuchPath,
                ),
                (
                    "Error: no container with name or ID \"nope\" found: no such container",
                    K::NoSuchContainer,
                ),
                (
                    "Error: running volume create option: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument",
                    K::InvalidName,
                ),
                ("Error: /x: duplicate mount destination", K::DuplicateMount),
                (
                    "Error: statfs /x: no such file or directory",
                    K::MountSourceMissing,
                ),
                (
                    "Error: invalid container path \"m\", must be an absolute path",
                    K::InvalidMount,
                ),
                (
                    "Error: invalid option \"bad\" specified - volumes from another container can only use z,ro,rw options",
                    K::InvalidVolumesFrom,
                ),
                (
                    "Error: \"bogus\" is an invalid volume filter",
                    K::InvalidFilter,
                ),
                (
                    "Error: 2 errors occurred:\n\t* copying to container: copier: put: error opening file \"/shut/file\" for writing: open /shut/file: read-only file system\n\t* copying from host: copier: get: \"/file\": copying /file: io: read/write on closed pipe",
                    K::ReadOnly,
                ),
                (
                    "Error: \"/nope\" could not be found on container c: no such file or directory",
                    K::NoSuchPath,
                ),
            ],
        );
    }
}
