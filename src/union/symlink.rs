//! The text of symbolic links.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use rustix::fs::OFlags;

use super::filesystem::Union;
use super::lock::read;
use super::node::NodeRef;
use super::real::Real;
use super::{Errno, FileKind, Result};

/// Longest text of a link: `PATH_MAX`.
const MAXIMUM: usize = 4096;

impl Union {
    /// The text of a symbolic link.
    ///
    /// # Errors
    /// `EINVAL` for other files; what reading the disk gives.
    pub fn read_link(&self, node: &NodeRef) -> Result<OsString> {
        let _names = read(&self.names);
        self.link_text(node, &self.real(node)?)?.ok_or(Errno::INVAL)
    }

    /// The text of a link, which is a real one or the content of a file that stands for one; `None` for
    /// other files.
    pub(super) fn link_text(&self, node: &NodeRef, real: &Real) -> Result<Option<OsString>> {
        if node.0.kind != FileKind::Symlink {
            return Ok(None);
        }
        match real.read_link() {
            Err(Errno::INVAL | Errno::NOENT) if self.is_overridden() => {}
            other => return other.map(Some),
        }
        let open = real.open(OFlags::RDONLY)?;
        let mut text = vec![0; MAXIMUM];
        let length = rustix::io::pread(&open, &mut *text, 0)?;
        text.truncate(length);
        Ok(Some(OsString::from_vec(text)))
    }
}
