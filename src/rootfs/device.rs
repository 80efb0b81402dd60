//! The memory devices that every container may open (moby `oci/devices`, the default allow list).
//! Any other device that a process opens is refused, as the container's device rules refuse it.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

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
    /// `c 1:8`, `c 1:9`: bytes that nobody should expect anything of.
    Random,
}

impl Device {
    /// # Errors
    /// `EPERM` for a device that a container may not open; `ENXIO` for `/dev/tty`, since there is no
    /// terminal.
    pub(super) fn open(attributes: &Attributes) -> Result<Self> {
        match (attributes.kind, attributes.device) {
            (FileKind::Character, (1, 3)) => Ok(Self::Null),
            (FileKind::Character, (1, 5)) => Ok(Self::Zero),
            (FileKind::Character, (1, 7)) => Ok(Self::Full),
            (FileKind::Character, (1, 8 | 9)) => Ok(Self::Random),
            (FileKind::Character, (5, 0)) => Err(Errno::NXIO),
            _ => Err(Errno::PERM),
        }
    }

    /// Fills a buffer; gives how much.
    pub(super) fn read(self, buffer: &mut [u8]) -> usize {
        match self {
            Self::Null => return 0,
            Self::Zero | Self::Full => buffer.fill(0),
            Self::Random => {
                // Seeds differ between processes and between calls.
                let mut hasher = RandomState::new().build_hasher();
                for byte in &mut *buffer {
                    hasher.write_u8(0);
                    *byte = hasher.finish().to_le_bytes()[0];
                }
            }
        }
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
