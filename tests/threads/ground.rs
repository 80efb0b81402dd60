//! Layers below a scratch directory, and all that a union on them shows.

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use layerspec::union::{FileKind, OpenFlags, Options, Ownership, Stack, Union, XattrNamespace};

use super::worker::{SHARED, all_of, lower_files};

pub(crate) const THREADS: usize = 6;

/// `STEPS=100000` for a long run, `SEED=7` for another one.
pub(crate) fn number(name: &str, usual: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

pub(crate) fn open(path: &Path) -> Arc<OwnedFd> {
    Arc::new(fs::File::open(path).unwrap().into())
}

/// Options that work for the user who runs the tests, with owners as they are or in an attribute.
pub(crate) fn options(ownership: Ownership) -> Options {
    if ownership == Ownership::Real && rustix::process::geteuid().is_root() {
        return Options::default();
    }
    Options {
        namespace: XattrNamespace::User,
        ownership: Ownership::Override,
        ..Options::default()
    }
}

/// Layers below a scratch directory.
pub(crate) struct Ground(tempfile::TempDir);

impl Ground {
    pub(crate) fn new(uppers: usize) -> Self {
        let ground = Self(tempfile::tempdir().unwrap());
        for name in ["lower", "empty", "work", "volume"] {
            fs::create_dir(ground.path(name)).unwrap();
        }
        for number in 0..uppers {
            fs::create_dir(ground.path(&format!("upper{number}"))).unwrap();
        }
        for dir in SHARED {
            fs::create_dir_all(ground.path("lower").join(dir)).unwrap();
            fs::create_dir_all(ground.path("volume").join(dir)).unwrap();
        }
        for id in 0..THREADS {
            for (path, content) in lower_files(id) {
                let path = ground.path("lower").join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, content).unwrap();
            }
        }
        ground
    }

    /// The files of each thread that have one name in all directories become one file.
    pub(crate) fn linked(self) -> Self {
        for id in 0..THREADS {
            let mut files = SHARED
                .iter()
                .map(|dir| self.path(&format!("lower/{dir}/{id}a")));
            let first = files.next().unwrap();
            for other in files {
                fs::remove_file(&other).unwrap();
                fs::hard_link(&first, other).unwrap();
            }
        }
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn union(&self, upper: usize, options: Options) -> Arc<Union> {
        Union::open(Stack {
            upper: Some(open(&self.path(&format!("upper{upper}")))),
            work: Some(open(&self.path("work"))),
            lowers: vec![open(&self.path("empty")), open(&self.path("lower"))],
            options,
        })
        .unwrap()
    }

    pub(crate) fn volume(&self, options: Options) -> Arc<Union> {
        Union::open(Stack {
            upper: Some(open(&self.path("volume"))),
            work: None,
            lowers: Vec::new(),
            options: Options {
                plain: true,
                alone: true,
                ..options
            },
        })
        .unwrap()
    }
}

pub(crate) type Tree = BTreeMap<String, Option<Vec<u8>>>;

/// Everything that a union shows: the content of files, and directories.
pub(crate) fn tree(union: &Union) -> Tree {
    let mut tree = Tree::new();
    let mut open = vec![(String::new(), union.root())];
    while let Some((path, node)) = open.pop() {
        for entry in union.read_directory(&node).unwrap() {
            let path = format!("{path}{}", entry.name.to_str().unwrap());
            let child = union.lookup(&node, &entry.name).unwrap();
            assert_eq!(union.attributes(&child).unwrap().ino, entry.ino, "{path}");
            if entry.kind == FileKind::Directory {
                tree.insert(path.clone(), None);
                open.push((format!("{path}/"), child));
            } else {
                let handle = union.open_file(&child, OpenFlags::default()).unwrap();
                tree.insert(path, Some(all_of(&handle).unwrap()));
            }
        }
    }
    tree
}
