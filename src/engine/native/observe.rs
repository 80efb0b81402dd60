//! What is there: a tree as the superuser sees it. Changes nothing.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::files::convert;
use super::view::{Mounted, View};
use crate::engine::{Bytes, Seen, SeenKind, escape};
use crate::rootfs::Visited;
use crate::union::{Attributes, Errno, FileKind, NodeRef, OpenFlags, Provenance, Result, Union};

/// Bytes that are read at once.
const CHUNK: usize = 64 << 10;

/// One file, with what sorts it and what tells its inode.
struct File {
    path: Vec<u8>,
    /// Union and inode number; nothing for a directory.
    inode: Option<(usize, u64)>,
    seen: Seen,
}

/// Everything in a tree, through all its mounts, sorted by the bytes of the path.
///
/// # Errors
/// What reading gives; `EIO` for a mount whose storage the view does not tell.
pub(super) fn tree(view: &View) -> Result<Vec<Seen>> {
    let mut files = Vec::new();
    let mut merged = BTreeMap::new();
    for (mount, mounted) in &view.mounts {
        if let Mounted::Stack {
            merged: Some(layering),
            ..
        } = mounted
        {
            merged.insert(*mount, layering.open()?);
        }
    }
    view.rootfs.visit(&mut |visited| {
        match look(view, &merged, visited) {
            // It went away while we looked, or another file has its name.
            Err(Errno::NOENT | Errno::STALE) => {}
            file => files.push(file?),
        }
        Ok(())
    })?;
    files.sort_by(|one, other| one.path.cmp(&other.path));
    let mut first_paths: BTreeMap<(usize, u64), String> = BTreeMap::new();
    let name_first = |file: File| {
        let mut seen = file.seen;
        if let Some(inode) = file.inode {
            match first_paths.get(&inode) {
                Some(first) => seen.same_file_as = Some(first.clone()),
                None => drop(first_paths.insert(inode, seen.path.clone())),
            }
        }
        seen
    };
    Ok(files.into_iter().map(name_first).collect())
}

fn look(view: &View, merged: &BTreeMap<u64, Arc<Union>>, visited: &Visited<'_>) -> Result<File> {
    let Visited {
        path,
        mount,
        union,
        node,
        attributes,
        inner,
    } = *visited;
    let provenance = match merged.get(&mount) {
        Some(layers) => provenance(layers, inner)?,
        None => union.provenance(node),
    };
    let storage = view.storage(mount, provenance).ok_or(Errno::IO)?.clone();
    let seen = Seen {
        path: escape(path),
        kind: kind(union, node, &attributes)?,
        mode: attributes.mode,
        uid: attributes.uid,
        gid: attributes.gid,
        xattrs: xattrs(union, node)?,
        same_file_as: None,
        storage,
        inner: escape(inner),
    };
    let file = attributes.kind != FileKind::Directory;
    let inode = file.then(|| (Arc::as_ptr(union).addr(), attributes.ino));
    Ok(File {
        path: path.to_vec(),
        inode,
        seen,
    })
}

/// Where a path lies in layers.
fn provenance(layers: &Union, path: &[u8]) -> Result<Provenance> {
    let mut at = layers.root();
    for name in path
        .split(|byte| *byte == b'/')
        .filter(|name| !name.is_empty())
    {
        at = layers.lookup(&at, OsStr::from_bytes(name))?;
    }
    Ok(layers.provenance(&at))
}

fn kind(union: &Union, node: &NodeRef, attributes: &Attributes) -> Result<SeenKind> {
    match attributes.kind {
        FileKind::Regular => content(union, node, attributes.size),
        FileKind::Symlink => {
            let target = union.read_link(node)?;
            Ok(convert::seen_kind(attributes, target.as_encoded_bytes()))
        }
        _ => Ok(convert::seen_kind(attributes, b"")),
    }
}

/// Short content as it is, long content as its digest.
fn content(union: &Union, node: &NodeRef, size: u64) -> Result<SeenKind> {
    if size == 0 {
        return Ok(SeenKind::File {
            size,
            content: Some(Bytes::default()),
            sha256: None,
        });
    }
    let flags = OpenFlags {
        read: true,
        ..OpenFlags::default()
    };
    let handle = union.open_file(node, flags)?;
    let keep = size <= SeenKind::CONTENT_MAX;
    let step = usize::try_from(size).map_or(CHUNK, |size| size.min(CHUNK));
    let mut buffer = vec![0; step];
    let (mut digest, mut kept, mut offset) = (Sha256::new(), Vec::new(), 0);
    loop {
        let count = handle.read_at(&mut buffer, offset)?;
        let bytes = buffer.get(..count).unwrap_or_default();
        if count == 0 {
            break;
        }
        if keep {
            kept.extend_from_slice(bytes);
        } else {
            digest.update(bytes);
        }
        offset += count as u64;
    }
    let (content, sha256) = if keep {
        (Some(Bytes(kept)), None)
    } else {
        (None, Some(hexadecimal(&digest.finalize())))
    };
    Ok(SeenKind::File {
        size: offset,
        content,
        sha256,
    })
}

fn xattrs(union: &Union, node: &NodeRef) -> Result<BTreeMap<String, Bytes>> {
    let names = match union.list_xattrs(node) {
        Err(Errno::OPNOTSUPP) => Vec::new(),
        names => names?,
    };
    let mut xattrs = BTreeMap::new();
    for name in names.into_iter().filter(|name| !convert::is_left_out(name)) {
        match union.get_xattr(node, &name) {
            // Gone meanwhile, or not even the superuser of this machine may read it.
            Err(Errno::NODATA | Errno::PERM | Errno::ACCESS) => {}
            value => drop(xattrs.insert(escape(name.as_encoded_bytes()), Bytes(value?))),
        }
    }
    Ok(xattrs)
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _: std::fmt::Result = write!(text, "{byte:02x}");
    }
    text
}
