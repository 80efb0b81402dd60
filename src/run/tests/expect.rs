use std::collections::BTreeMap;

use crate::engine::{
    Answer, Change, ChangeKind, Code, ContainerState, DeviceKind, Errno, Kind, Refusal, SeenKind,
    StatAnswer, Time, Value,
};
use crate::run::{Mismatch, Other, mismatches};
use crate::scenario::CheckKind as C;
use crate::testing::*;

fn stat() -> StatAnswer {
    StatAnswer {
        kind: SeenKind::File {
            size: 3,
            content: None,
            sha256: None,
        },
        mode: 0o600,
        uid: 0,
        gid: 5,
        size: 3,
        blocks: 8,
        links: 1,
        ino: 7,
        dev: 1,
        atime: Time {
            seconds: -1,
            nanos: 500_000_000,
        },
        mtime: Time {
            seconds: 1_704_164_645,
            nanos: 0,
        },
        xattrs: BTreeMap::new(),
    }
}

/// `expected | actual | detail` of every mismatch.
fn told(mismatches: Vec<Mismatch>) -> Vec<String> {
    mismatches
        .into_iter()
        .map(|m| match m.detail {
            Some(detail) => format!("{} | {} | {detail}", m.expected, m.actual),
            None => format!("{} | {}", m.expected, m.actual),
        })
        .collect()
}

fn check(kind: C, value: Value) -> Vec<String> {
    let step = checked(step("1", run("first")), vec![kind]);
    told(mismatches(&step, &gave(value), &[]))
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_is_met_is_silent_and_what_is_not_is_told() {
    let names = |names: &[&str]| -> Vec<String> { names.iter().map(|n| (*n).to_owned()).collect() };
    let listed = || Value::Names(names(&["a", "b"]));
    let device = || {
        let kind = SeenKind::Device {
            kind: DeviceKind::Char,
            major: 1,
            minor: 3,
        };
        Value::Stat(StatAnswer { kind, ..stat() })
    };
    let mut container = container_seen("first", &[("/data", volume("store"))]);
    container.state = ContainerState::Exited;
    container.exit_code = Some(137);
    let inspected = || Value::Container(container.clone());
    let mut seen = volume_seen("store");
    seen.labels = BTreeMap::from([("tier".to_owned(), "gold".to_owned())]);
    seen.used_by = names(&["first"]);
    let changes = Value::Changes(vec![
        Change {
            path: "/etc".to_owned(),
            kind: ChangeKind::Changed,
        },
        Change {
            path: "/etc/x".to_owned(),
            kind: ChangeKind::Added,
        },
    ]);
    let line = |letter: char, path: &str| (letter, path.to_owned());
    let map = |value: &str| BTreeMap::from([("tier".to_owned(), value.to_owned())]);
    let bytes = || Value::Bytes("abc".into());
    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    for (met, unmet, value, said) in [
        (
            C::Bytes(b"abc".into()),
            C::Bytes(b"abd\n".into()),
            bytes(),
            r#""abd\n" | "abc" | first difference at byte 2; 4 bytes expected, 3 found"#,
        ),
        (
            C::Bytes(b"/t".into()),
            C::Bytes(b"/u".into()),
            Value::Text("/t".into()),
            r#""/u" | "/t""#,
        ),
        (C::Size(3), C::Size(4), bytes(), "4 bytes | 3 bytes"),
        (
            C::Size(3),
            C::Size(4),
            Value::Stat(stat()),
            "4 bytes | 3 bytes",
        ),
        (
            C::Sha256(digest.to_owned()),
            C::Sha256("00".to_owned()),
            bytes(),
            "sha256 00 | sha256 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            C::Names(names(&["b", "a"])),
            C::Names(names(&["a", "c"])),
            listed(),
            "names [a, c] | names [a, b] | missing: [c]; not expected: [b]",
        ),
        (
            C::Includes(names(&["a"])),
            C::Includes(names(&["a", "c"])),
            listed(),
            "names including [c] | names [a, b]",
        ),
        (
            C::Excludes(names(&["c"])),
            C::Excludes(names(&["a", "c"])),
            listed(),
            "names without [a] | names [a, b]",
        ),
        (
            C::Type("file".into()),
            C::Type("fifo".into()),
            Value::Stat(stat()),
            "a fifo | a file",
        ),
        (
            C::Mode(0o600),
            C::Mode(0o644),
            Value::Stat(stat()),
            "mode 0644 | mode 0600",
        ),
        (
            C::Owner(0, 5),
            C::Owner(1, 5),
            Value::Stat(stat()),
            "owner 1:5 | owner 0:5",
        ),
        (
            C::Links(1),
            C::Links(2),
            Value::Stat(stat()),
            "2 links | 1 links",
        ),
        (
            C::Device(1, 3),
            C::Device(1, 5),
            device(),
            "device 1:5 | device 1:3",
        ),
        (
            C::Mtime(Time {
                seconds: 1_704_164_645,
                nanos: 0,
            }),
            C::Mtime(Time {
                seconds: 0,
                nanos: 5,
            }),
            Value::Stat(stat()),
            "mtime 1970-01-01T00:00:00.000000005Z | mtime 2024-01-02T03:04:05Z",
        ),
        (
            C::Atime(Time {
                seconds: -1,
                nanos: 500_000_000,
            }),
            C::Atime(Time {
                seconds: 0,
                nanos: 0,
            }),
            Value::Stat(stat()),
            "atime 1970-01-01T00:00:00Z | atime -1 s + 500000000 ns",
        ),
        (
            C::BlocksMax(8),
            C::BlocksMax(7),
            Value::Stat(stat()),
            "at most 7 blocks of 512 bytes | 8 blocks of 512 bytes",
        ),
        (C::Number(5), C::Number(6), Value::Number(5), "6 | 5"),
        (
            C::Changes(vec![line('A', "/etc/x"), line('C', "/etc")]),
            C::Changes(vec![line('C', "/etc"), line('D', "/y")]),
            changes,
            r#"changes ["C /etc", "D /y"] | changes ["A /etc/x", "C /etc"] | missing: ["D /y"]; not expected: ["A /etc/x"]"#,
        ),
        (
            C::State("exited".into()),
            C::State("running".into()),
            inspected(),
            "state running | state exited",
        ),
        (
            C::ExitCode(137),
            C::ExitCode(0),
            inspected(),
            "exit code 0 | exit code 137",
        ),
        (
            C::Mounts(names(&["/data"])),
            C::Mounts(names(&[])),
            inspected(),
            "mounts [] | mounts [/data] | not expected: [/data]",
        ),
        (
            C::Volumes(names(&["store"])),
            C::Volumes(names(&["store", "x"])),
            Value::Volumes(vec![seen.clone()]),
            "volumes [store, x] | volumes [store] | missing: [x]",
        ),
        (
            C::Labels(map("gold")),
            C::Labels(map("tin")),
            Value::Volume(seen.clone()),
            "labels [tier=tin] | labels [tier=gold] | missing: [tier=tin]; not expected: [tier=gold]",
        ),
        (
            C::UsedBy(names(&["first"])),
            C::UsedBy(names(&[])),
            Value::Volume(seen),
            "used by [] | used by [first] | not expected: [first]",
        ),
    ] {
        assert_eq!(
            check(met.clone(), value.clone()),
            Vec::<String>::new(),
            "{met:?}"
        );
        assert_eq!(check(unmet.clone(), value), [said], "{unmet:?}");
    }
}

#[test]
fn an_expectation_of_another_kind_of_value_is_not_met() {
    let about = "this operation gives nothing that the expectation is about";
    let said = |name: &str, value: &str| [format!("an answer with {name} | {value} | {about}")];
    assert_eq!(check(C::Mode(0o644), Value::Nothing), said("mode", "ok"));
    assert_eq!(
        check(C::Mode(0o644), Value::Bytes("x".into())),
        said("mode", r#""x""#)
    );
    let value = Value::Stat(stat());
    assert_eq!(
        check(C::State("x".into()), value),
        said("state", "file 0600 0:5, 3 bytes")
    );
}

#[test]
fn errors_are_named_on_both_sides() {
    let erofs = Code::Errno("EROFS".parse().unwrap());
    let in_use = Code::Kind(Kind::VolumeInUse);
    let of = |code, answer: &Answer| {
        told(mismatches(
            &refused(step("1", run("first")), code),
            answer,
            &[],
        ))
    };
    assert!(of(erofs, &errno("EROFS")).is_empty());
    assert_eq!(of(erofs, &errno("EACCES")), ["error EROFS | error EACCES"]);
    assert_eq!(
        of(erofs, &gave(Value::Nothing)),
        ["error EROFS | no error: ok"]
    );
    let unknown = Refusal::errno(Errno(523));
    let answer = Answer::Refused(unknown);
    assert_eq!(of(erofs, &answer), ["error EROFS | error errno 523"]);
    let refusal = Answer::Refused(Refusal::kind(
        Kind::NoSuchVolume,
        "get store: no such volume",
    ));
    let said = "error volume-in-use | error no-such-volume: get store: no such volume";
    assert_eq!(of(in_use, &refusal), [said]);
    // A refusal that nobody expected is told elsewhere.
    let unexpected = checked(step("1", run("first")), vec![C::Mode(0o644)]);
    assert!(mismatches(&unexpected, &refusal, &[]).is_empty());
}

#[test]
fn the_same_file_is_one_inode_of_one_device() {
    let step = checked(
        step("1", run("first")),
        vec![C::SameFileAs("/b".to_owned())],
    );
    let other = |answer| Other {
        step: "1".to_owned(),
        path: "/b".to_owned(),
        answer,
    };
    let with = |others: &[Other]| told(mismatches(&step, &gave(Value::Stat(stat())), others));
    assert!(with(&[other(gave(Value::Stat(stat())))]).is_empty());
    let another = StatAnswer { dev: 2, ..stat() };
    let said = "the same file as /b | another file";
    assert_eq!(with(&[other(gave(Value::Stat(another)))]), [said]);
    assert_eq!(
        with(&[other(errno("ENOENT"))]),
        ["the same file as /b | /b gives ENOENT"]
    );
    assert_eq!(with(&[]), ["the same file as /b | /b was not looked at"]);
}
