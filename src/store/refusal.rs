//! Why a request is refused, before anything was changed.

/// What a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A name of a volume or container.
    Name,
    /// A mount, in itself.
    Mount,
    /// Two mounts with one target.
    Duplicate,
    /// A volumes-from specification.
    VolumesFrom,
    /// A filter.
    Filter,
    /// A driver, tmpfs or storage option.
    DriverOption,
    /// The volume driver.
    Driver,
}

/// A refusal, in the words of Docker's daemon.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// What it is about.
    pub reason: Reason,
    /// The daemon's text.
    pub message: String,
}

impl Refusal {
    /// A refusal for this reason.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
        }
    }
}
