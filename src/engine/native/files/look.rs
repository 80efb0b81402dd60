//! Requests that give something and change nothing.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt as _;

use super::batch::Batch;
use super::convert;
use crate::engine::{Bytes, FileAction, StatAnswer, Target, Value};
use crate::rootfs::{OpenFlag, Subject};
use crate::union::{Errno, FileKind, Result};

impl Batch<'_> {
    pub(super) fn look(&mut self, action: &FileAction) -> Result<Value> {
        match action {
            FileAction::Read {
                target,
                offset,
                length,
            } => {
                let file = self.open(target, &[OpenFlag::Read])?;
                let bytes = self.process.read(&file, *offset, *length)?;
                Ok(Value::Bytes(Bytes(bytes)))
            }
            FileAction::Readlink { path } => {
                let text = self.process.read_link(path.as_ref())?;
                Ok(Value::Text(convert::text(text)))
            }
            FileAction::GetXattr { target, name } => {
                let resolved = self.resolve(target)?;
                let value = self
                    .process
                    .get_xattr(&resolved.subject(true), name.as_ref())?;
                Ok(Value::Bytes(Bytes(value)))
            }
            FileAction::ListXattr { target } => {
                let resolved = self.resolve(target)?;
                let names = self.process.list_xattrs(&resolved.subject(true))?;
                Ok(names_value(names))
            }
            FileAction::List { target } => {
                let resolved = self.resolve(target)?;
                Ok(names_value(self.process.list(&resolved.subject(true))?))
            }
            FileAction::Stat { target, follow } => {
                let resolved = self.resolve(target)?;
                self.stat(&resolved.subject(*follow))
            }
            FileAction::SeekData { target, offset } => self.seek(target, true, *offset),
            FileAction::SeekHole { target, offset } => self.seek(target, false, *offset),
            _ => Err(Errno::NOSYS),
        }
    }

    fn seek(&mut self, target: &Target, data: bool, offset: u64) -> Result<Value> {
        let file = self.open(target, &[OpenFlag::Read])?;
        self.process.seek(&file, data, offset).map(Value::Number)
    }

    fn stat(&self, subject: &Subject<'_>) -> Result<Value> {
        let stat = self.process.stat(subject)?;
        let attributes = stat.attributes;
        let target = match (attributes.kind, subject) {
            (FileKind::Symlink, Subject::Path { path, .. }) => self.process.read_link(path)?,
            _ => std::ffi::OsString::new(),
        };
        Ok(Value::Stat(StatAnswer {
            kind: convert::seen_kind(&attributes, target.as_bytes()),
            mode: attributes.mode,
            uid: attributes.uid,
            gid: attributes.gid,
            size: attributes.size,
            blocks: attributes.blocks,
            links: attributes.links,
            ino: attributes.ino,
            dev: stat.dev,
            atime: convert::time(attributes.atime),
            mtime: convert::time(attributes.mtime),
            xattrs: self.xattrs(subject)?,
        }))
    }

    /// The extended attributes that the process can read.
    fn xattrs(&self, subject: &Subject<'_>) -> Result<BTreeMap<String, Bytes>> {
        let names = match self.process.list_xattrs(subject) {
            Err(Errno::OPNOTSUPP | Errno::BADF) => Vec::new(),
            names => names?,
        };
        let mut xattrs = BTreeMap::new();
        for name in names.into_iter().filter(|name| !convert::is_left_out(name)) {
            match self.process.get_xattr(subject, &name) {
                Ok(value) => {
                    xattrs.insert(convert::text(name), Bytes(value));
                }
                Err(Errno::ACCESS | Errno::PERM | Errno::NODATA) => {}
                Err(errno) => return Err(errno),
            }
        }
        Ok(xattrs)
    }
}

fn names_value(names: Vec<std::ffi::OsString>) -> Value {
    let mut names: Vec<_> = names.into_iter().map(convert::text).collect();
    names.sort();
    Value::Names(names)
}
