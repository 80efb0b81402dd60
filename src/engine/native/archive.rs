//! `docker export` and `docker import`: a container's tree as a tar archive, and back as an image of one layer.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Component, Path, PathBuf};

use tar::{Archive, Builder, Entry, EntryType, Header};

use super::copy::stuck;
use super::daemon::Daemon;
use super::output::{check_export, kind_of};
use super::refusals::{Fault, Result, fault, refuse, text};
use super::transfer::{Body, CAPABILITY, Content, Item, Owners, Source, Stuck, Target};
use crate::engine::{Kind, Value};
use crate::rootfs::{OpenFile, OpenFlag, OpenHow, Process, Rootfs, Subject, host_root};
use crate::store::archive::append_symlink;
use crate::store::{Config, Layer, names};
use crate::union::{Errno, RenameFlags};

/// Prefix of an extended attribute in a PAX header.
const PAX_XATTR: &str = "SCHILY.xattr.";

/// Bytes that are written at a time.
const BUFFER: usize = 256 << 10;

/// An open file of the host as a stream.
struct Stream<'a> {
    process: &'a Process,
    file: &'a OpenFile,
}

fn io_error(errno: Errno) -> io::Error {
    io::Error::from_raw_os_error(errno.raw_os_error())
}

fn errno_of(error: &io::Error) -> Errno {
    error
        .raw_os_error()
        .map_or(Errno::IO, Errno::from_raw_os_error)
}

impl Read for Stream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len() as u64;
        let bytes = self
            .process
            .read(self.file, None, Some(length))
            .map_err(io_error)?;
        if let Some(part) = buffer.get_mut(..bytes.len()) {
            part.copy_from_slice(&bytes);
        }
        Ok(bytes.len())
    }
}

impl Write for Stream<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        drop(
            self.process
                .write(self.file, None, buffer)
                .map_err(io_error)?,
        );
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Daemon {
    /// `docker export`: without what is mounted (Docker row 175). The command line writes beside the file and renames
    /// over it: who has the old one open or linked keeps it.
    pub(super) fn export(&mut self, name: &str, to: &str) -> Result<Value> {
        let host = self.host_process()?;
        check_export(&host, to)?;
        let path = PathBuf::from(super::translate::host_path(to));
        let (file, beside) = open_beside(&host, &path).map_err(|errno| {
            let message = format!("failed to export container: open {to}: {}", text(errno));
            fault(Kind::Other, message)
        })?;
        let written = self.export_into(name, &host, &file).and_then(|()| {
            let (from, to) = (beside.as_os_str(), path.as_os_str());
            drop(host.rename(from, to, RenameFlags::default())?);
            Ok(())
        });
        if let Err(fault) = written {
            drop(host.unlink(beside.as_os_str()));
            return Err(fault);
        }
        self.placed_on_host(&host, &path)
    }

    fn export_into(&mut self, name: &str, host: &Process, file: &OpenFile) -> Result<()> {
        let (number, _) = self.container(name)?;
        let rootfs = Rootfs::new(self.root(number)?, false);
        let process = Process::new(rootfs.into(), host_root(), Path::new("/"))?;
        let stream = Stream {
            process: host,
            file,
        };
        let mut builder = Builder::new(io::BufWriter::with_capacity(BUFFER, stream));
        let (top, xattrs, is_layer) = (PathBuf::from("/"), &[CAPABILITY][..], false);
        let source = Source {
            process: &process,
            top,
            xattrs,
            is_layer,
        };
        source.walk(|item| append(&mut builder, &source, &item))?;
        let finished = builder.into_inner().and_then(|mut writer| writer.flush());
        finished.map_err(|error| errno_of(&error))?;
        Ok(())
    }

    /// `docker import`.
    pub(super) fn import(&mut self, from: &str, image: &str) -> Result<()> {
        let host = self.host_process()?;
        let path = super::translate::host_path(from);
        let file = host
            .open_to_read(path.as_ref())
            .map_err(|errno| fault(kind_of(errno), format!("open {from}: {}", text(errno))))?;
        let (number, directory) = self.make_layer()?;
        let (process, _) = self.bare_process(directory)?;
        let stream = io::BufReader::with_capacity(
            BUFFER,
            Stream {
                process: &host,
                file: &file,
            },
        );
        if let Err(fault) = unpack(stream, &process) {
            self.store.discard_layer(number);
            return Err(fault);
        }
        let layer = Layer {
            number,
            image: names::image(image).to_owned(),
            position: 1,
        };
        self.publish_image(image, vec![layer], Config::default(), None)
    }
}

/// A new file in the directory of another, and its path.
fn open_beside(host: &Process, path: &Path) -> std::result::Result<(OpenFile, PathBuf), Errno> {
    let how = OpenHow::new(&[OpenFlag::Write, OpenFlag::Create, OpenFlag::Exclusive]);
    let base = path.file_name().unwrap_or_default().to_string_lossy();
    let mut number = 0_u32;
    loop {
        // As long as Go's, which decides whether it is too long.
        let beside = path.with_file_name(format!(".tmp-{base}{number:010}"));
        match host.open(beside.as_os_str(), how, 0o600) {
            Err(Errno::EXIST) if number < u32::MAX => number += 1,
            opened => return Ok((opened?.file, beside)),
        }
    }
}

/// Adds one file to an archive.
fn append<W: Write>(
    builder: &mut Builder<W>,
    source: &Source<'_>,
    item: &Item,
) -> std::result::Result<(), Fault> {
    if item.path.as_os_str().is_empty() || item.body == Body::Whiteout {
        return Ok(());
    }
    let failed = |error: io::Error| Fault::from(errno_of(&error));
    let keys: Vec<(String, &[u8])> = item
        .xattrs
        .iter()
        .map(|(name, value)| {
            (
                format!("{PAX_XATTR}{}", name.to_string_lossy()),
                value.as_slice(),
            )
        })
        .collect();
    let pax = keys.iter().map(|(key, value)| (key.as_str(), *value));
    builder.append_pax_extensions(pax).map_err(failed)?;
    let mut header = Header::new_gnu();
    header.set_mode(item.mode);
    header.set_uid(item.uid.into());
    header.set_gid(item.gid.into());
    header.set_mtime(u64::try_from(item.mtime).unwrap_or(0));
    header.set_size(0);
    let (entry_type, link) = match &item.body {
        Body::Directory => (EntryType::Directory, None),
        Body::File(size) => {
            header.set_size(*size);
            (EntryType::Regular, None)
        }
        Body::Symlink(_) => (EntryType::Symlink, None),
        Body::Hardlink(first) => (EntryType::Link, Some(first)),
        Body::Fifo | Body::Whiteout => (EntryType::Fifo, None),
        Body::Character(..) => (EntryType::Char, None),
        Body::Block(..) => (EntryType::Block, None),
    };
    header.set_entry_type(entry_type);
    if let Body::Character(major, minor) | Body::Block(major, minor) = item.body {
        header.set_device_major(major).map_err(failed)?;
        header.set_device_minor(minor).map_err(failed)?;
    }
    let appended = match (&item.body, link) {
        (Body::File(size), _) => {
            let file = source.open(&item.path)?;
            let content = Stream {
                process: source.process,
                file: &file,
            };
            // As long as the header says, should the file change meanwhile.
            let content = content.take(*size).chain(io::repeat(0)).take(*size);
            builder.append_data(&mut header, &item.path, content)
        }
        (Body::Symlink(text), _) => {
            append_symlink(builder, &mut header, &item.path, text.as_bytes())
        }
        (_, Some(first)) => builder.append_link(&mut header, &item.path, first),
        _ => builder.append_data(&mut header, &item.path, io::empty()),
    };
    appended.map_err(failed)
}

/// Unpacks a whole archive at the top of a layer.
fn unpack(stream: impl Read, process: &Process) -> Result<()> {
    let mut archive = Archive::new(stream);
    let mut target = Target::new(process, PathBuf::from("/"), Owners::Keep);
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let Some(item) = item_of(&mut entry)? else {
            continue;
        };
        let path = item.path.clone();
        if let Some(parent) = path.parent() {
            let parent = Path::new("/").join(parent);
            drop(process.make_directories(parent.as_os_str(), 0o755)?);
        }
        // An entry that comes again replaces the one before, whatever it was.
        let subject = Path::new("/").join(&path);
        let subject = Subject::Path {
            path: subject.as_os_str(),
            follow: false,
        };
        if let (Ok(_), false) = (process.list(&subject), item.body == Body::Directory) {
            return refuse(
                Kind::Other,
                format!("cannot overwrite directory {}", path.display()),
            );
        }
        let content = matches!(item.body, Body::File(_)).then(|| Content::Stream(&mut entry));
        target.put(&path, &item, content).map_err(stuck)?;
    }
    target.finish().map_err(|errno| stuck(Stuck::Errno(errno)))
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn damaged(error: io::Error) -> Fault {
    fault(
        Kind::Other,
        format!("Error processing tar file(exit status 1): {error}"),
    )
}

/// Reads one entry; `None` for what is no file: PAX defaults, whiteouts (there is nothing below), the top.
fn item_of<R: Read>(entry: &mut Entry<'_, R>) -> Result<Option<Item>> {
    let path = inside(&entry.path_bytes())?;
    let is_mark = path
        .file_name()
        .is_some_and(|name| name.as_bytes().starts_with(b".wh."));
    if path.as_os_str().is_empty() || is_mark {
        return Ok(None);
    }
    let mut xattrs = Vec::new();
    if let Some(extensions) = entry.pax_extensions().map_err(damaged)? {
        for extension in extensions {
            let extension = extension.map_err(damaged)?;
            if let Some(name) = extension
                .key()
                .ok()
                .and_then(|key| key.strip_prefix(PAX_XATTR))
            {
                xattrs.push((OsString::from(name), extension.value_bytes().to_vec()));
            }
        }
    }
    let header = entry.header();
    let device = || -> Result<(u32, u32)> {
        let major = header.device_major().map_err(damaged)?;
        let minor = header.device_minor().map_err(damaged)?;
        Ok((major.unwrap_or(0), minor.unwrap_or(0)))
    };
    let link = entry
        .link_name_bytes()
        .map(std::borrow::Cow::into_owned)
        .unwrap_or_default();
    let body = match header.entry_type() {
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
            Body::File(entry.size())
        }
        EntryType::Directory => Body::Directory,
        EntryType::Symlink => Body::Symlink(OsString::from_vec(link)),
        EntryType::Link => Body::Hardlink(inside(&link)?),
        EntryType::Fifo => Body::Fifo,
        EntryType::Char => device().map(|(major, minor)| Body::Character(major, minor))?,
        EntryType::Block => device().map(|(major, minor)| Body::Block(major, minor))?,
        _ => return Ok(None),
    };
    let id = |id: io::Result<u64>| -> Result<u32> {
        let id = id.map_err(damaged)?;
        u32::try_from(id).map_err(|_| fault(Kind::Other, format!("no such owner: {id}")))
    };
    let mtime = header.mtime().map_err(damaged)?;
    Ok(Some(Item {
        path,
        body,
        mode: header.mode().map_err(damaged)? & 0o7777,
        uid: id(header.uid())?,
        gid: id(header.gid())?,
        mtime: i64::try_from(mtime).unwrap_or(i64::MAX),
        xattrs,
    }))
}

/// A name of an archive as a path below the top.
fn inside(name: &[u8]) -> Result<PathBuf> {
    let mut path = PathBuf::new();
    for component in Path::new(std::ffi::OsStr::from_bytes(name)).components() {
        match component {
            Component::Normal(name) => path.push(name),
            Component::ParentDir if !path.pop() => {
                let shown = String::from_utf8_lossy(name);
                return refuse(Kind::Other, format!("\"{shown}\" is outside of \"/\""));
            }
            _ => {}
        }
    }
    Ok(path)
}
