//! What is in files and directories: `read`, `write`, `truncate`, `fallocate`, `lseek`, `getdents`,
//! `fsync`.

use std::ffi::{OsStr, OsString};

use super::Process;
use super::subject::{Changed, Subject, opened};
use crate::rootfs::open_file::{Data, OpenFile, OpenFlag, OpenHow};
use crate::rootfs::permission::Wish;
use crate::union::{AllocateRange, Errno, FileKind, Handle, Result, SetAttributes};

/// Most bytes that one read gives; more is `ENOMEM`.
const READ_MAX: u64 = 256 << 20;

/// Bytes of one `read` when the length is not known, and of one `write` of a pattern.
const CHUNK: usize = 64 << 10;

impl Process {
    /// `read`, or `pread` with an offset: up to `length` bytes, or to the end.
    ///
    /// # Errors
    /// As the system call; `ENOMEM` for more than 256 MiB.
    pub fn read(
        &self,
        file: &OpenFile,
        offset: Option<u64>,
        length: Option<u64>,
    ) -> Result<Vec<u8>> {
        let is_pipe = matches!(file.usable()?.data, Data::Fifo(_));
        if is_pipe && offset.is_some() {
            return Err(Errno::SPIPE);
        }
        if !file.how.reads() {
            return Err(Errno::BADF);
        }
        let mut position = file.position();
        let start = valid_offset(offset.unwrap_or(*position))?;
        let bytes = match &file.data {
            Data::Regular(handle) => read_regular(handle, start, length)?,
            Data::Directory => return Err(Errno::ISDIR),
            Data::Device(device) => {
                let wanted = length.unwrap_or(0).min(READ_MAX);
                let mut buffer = vec![0; usize::try_from(wanted).unwrap_or(0)];
                let count = device.read(&mut buffer);
                buffer.truncate(count);
                buffer
            }
            Data::Fifo(pipe) => pipe.read(length.unwrap_or(u64::MAX)),
            Data::Place => Vec::new(),
        };
        if offset.is_none() {
            *position = start.saturating_add(bytes.len() as u64);
        }
        Ok(bytes)
    }

    /// `write`, or `pwrite` with an offset, until everything is written. A file that was opened with
    /// `O_APPEND` is appended to whatever the offset, as on Linux (pwrite(2), BUGS).
    ///
    /// # Errors
    /// As the system call.
    pub fn write(
        &self,
        file: &OpenFile,
        offset: Option<u64>,
        bytes: &[u8],
    ) -> Result<Option<Changed>> {
        // Asked before the rights: a pipe has no positions, whatever it is opened for (`ksys_pwrite64`).
        let is_pipe = matches!(file.usable()?.data, Data::Fifo(_));
        if is_pipe && offset.is_some() {
            return Err(Errno::SPIPE);
        }
        if !file.how.has(OpenFlag::Write) {
            return Err(Errno::BADF);
        }
        let mut position = file.position();
        let mut at = valid_offset(offset.unwrap_or(*position))?;
        let mut rest = bytes;
        if rest.is_empty() && matches!(file.data, Data::Device(_)) {
            // `/dev/full` is too full for nothing, too.
            self.write_some(file, offset, at, rest)?;
        }
        while !rest.is_empty() {
            let count = self.write_some(file, offset, at, rest)?;
            if count == 0 {
                return Err(Errno::IO);
            }
            rest = rest.get(count..).unwrap_or_default();
            at = at.saturating_add(count as u64);
        }
        if offset.is_none() {
            let end = matches!(file.data, Data::Regular(_)) && file.how.has(OpenFlag::Append);
            // What is written is written, whether or not the end can be found.
            *position = if end { size(file).unwrap_or(at) } else { at };
        }
        Ok(changed(file))
    }

    /// Writes a pattern over and over from the position on, `size` bytes in all.
    ///
    /// # Errors
    /// As `write`; `EINVAL` for an empty pattern.
    pub fn write_pattern(
        &self,
        file: &OpenFile,
        pattern: &[u8],
        size: u64,
    ) -> Result<Option<Changed>> {
        if pattern.is_empty() {
            return Err(Errno::INVAL);
        }
        let chunk = pattern.repeat((CHUNK / pattern.len()).max(1));
        let mut left = size;
        while left > 0 {
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(chunk.len());
            self.write(file, None, chunk.get(..count).unwrap_or_default())?;
            left -= count as u64;
        }
        Ok(changed(file))
    }

    /// `truncate`, `ftruncate`.
    ///
    /// # Errors
    /// As the system calls.
    pub fn truncate(&self, subject: &Subject<'_>, size: u64) -> Result<Option<Changed>> {
        valid_offset(size)?;
        let found = self.found(subject)?;
        let location = &found.location;
        match subject {
            Subject::Path { .. } => {
                match location.node.kind() {
                    FileKind::Regular => {}
                    FileKind::Directory => return Err(Errno::ISDIR),
                    _ => return Err(Errno::INVAL),
                }
                location.check(&self.caller, Wish::WRITE)?;
                location.want_write()?;
            }
            Subject::File(file) => {
                let regular = matches!(file.data, Data::Regular(_));
                if !regular || !file.how.has(OpenFlag::Write) {
                    return Err(Errno::INVAL);
                }
            }
        }
        let change = SetAttributes {
            size: Some(size),
            ..SetAttributes::default()
        };
        location
            .union()
            .set_attributes(&location.node, &change, &self.caller)?;
        Ok(found.changed())
    }

    /// `fallocate`.
    ///
    /// # Errors
    /// As the system call.
    pub fn allocate(
        &self,
        file: &OpenFile,
        range: AllocateRange,
        offset: u64,
        length: u64,
    ) -> Result<Option<Changed>> {
        let file = file.usable()?;
        valid_offset(offset)?;
        if valid_offset(length)? == 0 {
            return Err(Errno::INVAL);
        }
        if !file.how.has(OpenFlag::Write) {
            return Err(Errno::BADF);
        }
        match &file.data {
            Data::Regular(handle) => {
                let end = offset.checked_add(length).ok_or(Errno::FBIG)?;
                valid_offset(end).map_err(|_| Errno::FBIG)?;
                handle.allocate(range, offset, length, &self.caller)?;
            }
            Data::Fifo(_) => return Err(Errno::SPIPE),
            _ => return Err(Errno::NODEV),
        }
        Ok(changed(file))
    }

    /// `lseek` with `SEEK_DATA` (true) or `SEEK_HOLE` (false); the position moves there.
    ///
    /// # Errors
    /// As the system call: `ENXIO` at or after the end.
    pub fn seek(&self, file: &OpenFile, data: bool, offset: u64) -> Result<u64> {
        let handle = match &file.usable()?.data {
            Data::Regular(handle) => handle,
            Data::Fifo(_) => return Err(Errno::SPIPE),
            _ => return Err(Errno::INVAL),
        };
        let offset = valid_offset(offset).map_err(|_| Errno::NXIO)?;
        let mut position = file.position();
        *position = if data {
            handle.seek_data(offset)?
        } else {
            handle.seek_hole(offset)?
        };
        Ok(*position)
    }

    /// The names in a directory, sorted, without `.` and `..`. A path is opened for reading.
    ///
    /// # Errors
    /// As `open` with `O_DIRECTORY`, and `readdir`: of a removed directory there is nothing to read.
    pub fn list(&self, subject: &Subject<'_>) -> Result<Vec<OsString>> {
        let found = match *subject {
            Subject::Path { path, follow } => {
                let how = OpenHow::new(if follow {
                    &[OpenFlag::Read, OpenFlag::Directory]
                } else {
                    &[OpenFlag::Read, OpenFlag::Directory, OpenFlag::Nofollow]
                });
                opened(&self.open(path, how, 0)?.file)
            }
            Subject::File(file) => opened(file.usable()?),
        };
        if found.location.node.kind() != FileKind::Directory {
            return Err(Errno::NOTDIR);
        }
        let union = found.location.union();
        let entries = match union.read_directory(&found.location.node) {
            Err(Errno::NOENT) => Vec::new(),
            entries => entries?,
        };
        Ok(entries.into_iter().map(|entry| entry.name).collect())
    }

    /// `fsync`. A path is opened for reading.
    ///
    /// # Errors
    /// As `open` and the system call.
    pub fn sync(&self, subject: &Subject<'_>) -> Result<()> {
        match *subject {
            Subject::Path { path, follow: _ } => sync_file(&self.open_to_read(path)?),
            Subject::File(file) => sync_file(file),
        }
    }

    /// Opens a path for reading, for a call that needs an open file.
    ///
    /// # Errors
    /// As `open`.
    pub fn open_to_read(&self, path: &OsStr) -> Result<OpenFile> {
        Ok(self.open(path, OpenHow::new(&[OpenFlag::Read]), 0)?.file)
    }

    fn write_some(
        &self,
        file: &OpenFile,
        offset: Option<u64>,
        at: u64,
        bytes: &[u8],
    ) -> Result<usize> {
        match &file.data {
            Data::Regular(handle) if file.how.has(OpenFlag::Append) => {
                handle.append(bytes, &self.caller)
            }
            Data::Regular(handle) => handle.write_at(bytes, at, &self.caller),
            Data::Device(device) => device.write(bytes),
            Data::Fifo(_) if offset.is_some() => Err(Errno::SPIPE),
            Data::Fifo(pipe) => pipe.write(bytes),
            Data::Directory | Data::Place => Err(Errno::BADF),
        }
    }
}

/// Where an open file was changed, if it can hold anything.
fn changed(file: &OpenFile) -> Option<Changed> {
    match &file.data {
        Data::Regular(_) => opened(file).changed(),
        _ => None,
    }
}

/// Offsets are `off_t`: not above `i64::MAX`.
fn valid_offset(offset: u64) -> Result<u64> {
    if i64::try_from(offset).is_ok() {
        Ok(offset)
    } else {
        Err(Errno::INVAL)
    }
}

fn read_regular(handle: &Handle, start: u64, length: Option<u64>) -> Result<Vec<u8>> {
    let size = handle.attributes()?.size;
    // One byte more than is there, so that a file that has not grown needs no further read.
    let there = size.saturating_sub(start).saturating_add(1);
    let wanted = length.unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let mut chunk = there.min(wanted).max(1);
    while (bytes.len() as u64) < wanted {
        let filled = bytes.len();
        if filled as u64 + chunk > READ_MAX + 1 {
            return Err(Errno::NOMEM);
        }
        let step = chunk.min(wanted - filled as u64);
        bytes.resize(filled + usize::try_from(step).map_err(|_| Errno::NOMEM)?, 0);
        let buffer = bytes.get_mut(filled..).unwrap_or_default();
        let count = handle.read_at(buffer, start + filled as u64)?;
        bytes.truncate(filled + count);
        if (count as u64) < step {
            break;
        }
        chunk = CHUNK as u64;
    }
    Ok(bytes)
}

fn sync_file(file: &OpenFile) -> Result<()> {
    match &file.usable()?.data {
        Data::Regular(handle) => handle.sync(),
        Data::Directory => file.location.union().sync(&file.location.node),
        _ => Err(Errno::INVAL),
    }
}

fn size(file: &OpenFile) -> Result<u64> {
    Ok(file.location.union().attributes(&file.location.node)?.size)
}
