//! Held files, and where file operations happen, as whom.

use super::{actions, operation};
use crate::engine::{FileAction, LockKind, OpenFlag, Operation, Place, Target, VolumeRef};

fn s(text: &str) -> String {
    text.to_owned()
}

#[test]
fn handles() {
    let flags = [
        ("read", OpenFlag::Read),
        ("write", OpenFlag::Write),
        ("append", OpenFlag::Append),
        ("create", OpenFlag::Create),
        ("exclusive", OpenFlag::Exclusive),
        ("truncate", OpenFlag::Truncate),
        ("directory", OpenFlag::Directory),
        ("nofollow", OpenFlag::Nofollow),
        ("path", OpenFlag::Path),
        ("tmpfile", OpenFlag::Tmpfile),
    ];
    let open = |flags, mode| FileAction::Open {
        path: s("/x"),
        flags,
        mode,
        handle: s("g"),
    };
    for (name, flag) in flags {
        assert_eq!(
            actions(&format!("open: {{path: /x, for: {name}, as: g}}")),
            [open(vec![flag], None)]
        );
    }
    let lock = |kind| FileAction::Lock {
        handle: s("h"),
        kind,
    };
    let table = vec![
        (
            "open: {path: /x, for: [read, write], mode: 0600, as: g}",
            open(vec![OpenFlag::Read, OpenFlag::Write], Some(0o600)),
        ),
        ("close: h", FileAction::Close { handle: s("h") }),
        ("lock: {handle: h, kind: shared}", lock(LockKind::Shared)),
        (
            "lock: {handle: h, kind: exclusive}",
            lock(LockKind::Exclusive),
        ),
        ("lock: {handle: h, kind: unlock}", lock(LockKind::Unlock)),
    ];
    for (body, expected) in table {
        assert_eq!(actions(body), [expected], "{body}");
    }
}

#[test]
fn places_and_users() {
    let named = |name: &str| Place::Volume(VolumeRef::Named(s(name)));
    let anonymous = Place::Volume(VolumeRef::Anonymous {
        container: s("c"),
        target: s("/x y"),
    });
    let table = [
        ("{in: c, read: ./x}", Place::Container(s("c")), None, "./x"),
        ("{in: host, read: ./x}", Place::Host, None, "/x"),
        ("{in: host, read: x}", Place::Host, None, "x"),
        ("{in: volume store, read: ./x}", named("store"), None, "/x"),
        (
            "{in: anonymous volume of c at /x y, read: /x}",
            anonymous,
            None,
            "/x",
        ),
        (
            "{in: c, as: 1000, read: /x}",
            Place::Container(s("c")),
            Some("1000"),
            "/x",
        ),
        (
            "{in: c, as: \"1:2\", read: /x}",
            Place::Container(s("c")),
            Some("1:2"),
            "/x",
        ),
        (
            "{in: c, as: app, read: /x}",
            Place::Container(s("c")),
            Some("app"),
            "/x",
        ),
    ];
    for (line, expected_place, expected_user, expected_path) in table {
        let Operation::Files {
            place,
            user,
            requests,
        } = operation(line)
        else {
            panic!("{line}")
        };
        assert_eq!(place, expected_place, "{line}");
        assert_eq!(user.as_deref(), expected_user, "{line}");
        let action = FileAction::Read {
            target: Target::Path(s(expected_path)),
            offset: None,
            length: None,
        };
        assert_eq!(requests[0].action, action, "{line}");
    }
}
