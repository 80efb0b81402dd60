//! Where the command line may write a file on the host: asked before anything else, the container included. Seen on
//! Docker's command line 28.2, whose words these are.

use std::path::Path;

use super::refusals::{Result, refuse, text};
use crate::engine::Kind;
use crate::rootfs::{Process, Subject};
use crate::store::spec::path;
use crate::union::{Errno, FileKind};

/// `ValidateOutputPath`: what `cp` asks of a destination.
pub(super) fn check_copy(host: &Process, asked: &str) -> Result<()> {
    let whole = path::absolute(asked);
    let parent = parent(&whole);
    if kind(host, parent, true) == Err(Errno::NOENT) {
        let message = format!("invalid output path: directory \"{parent}\" does not exist");
        return refuse(Kind::NoSuchPath, message);
    }
    match kind(host, &with_slash(asked), true) {
        Ok(FileKind::Character | FileKind::Block) => refuse(
            Kind::Other,
            format!(
                "invalid output path: \"{asked}\" must be a directory or a regular file: got a device"
            ),
        ),
        Ok(_) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => refuse(kind_of(errno), format!("stat {asked}: {}", text(errno))),
    }
}

/// `validateDestination` of moby/sys/atomicwriter: what `export` asks of its file.
pub(super) fn check_export(host: &Process, asked: &str) -> Result<()> {
    let whole = with_slash(asked);
    let parent = parent(&whole);
    let failed = |errno| {
        let message = format!(
            "failed to export container: invalid output path: stat {parent}: {}",
            text(errno)
        );
        refuse(kind_of(errno), message)
    };
    match kind(host, parent, true) {
        Ok(FileKind::Directory) => {}
        Ok(_) => return failed(Errno::NOTDIR),
        Err(errno) => return failed(errno),
    }
    // What comes in its place is renamed over it, so that a symlink is not followed.
    let what = match kind(host, &whole, false) {
        Ok(FileKind::Regular) | Err(Errno::NOENT) => return Ok(()),
        Ok(FileKind::Directory) => "cannot write to a directory".to_owned(),
        Ok(FileKind::Symlink) => "cannot write to a symbolic link directly".to_owned(),
        Ok(FileKind::Fifo) => "cannot write to a named pipe (FIFO)".to_owned(),
        Ok(FileKind::Socket) => "cannot write to a socket".to_owned(),
        Ok(FileKind::Character) => "cannot write to a character device file".to_owned(),
        Ok(FileKind::Block) => "cannot write to a block device file".to_owned(),
        Err(errno) => format!("failed to stat output path: lstat {asked}: {}", text(errno)),
    };
    refuse(Kind::Other, format!("failed to export container: {what}"))
}

/// What a path of the command line that cannot be used means.
pub(super) fn kind_of(errno: Errno) -> Kind {
    match errno {
        Errno::NOENT => Kind::NoSuchPath,
        Errno::NOTDIR => Kind::NotADirectory,
        _ => Kind::Other,
    }
}

fn kind(host: &Process, path: &str, follow: bool) -> std::result::Result<FileKind, Errno> {
    let path = Path::new(path).as_os_str();
    let stat = host.stat(&Subject::Path { path, follow })?;
    Ok(stat.attributes.kind)
}

/// A path of the host with the slash that it ends in.
fn with_slash(asked: &str) -> String {
    let whole = path::absolute(asked);
    if whole != "/" && (asked.ends_with('/') || asked.ends_with("/.")) {
        format!("{whole}/")
    } else {
        whole
    }
}

/// `filepath.Dir`: what is before the last slash.
fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((parent, _)) => parent,
    }
}
