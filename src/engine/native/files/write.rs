//! A node of a tree, written by a process.

use super::batch::Batch;
use super::convert;
use crate::engine::{Content, Node, NodeKind};
use crate::rootfs::{OpenFile, OpenFlag, OpenHow, Subject, Times};
use crate::union::{Errno, Result, XattrFlags};

impl Batch<'_> {
    /// See [`crate::engine::FileAction::Write`].
    pub(super) fn write(&mut self, path: &str, node: &Node) -> Result<()> {
        let process = &self.process;
        let itself = Subject::Path {
            path: path.as_ref(),
            follow: false,
        };
        let changed = match &node.kind {
            NodeKind::File(content) => return self.write_file(path, content, node),
            NodeKind::Directory { opaque: false } => match process.mkdir(path.as_ref(), 0o777) {
                Err(Errno::EXIST) if self.is_directory(path) => {
                    let there = Subject::Path {
                        path: path.as_ref(),
                        follow: true,
                    };
                    return self.set_attributes(&there, node);
                }
                made => made?,
            },
            NodeKind::Symlink { target } => process.symlink(target.as_ref(), path.as_ref())?,
            NodeKind::Hardlink { to } => process.link(to.as_ref(), path.as_ref())?,
            NodeKind::Directory { opaque: true } | NodeKind::Whiteout => return Err(Errno::INVAL),
            NodeKind::Fifo | NodeKind::Socket | NodeKind::Device { .. } => {
                let (new, mode) = convert::new_node(&node.kind).ok_or(Errno::INVAL)?;
                process.mknod(path.as_ref(), new, mode)?
            }
        };
        self.note(changed);
        self.set_attributes(&itself, node)
    }

    fn write_file(&mut self, path: &str, content: &Content, node: &Node) -> Result<()> {
        let how = OpenHow::new(&[OpenFlag::Write, OpenFlag::Create, OpenFlag::Truncate]);
        let opened = self.process.open(path.as_ref(), how, 0o666)?;
        self.note(opened.changed);
        let changed = self.fill(&opened.file, content)?;
        self.note(changed);
        self.set_attributes(&Subject::File(&opened.file), node)
    }

    fn fill(&self, file: &OpenFile, content: &Content) -> Result<Option<crate::rootfs::Changed>> {
        match content {
            Content::Bytes(bytes) => self.process.write(file, None, bytes.as_slice()),
            Content::Fill { size, fill: None } => {
                self.process.truncate(&Subject::File(file), *size)
            }
            Content::Fill {
                size,
                fill: Some(pattern),
            } => self.process.write_pattern(file, pattern.as_slice(), *size),
        }
    }

    /// Sets the attributes that a node gives. Owner first, since a change of owner clears set-ID bits
    /// and file capabilities; the mode after what it might forbid; the time last.
    pub(super) fn set_attributes(&mut self, subject: &Subject<'_>, node: &Node) -> Result<()> {
        let mut changed = Vec::new();
        if node.uid.is_some() || node.gid.is_some() {
            changed.extend(self.process.chown(subject, node.uid, node.gid)?);
        }
        for (name, value) in &node.xattrs {
            let (name, value) = (name.as_ref(), value.as_slice());
            changed.extend(
                self.process
                    .set_xattr(subject, name, value, XattrFlags::Any)?,
            );
        }
        if let Some(mode) = node.mode {
            changed.extend(self.process.chmod(subject, mode)?);
        }
        if let Some(mtime) = node.mtime {
            let times = Times {
                atime: None,
                mtime: Some(convert::timestamp(mtime)),
            };
            changed.extend(self.process.set_times(subject, times)?);
        }
        self.note(changed);
        Ok(())
    }

    fn is_directory(&self, path: &str) -> bool {
        let subject = Subject::Path {
            path: path.as_ref(),
            follow: true,
        };
        let stat = self.process.stat(&subject);
        stat.is_ok_and(|stat| stat.attributes.kind == crate::union::FileKind::Directory)
    }
}
