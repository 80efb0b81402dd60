//! What `overlay.origin`, `overlay.upper` and the names in an index hold: the handle of a file, as the kernel wraps
//! it.
//!
//! Version 0, magic 0xfb, length of all, flags, type of the handle, UUID of the file system, handle. Source:
//! `struct ovl_fb` in `fs/overlayfs/overlayfs.h`; as Linux 6.18 writes it on ext4 and tmpfs.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;

use super::{Errno, Result};
use crate::sys::FileHandle;

const VERSION: u8 = 0;
const MAGIC: u8 = 0xfb;
/// Bytes before the handle.
const HEADER: usize = 21;

/// The handle is in the byte order of a machine whose first byte is the highest.
const BIG_ENDIAN: u8 = 1;
/// The handle's byte order does not matter.
const ANY_ENDIAN: u8 = 1 << 1;
/// The file is in an upper layer.
const IN_UPPER: u8 = 1 << 2;

const HERE: u8 = if cfg!(target_endian = "big") {
    BIG_ENDIAN
} else {
    0
};

/// A file of any layer, for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    bytes: Vec<u8>,
}

impl Origin {
    /// Wraps a handle.
    pub(super) fn new(handle: &FileHandle, uuid: [u8; 16], is_in_upper: bool) -> Result<Self> {
        let length = u8::try_from(HEADER + handle.bytes.len());
        let kind = u8::try_from(handle.kind);
        let (Ok(length), Ok(kind)) = (length, kind) else {
            return Err(Errno::OVERFLOW);
        };
        let flags = if is_in_upper { HERE | IN_UPPER } else { HERE };
        let mut bytes = vec![VERSION, MAGIC, length, flags, kind];
        bytes.extend_from_slice(&uuid);
        bytes.extend_from_slice(&handle.bytes);
        Ok(Self { bytes })
    }

    /// Reads what an attribute holds.
    ///
    /// # Errors
    /// `EINVAL` for what is no such thing; `ENODATA` for one of a later version, or of another machine.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self> {
        let &[version, magic, length, flags, ..] = bytes else {
            return Err(Errno::INVAL);
        };
        if magic != MAGIC || bytes.len() < HEADER || bytes.len() != usize::from(length) {
            return Err(Errno::INVAL);
        }
        let is_foreign = flags & ANY_ENDIAN == 0 && flags & BIG_ENDIAN != HERE;
        if version > VERSION || flags & !(BIG_ENDIAN | ANY_ENDIAN | IN_UPPER) != 0 || is_foreign {
            return Err(Errno::NODATA);
        }
        Ok(Self {
            bytes: bytes.to_vec(),
        })
    }

    /// Reads a name in an index.
    ///
    /// # Errors
    /// As [`Origin::parse`].
    pub(super) fn of_name(name: &OsStr) -> Result<Self> {
        let digit = |byte: u8| char::from(byte).to_digit(16).ok_or(Errno::INVAL);
        let (pairs, rest) = name.as_bytes().as_chunks::<2>();
        if !rest.is_empty() {
            return Err(Errno::INVAL);
        }
        let mut bytes = Vec::with_capacity(pairs.len());
        for [high, low] in pairs {
            let byte = digit(*high)? << 4 | digit(*low)?;
            bytes.push(u8::try_from(byte).map_err(|_large| Errno::INVAL)?);
        }
        Self::parse(&bytes)
    }

    /// The name in an index.
    pub(super) fn name(&self) -> OsString {
        let mut name = String::with_capacity(2 * self.bytes.len());
        for byte in &self.bytes {
            // Writing to a string cannot fail.
            let _written = write!(name, "{byte:02x}");
        }
        name.into()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The file system that the file is on.
    pub(super) fn uuid(&self) -> Option<[u8; 16]> {
        self.bytes.get(5..HEADER)?.try_into().ok()
    }

    /// The handle in it.
    pub(super) fn handle(&self) -> FileHandle {
        FileHandle {
            kind: self.bytes.get(4).copied().map_or(0, i32::from),
            bytes: self.bytes.get(HEADER..).unwrap_or_default().to_vec(),
        }
    }
}

#[cfg(all(test, target_endian = "little"))]
mod tests {
    use super::*;

    /// As Linux 6.18 named an entry in an index on tmpfs.
    const SEEN: &str = "00fb210001dbe7fc602a8d4878bff659672bed5625972ae7e6ff564b0000000000";

    #[test]
    fn names_are_read_as_they_are_written() {
        let origin = Origin::of_name(OsStr::new(SEEN)).unwrap();
        assert_eq!(origin.name(), SEEN);
        assert_eq!(Origin::parse(origin.bytes()), Ok(origin.clone()));
        assert_eq!(origin.uuid().unwrap()[..4], [0xdb, 0xe7, 0xfc, 0x60]);
        let handle = origin.handle();
        assert_eq!((handle.kind, handle.bytes.len()), (1, 12));
        let again = Origin::new(&handle, origin.uuid().unwrap(), false);
        assert_eq!(again, Ok(origin));
        let above = Origin::new(&handle, [0; 16], true).unwrap();
        assert!(above.name().to_str().unwrap().starts_with("00fb210401"));
    }

    #[test]
    fn anything_else_is_refused() {
        for (name, errno) in [
            ("", Errno::INVAL),
            ("garbage", Errno::INVAL),
            (&SEEN[1..], Errno::INVAL),
            (&SEEN[2..], Errno::INVAL),
            (&SEEN[..64], Errno::INVAL),
            (&SEEN[..40], Errno::INVAL),
            (&SEEN.replace("00fb", "00fz"), Errno::INVAL),
            (&SEEN.replace("00fb", "01fb"), Errno::NODATA),
            (&SEEN.replace("00fb2100", "00fb2110"), Errno::NODATA),
            (&SEEN.replace("00fb2100", "00fb2101"), Errno::NODATA),
        ] {
            let read = Origin::of_name(OsStr::new(name));
            assert_eq!(read.err(), Some(errno), "{name}");
        }
        let handle = FileHandle {
            kind: 256,
            bytes: Vec::new(),
        };
        assert_eq!(Origin::new(&handle, [0; 16], false), Err(Errno::OVERFLOW));
    }
}
