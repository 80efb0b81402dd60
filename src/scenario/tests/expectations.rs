//! Every expectation.

use std::collections::BTreeMap;

use super::super::CheckKind;
use super::steps_of;
use crate::engine::{Code, Errno, Kind, Time};

fn kinds(line: &str) -> Vec<CheckKind> {
    let expect = steps_of(line).remove(0).expect.unwrap();
    assert_eq!(expect.error, []);
    expect.checks.into_iter().map(|check| check.kind).collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn values() {
    let bytes = |text: &str| CheckKind::Bytes(text.as_bytes().to_vec());
    let list = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    let digest = "A".repeat(64);
    let sha256 = format!("in: c, read: /x, expect: {{sha256: {digest}}}");
    assert_eq!(
        kinds(&format!("{{{sha256}}}")),
        [CheckKind::Sha256("a".repeat(64))]
    );
    let table = [
        ("in: c, read: /x, expect: {text: 1}", vec![bytes("1")]),
        (
            "in: c, read: /x, expect: {base64: YWJj, size: 3}",
            vec![bytes("abc"), CheckKind::Size(3)],
        ),
        (
            "in: c, getxattr: {path: /x, name: user.a}, expect: {text: b}",
            vec![bytes("b")],
        ),
        ("in: c, readlink: /x, expect: {text: /y}", vec![bytes("/y")]),
        ("volume create: v, expect: {text: v}", vec![bytes("v")]),
        (
            "in: c, list: /, expect: {names: [a, b]}",
            vec![CheckKind::Names(list(&["a", "b"]))],
        ),
        (
            "in: c, list: /, expect: {names: []}",
            vec![CheckKind::Names(vec![])],
        ),
        (
            "in: c, listxattr: /, expect: {includes: [a], excludes: [b]}",
            vec![
                CheckKind::Includes(list(&["a"])),
                CheckKind::Excludes(list(&["b"])),
            ],
        ),
        (
            "in: c, stat: /x, expect: {type: directory}",
            vec![CheckKind::Type("directory".to_owned())],
        ),
        (
            "in: c, stat: /x, expect: {mode: 2750}",
            vec![CheckKind::Mode(0o2750)],
        ),
        (
            "in: c, stat: /x, expect: {owner: '1:2'}",
            vec![CheckKind::Owner(1, 2)],
        ),
        (
            "in: c, stat: /x, expect: {links: 2}",
            vec![CheckKind::Links(2)],
        ),
        (
            "in: c, stat: /x, expect: {device: 'b 8:1'}",
            vec![CheckKind::Type("block".to_owned()), CheckKind::Device(8, 1)],
        ),
        (
            "in: c, stat: /x, expect: {mtime: 5, atime: 1970-01-01T00:00:06Z}",
            vec![
                CheckKind::Mtime(Time {
                    seconds: 5,
                    nanos: 0,
                }),
                CheckKind::Atime(Time {
                    seconds: 6,
                    nanos: 0,
                }),
            ],
        ),
        (
            "in: c, stat: /x, expect: {size: 1KiB}",
            vec![CheckKind::Size(1024)],
        ),
        (
            "in: c, stat: /x, expect: {blocks_max: 8}",
            vec![CheckKind::BlocksMax(8)],
        ),
        (
            "in: c, stat: /x, expect: {same_file_as: /y}",
            vec![CheckKind::SameFileAs("/y".to_owned())],
        ),
        (
            "in: c, seek data: /x, expect: {number: 4KiB}",
            vec![CheckKind::Number(4096)],
        ),
        (
            "diff: c, expect: {changes: [C /etc, A /etc/x y, D /z]}",
            vec![CheckKind::Changes(vec![
                ('C', "/etc".to_owned()),
                ('A', "/etc/x y".to_owned()),
                ('D', "/z".to_owned()),
            ])],
        ),
        (
            "inspect: c, expect: {state: exited, exit_code: 137, mounts: [/data]}",
            vec![
                CheckKind::State("exited".to_owned()),
                CheckKind::ExitCode(137),
                CheckKind::Mounts(list(&["/data"])),
            ],
        ),
        (
            "volume ls, expect: {volumes: [store]}",
            vec![CheckKind::Volumes(list(&["store"]))],
        ),
        (
            "volume prune: , expect: {volumes: []}",
            vec![CheckKind::Volumes(vec![])],
        ),
        (
            "volume inspect: store, expect: {labels: {a: b}, used_by: [c]}",
            vec![
                CheckKind::Labels(BTreeMap::from([("a".to_owned(), "b".to_owned())])),
                CheckKind::UsedBy(list(&["c"])),
            ],
        ),
    ];
    for (line, expected) in table {
        let line = line.replacen("volume ls,", "volume ls: ,", 1);
        assert_eq!(kinds(&format!("{{{line}}}")), expected, "{line}");
    }
}

#[test]
fn errors() {
    let errno = |number| Code::Errno(Errno(number));
    let table = [
        ("{in: c, read: /x, expect: {error: ENOENT}}", vec![errno(2)]),
        (
            "{in: c, read: /x, expect: {error: [ENOENT, ENOTSUP]}}",
            vec![errno(2), errno(95)],
        ),
        (
            "{in: c, read: /x, expect: {error: container-not-running}}",
            vec![Code::Kind(Kind::ContainerNotRunning)],
        ),
        (
            "{rm: nobody, expect: {error: no-such-container}}",
            vec![Code::Kind(Kind::NoSuchContainer)],
        ),
    ];
    for (line, expected) in table {
        let expect = steps_of(line).remove(0).expect.unwrap();
        assert_eq!(expect.error, expected, "{line}");
        assert!(expect.checks.is_empty());
    }
}
