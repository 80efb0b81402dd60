//! Trees into and out of containers, by `cp`: as an archive in a pipe, or where the program knows none, over a directory.

use std::io::{self, Seek as _, Write};
use std::path::Path;

use tar::{Archive, EntryType};

use super::flavor::Flavor;
use super::ground::Ground;
use super::program::{Mute, Said};

/// What is at a path.
pub(super) enum There {
    Directory,
    Link(String),
    Other,
}

impl Ground {
    /// nerdctl says that neither is implemented yet.
    fn has_pipes(&self) -> bool {
        self.about.flavor != Flavor::Nerdctl
    }

    /// Unpacks the archive that `write` writes in a directory of a container: `NAME:/PATH/`.
    pub(super) fn put(
        &self,
        target: &str,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Said, Mute> {
        if self.has_pipes() {
            return self.program.feed(["cp", "-", target], write);
        }
        let unpacked = || {
            let mut archive = tempfile::tempfile()?;
            write(&mut archive)?;
            archive.rewind()?;
            let directory = tempfile::tempdir()?;
            unpack(archive, directory.path())?;
            Ok(directory)
        };
        let directory = unpacked().map_err(|error| self.program.mute(error))?;
        let content = format!("{}/.", directory.path().display());
        self.program.run(["cp", &content, target])
    }

    /// Copies the content of a directory of a container, `NAME:/PATH/.`, into one of this machine.
    pub(super) fn fetch(&self, source: &str, directory: &Path) -> Result<Said, Mute> {
        let program = &self.program;
        if !self.has_pipes() {
            return program.run(["cp", source, &directory.display().to_string()]);
        }
        let mut child = program.spawn(program.command(["cp", source, "-"]))?;
        if let Some(output) = child.stdout.take() {
            unpack(output, directory).map_err(|error| program.mute(error))?;
        }
        let output = child
            .wait_with_output()
            .map_err(|error| program.mute(error))?;
        Ok(output.into())
    }

    /// What `cp` would copy out of a container.
    pub(super) fn there(&self, source: &str) -> Option<There> {
        if !self.has_pipes() {
            return self.there_by_copy(source);
        }
        let mut child = self
            .program
            .spawn(self.program.command(["cp", source, "-"]))
            .ok()?;
        let first = child.stdout.take().and_then(first_of);
        // The rest of the archive is of no interest.
        child.kill().ok();
        child.wait().ok();
        first
    }

    fn there_by_copy(&self, source: &str) -> Option<There> {
        let directory = tempfile::tempdir().ok()?;
        let copy = directory.path().join("copy");
        let said = self.program.run(["cp", source, copy.to_str()?]).ok()?;
        let kind = copy
            .symlink_metadata()
            .ok()
            .filter(|_| said.success)?
            .file_type();
        Some(if kind.is_dir() {
            There::Directory
        } else if kind.is_symlink() {
            There::Link(copy.read_link().ok()?.to_str()?.to_owned())
        } else {
            There::Other
        })
    }
}

/// What the first header of an archive tells.
fn first_of(archive: impl io::Read) -> Option<There> {
    let mut archive = Archive::new(archive);
    let entry = archive.entries().ok()?.next()?.ok()?;
    Some(match entry.header().entry_type() {
        EntryType::Directory => There::Directory,
        EntryType::Symlink => There::Link(entry.link_name().ok()??.to_str()?.to_owned()),
        _ => There::Other,
    })
}

fn unpack(archive: impl io::Read, directory: &Path) -> io::Result<()> {
    let mut archive = Archive::new(archive);
    archive.set_preserve_permissions(true);
    archive.set_preserve_ownerships(rustix::process::geteuid().is_root());
    archive.unpack(directory)
}
