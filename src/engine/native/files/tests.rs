//! Requests of the contract, and what they answer and change.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::super::plant::plant;
use super::super::view::{Mounted, View};
use super::Session;
use crate::engine::{
    Bytes, Code, Content, Entry, FileAction, FileAnswer, FileRequest, Kind, LockKind, Node,
    NodeKind, OpenFlag, Storage, Target, Time, Tree, Value, VolumeRef,
};
use crate::rootfs::{Mount, Rootfs};
use crate::union::{Options, Stack, Union};

/// Layers `lower`, `upper`, a volume on `/data`.
struct Disk {
    _directory: tempfile::TempDir,
    view: View,
}

fn volume() -> Storage {
    Storage::Volume(VolumeRef::Named("store".to_owned()))
}

fn writable() -> Storage {
    Storage::Writable {
        container: "c".to_owned(),
    }
}

fn options(plain: bool) -> Options {
    Options {
        plain,
        ..Options::of_this_user()
    }
}

fn disk() -> Disk {
    let directory = tempfile::tempdir().unwrap();
    let open = |name: &str| -> Arc<OwnedFd> {
        let path = directory.path().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Arc::new(std::fs::File::open(path).unwrap().into())
    };
    let plain = |name: &str| {
        let upper = Some(open(name));
        let stack = Stack {
            upper,
            work: None,
            lowers: Vec::new(),
            options: options(true),
        };
        Union::open(stack).unwrap()
    };
    let text = |text: &str| NodeKind::File(Content::Bytes(text.into()));
    let image = tree(&[
        ("/etc/passwd", text("root:x:0:0::/:\napp:x:1000:1000::/:\n")),
        ("/etc/app.conf", text("mode = default\n")),
        ("/data", NodeKind::Directory { opaque: false }),
    ]);
    plant(&plain("lower"), &image).unwrap();
    let union = Union::open(Stack {
        upper: Some(open("upper")),
        work: Some(open("work")),
        lowers: vec![open("lower")],
        options: options(false),
    });
    let rootfs = Rootfs::new(union.unwrap(), false);
    let union = plain("volume");
    let node = union.root();
    rootfs
        .mount(Mount {
            target: "/data".into(),
            union,
            node,
            read_only: false,
            id: 7,
        })
        .unwrap();
    let layer = Storage::Layer {
        image: "app".to_owned(),
        number: 1,
    };
    let root = Mounted::Stack {
        upper: Some(writable()),
        lowers: vec![layer],
        merged: None,
    };
    let mounts = BTreeMap::from([(0, root), (7, Mounted::One(volume()))]);
    Disk {
        _directory: directory,
        view: View {
            rootfs: Arc::new(rootfs),
            mounts,
        },
    }
}

fn tree(entries: &[(&str, NodeKind)]) -> Tree {
    let entry = |(path, kind): &(&str, NodeKind)| Entry {
        path: (*path).to_owned(),
        node: Node::new(kind.clone()),
    };
    Tree(entries.iter().map(entry).collect())
}

fn session() -> (Disk, Session) {
    let disk = disk();
    let session = Session::container(disk.view.clone(), None, "/").unwrap();
    (disk, session)
}

fn ask(session: &Session, user: Option<&str>, actions: Vec<FileAction>) -> Vec<FileAnswer> {
    let request = |action| FileRequest {
        action,
        stop_on_refusal: true,
    };
    let requests: Vec<_> = actions.into_iter().map(request).collect();
    session.perform(user, &requests).unwrap()
}

fn one(session: &Session, action: FileAction) -> FileAnswer {
    ask(session, None, vec![action]).remove(0)
}

fn done(session: &Session, action: FileAction) {
    one(session, action).result.unwrap();
}

fn write(path: &str, node: Node) -> FileAction {
    FileAction::Write {
        path: path.to_owned(),
        node,
    }
}

fn file(text: &str) -> Node {
    Node::new(NodeKind::File(Content::Bytes(text.into())))
}

fn at(path: &str) -> Target {
    Target::Path(path.to_owned())
}

fn read(path: &str) -> FileAction {
    FileAction::Read {
        target: at(path),
        offset: None,
        length: None,
    }
}

fn stat(session: &Session, path: &str) -> crate::engine::StatAnswer {
    let answer = one(
        session,
        FileAction::Stat {
            target: at(path),
            follow: false,
        },
    );
    let Ok(Value::Stat(stat)) = answer.result else {
        panic!("{answer:?}")
    };
    stat
}

fn places(answer: &FileAnswer) -> Vec<(Storage, &str)> {
    answer
        .changed
        .iter()
        .map(|(storage, path)| (storage.clone(), path.as_str()))
        .collect()
}

#[test]
fn a_change_is_told_by_storage_and_path() {
    let (_disk, session) = session();
    let text = |text: &str| file(text);
    for (action, expected) in [
        (
            write("/etc/app.conf", text("x")),
            vec![(writable(), "/etc/app.conf")],
        ),
        (write("/data/rows", text("1")), vec![(volume(), "/rows")]),
        (
            FileAction::Mkdir {
                path: "/data/a/b".into(),
                mode: None,
                parents: true,
            },
            vec![(volume(), "/a"), (volume(), "/a/b")],
        ),
        (
            FileAction::Rename {
                from: "/data/rows".into(),
                to: "/data/a/rows".into(),
                mode: crate::engine::RenameMode::Replace,
            },
            vec![(volume(), "/rows"), (volume(), "/a/rows")],
        ),
        (
            FileAction::Delete {
                path: "/data/a".into(),
                recursive: true,
            },
            vec![(volume(), "/a/b"), (volume(), "/a/rows"), (volume(), "/a")],
        ),
        (
            FileAction::Chmod {
                target: at("/data"),
                mode: 0o700,
            },
            vec![(volume(), "/")],
        ),
        (read("/etc/app.conf"), vec![]),
    ] {
        let answer = one(&session, action);
        assert!(answer.result.is_ok(), "{answer:?}");
        assert_eq!(places(&answer), expected);
    }
}

#[test]
fn writing_a_node_keeps_the_inode_and_sets_what_is_given() {
    let (_disk, session) = session();
    let before = stat(&session, "/etc/app.conf");
    let node = Node {
        mode: Some(0o4750),
        uid: Some(1000),
        gid: Some(50),
        mtime: Some(Time {
            seconds: -2,
            nanos: 500_000_000,
        }),
        xattrs: BTreeMap::from([("user.note".to_owned(), Bytes::from("x"))]),
        ..file("longer than before\n")
    };
    done(&session, write("/etc/app.conf", node));
    let after = stat(&session, "/etc/app.conf");
    assert_eq!(
        (after.ino, after.mode, after.uid, after.gid),
        (before.ino, 0o4750, 1000, 50)
    );
    assert_eq!(
        after.mtime,
        Time {
            seconds: -2,
            nanos: 500_000_000
        }
    );
    assert_eq!(after.xattrs.keys().collect::<Vec<_>>(), ["user.note"]);
    done(&session, write("/etc/app.conf", file("short")));
    let short = stat(&session, "/etc/app.conf");
    assert_eq!((short.size, short.uid, short.mode), (5, 1000, 0o4750));
    done(&session, write("/new", file("")));
    assert_eq!(stat(&session, "/new").mode, 0o644);
}

#[test]
fn nodes_of_every_kind_can_be_written() {
    let (_disk, session) = session();
    let directory = Node {
        mode: Some(0o2750),
        ..Node::new(NodeKind::Directory { opaque: false })
    };
    done(&session, write("/data", directory.clone()));
    done(&session, write("/fresh", directory));
    assert_eq!(
        (stat(&session, "/data").mode, stat(&session, "/fresh").mode),
        (0o2750, 0o2750)
    );
    let sparse = Node::new(NodeKind::File(Content::Fill {
        size: 1 << 30,
        fill: None,
    }));
    done(&session, write("/data/sparse", sparse));
    let sparse = stat(&session, "/data/sparse");
    assert_eq!((sparse.size, sparse.blocks), (1 << 30, 0));
    let fill = Content::Fill {
        size: 200_000,
        fill: Some(Bytes::from("abc")),
    };
    done(
        &session,
        write("/data/filled", Node::new(NodeKind::File(fill))),
    );
    let tail = FileAction::Read {
        target: at("/data/filled"),
        offset: Some(199_997),
        length: None,
    };
    assert_eq!(one(&session, tail).result, Ok(Value::Bytes("cab".into())));
    let whiteout = write("/etc/gone", Node::new(NodeKind::Whiteout));
    assert_eq!(
        one(&session, whiteout).result.unwrap_err().message,
        "EINVAL"
    );
}

#[test]
fn a_refusal_stops_the_batch_only_when_asked() {
    let (_disk, session) = session();
    let actions = || vec![read("/nope"), read("/etc/app.conf")];
    assert_eq!(ask(&session, None, actions()).len(), 1);
    let request = |action| FileRequest {
        action,
        stop_on_refusal: false,
    };
    let requests: Vec<_> = actions().into_iter().map(request).collect();
    let answers = session.perform(None, &requests).unwrap();
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[0].result.as_ref().unwrap_err().message, "ENOENT");
    assert!(answers[1].result.is_ok());
}

#[test]
fn users_are_those_of_the_image() {
    let (disk, session) = session();
    for (user, expected) in [
        (None, "ok"),
        (Some("app"), "EACCES"),
        (Some("0:1000"), "ok"),
    ] {
        let answer = ask(&session, user, vec![write("/etc/app.conf", file("x"))]).remove(0);
        let word = answer
            .result
            .map_or_else(|refusal| refusal.message, |_| "ok".to_owned());
        assert_eq!(word, expected, "{user:?}");
    }
    let refused = session.perform(Some("nobody"), &[]).unwrap_err();
    assert_eq!(refused.code, Code::Kind(Kind::InvalidUser));
    assert!(Session::container(disk.view.clone(), Some("nobody"), "/").is_err());
    let app = Session::container(disk.view.clone(), Some("app"), "/etc").unwrap();
    assert_eq!(
        one(&app, write("app.conf", file("x")))
            .result
            .unwrap_err()
            .message,
        "EACCES"
    );
    assert!(one(&app, read("app.conf")).result.is_ok());
    let host = Session::host(disk.view.clone());
    let label = FileAction::SetXattr {
        target: at("/etc/app.conf"),
        name: "trusted.note".to_owned(),
        value: "x".into(),
        mode: crate::engine::XattrMode::Any,
    };
    assert_eq!(
        one(&session, label.clone()).result.unwrap_err().message,
        "EPERM"
    );
    assert!(one(&host, label).result.is_ok());
    assert!(
        !stat(&session, "/etc/app.conf")
            .xattrs
            .contains_key("trusted.note")
    );
}

#[test]
fn handles_live_until_they_are_closed() {
    let (_disk, session) = session();
    let open = |handle: &str, flags: Vec<OpenFlag>| FileAction::Open {
        path: "/etc/app.conf".to_owned(),
        flags,
        mode: None,
        handle: handle.to_owned(),
    };
    let held = || Target::Handle("h".to_owned());
    one(&session, open("h", vec![OpenFlag::Read]))
        .result
        .unwrap();
    // The descriptor from before the copy-up sees what is written after it (Docker row 41).
    done(&session, write("/etc/app.conf", file("new")));
    let bytes = one(
        &session,
        FileAction::Read {
            target: held(),
            offset: None,
            length: None,
        },
    );
    assert_eq!(bytes.result, Ok(Value::Bytes("new".into())));
    one(&session, open("w", vec![OpenFlag::Write]))
        .result
        .unwrap();
    let lock = |handle: &str, kind| FileAction::Lock {
        handle: handle.to_owned(),
        kind,
    };
    one(&session, lock("h", LockKind::Shared)).result.unwrap();
    let refused = one(&session, lock("w", LockKind::Exclusive))
        .result
        .unwrap_err();
    assert_eq!(refused.message, "EAGAIN");
    let close = FileAction::Close {
        handle: "h".to_owned(),
    };
    one(&session, close.clone()).result.unwrap();
    one(&session, lock("w", LockKind::Exclusive))
        .result
        .unwrap();
    assert_eq!(one(&session, close).result.unwrap_err().message, "EBADF");
    let read = FileAction::Read {
        target: held(),
        offset: None,
        length: None,
    };
    assert_eq!(one(&session, read).result.unwrap_err().message, "EBADF");
    let append = FileAction::WriteAt {
        target: Target::Handle("w".to_owned()),
        offset: Some(3),
        bytes: "er".into(),
    };
    assert_eq!(
        places(&one(&session, append)),
        [(writable(), "/etc/app.conf")]
    );
}

#[test]
fn touch_makes_what_is_missing_and_sets_what_is_given() {
    let (_disk, session) = session();
    let touch = |path: &str, mtime| FileAction::Touch {
        target: at(path),
        atime: None,
        mtime,
        follow: true,
    };
    let time = Time {
        seconds: 86_400,
        nanos: 7,
    };
    assert_eq!(
        places(&one(&session, touch("/made", None))),
        [(writable(), "/made")]
    );
    assert_eq!(stat(&session, "/made").size, 0);
    one(&session, touch("/made", Some(time))).result.unwrap();
    assert_eq!(stat(&session, "/made").mtime, time);
    let refused = one(&session, touch("/never", Some(time)))
        .result
        .unwrap_err();
    assert_eq!(refused.message, "ENOENT");
}
