//! The memory devices that every container may open (moby `oci/devices`, the default allow list).
//! Any other device that a process opens is refused, as the container's device rules refuse it.

use crate::union::{Attributes, Errno, FileKind, Result};

/// A character device that is emulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Device {
    /// `c 1:3`
    Null,
    /// `c 1:5`
    Zero,
    /// `c 1:7`
    Full,
}

impl Device {
    /// # Errors
    /// `EPERM` for a device that a container may not open.
    pub(super) fn open(attributes: &Attributes) -> Result<Self> {
        match (attributes.kind, attributes.device) {
            (FileKind::Character, (1, 3)) => Ok(Self::Null),
            (FileKind::Character, (1, 5)) => Ok(Self::Zero),
            (FileKind::Character, (1, 7)) => Ok(Self::Full),
            _ => Err(Errno::PERM),
        }
    }

    /// Fills a buffer; gives how much.
    pub(super) fn read(self, buffer: &mut [u8]) -> usize {
        if self == Self::Null {
            return 0;
        }
        buffer.fill(0);
        buffer.len()
    }

    /// # Errors
    /// `ENOSPC` from `/dev/full`.
    pub(super) fn write(self, bytes: &[u8]) -> Result<usize> {
        if self == Self::Full {
            Err(Errno::NOSPC)
        } else {
            Ok(bytes.len())
        }
    }
}
