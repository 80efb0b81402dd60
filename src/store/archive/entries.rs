//! The tar format: entry after entry of a stream.
//!
//! Not `tar::Archive`: that reads extended headers of any length into memory, cuts their values at
//! newlines, writes holes as zeros and does not know sparse files of the pax formats. Headers are still the
//! crate's.

use tar::{EntryType, Header};

use super::error::{ArchiveFault, Result, shown};
use super::header::{self, Entry, LongNames};
use super::input::{Input, truncated};
use super::limits::HEADER_MAX;
use super::pax::Pax;
use super::sparse::Map;

const BLOCK: u64 = 512;

/// The entries of an archive.
#[derive(Debug)]
pub(super) struct Entries<I> {
    pub(super) input: I,
    /// How the present file is stored, until it is read.
    map: Option<Map>,
    /// Bytes up to the next header, beyond what `map` stores.
    padding: u64,
}

impl<I: Input> Entries<I> {
    pub(super) fn new(input: I) -> Self {
        Self {
            input,
            map: None,
            padding: 0,
        }
    }

    /// The next file; `None` at the end of the archive, which an empty block marks or the end of the
    /// stream. `count` is asked before a file is looked at.
    pub(super) fn next(&mut self, mut count: impl FnMut() -> Result<()>) -> Result<Option<Entry>> {
        let stored = self.map.take().map_or(0, |map| map.stored);
        self.input.skip(stored)?;
        self.skip_padding()?;
        let mut pax = Pax::default();
        let mut long = LongNames::default();
        loop {
            let Some(header) = self.header()? else {
                return Ok(None);
            };
            let stored = header::stored_size(&header, &pax)?;
            match header.entry_type() {
                EntryType::XHeader => pax.read(&self.extension(stored)?)?,
                // Docker ignores defaults for all entries; git writes them as a comment.
                EntryType::XGlobalHeader => drop(self.extension(stored)?),
                EntryType::GNULongName => long.path = Some(without_zero(self.extension(stored)?)),
                EntryType::GNULongLink => long.link = Some(without_zero(self.extension(stored)?)),
                _ => {
                    count()?;
                    return self.file(&header, pax, long, stored).map(Some);
                }
            }
        }
    }

    fn file(
        &mut self,
        header: &Header,
        mut pax: Pax,
        long: LongNames,
        stored: u64,
    ) -> Result<Entry> {
        let name = pax.path.as_ref().or(long.path.as_ref()).cloned();
        let name = name.unwrap_or_else(|| header.path_bytes().into_owned());
        self.padding = padding(stored);
        let map = Map::read(header, &mut pax, stored, &mut self.input)
            .map_err(|error| error.within(format!("entry {}", shown(&name))))?;
        let entry = header::entry(header, pax, long, map.size)?;
        self.map = Some(map);
        Ok(entry)
    }

    /// Gives the data of the present file in pieces, each with its offset; holes are left out.
    pub(super) fn data(&mut self, mut take: impl FnMut(u64, &[u8]) -> Result<()>) -> Result<()> {
        let Some(map) = self.map.take() else {
            return Ok(());
        };
        for part in map.parts {
            let (mut at, end) = (part.offset, part.offset + part.length);
            while at < end {
                let here = self.input.fill()?;
                let count = usize::try_from(end - at)
                    .unwrap_or(here.len())
                    .min(here.len());
                let bytes = here.get(..count).filter(|bytes| !bytes.is_empty());
                take(at, bytes.ok_or_else(truncated)?)?;
                self.input.consume(count);
                at += count as u64;
            }
        }
        Ok(())
    }

    /// Whether the present file is stored as it is, without holes.
    pub(super) fn is_dense(&self) -> bool {
        self.map
            .as_ref()
            .is_some_and(|map| match map.parts.as_slice() {
                [part] => part.offset == 0 && part.length == map.size,
                parts => parts.is_empty() && map.size == 0,
            })
    }

    fn skip_padding(&mut self) -> Result<()> {
        let padding = std::mem::take(&mut self.padding);
        self.input.skip(padding)
    }

    /// `None` at the end.
    fn header(&mut self) -> Result<Option<Header>> {
        if self.input.fill()?.is_empty() {
            return Ok(None);
        }
        let mut header = Header::new_old();
        self.input.exact(header.as_mut_bytes())?;
        if header.as_bytes().iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        if header::is_sound(&header) {
            Ok(Some(header))
        } else {
            Err(ArchiveFault::damaged("no tar header where one should be"))
        }
    }

    /// The content of a header that extends another.
    fn extension(&mut self, size: u64) -> Result<Vec<u8>> {
        let length = usize::try_from(size.min(HEADER_MAX + 1)).unwrap_or(usize::MAX);
        if size > HEADER_MAX {
            return Err(ArchiveFault::limit(
                "bytes of an extended header",
                HEADER_MAX,
            ));
        }
        let mut bytes = vec![0; length];
        self.input.exact(&mut bytes)?;
        self.input.skip(padding(size))?;
        Ok(bytes)
    }
}

/// Bytes that fill a size up to whole blocks.
fn padding(size: u64) -> u64 {
    (BLOCK - size % BLOCK) % BLOCK
}

fn without_zero(mut name: Vec<u8>) -> Vec<u8> {
    let end = name.iter().position(|byte| *byte == 0);
    name.truncate(end.unwrap_or(name.len()));
    name
}
