//! Filling volumes with what an image has, wholly or not at all.

use super::create::find_if_there;
use super::daemon::Daemon;
use super::refusals::{Fault, Result, refuse};
use crate::engine::Kind;
use crate::rootfs::{Rootfs, host_root};
use crate::store::{Filling, Number, VolumeSource, driver};
use crate::union::{
    self, CopyOptions, FileKind, NodeRef, SetAttributes, SetTime, Timestamp, Union, copy_tree,
};

/// A directory in a union.
type At<'a> = (&'a Union, &'a NodeRef);

impl Daemon {
    /// Fills an empty volume with what the image has at the target: Docker rows 105 to 114. At every
    /// creation, not once in a volume's life (row 109).
    pub(super) fn populate(
        &mut self,
        container: Number,
        bare: &Rootfs,
        target: &str,
        source: &VolumeSource,
    ) -> Result<()> {
        let Some((image, from)) = find_if_there(bare, target)? else {
            return Ok(());
        };
        let number = self.mounted_volume(&source.name)?;
        // What is copied into memory is gone before the container starts.
        if self
            .store
            .volume_options(number)
            .is_some_and(driver::is_tmpfs)
        {
            return Ok(());
        }
        let (volume, to) = match self.volume_node(number, source.subpath.as_deref()) {
            Ok(found) => found,
            // A path that is not there yet is told about at start.
            Err(Fault::Refused(_)) if source.subpath.is_some() => return Ok(()),
            Err(fault) => return Err(fault),
        };
        if to.kind() != FileKind::Directory || !volume.read_directory(&to)?.is_empty() {
            return Ok(());
        }
        if from.kind() != FileKind::Directory {
            let message = format!("source {target} is not directory");
            return refuse(Kind::MountTypeMismatch, message);
        }
        let (from, to) = ((&*image, &from), (&*volume, &to));
        // What goes with the container has no need of it: until that has a record, nobody sees either.
        let is_tied = self.store.volume_with(number) == Some(container);
        if is_tied {
            return Ok(fill(from, to)?);
        }
        let filling = describe(number, source.subpath.clone(), to)?;
        let record = self.store.begin_filling(filling.clone())?;
        let filled = fill(from, to).and_then(|()| self.store.end_filling(record));
        if let Err(errno) = filled {
            // The first error is the one to tell.
            let _emptied = empty(to, &filling);
            let _ended = self.store.end_filling(record);
            return Err(errno.into());
        }
        Ok(())
    }

    /// Empties what was being filled when the engine died.
    pub(super) fn undo_fillings(&mut self) -> Result<()> {
        let fillings: Vec<(Number, Filling)> = self
            .store
            .fillings()
            .map(|(number, filling)| (number, filling.clone()))
            .collect();
        for (number, filling) in fillings {
            match self.volume_node(filling.volume, filling.subpath.as_deref()) {
                Ok((volume, to)) => empty((&volume, &to), &filling)?,
                // The volume is gone.
                Err(Fault::Refused(_)) => {}
                Err(fault) => return Err(fault),
            }
            self.store.end_filling(number)?;
        }
        Ok(())
    }
}

fn fill(from: At<'_>, to: At<'_>) -> union::Result<()> {
    let options = CopyOptions {
        root_attributes: true,
        directories_first: true,
    };
    copy_tree(from, to, options)
}

/// How an empty directory is.
fn describe(volume: Number, subpath: Option<String>, at: At<'_>) -> union::Result<Filling> {
    let attributes = at.0.attributes(at.1)?;
    let names = at.0.list_xattrs(at.1)?;
    Ok(Filling {
        volume,
        subpath,
        mode: attributes.mode,
        uid: attributes.uid,
        gid: attributes.gid,
        mtime: (attributes.mtime.seconds, attributes.mtime.nanos),
        xattrs: names
            .iter()
            .filter_map(|name| name.to_str())
            .map(str::to_owned)
            .collect(),
    })
}

/// Makes a directory empty, and as it was when it was.
fn empty(at: At<'_>, before: &Filling) -> union::Result<()> {
    let (union, top) = at;
    // A path of directories: how deep it is is the image's to say.
    let mut path: Vec<(NodeRef, NodeRef, std::ffi::OsString)> = Vec::new();
    loop {
        let here = path.last().map_or(top, |(_, child, _)| child).clone();
        let below = clear(union, &here)?;
        if let Some((child, name)) = below {
            path.push((here, child, name));
        } else if let Some((parent, _, name)) = path.pop() {
            union.remove_directory(&parent, &name)?;
        } else {
            break;
        }
    }
    let change = SetAttributes {
        mode: Some(before.mode),
        uid: Some(before.uid),
        gid: Some(before.gid),
        ..SetAttributes::default()
    };
    union.set_attributes(top, &change, &host_root())?;
    for name in union.list_xattrs(top)? {
        if !name
            .to_str()
            .is_some_and(|name| before.xattrs.contains(name))
        {
            union.remove_xattr(top, &name)?;
        }
    }
    let (seconds, nanos) = before.mtime;
    let change = SetAttributes {
        mtime: Some(SetTime::At(Timestamp { seconds, nanos })),
        ..SetAttributes::default()
    };
    union.set_attributes(top, &change, &host_root()).map(drop)
}

/// Unlinks what is in a directory up to the first directory, which it returns.
fn clear(
    union: &Union,
    directory: &NodeRef,
) -> union::Result<Option<(NodeRef, std::ffi::OsString)>> {
    for entry in union.read_directory(directory)? {
        let node = union.lookup(directory, &entry.name)?;
        if node.kind() == FileKind::Directory {
            return Ok(Some((node, entry.name)));
        }
        union.unlink(directory, &entry.name)?;
    }
    Ok(None)
}
