//! Copies of a fixture on the real disk, and the unions and mounts on them.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use layerspec::union::{Errno, Options, Ownership, Stack, Union, XattrNamespace};
use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, Timespec, Timestamps};

use super::kernel::{Kernel, Layers, describe};
use super::ours::Ours;
use super::script::{Fixture, Script, Side};

/// How the layers of a copy are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Real,
    /// Real, with marks that need no privilege: `userxattr`.
    UserMarks,
    Override,
    /// The same, where the kernel is to find the names and the data.
    OverrideForKernel,
}

impl Style {
    fn is_overridden(self) -> bool {
        matches!(self, Self::Override | Self::OverrideForKernel)
    }
}

/// A directory of the real disk, open.
pub(crate) fn open_directory(path: &Path) -> Arc<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Arc::new(fs::open(path, flags, Mode::empty()).unwrap())
}

/// Makes the layers of a script below `base`.
pub(crate) fn build(script: &Script, base: &Path, style: Style) -> Layers {
    let lowers: Vec<PathBuf> = (0..script.layers)
        .map(|at| base.join(format!("lower{at}")))
        .collect();
    let layers = Layers {
        upper: base.join("upper"),
        work: base.join("work"),
        lowers,
    };
    for path in layers.lowers.iter().chain([&layers.upper, &layers.work]) {
        std::fs::create_dir_all(path).unwrap();
        fs::chmod(path, Mode::from_raw_mode(0o755)).unwrap();
    }
    let mut late = Vec::new();
    for fixture in &script.fixture {
        if fixture.words[0] == "times" {
            late.push(fixture);
        } else {
            apply(fixture, &layers, style);
        }
    }
    for path in layers.lowers.iter().chain([&layers.upper]) {
        age(path);
    }
    for fixture in late {
        apply(fixture, &layers, style);
    }
    layers
}

fn apply(fixture: &Fixture, layers: &Layers, style: Style) {
    let layer = fixture.layer.map_or(&layers.upper, |at| &layers.lowers[at]);
    let words: Vec<&str> = fixture.words.iter().map(String::as_str).collect();
    let raw = |path: &str| layer.join(path);
    match words[0] {
        "whiteout" => {
            parents(layer, words[1], style);
            let kind = FileType::CharacterDevice;
            fs::mknodat(fs::CWD, raw(words[1]), kind, Mode::empty(), 0).unwrap();
            return;
        }
        "mark" => {
            let prefix = if style == Style::Real {
                "trusted"
            } else {
                "user"
            };
            let name = format!("{prefix}.overlay.{}", words[2]);
            let value = words.get(3).copied().unwrap_or_default();
            let flags = fs::XattrFlags::empty();
            fs::lsetxattr(raw(words[1]), &*name, value.as_bytes(), flags).unwrap();
            return;
        }
        "hollow" => {
            parents(layer, words[1], style);
            let file = std::fs::File::create(raw(words[1])).unwrap();
            file.set_len(words[2].parse().unwrap()).unwrap();
            return;
        }
        "sparse" => {
            let file = std::fs::File::create(raw(words[1])).unwrap();
            file.set_len(words[2].parse().unwrap()).unwrap();
            let at = words[3].parse().unwrap();
            std::os::unix::fs::FileExt::write_all_at(&file, b"island", at).unwrap();
            return;
        }
        _ => {}
    }
    let mut side = writer(layer, style);
    let mut run = |words: &[&str]| {
        side.run(words)
            .unwrap_or_else(|errno| panic!("fixture {words:?}: {errno}"));
    };
    match words[0] {
        "file" => {
            parents(layer, words[1], style);
            let mode = words.get(3).copied().unwrap_or("644");
            run(&["create", words[1], "666"]);
            if words[2] != "-" {
                run(&["write", words[1], words[2]]);
            }
            run(&["chmod", words[1], mode]);
        }
        "dir" => {
            parents(layer, &format!("{}/x", words[1]), style);
            run(&["chmod", words[1], words.get(2).copied().unwrap_or("755")]);
        }
        "symlink" => {
            parents(layer, words[2], style);
            run(&words);
        }
        "fifo" | "char" | "sock" => {
            parents(layer, words[1], style);
            run(&words);
        }
        _ => run(&words),
    }
}

/// Something that writes into a layer as it is.
fn writer(layer: &Path, style: Style) -> Box<dyn Side> {
    if !style.is_overridden() {
        return Box::new(Kernel::plain(layer));
    }
    let options = Options {
        plain: true,
        ..options(style)
    };
    let stack = Stack {
        upper: Some(open_directory(layer)),
        work: None,
        lowers: Vec::new(),
        options,
    };
    Box::new(Ours::new(Union::open(stack).unwrap()))
}

fn parents(layer: &Path, path: &str, style: Style) {
    let mut side = writer(layer, style);
    let mut at = 0;
    while let Some(next) = path[at..].find('/') {
        let parent = &path[..at + next];
        if !layer.join(parent).exists() {
            side.run(&["mkdir", parent, "755"]).unwrap();
        }
        at += next + 1;
    }
}

/// Gives everything in a tree the same old times, so that any change shows.
fn age(path: &Path) {
    if std::fs::symlink_metadata(path).unwrap().is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            age(&entry.unwrap().path());
        }
    }
    let time = |tv_sec| Timespec {
        tv_sec,
        tv_nsec: 123_456_789,
    };
    let times = Timestamps {
        last_access: time(1_000_000_005),
        last_modification: time(1_000_000_000),
    };
    fs::utimensat(fs::CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
}

pub(crate) fn options(style: Style) -> Options {
    match style {
        Style::Real => Options::default(),
        Style::UserMarks => Options {
            namespace: XattrNamespace::User,
            ..Options::default()
        },
        Style::Override | Style::OverrideForKernel => Options {
            namespace: XattrNamespace::User,
            ownership: Ownership::Override,
            ..Options::default()
        },
    }
}

/// Opens a union on layers.
pub(crate) fn open(layers: &Layers, options: Options) -> Ours {
    Ours::new(try_open(layers, options).unwrap())
}

pub(crate) fn try_open(layers: &Layers, options: Options) -> Result<Arc<Union>, Errno> {
    let stack = Stack {
        upper: Some(open_directory(&layers.upper)),
        work: Some(open_directory(&layers.work)),
        lowers: layers
            .lowers
            .iter()
            .map(|path| open_directory(path))
            .collect(),
        options,
    };
    Union::open(stack)
}

/// How many files in the making lie in an index, but for whiteouts that are kept for further ones.
pub(crate) fn files_in_the_making(layers: &Layers) -> usize {
    let entries = std::fs::read_dir(layers.work.join("index"));
    let entries = entries.into_iter().flatten();
    let is_left = |entry: &std::fs::DirEntry| {
        let is_temporary = entry.file_name().to_str().unwrap().starts_with('#');
        is_temporary && describe(&entry.path()).unwrap().kind != 'c'
    };
    entries.map(Result::unwrap).filter(is_left).count()
}

/// What is in an index, but for the names, which are those of the files of one copy.
pub(crate) fn raw_index(layers: &Layers) -> Vec<String> {
    let mut entries = Vec::new();
    let Ok(index) = std::fs::read_dir(layers.work.join("index")) else {
        return vec!["there is none".to_owned()];
    };
    for entry in index.map(Result::unwrap) {
        // A whiteout that the kernel keeps for further ones.
        if !entry.file_name().to_str().unwrap().starts_with('#') {
            let mut described = describe(&entry.path()).unwrap();
            described
                .xattrs
                .retain(|(name, _)| !name.ends_with("overlay.origin"));
            entries.push(described.text());
        }
    }
    entries.sort();
    entries
}

/// The upper layer as it is on the disk, without the marks that only the kernel writes.
pub(crate) fn raw_upper(layers: &Layers) -> BTreeMap<String, String> {
    let mut tree = BTreeMap::new();
    let mut open = vec![(String::new(), layers.upper.clone())];
    while let Some((name, path)) = open.pop() {
        let mut described = describe(&path).unwrap();
        described.xattrs.retain(|(name, _)| {
            let own = name
                .strip_prefix("trusted.overlay.")
                .or(name.strip_prefix("user.overlay."));
            !own.is_some_and(|own| matches!(own, "origin" | "impure" | "uuid"))
        });
        if described.kind == 'c' && described.device == (0, 0) {
            // Which means nothing: several are one file, and a set-group-ID directory gives its group.
            described.links = 1;
            described.mtime = (0, 0);
            described.gid = 0;
        }
        if described.kind == 'd' {
            for entry in std::fs::read_dir(&path).unwrap() {
                let entry = entry.unwrap();
                let name = format!("{name}/{}", entry.file_name().to_str().unwrap());
                open.push((name, entry.path()));
            }
        }
        tree.insert(name, described.text());
    }
    tree
}
