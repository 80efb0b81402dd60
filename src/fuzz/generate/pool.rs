//! What names, paths, contents and attributes are taken from: few, so that they meet.

use std::collections::BTreeMap;

use crate::engine::{Bytes, Content, DeviceKind, Node, NodeKind, Place, Time};
use crate::fuzz::dice::Dice;

/// Names of files. `e` and `f` are rare in layers, so that some names are missing.
const NAMES: &[(usize, &str)] = &[
    (10, "a"),
    (10, "b"),
    (8, "c"),
    (4, "d"),
    (2, "e"),
    (1, "f"),
    (1, "with space"),
    (1, "größe"),
];

/// Where mounts go: onto what layers have, below it, and beside it.
///
/// None lies below a directory that processes are likely to rename: the engine on overlayfs tells where files lie by the
/// places at which its mounts were made, and does not see them move.
pub(super) const TARGETS: &[&str] = &["/a", "/b", "/c", "/d", "/m", "/m/n", "/data"];

/// Host paths that are bound.
pub(super) const SOURCES: &[&str] = &["/", "/s", "/s", "/s/a", "/t", "/a", "/file", "/none"];

pub(super) const MODES: &[(usize, u32)] = &[
    (10, 0o644),
    (8, 0o755),
    (5, 0o700),
    (4, 0o600),
    (3, 0o777),
    (2, 0o1777),
    (2, 0o2775),
    (2, 0o4755),
    (2, 0o000),
    (2, 0o444),
    (2, 0o555),
    (1, 0o311),
    (1, 0o6711),
];

const IDS: &[(usize, u32)] = &[(4, 0), (4, 1000), (2, 1001), (1, 2000), (1, 65_534)];

/// Processes run as these.
pub(super) const USERS: &[(usize, Option<&str>)] = &[
    (160, None),
    (14, Some("1000")),
    (6, Some("1000:2000")),
    (3, Some("1001:1000")),
    (3, Some("0")),
    (2, Some("65534:65534")),
    (1, Some("nobody-there")),
];

/// The value of a file capability of version 2: `cap_net_bind_service=ep`.
const CAPABILITY: [u8; 20] = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// A POSIX ACL: `u::rw-,u:1000:rw-,g::r--,m::rw-,o::---`.
const ACL: [u8; 44] = [
    2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 6, 0, 232, 3, 0, 0, 4, 0, 4, 0, 255, 255,
    255, 255, 16, 0, 6, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255,
];

/// One name.
pub(super) fn name(dice: &mut Dice) -> &'static str {
    dice.weighted(NAMES)
}

/// An absolute path without anything odd.
pub(super) fn path(dice: &mut Dice) -> String {
    let depth = dice.weighted(&[(45, 1), (40, 2), (15, 3)]);
    let mut path = String::new();
    for _ in 0..depth {
        path.push('/');
        path.push_str(name(dice));
    }
    path
}

pub(super) fn mode(dice: &mut Dice) -> u32 {
    dice.weighted(MODES)
}

pub(super) fn id(dice: &mut Dice) -> u32 {
    dice.weighted(IDS)
}

/// Bytes of a file, mostly few.
pub(super) fn bytes(dice: &mut Dice) -> Bytes {
    match dice.below(12) {
        0 => Bytes::default(),
        1 => Bytes(vec![0, 255, 128, 10]),
        2 => Bytes::from("a\nb\n".repeat(40).as_str()),
        3 => Bytes::from("${not} a \"parameter\": {x}\n"),
        n => Bytes(vec![
            b'a' + u8::try_from(n).unwrap_or(0);
            dice.between(1, 9)
        ]),
    }
}

/// A file's content: text, a pattern, or a hole.
pub(super) fn content(dice: &mut Dice) -> Content {
    match dice.below(20) {
        0 => Content::Fill {
            size: dice.weighted(&[(3, 4096), (2, 70_000), (1, 1_048_577)]),
            fill: None,
        },
        1 => Content::Fill {
            size: dice.weighted(&[(3, 5000), (2, 70_001)]),
            fill: Some(Bytes::from("abc")),
        },
        _ => Content::Bytes(bytes(dice)),
    }
}

/// A size or an offset.
pub(super) fn size(dice: &mut Dice) -> u64 {
    dice.weighted(&[
        (6, 0),
        (6, 1),
        (4, 3),
        (4, 10),
        (3, 4096),
        (2, 5000),
        (2, 70_000),
        (1, 1 << 20),
    ])
}

/// A time that nobody takes for now.
pub(super) fn time(dice: &mut Dice) -> Time {
    let (seconds, nanos) = dice.weighted(&[
        (4, (1_000_000_000, 0)),
        (2, (1_234_567_890, 123_456_789)),
        (1, (0, 0)),
        (1, (-1, 500_000_000)),
    ]);
    Time { seconds, nanos }
}

/// The name of an extended attribute and a value that fits it, mostly; perhaps one that is too long for the disk. On the host and in
/// volumes a daemon's helper may not set what only an administrator may, which is not the disk's business.
pub(super) fn xattr(dice: &mut Dice, may_be_long: bool, place: &Place) -> (String, Bytes) {
    let name = dice.weighted(&[
        (12, "user.a"),
        (8, "user.b"),
        (2, "user.overlay.opaque"),
        (1, "user.overlay.x"),
        (2, "security.capability"),
        (2, "system.posix_acl_access"),
        (1, "system.posix_acl_default"),
        (1, "trusted.a"),
        (1, "trusted.overlay.opaque"),
        (1, "nothing.a"),
        (1, "user."),
        (1, "security.a"),
    ]);
    let value = match name {
        "security.capability" => Bytes(CAPABILITY.to_vec()),
        "system.posix_acl_access" | "system.posix_acl_default" => Bytes(ACL.to_vec()),
        "user.overlay.opaque" | "trusted.overlay.opaque" => Bytes::from("y"),
        _ if may_be_long && dice.chance(3) => Bytes(vec![b'x'; 5000]),
        _ => bytes(dice),
    };
    let needs_admin = name.starts_with("trusted.") || name == "security.a";
    let is_shared = needs_admin && !matches!(place, Place::Container(_));
    (if is_shared { "user.a" } else { name }.to_owned(), value)
}

/// Whether a path is the top itself. Who deletes all that is below it comes upon what the engine has mounted there for
/// itself, in the order of the names, and what becomes of that is nobody's business.
pub(super) fn is_top(path: &str) -> bool {
    let mut depth = 0_usize;
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => depth = depth.saturating_sub(1),
            _ => depth += 1,
        }
    }
    depth == 0
}

/// A device that no harm comes from: containers' mounts have no devices.
pub(super) fn device(dice: &mut Dice) -> NodeKind {
    let (kind, major, minor) = dice
        .pick(&[
            (DeviceKind::Char, 1, 3),
            (DeviceKind::Char, 1, 5),
            (DeviceKind::Char, 1, 7),
            (DeviceKind::Block, 7, 200),
            // What a whiteout is made of.
            (DeviceKind::Char, 0, 0),
        ])
        .copied()
        .unwrap_or((DeviceKind::Char, 1, 3));
    NodeKind::Device { kind, major, minor }
}

/// What a symlink at a path may say.
///
/// Where mounts go, hardly one leads to the root: no container starts with a mount there, and each engine has other words
/// for it, by what fails first.
pub(super) fn link_text(at: &str, dice: &mut Dice) -> String {
    let leads_to_root = at.rfind('/') == Some(0);
    match dice.below(8) {
        0 | 4 if leads_to_root => name(dice).to_owned(),
        0 => "..".to_owned(),
        1 => format!("../{}", name(dice)),
        2 => name(dice).to_owned(),
        3 => "/nowhere/at/all".to_owned(),
        4 => ".".to_owned(),
        _ => path(dice),
    }
}

/// An extended attribute that every file takes.
pub(super) fn plain_xattr(dice: &mut Dice) -> (String, Bytes) {
    (dice.text(&["user.a", "user.b"]), bytes(dice))
}

/// Attributes that a tree gives an entry, rarely, and an extended one.
pub(super) fn dress(
    node: &mut Node,
    dice: &mut Dice,
    xattr: impl FnOnce(&mut Dice) -> (String, Bytes),
) {
    if !matches!(node.kind, NodeKind::Symlink { .. }) {
        node.mode = dice.maybe(25, mode);
    }
    if dice.chance(25) {
        (node.uid, node.gid) = (Some(id(dice)), Some(id(dice)));
    }
    node.mtime = dice.maybe(15, time);
    let takes_user_xattrs = matches!(node.kind, NodeKind::File(_) | NodeKind::Directory { .. });
    if takes_user_xattrs && dice.chance(12) {
        node.xattrs = BTreeMap::from([xattr(dice)]);
    }
}
