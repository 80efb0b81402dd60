//! A layer as plain tar, ready to be put into an archive.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

/// A layer as plain tar.
#[derive(Clone, Debug)]
pub(super) struct Packed {
    /// SHA-256 in hexadecimal.
    pub(super) digest: String,
    /// In bytes.
    pub(super) length: u64,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    Memory(Vec<u8>),
    /// A part of a file, which others share.
    File {
        file: Arc<File>,
        start: u64,
    },
}

impl Packed {
    /// What was made here, in memory.
    pub(super) fn made(bytes: Vec<u8>) -> Self {
        Self {
            digest: digest(&bytes),
            length: bytes.len() as u64,
            place: Place::Memory(bytes),
        }
    }

    /// What lies in a file that nobody changes, with its digest.
    pub(super) fn lying(file: Arc<File>, start: u64, length: u64, digest: String) -> Self {
        Self {
            digest,
            length,
            place: Place::File { file, start },
        }
    }

    pub(super) fn read(&self) -> Box<dyn Read + '_> {
        match &self.place {
            Place::Memory(bytes) => Box::new(bytes.as_slice()),
            Place::File { file, start } => {
                let part = Part { file, at: *start };
                Box::new(part.take(self.length))
            }
        }
    }
}

/// A file from a position on, whatever position others read at.
struct Part<'a> {
    file: &'a File,
    at: u64,
}

impl Read for Part<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(into, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

/// SHA-256 in hexadecimal.
pub(super) fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing to a string cannot fail.
        let _: std::fmt::Result = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn parts_of_one_file_are_read_independently() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"onetwo").unwrap();
        let file = Arc::new(file);
        let part = |start| Packed::lying(Arc::clone(&file), start, 3, digest(b""));
        let (one, two) = (part(0), part(3));
        let text = |packed: &Packed| io::read_to_string(packed.read()).unwrap();
        assert_eq!((text(&two), text(&one)), ("two".into(), "one".into()));
        assert_eq!(text(&two), "two", "again, for a program that failed");
        let made = Packed::made(b"two".to_vec());
        assert_eq!((text(&made), made.length), ("two".into(), 3));
    }
}
