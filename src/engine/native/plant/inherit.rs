//! Parents that a layer implies: what an image builder would have written for them.

use std::ffi::OsStr;
use std::sync::Arc;

use super::error::Result;
use crate::union::{Caller, Errno, FileKind, NodeRef, SetAttributes, Union, XattrFlags};

/// Gives an implied directory the mode, owner and extended attributes that the layers below have there,
/// else 0755 0:0, whatever a set-group-ID parent has made of it. A layer that only deletes a file must not
/// change whose directory it was in.
pub(super) fn attributes(
    union: &Union,
    made: &NodeRef,
    below: Option<(&Arc<Union>, &str)>,
    caller: &Caller,
) -> Result<()> {
    let model = match below {
        Some((below, path)) => find(below, path)?.map(|node| (below, node)),
        None => None,
    };
    let (mode, uid, gid) = match &model {
        Some((below, node)) => {
            let there = below.attributes(node)?;
            (there.mode, there.uid, there.gid)
        }
        None => (0o755, 0, 0),
    };
    let now = union.attributes(made)?;
    if (now.mode, now.uid, now.gid) != (mode, uid, gid) {
        let change = SetAttributes {
            mode: Some(mode),
            uid: Some(uid),
            gid: Some(gid),
            ..SetAttributes::default()
        };
        union.set_attributes(made, &change, caller)?;
    }
    if let Some((below, node)) = model {
        for name in below.list_xattrs(&node)? {
            let value = below.get_xattr(&node, &name)?;
            union.set_xattr(made, &name, &value, XattrFlags::Any)?;
        }
    }
    Ok(())
}

/// The directory at a path of the layers below, no symlink followed.
fn find(below: &Arc<Union>, path: &str) -> Result<Option<NodeRef>> {
    let mut at = below.root();
    for name in path.split('/').skip(1) {
        at = match below.lookup(&at, OsStr::new(name)) {
            Ok(node) if node.kind() == FileKind::Directory => node,
            Ok(_) | Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        };
    }
    Ok(Some(at))
}
