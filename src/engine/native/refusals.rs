//! What can go wrong, and how it is said: Docker's own words.

use crate::engine::{Answer, Kind, Refusal, Value};
use crate::rootfs::InvalidUser;
use crate::store::{self, Reason};
use crate::union::Errno;

/// Why an operation was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The engine refuses.
    Refused(Refusal),
    /// The engine cannot: its disk fails.
    Broken(String),
}

/// Result of an operation or a part of one.
pub(super) type Result<T> = std::result::Result<T, Fault>;

/// A refusal by kind.
pub(super) fn refuse<T>(kind: Kind, message: impl Into<String>) -> Result<T> {
    Err(fault(kind, message))
}

/// A refusal by kind, as an error.
pub(super) fn fault(kind: Kind, message: impl Into<String>) -> Fault {
    Fault::Refused(Refusal::kind(kind, message))
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<store::Refusal> for Fault {
    fn from(refusal: store::Refusal) -> Self {
        let kind = match refusal.reason {
            Reason::Name => Kind::InvalidName,
            Reason::Mount => Kind::InvalidMount,
            Reason::Duplicate => Kind::DuplicateMount,
            Reason::VolumesFrom => Kind::InvalidVolumesFrom,
            Reason::Filter => Kind::InvalidFilter,
            Reason::DriverOption => Kind::InvalidOption,
            Reason::Driver => Kind::NoSuchDriver,
        };
        fault(kind, refusal.message)
    }
}

impl From<InvalidUser> for Fault {
    fn from(invalid: InvalidUser) -> Self {
        fault(Kind::InvalidUser, invalid.to_string())
    }
}

impl From<Errno> for Fault {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::NOSPC | Errno::DQUOT => fault(Kind::NoSpace, "no space left on device"),
            other => Self::Broken(format!("the engine's disk failed: {}", text(other))),
        }
    }
}

/// Whether it is the engine's disk or the engine that fails, and not the request.
pub(super) fn is_failure(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::IO | Errno::NOSPC | Errno::DQUOT | Errno::MFILE | Errno::NFILE | Errno::NOMEM
    )
}

/// Go's text of an errno: lower case, without the number.
pub(super) fn text(errno: Errno) -> String {
    let full = std::io::Error::from_raw_os_error(errno.raw_os_error()).to_string();
    full.split(" (os error")
        .next()
        .unwrap_or_default()
        .to_lowercase()
}

/// The answer to an operation.
pub(super) fn answer(result: Result<Value>) -> Answer {
    match result {
        Ok(value) => Answer::Done(value),
        Err(Fault::Refused(refusal)) => Answer::Refused(refusal),
        Err(Fault::Broken(why)) => Answer::Broken(why),
    }
}

pub(super) fn engine_down<T>() -> Result<T> {
    refuse(
        Kind::EngineDown,
        "Cannot connect to the Docker daemon. Is the docker daemon running?",
    )
}

pub(super) fn no_such_container(name: &str) -> Fault {
    fault(Kind::NoSuchContainer, format!("No such container: {name}"))
}

pub(super) fn no_such_image(name: &str) -> Fault {
    let message = format!("No such image: {}", store::names::image_with_tag(name));
    fault(Kind::NoSuchImage, message)
}

pub(super) fn no_such_volume(name: &str) -> Fault {
    fault(Kind::NoSuchVolume, format!("get {name}: no such volume"))
}

pub(super) fn not_running(id: &str) -> Fault {
    fault(
        Kind::ContainerNotRunning,
        format!("Container {id} is not running"),
    )
}

/// Docker row 31.
pub(super) fn paused(name: &str) -> Fault {
    let message = format!("Container {name} is paused, unpause the container before exec");
    fault(Kind::ContainerPaused, message)
}

/// Docker row 129: what runc says, and the daemon's hint.
/// A path that leads in a circle, as the daemon says it.
pub(super) fn too_many_links(path: &str) -> Fault {
    let message = format!("evalSymlinksInScope: too many links in {path}");
    fault(Kind::Other, message)
}

pub(super) fn type_mismatch(source: &str, target: &str) -> Fault {
    fault(
        Kind::MountTypeMismatch,
        format!(
            "error mounting \"{source}\" to rootfs at \"{target}\": not a directory: unknown: Are you \
             trying to mount a directory onto a file (or vice-versa)? Check if the specified host path \
             exists and is the expected type"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errno_texts_are_those_of_go() {
        assert_eq!(text(Errno::ROFS), "read-only file system");
        assert_eq!(text(Errno::NOENT), "no such file or directory");
    }
}
