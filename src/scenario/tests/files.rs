//! Every form of every file operation.

use super::actions;
use crate::engine::{
    AccessMode, AllocateMode, Bytes, Content, DeviceKind, FileAction, Node, NodeKind, RenameMode,
    Target, Time, XattrMode,
};

fn at(path: &str) -> Target {
    Target::Path(path.to_owned())
}

fn h() -> Target {
    Target::Handle("h".to_owned())
}

fn s(text: &str) -> String {
    text.to_owned()
}

fn file(path: &str, text: &str) -> FileAction {
    let node = Node::new(NodeKind::File(Content::Bytes(text.into())));
    FileAction::Write {
        path: s(path),
        node,
    }
}

#[track_caller]
fn check(table: Vec<(&str, FileAction)>) {
    for (body, expected) in table {
        assert_eq!(actions(body), [expected], "{body}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn content() {
    let write = |target, offset, text: &str| FileAction::WriteAt {
        target,
        offset,
        bytes: text.into(),
    };
    let append = |target, text: &str| FileAction::Append {
        target,
        bytes: text.into(),
    };
    let read = |target, offset, length| FileAction::Read {
        target,
        offset,
        length,
    };
    let allocate = |target, offset, length, mode| FileAction::Allocate {
        target,
        offset,
        length,
        mode,
    };
    check(vec![
        ("write: {/x: '1'}", file("/x", "1")),
        ("write: {x: '1'}", file("x", "1")),
        ("write: {handle: h, text: abc}", write(h(), None, "abc")),
        (
            "write: {handle: h, base64: YWJj, at: 4KiB}",
            write(h(), Some(4096), "abc"),
        ),
        (
            "write: {path: /x, text: 12, at: 0}",
            write(at("/x"), Some(0), "12"),
        ),
        ("append: {/x: y}", append(at("/x"), "y")),
        ("append: {/x: {base64: YWJj}}", append(at("/x"), "abc")),
        ("append: {handle: h, text: y}", append(h(), "y")),
        ("append: {path: /x, base64: YWJj}", append(at("/x"), "abc")),
        ("read: /x", read(at("/x"), None, None)),
        ("read: x", read(at("x"), None, None)),
        ("read: 0644", read(at("0644"), None, None)),
        (
            "read: {path: /x, at: 1, length: 2}",
            read(at("/x"), Some(1), Some(2)),
        ),
        ("read: {handle: h}", read(h(), None, None)),
        (
            "truncate: {/x: 1MiB}",
            FileAction::Truncate {
                target: at("/x"),
                size: 1 << 20,
            },
        ),
        (
            "truncate: {handle: h, size: 0}",
            FileAction::Truncate {
                target: h(),
                size: 0,
            },
        ),
        (
            "truncate: {path: /x, size: 2kB}",
            FileAction::Truncate {
                target: at("/x"),
                size: 2000,
            },
        ),
        (
            "allocate: {path: /x, length: 8}",
            allocate(at("/x"), 0, 8, AllocateMode::Grow),
        ),
        (
            "allocate: {handle: h, at: 1, length: 2, mode: keep-size}",
            allocate(h(), 1, 2, AllocateMode::KeepSize),
        ),
        (
            "allocate: {handle: h, length: 2, mode: punch-hole}",
            allocate(h(), 0, 2, AllocateMode::PunchHole),
        ),
        (
            "allocate: {handle: h, length: 2, mode: zero}",
            allocate(h(), 0, 2, AllocateMode::Zero),
        ),
        (
            "seek data: /x",
            FileAction::SeekData {
                target: at("/x"),
                offset: 0,
            },
        ),
        (
            "seek data: {handle: h, at: 5}",
            FileAction::SeekData {
                target: h(),
                offset: 5,
            },
        ),
        (
            "seek hole: {path: /x, at: 1GiB}",
            FileAction::SeekHole {
                target: at("/x"),
                offset: 1 << 30,
            },
        ),
        ("sync: /x", FileAction::Sync { target: at("/x") }),
        ("sync: {handle: h}", FileAction::Sync { target: h() }),
    ]);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn names() {
    let rename = |mode| FileAction::Rename {
        from: s("/a"),
        to: s("/b"),
        mode,
    };
    let device = NodeKind::Device {
        kind: DeviceKind::Char,
        major: 1,
        minor: 3,
    };
    let special = |kind, mode| FileAction::Mknod {
        path: s("/x"),
        node: Node {
            mode,
            ..Node::new(kind)
        },
    };
    let mkdir = |mode, parents| FileAction::Mkdir {
        path: s("/x"),
        mode,
        parents,
    };
    check(vec![
        ("mkdir: /x", mkdir(None, false)),
        (
            "mkdir: {path: /x, mode: 0700, parents: true}",
            mkdir(Some(0o700), true),
        ),
        ("rmdir: /x", FileAction::Rmdir { path: s("/x") }),
        (
            "delete: /x",
            FileAction::Delete {
                path: s("/x"),
                recursive: false,
            },
        ),
        (
            "delete: {path: /x, recursive: true}",
            FileAction::Delete {
                path: s("/x"),
                recursive: true,
            },
        ),
        ("rename: {/a: /b}", rename(RenameMode::Replace)),
        ("rename: {from: /a, to: /b}", rename(RenameMode::Replace)),
        (
            "rename: {from: /a, to: /b, mode: noreplace}",
            rename(RenameMode::NoReplace),
        ),
        (
            "rename: {from: /a, to: /b, mode: exchange}",
            rename(RenameMode::Exchange),
        ),
        (
            "rename: {from: /a, to: /b, mode: whiteout}",
            rename(RenameMode::Whiteout),
        ),
        (
            "link: {/a: /b}",
            FileAction::Link {
                from: s("/a"),
                to: s("/b"),
            },
        ),
        (
            "link: {from: /a, to: /b}",
            FileAction::Link {
                from: s("/a"),
                to: s("/b"),
            },
        ),
        (
            "link: {handle: h, to: /b}",
            FileAction::LinkHandle {
                handle: s("h"),
                to: s("/b"),
            },
        ),
        (
            "symlink: {/l: ../to}",
            FileAction::Symlink {
                path: s("/l"),
                target: s("../to"),
            },
        ),
        ("readlink: /l", FileAction::Readlink { path: s("/l") }),
        ("mknod: {/x: 'c 1:3'}", special(device.clone(), None)),
        (
            "mknod: {path: /x, device: c 1:3, mode: '0600'}",
            special(device, Some(0o600)),
        ),
        ("mkfifo: /x", special(NodeKind::Fifo, None)),
        (
            "mkfifo: {path: /x, mode: 0o640}",
            special(NodeKind::Fifo, Some(0o640)),
        ),
        ("mksock: /x", special(NodeKind::Socket, None)),
    ]);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn attributes() {
    let chown = |target, uid, gid, follow| FileAction::Chown {
        target,
        uid,
        gid,
        follow,
    };
    let touch = |target, atime, mtime, follow| FileAction::Touch {
        target,
        atime,
        mtime,
        follow,
    };
    let access = |read, write, execute| FileAction::Access {
        path: s("/x"),
        mode: AccessMode {
            read,
            write,
            execute,
        },
    };
    let setxattr = |target, value: &str, mode| FileAction::SetXattr {
        target,
        name: s("user.n"),
        value: Bytes::from(value),
        mode,
    };
    let second = Some(Time {
        seconds: 1,
        nanos: 500_000_000,
    });
    let before = Some(Time {
        seconds: -2,
        nanos: 500_000_000,
    });
    check(vec![
        (
            "chmod: {/x: 0644}",
            FileAction::Chmod {
                target: at("/x"),
                mode: 0o644,
            },
        ),
        (
            "chmod: {/x: 644}",
            FileAction::Chmod {
                target: at("/x"),
                mode: 0o644,
            },
        ),
        (
            "chmod: {/x: 0o644}",
            FileAction::Chmod {
                target: at("/x"),
                mode: 0o644,
            },
        ),
        (
            "chmod: {/x: '7777'}",
            FileAction::Chmod {
                target: at("/x"),
                mode: 0o7777,
            },
        ),
        (
            "chmod: {handle: h, mode: 0}",
            FileAction::Chmod {
                target: h(),
                mode: 0,
            },
        ),
        (
            "chmod: {path: /x, mode: 1}",
            FileAction::Chmod {
                target: at("/x"),
                mode: 1,
            },
        ),
        (
            "chown: {/x: '1:2'}",
            chown(at("/x"), Some(1), Some(2), true),
        ),
        ("chown: {/x: 5}", chown(at("/x"), Some(5), Some(5), true)),
        (
            "chown: {/x: '1000:'}",
            chown(at("/x"), Some(1000), None, true),
        ),
        (
            "chown: {/x: ':1000'}",
            chown(at("/x"), None, Some(1000), true),
        ),
        (
            "chown: {path: /x, owner: 1:2, follow: false}",
            chown(at("/x"), Some(1), Some(2), false),
        ),
        (
            "chown: {handle: h, owner: 7}",
            chown(h(), Some(7), Some(7), true),
        ),
        ("touch: /x", touch(at("/x"), None, None, true)),
        (
            "touch: {path: /x, atime: 1.5, mtime: -1.5, follow: false}",
            touch(at("/x"), second, before, false),
        ),
        (
            "touch: {handle: h, mtime: 1970-01-01T00:00:01.5Z}",
            touch(h(), None, second, true),
        ),
        (
            "setxattr: {path: /x, name: user.n, value: v}",
            setxattr(at("/x"), "v", XattrMode::Any),
        ),
        (
            "setxattr: {handle: h, name: user.n, value: {base64: YWJj}, mode: create}",
            setxattr(h(), "abc", XattrMode::Create),
        ),
        (
            "setxattr: {path: /x, name: user.n, value: '', mode: replace}",
            setxattr(at("/x"), "", XattrMode::Replace),
        ),
        (
            "getxattr: {path: /x, name: user.n}",
            FileAction::GetXattr {
                target: at("/x"),
                name: s("user.n"),
            },
        ),
        (
            "removexattr: {handle: h, name: user.n}",
            FileAction::RemoveXattr {
                target: h(),
                name: s("user.n"),
            },
        ),
        ("listxattr: /x", FileAction::ListXattr { target: at("/x") }),
        (
            "listxattr: {handle: h}",
            FileAction::ListXattr { target: h() },
        ),
        ("list: /", FileAction::List { target: at("/") }),
        ("list: {path: /}", FileAction::List { target: at("/") }),
        (
            "stat: /x",
            FileAction::Stat {
                target: at("/x"),
                follow: true,
            },
        ),
        (
            "stat: {path: /x, follow: false}",
            FileAction::Stat {
                target: at("/x"),
                follow: false,
            },
        ),
        ("access: {path: /x, mode: rwx}", access(true, true, true)),
        ("access: {path: /x, mode: w}", access(false, true, false)),
        ("access: {path: /x}", access(false, false, false)),
    ]);
}

#[test]
fn a_tree_is_written_entry_by_entry_in_its_order() {
    let made = actions("write: {/b: '1', /a: '2', /d/: {mode: 0700}, /d/c: {symlink: x}}");
    let paths: Vec<&str> = made
        .iter()
        .map(|action| match action {
            FileAction::Write { path, .. } => path.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(paths, ["/b", "/a", "/d", "/d/c"]);
}
