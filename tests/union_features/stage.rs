//! Stacks in a scratch directory, and short ways to use them.

use std::ffi::OsStr;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use layerspec::union::{
    Caller, CallerCapability, Errno, New, NewKind, NodeRef, OpenFlags, Options, Space, Stack, Union,
};

pub(crate) fn open(path: &Path) -> Arc<OwnedFd> {
    Arc::new(fs::File::open(path).unwrap().into())
}

pub(crate) fn plain(path: &Path) -> Arc<Union> {
    let options = Options {
        plain: true,
        ..Options::of_this_user()
    };
    Union::open(Stack {
        upper: Some(open(path)),
        work: None,
        lowers: Vec::new(),
        options,
    })
    .unwrap()
}

/// A stack in a scratch directory: `lower`, `upper`, `work`.
pub(crate) struct Scratch(tempfile::TempDir);

impl Scratch {
    pub(crate) fn new() -> Self {
        Self::within(&std::env::temp_dir())
    }

    pub(crate) fn within(folder: &Path) -> Self {
        let scratch = tempfile::tempdir_in(folder).unwrap();
        for name in ["lower", "upper", "work"] {
            fs::create_dir(scratch.path().join(name)).unwrap();
        }
        Self(scratch)
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn union(&self, options: Options) -> Arc<Union> {
        Union::open(Stack {
            upper: Some(open(&self.path("upper"))),
            work: Some(open(&self.path("work"))),
            lowers: vec![open(&self.path("lower"))],
            options,
        })
        .unwrap()
    }
}

pub(crate) fn root() -> Caller {
    Caller {
        capabilities: vec![CallerCapability::Fsetid],
        ..Caller::default()
    }
}

pub(crate) fn find(union: &Union, path: &str) -> Result<NodeRef, Errno> {
    let names = path.split('/').filter(|name| !name.is_empty());
    names.into_iter().try_fold(union.root(), |node, name| {
        union.lookup(&node, OsStr::new(name))
    })
}

pub(crate) fn create(
    union: &Union,
    dir: &NodeRef,
    name: &str,
    kind: NewKind,
) -> Result<NodeRef, Errno> {
    let new = New { kind, mode: 0o755 };
    union.create(dir, OsStr::new(name), &new, &root())
}

pub(crate) fn write(union: &Union, node: &NodeRef, at: u64, bytes: &[u8]) -> Result<usize, Errno> {
    let flags = OpenFlags {
        write: true,
        ..OpenFlags::default()
    };
    union.open_file(node, flags)?.write_at(bytes, at, &root())
}

pub(crate) fn content(union: &Union, node: &NodeRef) -> Vec<u8> {
    let handle = union.open_file(node, OpenFlags::default()).unwrap();
    let mut buffer = vec![0; 1 << 20];
    let length = handle.read_at(&mut buffer, 0).unwrap();
    buffer.truncate(length);
    buffer
}

/// A disk of so many bytes.
#[derive(Debug)]
pub(crate) struct Disk(pub(crate) AtomicU64);

impl Space for Disk {
    fn take(&self, bytes: u64) -> Result<(), Errno> {
        let take = |left: u64| left.checked_sub(bytes);
        match self
            .0
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, take)
        {
            // A full disk takes no new file either.
            Ok(left) if left > 0 || bytes > 0 => Ok(()),
            _ => Err(Errno::NOSPC),
        }
    }

    fn give(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::SeqCst);
    }
}
