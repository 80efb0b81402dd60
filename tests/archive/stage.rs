//! Archives unpacked on the disk, and what is there then.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Seek as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use layerspec::store::Config;
use layerspec::store::archive::{Archive, ArchiveError, Limits, Listed};
use layerspec::union::{
    Directory, FileKind, NodeRef, OpenFlags, Options, Stack, Union, XattrNamespace,
};

/// A directory that becomes a store of layers.
pub(crate) struct Stage {
    home: tempfile::TempDir,
    pub(crate) limits: Limits,
}

/// An image that was unpacked.
pub(crate) struct Unpacked {
    pub(crate) layers: Vec<PathBuf>,
    pub(crate) config: Config,
}

pub(crate) fn namespace() -> XattrNamespace {
    Options::of_this_user().namespace
}

pub(crate) fn open(path: &Path) -> Directory {
    Arc::new(File::open(path).unwrap().into())
}

pub(crate) fn plain(path: &Path, work: &Path) -> Arc<Union> {
    let options = Options {
        plain: true,
        alone: true,
        ..Options::of_this_user()
    };
    Union::open(Stack {
        upper: Some(open(path)),
        work: Some(open(work)),
        lowers: Vec::new(),
        options,
    })
    .unwrap()
}

impl Stage {
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("work")).unwrap();
        Self {
            home,
            limits: Limits::default(),
        }
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Writes a file beside the layers.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Unpacks an archive of these bytes.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Result<Unpacked, ArchiveError> {
        self.file(&self.write("archive.tar", bytes), None)
    }

    /// Unpacks an archive.
    pub(crate) fn file(&self, path: &Path, tag: Option<&str>) -> Result<Unpacked, ArchiveError> {
        let work = self.home.path().join("work");
        let file = File::open(path).unwrap();
        let mut archive = Archive::open(file.into(), &open(&work), self.limits)?;
        let image = archive.image(tag)?;
        let mut layers = Vec::new();
        for layer in &image.layers {
            let into = tempfile::tempdir_in(self.home.path()).unwrap().keep();
            rustix::fs::chmod(&into, rustix::fs::Mode::from_raw_mode(0o755)).unwrap();
            layers.push(into.clone());
            archive.unpack(
                layer,
                &plain(&into, &work),
                Options::of_this_user().namespace,
            )?;
        }
        Ok(Unpacked {
            layers,
            config: image.config,
        })
    }

    /// Copies the layers of an archive of these bytes, each with what is said to be in it.
    pub(crate) fn copied(&self, bytes: &[u8]) -> Result<Vec<(Vec<u8>, Listing)>, ArchiveError> {
        let work = self.home.path().join("work");
        let file = File::open(self.write("archive.tar", bytes)).unwrap();
        let mut archive = Archive::open(file.into(), &open(&work), self.limits)?;
        let image = archive.image(None)?;
        let mut spool = tempfile::tempfile().unwrap();
        let mut copied = Vec::new();
        for layer in &image.layers {
            let start = spool.stream_position().unwrap();
            let (length, listing) = archive.copy(layer, &mut spool)?;
            let mut copy = vec![0; usize::try_from(length).unwrap()];
            spool.read_exact_at(&mut copy, start).unwrap();
            assert_eq!(layer.diff_id(), super::build::hex(&copy));
            let listed = |(path, listed): (Vec<u8>, Listed)| (path, said(&listed));
            let listing = listing.into_iter().map(listed);
            // The top is that of the container's own layer.
            copied.push((copy, listing.filter(|(path, _)| path != b"/").collect()));
        }
        Ok(copied)
    }

    /// Unpacks an archive of one image with these layers.
    pub(crate) fn layers(&self, layers: &[Vec<u8>]) -> Result<Unpacked, ArchiveError> {
        self.bytes(&super::build::saved("test/image:1", layers))
    }
}

impl Unpacked {
    /// The layers, merged.
    pub(crate) fn merged(&self) -> Arc<Union> {
        Union::open(Stack {
            upper: None,
            work: None,
            lowers: self.layers.iter().rev().map(|path| open(path)).collect(),
            options: Options::of_this_user(),
        })
        .unwrap()
    }

    pub(crate) fn listing(&self) -> Listing {
        listing(&self.merged())
    }

    /// Each layer as it would be said to be by who only lists it.
    pub(crate) fn said(&self, stage: &Stage) -> Vec<Listing> {
        let work = stage.home().join("work");
        let one = |path: &PathBuf| {
            let union = plain(path, &work);
            let files = listing(&union).into_keys().filter_map(|path| {
                let node = find(&union, &path);
                let attributes = union.attributes(&node).unwrap();
                let listed = match node.kind() {
                    FileKind::Character if attributes.device == (0, 0) => return None,
                    FileKind::Directory => Listed::Directory {
                        mode: attributes.mode,
                        uid: attributes.uid,
                        gid: attributes.gid,
                        xattrs: Vec::new(),
                    },
                    _ => Listed::File,
                };
                Some((path, said(&listed)))
            });
            files.collect()
        };
        self.layers.iter().map(one).collect()
    }
}

/// What is listed, but for extended attributes: which of them a disk takes is the disk's to say.
fn said(listed: &Listed) -> String {
    match listed {
        Listed::Directory { mode, uid, gid, .. } => fact("dir", *mode, (*uid, *gid)),
        Listed::File => "file".to_owned(),
    }
}

/// A tree in lines, by path.
pub(crate) type Listing = BTreeMap<Vec<u8>, String>;

pub(crate) fn text(listing: &Listing) -> String {
    let line = |(path, what): (&Vec<u8>, &String)| format!("  {} {what}\n", path.escape_ascii());
    listing.iter().map(line).collect()
}

/// Every file of a union but its top, which is that of the container's own layer in Docker.
pub(crate) fn listing(union: &Union) -> Listing {
    let mut lines = Listing::new();
    let mut names: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    let mut todo = vec![(Vec::new(), union.root())];
    while let Some((path, node)) = todo.pop() {
        let attributes = union.attributes(&node).unwrap();
        let first = names.entry(attributes.ino).or_insert_with(|| path.clone());
        if node.kind() != FileKind::Directory && path < *first {
            first.clone_from(&path);
        }
        if !path.is_empty() {
            lines.insert(path.clone(), String::new());
        }
        if node.kind() == FileKind::Directory {
            for entry in union.read_directory(&node).unwrap() {
                let mut below = path.clone();
                below.push(b'/');
                below.extend_from_slice(entry.name.as_bytes());
                todo.push((below, union.lookup(&node, &entry.name).unwrap()));
            }
        }
    }
    let paths: Vec<Vec<u8>> = lines.keys().cloned().collect();
    for path in paths {
        let node = find(union, &path);
        let attributes = union.attributes(&node).unwrap();
        let first = names[&attributes.ino].clone();
        let what = if first != path && node.kind() != FileKind::Directory {
            format!("hard link to {}", first.escape_ascii())
        } else {
            describe(union, &node)
        };
        lines.insert(path, what);
    }
    lines
}

pub(crate) fn find(union: &Union, path: &[u8]) -> NodeRef {
    path.split(|byte| *byte == b'/')
        .filter(|name| !name.is_empty())
        .fold(union.root(), |node, name| {
            union.lookup(&node, OsStr::from_bytes(name)).unwrap()
        })
}

fn describe(union: &Union, node: &NodeRef) -> String {
    let attributes = union.attributes(node).unwrap();
    let what = match node.kind() {
        FileKind::Directory => "dir".to_owned(),
        FileKind::Symlink => {
            let target = union.read_link(node).unwrap();
            format!("link {}", target.as_bytes().escape_ascii())
        }
        FileKind::Regular => {
            let data = read(union, node);
            format!("file {}", digest(&data))
        }
        FileKind::Fifo => "fifo".to_owned(),
        FileKind::Socket => "socket".to_owned(),
        FileKind::Character => format!("c {}:{}", attributes.device.0, attributes.device.1),
        FileKind::Block => format!("b {}:{}", attributes.device.0, attributes.device.1),
    };
    fact(&what, attributes.mode, (attributes.uid, attributes.gid))
}

/// A line, the same wherever it was seen.
pub(crate) fn fact(what: &str, mode: u32, (uid, gid): (u32, u32)) -> String {
    let mode = if what.starts_with("link ") {
        0o777
    } else {
        mode & 0o7777
    };
    format!("{what} {mode:04o} {uid}:{gid}")
}

/// Short content as it is, long content by its digest.
pub(crate) fn digest(data: &[u8]) -> String {
    if data.len() <= 32 {
        format!("\"{}\"", data.escape_ascii())
    } else {
        format!("{} bytes {}", data.len(), &super::build::hex(data)[..16])
    }
}

pub(crate) fn read(union: &Union, node: &NodeRef) -> Vec<u8> {
    let flags = OpenFlags {
        read: true,
        ..OpenFlags::default()
    };
    let handle = union.open_file(node, flags).unwrap();
    let mut data = vec![0; usize::try_from(union.attributes(node).unwrap().size).unwrap()];
    let mut at = 0;
    while at < data.len() {
        let count = handle.read_at(&mut data[at..], at as u64).unwrap();
        assert_ne!(count, 0);
        at += count;
    }
    data
}
