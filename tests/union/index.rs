//! Indexes that something has happened to, and layers that are not those of before: what the kernel makes of them,
//! and what we do.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use layerspec::union::{Errno, Options};
use rustix::fs::{CWD, FileType, Mode, XattrFlags, mknodat};

use super::kernel::{Kernel, Layers};
use super::script::{Script, Side};
use super::stage::{self, Style};

/// What a file system shows, or why it is none.
type Seen = Result<BTreeMap<String, String>, Errno>;

/// Something that happens to layers while nobody has them open.
pub(crate) type Event = (&'static str, fn(&Layers));

const ORIGIN: &str = "trusted.overlay.origin";
const LINKS: &str = "trusted.overlay.nlink";

/// The one entry that is in the index.
fn entry(layers: &Layers) -> PathBuf {
    let mut entries = fs::read_dir(layers.work.join("index")).unwrap();
    entries
        .find(|entry| {
            !entry
                .as_ref()
                .unwrap()
                .file_name()
                .as_bytes()
                .starts_with(b"#")
        })
        .unwrap()
        .unwrap()
        .path()
}

fn set(path: &Path, name: &str, value: &[u8]) {
    rustix::fs::lsetxattr(path, name, value, XattrFlags::empty()).unwrap();
}

/// Makes the entry the only name of its file.
fn orphan(layers: &Layers) -> PathBuf {
    fs::remove_file(layers.upper.join("b")).unwrap();
    entry(layers)
}

/// Puts something else where the entry was.
fn instead(layers: &Layers, kind: FileType) {
    let path = orphan(layers);
    fs::remove_file(&path).unwrap();
    mknodat(CWD, &path, kind, Mode::RUSR, 0).unwrap();
}

fn add(layers: &Layers, name: &str) {
    fs::write(layers.work.join("index").join(name), "").unwrap();
}

pub(crate) const EVENTS: &[Event] = &[
    ("nothing", |_| {}),
    ("garbage", |layers| add(layers, "garbage")),
    ("a hidden name", |layers| add(layers, ".hidden")),
    ("long garbage", |layers| add(layers, &"0123".repeat(16))),
    ("a later version", |layers| {
        let name = entry(layers).file_name().unwrap().to_owned();
        add(layers, &name.to_str().unwrap().replacen("00fb", "01fb", 1));
    }),
    ("a flag that nobody knows", |layers| {
        let name = entry(layers).file_name().unwrap().to_owned();
        let (head, rest) = name.to_str().unwrap().split_at(6);
        add(layers, &format!("{head}80{}", &rest[2..]));
    }),
    ("files in the making", |layers| {
        fs::create_dir_all(layers.work.join("index/#77/x")).unwrap();
        add(layers, "#78");
    }),
    ("no origin", |layers| {
        rustix::fs::removexattr(layers.upper.join("b"), ORIGIN).unwrap();
    }),
    ("the origin of another", |layers| {
        let other = layers.upper.with_file_name("lower0").join("single");
        let name = entry(layers).file_name().unwrap().to_owned();
        // That of the root is one, too.
        let mut value = [0; 64];
        let length = rustix::fs::getxattr(&layers.upper, ORIGIN, &mut value).unwrap();
        assert!(other.exists() && name.len() == 2 * length);
        set(&layers.upper.join("b"), ORIGIN, &value[..length]);
    }),
    ("no number of links", |layers| {
        rustix::fs::removexattr(layers.upper.join("b"), LINKS).unwrap();
    }),
    ("no number of links, and no other name", |layers| {
        rustix::fs::removexattr(orphan(layers), LINKS).unwrap();
    }),
    (
        "a number that counts from the lower, and no other name",
        |layers| {
            set(&orphan(layers), LINKS, b"L+0");
        },
    ),
    ("no link left, counted from the upper", |layers| {
        set(&orphan(layers), LINKS, b"U-1");
    }),
    ("no link left, but a name", |layers| {
        set(&entry(layers), LINKS, b"U-2");
    }),
    ("numbers that are none", |layers| {
        set(&entry(layers), LINKS, b"X9");
    }),
    ("a number without a sign", |layers| {
        set(&entry(layers), LINKS, b"U7");
    }),
    ("a whiteout for an entry", |layers| {
        let path = orphan(layers);
        fs::remove_file(&path).unwrap();
        mknodat(CWD, &path, FileType::CharacterDevice, Mode::empty(), 0).unwrap();
    }),
    ("a directory for an entry", |layers| {
        let path = orphan(layers);
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
    }),
    ("a pipe for an entry", |layers| {
        instead(layers, FileType::Fifo);
        let path = entry(layers);
        let name: Vec<u8> = path.file_name().unwrap().as_bytes().to_vec();
        let text = std::str::from_utf8(&name).unwrap();
        let bytes: Vec<u8> = (0..text.len() / 2)
            .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
            .collect();
        set(&path, ORIGIN, &bytes);
        set(&path, LINKS, b"U+1");
        fs::hard_link(&path, layers.upper.join("other")).unwrap();
    }),
    ("a link that was broken", |layers| {
        let path = layers.upper.join("b");
        let content = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, content).unwrap();
    }),
    ("the lower file is gone", |layers| {
        for name in ["a", "b", "c"] {
            fs::remove_file(layers.lowers[0].join(name)).unwrap();
        }
    }),
    ("the lower file is gone, and no other name", |layers| {
        for name in ["a", "b", "c"] {
            fs::remove_file(layers.lowers[0].join(name)).unwrap();
        }
        orphan(layers);
    }),
    ("another lower file of these names", |layers| {
        for name in ["a", "b", "c"] {
            fs::remove_file(layers.lowers[0].join(name)).unwrap();
        }
        fs::write(layers.lowers[0].join("a"), "another").unwrap();
        for name in ["b", "c"] {
            fs::hard_link(layers.lowers[0].join("a"), layers.lowers[0].join(name)).unwrap();
        }
    }),
    ("one name of the lower file left", |layers| {
        for name in ["a", "b"] {
            fs::remove_file(layers.lowers[0].join(name)).unwrap();
        }
    }),
    ("one more name of the lower file", |layers| {
        fs::hard_link(layers.lowers[0].join("a"), layers.lowers[0].join("z")).unwrap();
    }),
    (
        "the layer does not say which lower it was used with",
        |layers| {
            rustix::fs::removexattr(&layers.upper, ORIGIN).unwrap();
        },
    ),
    ("the layer was used with another lower", |layers| {
        let other = layers.upper.with_file_name("other");
        fs::rename(&layers.lowers[0], &other).unwrap();
        fs::create_dir(&layers.lowers[0]).unwrap();
    }),
    ("the index is another layer's", |layers| {
        let other = layers.upper.with_file_name("other");
        fs::rename(&layers.upper, &other).unwrap();
        fs::create_dir(&layers.upper).unwrap();
    }),
    ("there is no index any more", |layers| {
        fs::remove_dir_all(layers.work.join("index")).unwrap();
    }),
];

/// Layers that were used with an index.
fn used(base: &Path) -> Layers {
    let script = Script::parse(
        "0 file a text; 0 link a b; 0 link a c; 0 file single s; 0 dir d; 0 file d/x x",
    );
    let layers = stage::build(&script, base, Style::Real);
    let mount = base.join("mount");
    let mut kernel = Kernel::mount(&layers, &mount, ",index=on").unwrap();
    kernel.run(&["chmod", "b", "600"]).unwrap();
    layers
}

/// What each side shows of layers after an event, and what is then left in the index.
pub(crate) fn after(event: fn(&Layers), base: &Path) -> [(Seen, Vec<String>); 2] {
    let theirs = used(&base.join("kernel"));
    event(&theirs);
    let seen = Kernel::mount(&theirs, &base.join("mount"), ",index=on").map(|mut side| side.tree());
    let ours = used(&base.join("ours"));
    event(&ours);
    let with_index = Options {
        index: true,
        ..Options::default()
    };
    let shown =
        stage::try_open(&ours, with_index).map(|union| super::ours::Ours::new(union).tree());
    let left = |layers: &Layers| {
        let mut left = stage::raw_index(layers);
        left.push(stage::files_in_the_making(layers).to_string());
        left
    };
    [(seen, left(&theirs)), (shown, left(&ours))]
}
