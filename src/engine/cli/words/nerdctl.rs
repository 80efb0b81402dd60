//! nerdctl's words. Texts of nerdctl 2.1.6, and of its sources (`pkg/mountutil`, `pkg/containerutil`, `pkg/cmd`,
//! `pkg/namestore`); what runc says through it is as with Docker.

use super::Row;
use crate::engine::Kind;

pub(super) const TABLE: &[Row] = &[
    (&["cannot access containerd socket"], Kind::EngineDown),
    (&["rootless containerd not running"], Kind::EngineDown),
    (&["no space left on device"], Kind::NoSpace),
    (&["is already used by ID"], Kind::NameInUse),
    (&["malformed volume name"], Kind::InvalidName),
    (&["must match pattern"], Kind::InvalidName),
    (&["cannot exec in a paused state"], Kind::ContainerPaused),
    (&["cannot copy into read-only location"], Kind::ReadOnly),
    (&["no container found for"], Kind::NoSuchContainer),
    (&["no such object"], Kind::NoSuchContainer),
    (&["image not available"], Kind::NoSuchImage),
    (&["volume \"", "\": not found"], Kind::NoSuchVolume),
    (&["volume-store error", "not found"], Kind::NoSuchVolume),
    (&["the destination directory must exist"], Kind::NoSuchPath),
    (&["destination parent does not exist"], Kind::NoSuchPath),
    (&["cannot copy a directory to a file"], Kind::NotADirectory),
    (&["open /", "no such file or directory"], Kind::NoSuchPath),
    (&["open /", "not a directory"], Kind::NotADirectory),
    (&["expected an absolute path"], Kind::InvalidMount),
    (&["failed to parse \""], Kind::InvalidMount),
    (&["must be a key=value pair"], Kind::InvalidMount),
    (&["invalid tmpfs option"], Kind::InvalidMount),
    (&["is not directory"], Kind::MountTypeMismatch),
    (
        &["container init: mkdir", "not a directory"],
        Kind::NotADirectory,
    ),
    (&["invalid mount type"], Kind::InvalidMount),
    (&["is in running status"], Kind::ContainerRunning),
    (&["is in paused status"], Kind::ContainerPaused),
    (&["is already paused"], Kind::ContainerPaused),
    (&["is not running"], Kind::ContainerNotRunning),
    (&["no running task found"], Kind::ContainerNotRunning),
    (
        &["cannot exec in a stopped state"],
        Kind::ContainerNotRunning,
    ),
    (&["is not paused"], Kind::ContainerNotPaused),
    (&["volume", "is in use"], Kind::VolumeInUse),
    (&["image is being used by"], Kind::ImageInUse),
    (&["No such container"], Kind::NoSuchContainer),
    (&["no such container"], Kind::NoSuchContainer),
    (&["no such image"], Kind::NoSuchImage),
    (&["no such volume"], Kind::NoSuchVolume),
    (&["does not exist in the volume store"], Kind::NoSuchVolume),
    (
        &["Are you trying to mount a directory onto a file"],
        Kind::MountTypeMismatch,
    ),
    (
        &["error mounting", "not a directory"],
        Kind::MountTypeMismatch,
    ),
    (
        &["error mounting", "no such file or directory"],
        Kind::MountSourceMissing,
    ),
    (
        &["error mounting", "too many levels of symbolic links"],
        Kind::MountTargetFailed,
    ),
    (
        &["error mounting", "read-only file system"],
        Kind::MountTargetFailed,
    ),
    (&["failed to parse volume options"], Kind::InvalidMount),
    (
        &["failed to split volume mount specification"],
        Kind::InvalidMount,
    ),
];

#[cfg(test)]
mod tests {
    use super::super::{check, essence};
    use crate::engine::Kind as K;
    use crate::engine::cli::flavor::Flavor;

    const SAID: &[(&str, K)] = &[
        (
            "time=\"2024-05-01T10:00:00Z\" level=fatal msg=\"name-store error\\nname \\\"n\\\" is already used by ID \\\"4f\\\"\"",
            K::NameInUse,
        ),
        (
            "time=\"2024-05-01T10:00:00Z\" level=fatal msg=\"container n is in running status. unpause/stop container first or force removal\"",
            K::ContainerRunning,
        ),
        (
            "FATA[0000] container n is in paused status. unpause/stop container first or force removal",
            K::ContainerPaused,
        ),
        (
            "FATA[0000] container 4f is already paused",
            K::ContainerPaused,
        ),
        (
            "FATA[0000] cannot kill container 4f: container is not running",
            K::ContainerNotRunning,
        ),
        (
            "FATA[0000] container 4f is not paused",
            K::ContainerNotPaused,
        ),
        ("FATA[0000] volume \"v\" is in use", K::VolumeInUse),
        ("FATA[0000] no such container n", K::NoSuchContainer),
        ("No such container: n", K::NoSuchContainer),
        ("FATA[0000] no such volume: v (not found)", K::NoSuchVolume),
        (
            "FATA[0000] \"v\" does not exist in the volume store: not found",
            K::NoSuchVolume,
        ),
        (
            "FATA[0000] malformed volume name: identifier \"a b\" must match pattern ^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$: invalid argument",
            K::InvalidName,
        ),
        (
            "FATA[0000] error mounting \"/foo\" to rootfs at \"/foo\": stat /foo: no such file or directory: unknown",
            K::MountSourceMissing,
        ),
        (
            "FATA[0000] failed to parse volume options (\"bind\", \"/s\", \"bad\"): unsupported volume option",
            K::InvalidMount,
        ),
        // From here on as nerdctl 2.1.6 said them.
        (
            "time=\"t\" level=warning msg=\"volume \\\"vv\\\" is in use (failed precondition)\"\ntime=\"t\" level=fatal msg=\"some volumes could not be removed\"",
            K::VolumeInUse,
        ),
        (
            "time=\"t\" level=warning msg=\"volume \\\"nope\\\": not found\"\ntime=\"t\" level=fatal msg=\"some volumes could not be removed\"",
            K::NoSuchVolume,
        ),
        (
            "time=\"t\" level=warning msg=\"volume-store error\\nnot found\\n\\\"nope/volume.json\\\" does not exist\"\ntime=\"t\" level=fatal msg=\"some volumes could not be inspected\"",
            K::NoSuchVolume,
        ),
        (
            "time=\"t\" level=fatal msg=\"volume-store error\\nidentifier \\\"two words\\\" must match pattern \\\"[a-zA-Z0-9][a-zA-Z0-9_.-]\\\": invalid argument\"",
            K::InvalidName,
        ),
        (
            "time=\"t\" level=fatal msg=\"cannot exec in a paused state\"",
            K::ContainerPaused,
        ),
        (
            "time=\"t\" level=fatal msg=\"cannot exec in a stopped state\"",
            K::ContainerNotRunning,
        ),
        (
            "time=\"t\" level=fatal msg=\"no running task found: task 436c not found\"",
            K::ContainerNotRunning,
        ),
        (
            "time=\"t\" level=fatal msg=\"1 errors:\\nno such container: c1x\"",
            K::NoSuchContainer,
        ),
        (
            "time=\"t\" level=fatal msg=\"1 errors: [no such object nope]\"",
            K::NoSuchContainer,
        ),
        (
            "time=\"t\" level=fatal msg=\"no container found for: nope\"",
            K::NoSuchContainer,
        ),
        (
            "time=\"t\" level=fatal msg=\"image not available: \\\"nothere\\\"\"",
            K::NoSuchImage,
        ),
        (
            "time=\"t\" level=fatal msg=\"1 errors:\\nconflict: unable to delete bb:test (cannot be forced) - image is being used by running container 6c80\"",
            K::ImageInUse,
        ),
        (
            "time=\"t\" level=fatal msg=\"expected an absolute path, got \\\"x\\\"\"",
            K::InvalidMount,
        ),
        (
            "time=\"t\" level=fatal msg=\"invalid mount type 'foo' must be a volume/bind/tmpfs\"",
            K::InvalidMount,
        ),
        (
            "time=\"t\" level=fatal msg=\"unable to copy: the destination directory must exist to be able to copy a file\"",
            K::NoSuchPath,
        ),
        (
            "time=\"t\" level=fatal msg=\"unable to copy: cannot copy a directory to a file\"",
            K::NotADirectory,
        ),
        (
            "time=\"t\" level=fatal msg=\"unable to copy: cannot copy into read-only location\"",
            K::ReadOnly,
        ),
        ("FATA[0000] the moon is full", K::Other),
    ];

    #[test]
    fn what_nerdctl_says_has_a_kind() {
        check(Flavor::Nerdctl, SAID);
    }

    #[test]
    fn a_log_line_that_ends_the_program_is_what_it_says() {
        for (text, expected) in [
            (
                "time=\"t\" level=warning msg=\"careful\"\ntime=\"t\" level=fatal msg=\"no such volume: \\\"v\\\"\"\n",
                "no such volume: \"v\"",
            ),
            ("FATA[0012] no such volume: v\n", "no such volume: v"),
            ("WARN[0000] careful\nFATA[0000] no\n", "no"),
        ] {
            assert_eq!(essence(text), expected);
        }
    }
}
