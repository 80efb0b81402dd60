//! Docker's words. Texts of Docker 20.10 unless a row says otherwise.

use super::Row;
use crate::engine::Kind;

pub(super) const TABLE: &[Row] = &[
    (&["Cannot connect to the Docker daemon"], Kind::EngineDown),
    (&["max depth exceeded"], Kind::MaxDepth),
    (&["no space left on device"], Kind::NoSpace),
    (
        &["The container name", "is already in use"],
        Kind::NameInUse,
    ),
    (&["Invalid container name"], Kind::InvalidName),
    (&["invalid reference format"], Kind::InvalidName),
    (&["must be lowercase"], Kind::InvalidName),
    (&["remove a running container"], Kind::ContainerRunning),
    (&["remove a paused container"], Kind::ContainerPaused),
    (&["container is running"], Kind::ContainerRunning),
    (&["is paused"], Kind::ContainerPaused),
    (&["cannot start a paused container"], Kind::ContainerPaused),
    (&["is already paused"], Kind::ContainerPaused),
    (&["is not running"], Kind::ContainerNotRunning),
    (&["is not paused"], Kind::ContainerNotPaused),
    (&["volume is in use"], Kind::VolumeInUse),
    (&["is using its referenced image"], Kind::ImageInUse),
    (&["image is being used by"], Kind::ImageInUse),
    (&["image has dependent child images"], Kind::ImageInUse),
    (
        &["volumes-from specification cannot be an empty string"],
        Kind::InvalidVolumesFrom,
    ),
    // Of the older command line. Before the next, which it has in it.
    (&["No such container:path"], Kind::NoSuchPath),
    (&["No such container"], Kind::NoSuchContainer),
    (&["no such container"], Kind::NoSuchContainer),
    (&["No such image"], Kind::NoSuchImage),
    (&["No such object"], Kind::NoSuchContainer),
    (&["no such volume"], Kind::NoSuchVolume),
    (&["Could not find the file"], Kind::NoSuchPath),
    (&["volume name is too short"], Kind::InvalidName),
    (&["includes invalid characters"], Kind::InvalidName),
    (
        &["error while creating volume", "file name too long"],
        Kind::InvalidName,
    ),
    (&["Duplicate mount point"], Kind::DuplicateMount),
    (
        &["bind source path does not exist"],
        Kind::MountSourceMissing,
    ),
    (
        &["error while creating mount source path"],
        Kind::MountSourceMissing,
    ),
    (
        &["error evaluating symlinks from mount source"],
        Kind::MountSourceMissing,
    ),
    (
        &["failed to mount local volume", "no such file or directory"],
        Kind::MountSourceMissing,
    ),
    (
        &["failed to mount local volume", "not a directory"],
        Kind::MountTypeMismatch,
    ),
    (
        &["cannot mount volume over existing file"],
        Kind::MountTypeMismatch,
    ),
    (
        &[
            "failed to fulfil mount request",
            "no such file or directory",
        ],
        Kind::MountSourceMissing,
    ),
    (
        &["cannot access path", "no such file or directory"],
        Kind::MountSourceMissing,
    ),
    (
        &["path concatenation escapes the base directory"],
        Kind::InvalidMount,
    ),
    // The working directory, of which runc speaks in the same words as of a mount.
    (
        &["container init: mkdir", "not a directory"],
        Kind::NotADirectory,
    ),
    (
        &["Are you trying to mount a directory onto a file"],
        Kind::MountTypeMismatch,
    ),
    (&["is not directory"], Kind::MountTypeMismatch),
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
    (&["error mounting", "mkdir"], Kind::MountTargetFailed),
    (&["error mounting", "mountpoint"], Kind::MountTargetFailed),
    (&["destination can't be '/'"], Kind::InvalidMount),
    (&["not a shared mount"], Kind::InvalidMount),
    (&["not a shared or slave mount"], Kind::InvalidMount),
    (&["must use either propagation mode"], Kind::InvalidMount),
    (&["invalid tmpfs option"], Kind::InvalidOption),
    (&["invalid mount config"], Kind::InvalidMount),
    (&["invalid volume specification"], Kind::InvalidMount),
    (&["mount path must be absolute"], Kind::InvalidMount),
    (&["invalid mode"], Kind::InvalidMount),
    (&["invalid spec"], Kind::InvalidMount),
    (&["cannot mix"], Kind::InvalidMount),
    (&["target is required"], Kind::InvalidMount),
    (
        &["cannot be mounted because it is not of type proc"],
        Kind::InvalidMount,
    ),
    (&["nvalid filter"], Kind::InvalidFilter),
    (&["plugin", "not found"], Kind::NoSuchDriver),
    (&["invalid option"], Kind::InvalidOption),
    (&["missing required option"], Kind::InvalidOption),
    (
        &["quota size requested but no quota support"],
        Kind::InvalidOption,
    ),
    (&["marked read-only"], Kind::ReadOnly),
    (&["not a directory"], Kind::NotADirectory),
    (&["cannot copy directory"], Kind::NotADirectory),
    (&["no such directory"], Kind::NoSuchPath),
    (
        &["copying between containers is not supported"],
        Kind::NotSupported,
    ),
    (&["unable to find user"], Kind::InvalidUser),
    (&["unable to find group"], Kind::InvalidUser),
    (&["uids and gids must be in range"], Kind::InvalidUser),
    (&["no such file or directory", "lstat"], Kind::NoSuchPath),
    (&["no such file or directory", "stat /"], Kind::NoSuchPath),
    // The command line's, of `export` and of `cp`, newer and older words.
    (
        &["invalid output path", "no such file or directory"],
        Kind::NoSuchPath,
    ),
    (&["invalid output path", "does not exist"], Kind::NoSuchPath),
    // What fails to open something at start says so too.
    (&["OCI runtime"], Kind::Other),
    (&["open ", "no such file or directory"], Kind::NoSuchPath),
];

#[cfg(test)]
mod tests {
    use super::super::check;
    use crate::engine::Kind as K;
    use crate::engine::cli::flavor::Flavor;

    const SAID: &[(&str, K)] = &[
        (
            "docker: Error response from daemon: Conflict. The container name \"/n\" is already in use by container \"4f\". You have to remove (or rename) that container to be able to reuse that name.",
            K::NameInUse,
        ),
        (
            "Error response from daemon: You cannot remove a running container 4f. Stop the container before attempting removal or force remove",
            K::ContainerRunning,
        ),
        (
            "Error response from daemon: You cannot remove a paused container 4f. Unpause and then stop the container before attempting removal or force remove",
            K::ContainerPaused,
        ),
        (
            "Error response from daemon: Container n is paused, unpause the container before exec",
            K::ContainerPaused,
        ),
        (
            "Error response from daemon: Container 11 is not paused",
            K::ContainerNotPaused,
        ),
        (
            "Error response from daemon: cannot start a paused container, try unpause instead; Error: failed to start containers: one",
            K::ContainerPaused,
        ),
        ("no such directory", K::NoSuchPath),
        ("cannot copy directory", K::NotADirectory),
        (
            "Error response from daemon: Cannot kill container: n: Container 4f is not running",
            K::ContainerNotRunning,
        ),
        (
            "Error response from daemon: remove store: volume is in use - [4f]",
            K::VolumeInUse,
        ),
        (
            "Error response from daemon: conflict: unable to remove repository reference \"app\" (must force) - container 4f is using its referenced image 5a",
            K::ImageInUse,
        ),
        (
            "docker: Error response from daemon: No such image: app:latest.",
            K::NoSuchImage,
        ),
        (
            "Error response from daemon: get nope: no such volume",
            K::NoSuchVolume,
        ),
        (
            "Error response from daemon: No such container: nope",
            K::NoSuchContainer,
        ),
        ("Error: No such container:path: app:/nope", K::NoSuchPath),
        (
            "Error response from daemon: create a: volume name is too short, names should be at least two alphanumeric characters",
            K::InvalidName,
        ),
        (
            "Error response from daemon: create a b: \"a b\" includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use absolute path",
            K::InvalidName,
        ),
        (
            "docker: Error response from daemon: Duplicate mount point: /x.",
            K::DuplicateMount,
        ),
        (
            "docker: Error response from daemon: invalid mount config for type \"bind\": bind source path does not exist: /x.",
            K::MountSourceMissing,
        ),
        (
            "docker: Error response from daemon: invalid mount config for type \"bind\": invalid specification: destination can't be '/'.",
            K::InvalidMount,
        ),
        (
            "docker: Error response from daemon: invalid mode: rw,ro.",
            K::InvalidMount,
        ),
        // These two of Docker 28.5.
        (
            "Error response from daemon: cannot access path /v/_data/three: lstat /v/_data/three: no such file or directory",
            K::MountSourceMissing,
        ),
        (
            "docker: Error response from daemon: path concatenation escapes the base directory, base: /v/_data, subpath: out",
            K::InvalidMount,
        ),
        (
            "Error response from daemon: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: mkdir /a: not a directory: unknown: Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type",
            K::NotADirectory,
        ),
        (
            "docker: Error response from daemon: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error mounting \"/h/dir\" to rootfs at \"/f\": mount /h/dir:/f (via /proc/self/fd/6), flags: 0x5000: not a directory: unknown: Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type.",
            K::MountTypeMismatch,
        ),
        (
            "error during container init: error mounting \"/s\" to rootfs at \"/c\": SecureJoin /d/merged/c/: too many \
             levels of symbolic links: unknown",
            K::MountTargetFailed,
        ),
        (
            "docker: Error response from daemon: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error mounting \"/v\" to rootfs at \"/p/missing\": mkdir /var/lib/docker/overlay2/1/merged/p/missing: read-only file system: unknown.",
            K::MountTargetFailed,
        ),
        (
            "Error response from daemon: create x: error looking up volume plugin nope: plugin \"nope\" not found",
            K::NoSuchDriver,
        ),
        (
            "Error response from daemon: Invalid filter 'bogus'",
            K::InvalidFilter,
        ),
        (
            "Error response from daemon: container rootfs is marked read-only",
            K::ReadOnly,
        ),
        (
            "Error response from daemon: mounted volume is marked read-only",
            K::ReadOnly,
        ),
        (
            "copying between containers is not supported",
            K::NotSupported,
        ),
        (
            "Error response from daemon: Could not find the file /nope in container c",
            K::NoSuchPath,
        ),
        ("lstat /h/nope: no such file or directory", K::NoSuchPath),
        ("stat /h/nope: no such file or directory", K::NoSuchPath),
        ("open /h/nope: no such file or directory", K::NoSuchPath),
        ("open /h/file/x: not a directory", K::NotADirectory),
        (
            "failed to export container: invalid output path: stat /h/none: no such file or directory",
            K::NoSuchPath,
        ),
        (
            "failed to export container: invalid output path: stat /h/file: not a directory",
            K::NotADirectory,
        ),
        (
            "failed to export container: cannot write to a directory",
            K::Other,
        ),
        (
            "invalid output path: directory \"/h/none\" does not exist",
            K::NoSuchPath,
        ),
        ("stat /h/file/y: not a directory", K::NotADirectory),
        ("Cannot mkdir: /a is not a directory", K::NotADirectory),
        (
            "docker: Error response from daemon: unable to find user nobody: no matching entries in passwd file.",
            K::InvalidUser,
        ),
    ];

    #[test]
    fn what_docker_says_means() {
        check(Flavor::Docker, SAID);
    }
}
