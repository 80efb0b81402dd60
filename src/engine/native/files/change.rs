//! Requests that change data, open files, attributes or names.

use super::batch::{Batch, Resolved};
use super::convert;
use crate::engine::{FileAction, Node, Target, Time};
use crate::rootfs::{OpenFlag, OpenHow, Subject, Times};
use crate::union::{Errno, Result};

impl Batch<'_> {
    pub(super) fn change_data(&mut self, action: &FileAction) -> Result<()> {
        let changed = match action {
            FileAction::WriteAt {
                target,
                offset,
                bytes,
            } => {
                let file = self.open(target, &[OpenFlag::Write])?;
                self.process.write(&file, *offset, bytes.as_slice())?
            }
            FileAction::Append { target, bytes } => {
                let flags = [OpenFlag::Write, OpenFlag::Create, OpenFlag::Append];
                let file = self.open(target, &flags)?;
                self.process.write(&file, None, bytes.as_slice())?
            }
            FileAction::Truncate { target, size } => {
                let resolved = self.resolve(target)?;
                self.process.truncate(&resolved.subject(true), *size)?
            }
            FileAction::Allocate {
                target,
                offset,
                length,
                mode,
            } => {
                let file = self.open(target, &[OpenFlag::Write])?;
                self.process
                    .allocate(&file, convert::range(*mode), *offset, *length)?
            }
            FileAction::Sync { target } => {
                let resolved = self.resolve(target)?;
                self.process.sync(&resolved.subject(true))?;
                None
            }
            _ => return Err(Errno::NOSYS),
        };
        self.note(changed);
        Ok(())
    }

    pub(super) fn use_handle(&mut self, action: &FileAction) -> Result<()> {
        match action {
            FileAction::Open {
                path,
                flags,
                mode,
                handle,
            } => {
                let flags: Vec<_> = flags.iter().map(|flag| convert::open_flag(*flag)).collect();
                let mode = mode.unwrap_or(0o666);
                let opened = self
                    .process
                    .open(path.as_ref(), OpenHow::new(&flags), mode)?;
                self.note(opened.changed);
                self.session.keep(handle, opened.file);
                Ok(())
            }
            FileAction::Close { handle } => self.session.close(handle),
            FileAction::Lock { handle, kind } => {
                self.session.handle(handle)?.lock(convert::lock_kind(*kind))
            }
            FileAction::LinkHandle { handle, to } => {
                let file = self.session.handle(handle)?;
                let changed = self.process.link_file(&file, to.as_ref())?;
                self.note(changed);
                Ok(())
            }
            _ => Err(Errno::NOSYS),
        }
    }

    pub(super) fn change_attributes(&mut self, action: &FileAction) -> Result<()> {
        let process = &self.process;
        let changed = match action {
            FileAction::Chmod { target, mode } => {
                process.chmod(&self.resolve(target)?.subject(true), *mode)?
            }
            FileAction::Chown {
                target,
                uid,
                gid,
                follow,
            } => process.chown(&self.resolve(target)?.subject(*follow), *uid, *gid)?,
            FileAction::Touch {
                target,
                atime,
                mtime,
                follow,
            } => {
                return self.touch(target, *atime, *mtime, *follow);
            }
            FileAction::SetXattr {
                target,
                name,
                value,
                mode,
            } => process.set_xattr(
                &self.resolve(target)?.subject(true),
                name.as_ref(),
                value.as_slice(),
                convert::xattr_flags(*mode),
            )?,
            FileAction::RemoveXattr { target, name } => {
                process.remove_xattr(&self.resolve(target)?.subject(true), name.as_ref())?
            }
            FileAction::Access { path, mode } => {
                process.access(path.as_ref(), mode.read, mode.write, mode.execute)?;
                None
            }
            _ => return Err(Errno::NOSYS),
        };
        self.note(changed);
        Ok(())
    }

    fn touch(
        &mut self,
        target: &Target,
        atime: Option<Time>,
        mtime: Option<Time>,
        follow: bool,
    ) -> Result<()> {
        let resolved = self.resolve(target)?;
        let changed = match (atime, mtime, &resolved) {
            (None, None, Resolved::Path(path)) => self.process.touch(path.as_ref(), follow)?,
            (None, None, Resolved::File(_)) => {
                self.process.set_times_now(&resolved.subject(follow))?
            }
            _ => {
                let atime = atime.map(convert::timestamp);
                let mtime = mtime.map(convert::timestamp);
                self.process
                    .set_times(&resolved.subject(follow), Times { atime, mtime })?
            }
        };
        self.note(changed);
        Ok(())
    }

    pub(super) fn change_names(&mut self, action: &FileAction) -> Result<()> {
        let process = &self.process;
        let changed = match action {
            FileAction::Write { path, node } => return self.write(path, node),
            FileAction::Mkdir {
                path,
                mode,
                parents: true,
            } => {
                let mut made = Vec::new();
                let mode = mode.unwrap_or(0o777);
                let result = process.add_directories(path.as_ref(), mode, &mut made);
                self.note(made);
                return result;
            }
            FileAction::Mkdir {
                path,
                mode,
                parents: false,
            } => process.mkdir(path.as_ref(), mode.unwrap_or(0o777))?,
            FileAction::Rmdir { path } => process.rmdir(path.as_ref())?,
            FileAction::Delete {
                path,
                recursive: false,
            } => process.unlink(path.as_ref())?,
            FileAction::Delete {
                path,
                recursive: true,
            } => {
                let (removed, result) = process.remove_tree(path.as_ref());
                self.note(removed);
                return result;
            }
            FileAction::Rename { from, to, mode } => {
                let names =
                    process.rename(from.as_ref(), to.as_ref(), convert::rename_flags(*mode))?;
                self.note(names);
                None
            }
            FileAction::Link { from, to } => process.link(from.as_ref(), to.as_ref())?,
            FileAction::Symlink { path, target } => {
                process.symlink(target.as_ref(), path.as_ref())?
            }
            FileAction::Mknod { path, node } => return self.make_node(path, node),
            _ => return Err(Errno::NOSYS),
        };
        self.note(changed);
        Ok(())
    }

    /// `mknod`: the mode is before the umask; other attributes that the node gives are set after.
    fn make_node(&mut self, path: &str, node: &Node) -> Result<()> {
        let (new, mode) = convert::new_node(&node.kind).ok_or(Errno::INVAL)?;
        let changed = self
            .process
            .mknod(path.as_ref(), new, node.mode.unwrap_or(mode))?;
        self.note(changed);
        let rest = Node {
            mode: None,
            ..node.clone()
        };
        self.set_attributes(
            &Subject::Path {
                path: path.as_ref(),
                follow: false,
            },
            &rest,
        )
    }
}
