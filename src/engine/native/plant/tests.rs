//! Trees as given, looked at through a disk.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use super::super::observe;
use super::super::view::{Mounted, View};
use super::{plant, plant_layer};
use crate::engine::{
    Bytes, Content, DeviceKind, Entry, Node, NodeKind, Seen, SeenKind, Storage, Time, Tree,
};
use crate::rootfs::Rootfs;
use crate::union::{Options, Stack, Union};

fn options(plain: bool) -> Options {
    Options {
        plain,
        ..Options::of_this_user()
    }
}

fn directory(path: &Path) -> crate::union::Directory {
    std::fs::create_dir_all(path).unwrap();
    Arc::new(std::fs::File::open(path).unwrap().into())
}

fn plain(path: &Path) -> Arc<Union> {
    let upper = Some(directory(path));
    let stack = Stack {
        upper,
        work: None,
        lowers: Vec::new(),
        options: options(true),
    };
    Union::open(stack).unwrap()
}

fn file(text: &str) -> Node {
    Node::new(NodeKind::File(Content::Bytes(text.into())))
}

fn folder() -> Node {
    Node::new(NodeKind::Directory { opaque: false })
}

fn tree(entries: Vec<(&str, Node)>) -> Tree {
    let entry = |(path, node): (&str, Node)| Entry {
        path: path.to_owned(),
        node,
    };
    Tree(entries.into_iter().map(entry).collect())
}

fn look(union: Arc<Union>) -> Vec<Seen> {
    let rootfs = Arc::new(Rootfs::new(union, false));
    observe::tree(&View::single(rootfs, Storage::Host)).unwrap()
}

/// Path, mode, owner, content or type: one line a file.
fn lines(seen: &[Seen]) -> Vec<String> {
    let kind = |seen: &Seen| match &seen.kind {
        SeenKind::File {
            content: Some(content),
            ..
        } => {
            format!("{:?}", String::from_utf8_lossy(content.as_slice()))
        }
        SeenKind::File { size, .. } => format!("{size} bytes"),
        SeenKind::Directory => "dir".to_owned(),
        SeenKind::Symlink(target) => format!("-> {target}"),
        other => format!("{other:?}"),
    };
    let line = |seen: &Seen| {
        let link = seen
            .same_file_as
            .as_ref()
            .map_or(String::new(), |path| format!(" = {path}"));
        let owner = (seen.uid, seen.gid);
        format!(
            "{} {:o} {}:{} {}{link}",
            seen.path,
            seen.mode,
            owner.0,
            owner.1,
            kind(seen)
        )
    };
    seen.iter().map(line).collect()
}

/// One of each, in an order that is not easy.
fn everything(time: Time) -> Tree {
    let with = |mode, gid, node: Node| Node {
        mode: Some(mode),
        gid,
        ..node
    };
    let old = |node: Node| Node {
        mtime: Some(time),
        ..node
    };
    let link = |to: &str| Node::new(NodeKind::Hardlink { to: to.into() });
    let target = "../..\n".to_owned();
    let null = NodeKind::Device {
        kind: DeviceKind::Char,
        major: 1,
        minor: 3,
    };
    let content = |size, fill| Node::new(NodeKind::File(Content::Fill { size, fill }));
    let mut noted = file("");
    noted.xattrs.insert("user.a".to_owned(), Bytes::from("1"));
    let mut program = old(with(0o4755, None, file("abc")));
    program.uid = Some(7);
    tree(vec![
        ("/", old(with(0o711, None, folder()))),
        // A link before what it links to; a set-group-ID parent; an implied parent.
        ("/z/link", link("/z/other")),
        ("/z/other", link("/a/f")),
        ("/a", old(with(0o2770, Some(50), folder()))),
        ("/a/f", program),
        ("/a/dir", folder()),
        ("/a/s", Node::new(NodeKind::Symlink { target })),
        ("/a/fifo", Node::new(NodeKind::Fifo)),
        ("/a/null", with(0o666, None, Node::new(null))),
        ("/x", noted),
        ("/big", content(5000, Some("ab".into()))),
        ("/hole", content(1 << 20, None)),
        ("/a-b", file("")),
    ])
}

const EVERYTHING: &[&str] = &[
    "/ 711 0:0 dir",
    "/a 2770 0:50 dir",
    "/a-b 644 0:0 \"\"",
    "/a/dir 755 0:0 dir",
    "/a/f 4755 7:0 \"abc\"",
    "/a/fifo 644 0:0 Fifo",
    "/a/null 666 0:0 Device { kind: Char, major: 1, minor: 3 }",
    "/a/s 777 0:0 -> ../..\\n",
    "/big 644 0:0 5000 bytes",
    "/hole 644 0:0 1048576 bytes",
    "/x 644 0:0 \"\"",
    "/z 755 0:0 dir",
    "/z/link 4755 7:0 \"abc\" = /a/f",
    "/z/other 4755 7:0 \"abc\" = /a/f",
];

#[test]
fn a_tree_is_made_exactly_as_given() {
    let scratch = tempfile::tempdir().unwrap();
    let union = plain(scratch.path());
    let time = Time {
        seconds: 1_700_000_000,
        nanos: 5,
    };
    plant(&union, &everything(time)).unwrap();
    let seen = look(Arc::clone(&union));
    assert_eq!(lines(&seen), EVERYTHING);
    let x = seen.iter().find(|seen| seen.path == "/x").unwrap();
    assert_eq!(
        x.xattrs,
        BTreeMap::from([("user.a".to_owned(), Bytes::from("1"))])
    );
    let big = seen.iter().find(|seen| seen.path == "/big").unwrap();
    let SeenKind::File {
        sha256: Some(sha256),
        ..
    } = &big.kind
    else {
        panic!("{big:?}")
    };
    // printf 'ab%.0s' $(seq 2500) | sha256sum
    assert_eq!(
        sha256,
        "af3cfb4dc1dd2268114ddd91833a6afcd8f8e6c2ba19cdc16eda27b90bdd6455"
    );
    for name in ["a", "/"] {
        let node = if name == "/" {
            union.root()
        } else {
            at(&union, name)
        };
        let mtime = union.attributes(&node).unwrap().mtime;
        assert_eq!(
            (mtime.seconds, mtime.nanos),
            (time.seconds, time.nanos),
            "{name}"
        );
    }
    assert_eq!(union.attributes(&at(&union, "hole")).unwrap().blocks, 0);
}

#[test]
fn implied_parents_are_those_of_the_layers_below() {
    let scratch = tempfile::tempdir().unwrap();
    let (low, high) = (scratch.path().join("low"), scratch.path().join("high"));
    let owned = |mode| Node {
        mode: Some(mode),
        uid: Some(1000),
        gid: Some(1000),
        ..folder()
    };
    let marked = Node {
        xattrs: BTreeMap::from([("user.a".to_owned(), Bytes::from("1"))]),
        ..owned(0o2750)
    };
    let layer = vec![
        ("/data", marked),
        ("/cut", owned(0o700)),
        ("/cut/in", owned(0o711)),
        (
            "/said",
            Node {
                xattrs: BTreeMap::from([("user.a".to_owned(), Bytes::from("1"))]),
                ..owned(0o700)
            },
        ),
    ];
    plant(&plain(&low), &tree(layer)).unwrap();
    let below = Stack {
        upper: None,
        work: None,
        lowers: vec![directory(&low)],
        options: options(false),
    };
    let union = plain(&high);
    let opaque = Node::new(NodeKind::Directory { opaque: true });
    let layer = vec![
        ("/data/sub/f", file("1")),
        // What stands later goes for it all the same.
        ("/cut/in/f", file("2")),
        ("/cut", opaque),
        ("/said/f", file("3")),
        ("/said", folder()),
    ];
    plant_layer(&union, &tree(layer), Some(Union::open(below).unwrap())).unwrap();
    let seen = look(Arc::clone(&union));
    let expected = [
        "/cut 755 0:0 dir",
        "/cut/in 755 0:0 dir",
        "/cut/in/f 644 0:0 \"2\"",
        "/data 2750 1000:1000 dir",
        // Nothing below, and the set-group-ID parent has no say.
        "/data/sub 755 0:0 dir",
        "/data/sub/f 644 0:0 \"1\"",
        "/said 755 0:0 dir",
        "/said/f 644 0:0 \"3\"",
    ];
    assert_eq!(lines(&seen)[1..], expected);
    for (path, value) in [("/data", Some(&Bytes::from("1"))), ("/said", None)] {
        let directory = seen.iter().find(|seen| seen.path == path).unwrap();
        assert_eq!(directory.xattrs.get("user.a"), value, "{path}");
    }
}

fn at(union: &Union, name: &str) -> crate::union::NodeRef {
    union.lookup(&union.root(), OsStr::new(name)).unwrap()
}

#[test]
fn what_exists_is_kept_or_replaced() {
    let scratch = tempfile::tempdir().unwrap();
    let union = plain(scratch.path());
    plant(&union, &tree(vec![("/d/f", file("1")), ("/g", file("2"))])).unwrap();
    let again = vec![
        (
            "/d",
            Node {
                mode: Some(0o700),
                ..folder()
            },
        ),
        ("/g", file("3")),
    ];
    plant(&union, &tree(again)).unwrap();
    let expected = [
        "/ 755 0:0 dir",
        "/d 700 0:0 dir",
        "/d/f 644 0:0 \"1\"",
        "/g 644 0:0 \"3\"",
    ];
    assert_eq!(lines(&look(union))[1..], expected[1..]);
}

#[test]
fn hostile_paths_do_not_leave_the_tree() {
    let link = |target: &str| {
        Node::new(NodeKind::Symlink {
            target: target.into(),
        })
    };
    let hard = |to: &str| Node::new(NodeKind::Hardlink { to: to.into() });
    for (entries, expected) in [
        (
            vec![("/../f", file("x"))],
            "/../f: is not a plain absolute path",
        ),
        (
            vec![("/a/./f", file("x"))],
            "/a/./f: is not a plain absolute path",
        ),
        (
            vec![("/a//f", file("x"))],
            "/a//f: is not a plain absolute path",
        ),
        (
            vec![("/a/", file("x"))],
            "/a/: is not a plain absolute path",
        ),
        (vec![("f", file("x"))], "f: is not a plain absolute path"),
        (vec![("/", file("x"))], "/: is not a plain absolute path"),
        (
            vec![("/out", link("..")), ("/out/f", file("x"))],
            "/out/f: lies below something that is no directory",
        ),
        (
            vec![("/f", file("x")), ("/f/g", file("x"))],
            "/f/g: lies below something that is no directory",
        ),
        (
            vec![("/out", link("/etc")), ("/h", hard("/out/passwd"))],
            "/h: lies below something that is no directory",
        ),
        (
            vec![("/h", hard("/../f"))],
            "/h: is not a plain absolute path",
        ),
        (
            vec![("/h", hard("/nope"))],
            "/h: links to a path that is not in the tree",
        ),
        (
            vec![("/h", hard("/i")), ("/i", hard("/h"))],
            "/h: links to a path that is not in the tree",
        ),
        (vec![("/d", folder()), ("/d", file("x"))], "/d: EEXIST"),
    ] {
        let scratch = tempfile::tempdir().unwrap();
        let union = plain(&scratch.path().join("tree"));
        let refused = plant(&union, &tree(entries)).unwrap_err();
        assert_eq!(refused.to_string(), expected);
        let names: Vec<_> = std::fs::read_dir(scratch.path()).unwrap().collect();
        assert_eq!(names.len(), 1, "{expected}");
    }
    // Deeper than any stack.
    let scratch = tempfile::tempdir().unwrap();
    let deep = "/d".repeat(1500);
    let union = plain(scratch.path());
    plant(&union, &tree(vec![(&deep, folder())])).unwrap();
    assert_eq!(look(Arc::clone(&union)).len(), 1501);
}

#[test]
fn layers_merge_as_their_marks_say() {
    let scratch = tempfile::tempdir().unwrap();
    let layer = |name: &str, entries| {
        let path = scratch.path().join(name);
        plant(&plain(&path), &tree(entries)).unwrap();
        directory(&path)
    };
    let opaque = Node::new(NodeKind::Directory { opaque: true });
    let bottom = vec![
        ("/etc/a", file("1")),
        ("/etc/gone", file("1")),
        ("/fresh/old", file("1")),
        ("/app", file("1")),
    ];
    let top = vec![
        ("/etc/gone", Node::new(NodeKind::Whiteout)),
        ("/fresh", opaque),
        ("/fresh/new", file("2")),
        ("/app", file("2")),
    ];
    let lowers = vec![layer("2", top), layer("1", bottom)];
    let stack = Stack {
        upper: Some(directory(&scratch.path().join("upper"))),
        work: Some(directory(&scratch.path().join("work"))),
        lowers,
        options: options(false),
    };
    let layer = |number| Storage::Layer {
        image: "app".to_owned(),
        number,
    };
    let upper = Some(Storage::Writable {
        container: "c".to_owned(),
    });
    let mounted = Mounted::Stack {
        upper,
        lowers: vec![layer(2), layer(1)],
        merged: None,
    };
    let rootfs = Arc::new(Rootfs::new(Union::open(stack).unwrap(), false));
    let view = View {
        rootfs,
        mounts: BTreeMap::from([(Rootfs::ROOT_ID, mounted)]),
    };
    let seen = observe::tree(&view).unwrap();
    let places: Vec<_> = seen[1..]
        .iter()
        .map(|seen| match &seen.storage {
            Storage::Layer { number, .. } => format!("{} {} {number}", seen.path, seen.inner),
            other => format!("{} {other:?}", seen.path),
        })
        .collect();
    assert_eq!(
        places,
        [
            "/app /app 2",
            "/etc /etc 2",
            "/etc/a /etc/a 1",
            "/fresh /fresh 2",
            "/fresh/new /fresh/new 2",
        ]
    );
    // Looking has changed nothing: no copy-up.
    assert_eq!(
        std::fs::read_dir(scratch.path().join("upper"))
            .unwrap()
            .count(),
        0
    );
}
