//! A layer of the disk as a tar file: OCI image-spec, layer.md.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::unix::ffi::OsStrExt as _;

use tar::{EntryType, Header};

use super::error::{ArchiveFault, Result, shown};
use super::write::{end, failed, fill};
use crate::union::{Attributes, FileKind, NodeRef, OpenFlags, Timestamp, Union, XattrNamespace};

/// Bytes that are read at a time.
const PIECE: usize = 256 << 10;

/// A layer to write.
#[derive(Debug)]
pub struct Layer<'a> {
    /// Its directory, as it is.
    pub union: &'a Union,
    /// Where its marks are kept.
    pub namespace: XattrNamespace,
    /// Directories that were last changed since then were made for others' sake, and get the time 0: else no
    /// two archives of the same image would be the same.
    pub since: Timestamp,
}

/// What stands in a directory's place of its marks.
#[derive(Default)]
struct Extras {
    /// Sorted by name.
    xattrs: Vec<(OsString, Vec<u8>)>,
    is_opaque: bool,
    is_whiteout: bool,
}

/// A header in the making: what does not fit goes into an extended one.
struct Entry<'a> {
    path: &'a [u8],
    kind: EntryType,
    link: &'a [u8],
    size: u64,
    pax: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Layer<'_> {
    /// Every entry in the order of the names, a directory before what is in it. Sockets are left out, as
    /// Docker does. Holes are written as zeros: Docker 20.10 loads a sparse file as pax has it, and can then
    /// not save the image any more ("could not verify layer data").
    pub(super) fn write(&self, out: &mut impl Write) -> Result<()> {
        let mut names: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        let mut todo = vec![(Vec::new(), self.union.root())];
        while let Some((path, node)) = todo.pop() {
            self.file(out, &path, &node, &mut names)
                .map_err(|error| error.within(format!("file {}", shown(&path))))?;
            if node.kind() != FileKind::Directory {
                continue;
            }
            for entry in self.union.read_directory(&node)?.into_iter().rev() {
                let mut below = path.clone();
                if !below.is_empty() {
                    below.push(b'/');
                }
                below.extend_from_slice(entry.name.as_bytes());
                todo.push((below, self.union.lookup(&node, &entry.name)?));
            }
        }
        end(out)
    }

    fn file(
        &self,
        out: &mut impl Write,
        path: &[u8],
        node: &NodeRef,
        names: &mut BTreeMap<u64, Vec<u8>>,
    ) -> Result<()> {
        let attributes = self.union.attributes(node)?;
        let extras = self.extras(node)?;
        let is_device = node.kind() == FileKind::Character && attributes.device == (0, 0);
        if is_device || extras.is_whiteout {
            return mark(out, path, b".wh.");
        }
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        if name.starts_with(b".wh.") {
            return Err(ArchiveFault::refused(
                "in an archive its name is a whiteout's",
            ));
        }
        if node.kind() == FileKind::Socket {
            return Ok(());
        }
        if path.is_empty() {
            return self.top(out, &attributes, &extras);
        }
        let pax = |(name, value): (OsString, Vec<u8>)| {
            ([b"SCHILY.xattr.", name.as_bytes()].concat(), value)
        };
        let mut entry = Entry {
            path,
            kind: EntryType::Regular,
            link: b"",
            size: 0,
            pax: extras.xattrs.into_iter().map(pax).collect(),
        };
        if node.kind() != FileKind::Directory && attributes.links > 1 {
            if let Some(first) = names.get(&attributes.ino).cloned() {
                entry.kind = EntryType::Link;
                entry.link = &first;
                return entry.write(out, &attributes, attributes.mtime);
            }
            names.insert(attributes.ino, path.to_vec());
        }
        match node.kind() {
            FileKind::Regular => return self.regular(out, entry, node, &attributes),
            FileKind::Directory => {
                let path = [path, b"/"].concat();
                entry.kind = EntryType::Directory;
                entry.path = &path;
                entry.write(out, &attributes, self.time(&attributes))?;
                if extras.is_opaque {
                    mark(out, &[&path, &b"."[..]].concat(), b".wh..wh..opq")?;
                }
                return Ok(());
            }
            FileKind::Symlink => {
                let target = self.union.read_link(node)?;
                entry.kind = EntryType::Symlink;
                entry.link = target.as_bytes();
                return entry.write(out, &attributes, attributes.mtime);
            }
            FileKind::Character => entry.kind = EntryType::Char,
            FileKind::Block => entry.kind = EntryType::Block,
            _ => entry.kind = EntryType::Fifo,
        }
        entry.write(out, &attributes, attributes.mtime)
    }

    /// `/`: only what is not as usual. Docker takes it by this name alone.
    fn top(&self, out: &mut impl Write, attributes: &Attributes, extras: &Extras) -> Result<()> {
        if (attributes.mode, attributes.uid, attributes.gid) != (0o755, 0, 0) {
            let entry = Entry {
                path: b"/",
                kind: EntryType::Directory,
                link: b"",
                size: 0,
                pax: Vec::new(),
            };
            entry.write(out, attributes, self.time(attributes))?;
        }
        if extras.is_opaque {
            mark(out, b".", b".wh..wh..opq")?;
        }
        Ok(())
    }

    fn time(&self, attributes: &Attributes) -> Timestamp {
        let (changed, since) = (attributes.mtime, self.since);
        if (changed.seconds, changed.nanos) < (since.seconds, since.nanos) {
            return changed;
        }
        Timestamp {
            seconds: 0,
            nanos: 0,
        }
    }

    /// Attributes as a program sees them, and what marks there are.
    fn extras(&self, node: &NodeRef) -> Result<Extras> {
        let prefix: &[u8] = match self.namespace {
            XattrNamespace::Trusted => b"trusted.overlay.",
            XattrNamespace::User => b"user.overlay.",
        };
        let mut extras = Extras::default();
        let mut names = self.union.list_xattrs(node)?;
        names.sort();
        for name in names {
            let value = self.union.get_xattr(node, &name)?;
            let Some(mark) = name.as_bytes().strip_prefix(prefix) else {
                extras.xattrs.push((name, value));
                continue;
            };
            match mark.strip_prefix(b"overlay.") {
                // A program's own, kept one level down.
                Some(own) => {
                    let name = OsStr::from_bytes(&[prefix, own].concat()).to_owned();
                    extras.xattrs.push((name, value));
                }
                None if mark == b"opaque" => extras.is_opaque |= value == b"y",
                None if mark == b"whiteout" => extras.is_whiteout = true,
                None => {}
            }
        }
        Ok(extras)
    }

    fn regular(
        &self,
        out: &mut impl Write,
        mut entry: Entry<'_>,
        node: &NodeRef,
        attributes: &Attributes,
    ) -> Result<()> {
        let flags = OpenFlags {
            read: true,
            ..OpenFlags::default()
        };
        let handle = self.union.open_file(node, flags)?;
        entry.size = attributes.size;
        entry.write(out, attributes, attributes.mtime)?;
        let mut buffer = vec![0; PIECE];
        let mut at = 0;
        while at < attributes.size {
            let want = usize::try_from(attributes.size - at).unwrap_or(PIECE);
            let into = buffer.get_mut(..want.min(PIECE)).unwrap_or_default();
            let count = handle.read_at(into, at)?;
            if count == 0 {
                return Err(ArchiveFault::damaged("it was cut off while it was read"));
            }
            let bytes = into.get(..count).unwrap_or_default();
            out.write_all(bytes).map_err(failed)?;
            at += count as u64;
        }
        fill(out, attributes.size)
    }
}

/// An empty file that stands for a mark: `prefix` before the last name of the path, or in the place of a `.`.
fn mark(out: &mut impl Write, path: &[u8], prefix: &[u8]) -> Result<()> {
    let at = path
        .iter()
        .rposition(|byte| *byte == b'/')
        .map_or(0, |at| at + 1);
    let (folder, name) = path.split_at_checked(at).unwrap_or_default();
    let name = if name == b"." { b"" } else { name };
    let path = [folder, prefix, name].concat();
    let entry = Entry {
        path: &path,
        kind: EntryType::Regular,
        link: b"",
        size: 0,
        pax: Vec::new(),
    };
    entry.header(
        out,
        (0o644, 0, 0),
        (0, 0),
        Timestamp {
            seconds: 0,
            nanos: 0,
        },
    )
}

impl Entry<'_> {
    fn write(self, out: &mut impl Write, attributes: &Attributes, mtime: Timestamp) -> Result<()> {
        let owner = (attributes.mode & 0o7777, attributes.uid, attributes.gid);
        self.header(out, owner, attributes.device, mtime)
    }

    fn header(
        mut self,
        out: &mut impl Write,
        (mode, uid, gid): (u32, u32, u32),
        device: (u32, u32),
        mtime: Timestamp,
    ) -> Result<()> {
        let mut header = Header::new_ustar();
        header.set_entry_type(self.kind);
        header.set_mode(mode);
        let mut number = |key: &str, value: u64, most: u64| {
            if value <= most {
                return value;
            }
            self.pax
                .push((key.as_bytes().to_vec(), value.to_string().into_bytes()));
            0
        };
        header.set_uid(number("uid", uid.into(), 0o777_7777));
        header.set_gid(number("gid", gid.into(), 0o777_7777));
        header.set_size(number("size", self.size, 0o777_7777_7777));
        let seconds = u64::try_from(mtime.seconds).unwrap_or(0);
        let whole = mtime.nanos == 0 || seconds == 0;
        if whole && seconds <= 0o777_7777_7777 {
            header.set_mtime(seconds);
        } else {
            header.set_mtime(0);
            let time = format!("{seconds}.{:09}", mtime.nanos);
            self.pax.push((b"mtime".to_vec(), time.into_bytes()));
        }
        if matches!(self.kind, EntryType::Char | EntryType::Block) {
            header.set_device_major(device.0).map_err(failed)?;
            header.set_device_minor(device.1).map_err(failed)?;
        }
        if let Some(ustar) = header.as_ustar_mut() {
            if !put(&mut ustar.name, self.path) {
                self.pax.push((b"path".to_vec(), self.path.to_vec()));
            }
            if !put(&mut ustar.linkname, self.link) {
                self.pax.push((b"linkpath".to_vec(), self.link.to_vec()));
            }
        }
        header.set_cksum();
        if !self.pax.is_empty() {
            extend(out, &self.pax)?;
        }
        out.write_all(header.as_bytes()).map_err(failed)
    }
}

/// Puts text into a field, as far as it fits; whether it does.
fn put(field: &mut [u8], text: &[u8]) -> bool {
    for (byte, value) in field.iter_mut().zip(text) {
        *byte = *value;
    }
    text.len() <= field.len()
}

/// An extended header.
fn extend(out: &mut impl Write, records: &[(Vec<u8>, Vec<u8>)]) -> Result<()> {
    let mut bytes = Vec::new();
    for (key, value) in records {
        let rest = key.len() + value.len() + 3;
        let mut length = rest + 1;
        while length.to_string().len() + rest != length {
            length = length.to_string().len() + rest;
        }
        bytes.extend_from_slice(format!("{length} ").as_bytes());
        bytes.extend_from_slice(key);
        bytes.push(b'=');
        bytes.extend_from_slice(value);
        bytes.push(b'\n');
    }
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::XHeader);
    header.set_path("pax").map_err(failed)?;
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    out.write_all(header.as_bytes()).map_err(failed)?;
    out.write_all(&bytes).map_err(failed)?;
    fill(out, bytes.len() as u64)
}
