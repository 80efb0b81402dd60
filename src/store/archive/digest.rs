//! Content digests: OCI image-spec, descriptor.md "Digests".

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::error::{ArchiveFault, Result, shown};

/// The SHA-256 of a blob.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Digest([u8; 32]);

impl Digest {
    /// Of these bytes.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Reads `sha256:` and 64 hexadecimal digits.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let wrong = || {
            let text = shown(text.as_bytes());
            ArchiveFault::damaged(format!("{text} is no digest of the form sha256:…"))
        };
        Self::from_hex(text.strip_prefix("sha256:").ok_or_else(wrong)?).ok_or_else(wrong)
    }

    /// Reads 64 hexadecimal digits, lower case.
    pub(super) fn from_hex(hex: &str) -> Option<Self> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let (pairs, []) = hex.as_bytes().as_chunks::<2>() else {
            return None;
        };
        let mut bytes = [0; 32];
        if pairs.len() != bytes.len() {
            return None;
        }
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Self(bytes))
    }

    /// 64 hexadecimal digits.
    pub(super) fn hex(&self) -> String {
        use fmt::Write as _;
        let mut hex = String::with_capacity(64);
        for byte in self.0 {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        hex
    }

    /// Refuses another digest than this one.
    pub(super) fn check(&self, found: &Self) -> Result<()> {
        if self == found {
            return Ok(());
        }
        Err(ArchiveFault::Digest {
            expected: self.to_string(),
            found: found.to_string(),
        }
        .into())
    }
}

impl From<Sha256> for Digest {
    fn from(hasher: Sha256) -> Self {
        Self(hasher.finalize().into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
