//! Extended headers: POSIX pax, with GNU's keys for sparse files and Schily's for extended attributes.
//!
//! Records are taken apart by their lengths: values are bytes, in which anything may stand, newlines too.

use super::error::{ArchiveFault, Result, shown};
use super::header::SECONDS_MAX;
use super::limits::PARTS_MAX;
use super::sparse::Part;
use crate::union::Timestamp;

const XATTR: &[u8] = b"SCHILY.xattr.";

/// What extended headers say about the file that follows them.
#[derive(Debug, Default)]
pub(super) struct Pax {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<u64>,
    pub(super) gid: Option<u64>,
    pub(super) mtime: Option<Timestamp>,
    pub(super) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) sparse: SparseKeys,
}

/// GNU's keys: versions 0.0 and 0.1 have the map here, 1.0 before the data.
#[derive(Debug, Default)]
pub(super) struct SparseKeys {
    pub(super) major: Option<u64>,
    pub(super) minor: Option<u64>,
    pub(super) size: Option<u64>,
    pub(super) map: Vec<Part>,
    pub(super) is_mapped: bool,
    offset: Option<u64>,
}

impl Pax {
    /// Reads records; a key that comes again counts anew.
    pub(super) fn read(&mut self, mut rest: &[u8]) -> Result<()> {
        while !rest.is_empty() && rest.first() != Some(&0) {
            let (record, after) = cut(rest).ok_or_else(|| {
                ArchiveFault::damaged("a record of an extended header is malformed")
            })?;
            let (key, value) = record;
            self.record(key, value)
                .map_err(|error| error.within(format!("extended header {}", shown(key))))?;
            rest = after;
        }
        Ok(())
    }

    fn record(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        if let Some(name) = key.strip_prefix(XATTR) {
            if name.is_empty() || name.contains(&0) {
                return Err(ArchiveFault::damaged("names no attribute"));
            }
            self.xattrs.retain(|(known, _)| known != name);
            // An empty value takes an earlier one back, here too: so does Docker 20.10, and whoever reads as Go does.
            if !value.is_empty() {
                self.xattrs.push((name.to_vec(), value.to_vec()));
            }
            return Ok(());
        }
        let keys = &mut self.sparse;
        match key {
            // An empty value takes an earlier one back.
            b"path" => self.path = Some(value.to_vec()).filter(|path| !path.is_empty()),
            b"linkpath" => self.link = Some(value.to_vec()).filter(|link| !link.is_empty()),
            b"size" => self.size = Some(number(value)?),
            b"uid" => self.uid = Some(number(value)?),
            b"gid" => self.gid = Some(number(value)?),
            b"mtime" => self.mtime = Some(time(value)?),
            b"GNU.sparse.major" => keys.major = Some(number(value)?),
            b"GNU.sparse.minor" => keys.minor = Some(number(value)?),
            b"GNU.sparse.name" => self.path = Some(value.to_vec()),
            b"GNU.sparse.realsize" | b"GNU.sparse.size" => keys.size = Some(number(value)?),
            b"GNU.sparse.numblocks" => keys.is_mapped = true,
            b"GNU.sparse.map" => keys.read_map(value)?,
            b"GNU.sparse.offset" => keys.offset = Some(number(value)?),
            b"GNU.sparse.numbytes" => {
                let offset = keys.offset.take();
                let offset = offset.ok_or_else(|| ArchiveFault::damaged("has no offset"))?;
                keys.push(offset, number(value)?)?;
            }
            _ => {}
        }
        Ok(())
    }
}

impl SparseKeys {
    fn read_map(&mut self, value: &[u8]) -> Result<()> {
        self.is_mapped = true;
        self.map.clear();
        let mut numbers = value.split(|byte| *byte == b',');
        while let Some(offset) = numbers.next().filter(|text| !text.is_empty()) {
            let length = numbers.next();
            let length = length.ok_or_else(|| ArchiveFault::damaged("has an odd number"))?;
            self.push(number(offset)?, number(length)?)?;
        }
        Ok(())
    }

    fn push(&mut self, offset: u64, length: u64) -> Result<()> {
        if self.map.len() >= PARTS_MAX {
            return Err(ArchiveFault::limit(
                "parts of a sparse file",
                PARTS_MAX as u64,
            ));
        }
        self.is_mapped = true;
        self.map.push(Part { offset, length });
        Ok(())
    }
}

/// Key and value.
type Record<'a> = (&'a [u8], &'a [u8]);

/// The first record, and what comes after it: `LENGTH KEY=VALUE\n`, the length that of the whole record.
fn cut(bytes: &[u8]) -> Option<(Record<'_>, &[u8])> {
    // No length has more digits.
    let digits = bytes.iter().take(10).position(|byte| *byte == b' ')?;
    let length = usize::try_from(number(bytes.get(..digits)?).ok()?).ok()?;
    let (record, after) = bytes.split_at_checked(length)?;
    let record = record.get(digits + 1..)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    let (key, value) = record.split_at_checked(equals)?;
    Some(((key, value.get(1..)?), after)).filter(|_| !key.is_empty())
}

/// A decimal number without a sign.
pub(super) fn number(text: &[u8]) -> Result<u64> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let parsed = std::str::from_utf8(text).ok().filter(|_| digits);
    parsed
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| ArchiveFault::damaged(format!("{} is no number", shown(text))))
}

/// Seconds since 1970 with an optional fraction. What Docker cannot set is 1970.
fn time(text: &[u8]) -> Result<Timestamp> {
    let is_negative = text.first() == Some(&b'-');
    let unsigned = text.get(usize::from(is_negative)..).unwrap_or_default();
    let mut parts = unsigned.splitn(2, |byte| *byte == b'.');
    let seconds = number(parts.next().unwrap_or_default())?;
    let fraction = parts.next().unwrap_or_default();
    if !fraction.iter().all(u8::is_ascii_digit) {
        let message = format!("{} is no time", shown(text));
        return Err(ArchiveFault::damaged(message));
    }
    let nanos = fraction.iter().chain(std::iter::repeat(&b'0')).take(9);
    let nanos = nanos.fold(0, |nanos, digit| nanos * 10 + u32::from(digit - b'0'));
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    if is_negative || seconds > SECONDS_MAX {
        return Ok(Timestamp {
            seconds: 0,
            nanos: 0,
        });
    }
    Ok(Timestamp { seconds, nanos })
}
