//! One tar header with the extensions that came before it, as the file that it describes.

use tar::{EntryType, Header};

use super::error::{ArchiveFault, Result, shown};
use super::pax::Pax;
use crate::union::Timestamp;

/// A file of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// As written.
    pub(super) path: Vec<u8>,
    pub(super) body: Body,
    /// At most 0o7777.
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) mtime: Timestamp,
    pub(super) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// A regular file of so many bytes.
    File(u64),
    Directory,
    Symlink(Vec<u8>),
    /// The path of another name, as written.
    Hardlink(Vec<u8>),
    Fifo,
    Character(u32, u32),
    Block(u32, u32),
}

/// Names that are too long for a header: GNU's `L` and `K`.
#[derive(Debug, Default)]
pub(super) struct LongNames {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
}

/// Whether the sum in a header is right, counted as unsigned bytes or, as early programs did, as signed ones.
pub(super) fn is_sound(header: &Header) -> bool {
    let bytes = header.as_bytes();
    let field = 148..156;
    let (mut unsigned, mut signed) = (0_u32, 0_i32);
    for (at, byte) in bytes.iter().enumerate() {
        let byte = if field.contains(&at) { b' ' } else { *byte };
        unsigned += u32::from(byte);
        signed += i32::from(byte.cast_signed());
    }
    let stated = header.cksum().ok();
    stated == Some(unsigned) || stated == u32::try_from(signed).ok()
}

/// Bytes that follow a header. What is no regular file has none, whatever the header says (Go's `isHeaderOnly`).
pub(super) fn stored_size(header: &Header, pax: &Pax) -> Result<u64> {
    match header.entry_type() {
        EntryType::Link
        | EntryType::Symlink
        | EntryType::Char
        | EntryType::Block
        | EntryType::Directory
        | EntryType::Fifo => Ok(0),
        _ => match pax.size {
            Some(size) => Ok(size),
            None => number(header, 124..136, Header::entry_size),
        },
    }
}

/// Reads a header. `size` is the length of the file, holes counted.
pub(super) fn entry(header: &Header, pax: Pax, long: LongNames, size: u64) -> Result<Entry> {
    let path = pax
        .path
        .or(long.path)
        .unwrap_or_else(|| header.path_bytes().into_owned());
    let described = describe(
        header,
        pax.link.or(long.link),
        size,
        path.last() == Some(&b'/'),
    );
    let id = |stated: Option<u64>, field: Result<u64>| {
        let id = stated.map_or(field, Ok)?;
        let fits = u32::try_from(id).ok().filter(|id| *id != u32::MAX);
        fits.ok_or_else(|| ArchiveFault::damaged(format!("there is no user or group {id}")))
    };
    let whole = || -> Result<(Body, u32, u32, u32)> {
        if path.contains(&0) {
            return Err(ArchiveFault::damaged("its name holds a zero byte"));
        }
        let mode = number(header, 100..108, |header| header.mode().map(u64::from))?;
        let mode = u32::try_from(mode & 0o7777).unwrap_or_default();
        let uid = id(pax.uid, number(header, 108..116, Header::uid))?;
        let gid = id(pax.gid, number(header, 116..124, Header::gid))?;
        Ok((described?, mode, uid, gid))
    };
    let (body, mode, uid, gid) =
        whole().map_err(|error| error.within(format!("entry {}", shown(&path))))?;
    let mtime = pax.mtime.unwrap_or_else(|| Timestamp {
        // Docker takes what it cannot set as 1970: seen for -5 and for 99999999999999.
        seconds: header
            .mtime()
            .ok()
            .and_then(|seconds| i64::try_from(seconds).ok())
            .filter(|seconds| *seconds <= SECONDS_MAX)
            .unwrap_or(0),
        nanos: 0,
    });
    Ok(Entry {
        path,
        body,
        mode,
        uid,
        gid,
        mtime,
        xattrs: pax.xattrs,
    })
}

/// A number of a header. A field that nobody has filled in is 0 (Go's `parseNumeric`).
fn number(
    header: &Header,
    field: std::ops::Range<usize>,
    read: impl FnOnce(&Header) -> std::io::Result<u64>,
) -> Result<u64> {
    let bytes = header.as_bytes().get(field).unwrap_or_default();
    if bytes.iter().all(|byte| matches!(byte, 0 | b' ')) {
        return Ok(0);
    }
    read(header).map_err(damaged)
}

/// Latest time that Docker sets (moby `pkg/system/chtimes.go`): 2262-04-11, what nanoseconds in 64 bits hold.
pub(super) const SECONDS_MAX: i64 = 9_223_372_036;

fn describe(header: &Header, link: Option<Vec<u8>>, size: u64, has_slash: bool) -> Result<Body> {
    let target = || {
        let link = link.or_else(|| header.link_name_bytes().map(std::borrow::Cow::into_owned));
        let link = link.filter(|link| !link.is_empty() && !link.contains(&0));
        link.ok_or_else(|| ArchiveFault::damaged("it links to nothing"))
    };
    let device = || -> Result<(u32, u32)> {
        let major = header.device_major().map_err(damaged)?;
        let minor = header.device_minor().map_err(damaged)?;
        Ok((major.unwrap_or(0), minor.unwrap_or(0)))
    };
    let flag = header.as_bytes().get(156).copied().unwrap_or_default();
    Ok(match header.entry_type() {
        // Before POSIX a directory was a file with a slash behind its name.
        EntryType::Regular if flag == 0 && has_slash => Body::Directory,
        EntryType::Regular | EntryType::GNUSparse => Body::File(size),
        EntryType::Directory => Body::Directory,
        EntryType::Symlink => Body::Symlink(target()?),
        EntryType::Link => Body::Hardlink(target()?),
        EntryType::Fifo => Body::Fifo,
        EntryType::Char => device().map(|(major, minor)| Body::Character(major, minor))?,
        EntryType::Block => device().map(|(major, minor)| Body::Block(major, minor))?,
        _ => {
            let kind = shown(&[flag]);
            return Err(ArchiveFault::refused(format!(
                "no kind of file: type {kind}"
            )));
        }
    })
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn damaged(error: std::io::Error) -> super::ArchiveError {
    ArchiveFault::damaged(format!("its header is damaged: {error}"))
}
