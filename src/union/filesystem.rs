//! Stubs of the interface, so that its users can be built against it.
#![expect(
    missing_docs,
    clippy::missing_errors_doc,
    clippy::unused_self,
    reason = "stubs"
)]
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;

use super::*;

#[derive(Debug)]
pub struct Union(());

#[derive(Clone, Debug)]
pub struct NodeRef(Arc<()>);

#[derive(Debug)]
pub struct Handle(NodeRef);

impl Union {
    pub fn open(stack: Stack) -> Result<Arc<Self>> {
        let _ = stack;
        Err(Errno::NOSYS)
    }
    pub fn root(&self) -> NodeRef {
        NodeRef(Arc::new(()))
    }
    pub fn lookup(&self, dir: &NodeRef, name: &OsStr) -> Result<NodeRef> {
        let _ = (dir, name);
        Err(Errno::NOSYS)
    }
    pub fn parent(&self, dir: &NodeRef) -> Option<NodeRef> {
        let _ = (dir);
        None
    }
    pub fn path(&self, node: &NodeRef) -> Option<PathBuf> {
        let _ = (node);
        None
    }
    pub fn attributes(&self, node: &NodeRef) -> Result<Attributes> {
        let _ = (node);
        Err(Errno::NOSYS)
    }
    pub fn set_attributes(
        &self,
        node: &NodeRef,
        change: &SetAttributes,
        caller: &Caller,
    ) -> Result<Attributes> {
        let _ = (node, change, caller);
        Err(Errno::NOSYS)
    }
    pub fn read_link(&self, node: &NodeRef) -> Result<OsString> {
        let _ = (node);
        Err(Errno::NOSYS)
    }
    pub fn read_directory(&self, dir: &NodeRef) -> Result<Vec<DirectoryEntry>> {
        let _ = (dir);
        Err(Errno::NOSYS)
    }
    pub fn create(
        &self,
        dir: &NodeRef,
        name: &OsStr,
        new: &New,
        caller: &Caller,
    ) -> Result<NodeRef> {
        let _ = (dir, name, new, caller);
        Err(Errno::NOSYS)
    }
    pub fn create_nameless(&self, dir: &NodeRef, mode: u32, caller: &Caller) -> Result<NodeRef> {
        let _ = (dir, mode, caller);
        Err(Errno::NOSYS)
    }
    pub fn link(&self, node: &NodeRef, dir: &NodeRef, name: &OsStr) -> Result<()> {
        let _ = (node, dir, name);
        Err(Errno::NOSYS)
    }
    pub fn unlink(&self, dir: &NodeRef, name: &OsStr) -> Result<()> {
        let _ = (dir, name);
        Err(Errno::NOSYS)
    }
    pub fn remove_directory(&self, dir: &NodeRef, name: &OsStr) -> Result<()> {
        let _ = (dir, name);
        Err(Errno::NOSYS)
    }
    pub fn rename(
        &self,
        from: (&NodeRef, &OsStr),
        to: (&NodeRef, &OsStr),
        flags: RenameFlags,
    ) -> Result<()> {
        let _ = (from, to, flags);
        Err(Errno::NOSYS)
    }
    pub fn open_file(&self, node: &NodeRef, flags: OpenFlags) -> Result<Handle> {
        let _ = (node, flags);
        Err(Errno::NOSYS)
    }
    pub fn get_xattr(&self, node: &NodeRef, name: &OsStr) -> Result<Vec<u8>> {
        let _ = (node, name);
        Err(Errno::NOSYS)
    }
    pub fn set_xattr(
        &self,
        node: &NodeRef,
        name: &OsStr,
        value: &[u8],
        flags: XattrFlags,
    ) -> Result<()> {
        let _ = (node, name, value, flags);
        Err(Errno::NOSYS)
    }
    pub fn remove_xattr(&self, node: &NodeRef, name: &OsStr) -> Result<()> {
        let _ = (node, name);
        Err(Errno::NOSYS)
    }
    pub fn list_xattrs(&self, node: &NodeRef) -> Result<Vec<OsString>> {
        let _ = (node);
        Err(Errno::NOSYS)
    }
    pub fn provenance(&self, node: &NodeRef) -> Provenance {
        let _ = (node);
        Provenance::Upper
    }
    pub fn sync(&self, node: &NodeRef) -> Result<()> {
        let _ = (node);
        Err(Errno::NOSYS)
    }
    pub fn changes(&self) -> Result<Vec<UpperChange>> {
        Err(Errno::NOSYS)
    }
}

impl Handle {
    pub fn node(&self) -> &NodeRef {
        &self.0
    }
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize> {
        let _ = (buffer, offset);
        Err(Errno::NOSYS)
    }
    pub fn write_at(&self, bytes: &[u8], offset: u64, caller: &Caller) -> Result<usize> {
        let _ = (bytes, offset, caller);
        Err(Errno::NOSYS)
    }
    pub fn append(&self, bytes: &[u8], caller: &Caller) -> Result<usize> {
        let _ = (bytes, caller);
        Err(Errno::NOSYS)
    }
    pub fn allocate(&self, range: AllocateRange, offset: u64, length: u64) -> Result<()> {
        let _ = (range, offset, length);
        Err(Errno::NOSYS)
    }
    pub fn seek_data(&self, offset: u64) -> Result<u64> {
        let _ = (offset);
        Err(Errno::NOSYS)
    }
    pub fn seek_hole(&self, offset: u64) -> Result<u64> {
        let _ = (offset);
        Err(Errno::NOSYS)
    }
    pub fn attributes(&self) -> Result<Attributes> {
        Err(Errno::NOSYS)
    }
    pub fn sync(&self) -> Result<()> {
        Err(Errno::NOSYS)
    }
}

impl NodeRef {
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
    pub fn kind(&self) -> FileKind {
        FileKind::Directory
    }
}

impl PartialEq for NodeRef {
    fn eq(&self, other: &Self) -> bool {
        self.same(other)
    }
}
impl Eq for NodeRef {}
impl PartialOrd for NodeRef {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for NodeRef {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        Arc::as_ptr(&self.0).cmp(&Arc::as_ptr(&other.0))
    }
}

pub fn copy_tree(
    source: (&Union, &NodeRef),
    target: (&Union, &NodeRef),
    options: CopyOptions,
) -> Result<()> {
    let _ = (source, target, options);
    Err(Errno::NOSYS)
}
