//! Between the contract's words and those of the layers below.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use crate::engine::{self, DeviceKind, NodeKind, SeenKind, Time, escape};
use crate::rootfs::{self, NewNode};
use crate::union::{self, Attributes, FileKind, Timestamp};

/// Labels that the host's security modules put on files: no behaviour of the engine.
const SECURITY_LABELS: &[&[u8]] = &[
    b"security.selinux",
    b"security.ima",
    b"security.evm",
    b"security.apparmor",
];

/// What a union marks its files with, in either name space.
const OVERLAY: &[&[u8]] = &[b"trusted.overlay.", b"user.overlay."];

/// Whether an extended attribute is none of the scenario's: a label of the host's, or a union's mark. A look leaves those
/// out on every engine.
pub(in crate::engine::native) fn is_left_out(name: &OsStr) -> bool {
    let name = name.as_bytes();
    SECURITY_LABELS.contains(&name)
        || name.starts_with(b"security.SMACK64")
        || OVERLAY.iter().any(|prefix| name.starts_with(prefix))
}

/// A name or a link's text as it is, escaped only when it is no text.
pub(in crate::engine::native) fn text(name: OsString) -> String {
    String::from_utf8(name.into_vec()).unwrap_or_else(|error| escape(error.as_bytes()))
}

pub(in crate::engine::native) fn timestamp(time: Time) -> Timestamp {
    Timestamp {
        seconds: time.seconds,
        nanos: time.nanos,
    }
}

pub(super) fn time(timestamp: Timestamp) -> Time {
    Time {
        seconds: timestamp.seconds,
        nanos: timestamp.nanos,
    }
}

/// The type of a file; a regular one without its content.
pub(in crate::engine::native) fn seen_kind(attributes: &Attributes, target: &[u8]) -> SeenKind {
    let (major, minor) = attributes.device;
    match attributes.kind {
        FileKind::Regular => SeenKind::File {
            size: attributes.size,
            content: None,
            sha256: None,
        },
        FileKind::Directory => SeenKind::Directory,
        FileKind::Symlink => SeenKind::Symlink(escape(target)),
        FileKind::Fifo => SeenKind::Fifo,
        FileKind::Socket => SeenKind::Socket,
        FileKind::Character => SeenKind::Device {
            kind: DeviceKind::Char,
            major,
            minor,
        },
        FileKind::Block => SeenKind::Device {
            kind: DeviceKind::Block,
            major,
            minor,
        },
    }
}

/// What `mknod` makes of a node, and the mode (before the umask) that programs ask for: mkfifo(1) and
/// mknod(1) 0666, `bind` 0777.
pub(super) fn new_node(kind: &NodeKind) -> Option<(NewNode, u32)> {
    match *kind {
        NodeKind::Fifo => Some((NewNode::Fifo, 0o666)),
        NodeKind::Socket => Some((NewNode::Socket, 0o777)),
        NodeKind::Device {
            kind: DeviceKind::Char,
            major,
            minor,
        } => Some((NewNode::Character(major, minor), 0o666)),
        NodeKind::Device {
            kind: DeviceKind::Block,
            major,
            minor,
        } => Some((NewNode::Block(major, minor), 0o666)),
        _ => None,
    }
}

pub(super) fn open_flag(flag: engine::OpenFlag) -> rootfs::OpenFlag {
    match flag {
        engine::OpenFlag::Read => rootfs::OpenFlag::Read,
        engine::OpenFlag::Write => rootfs::OpenFlag::Write,
        engine::OpenFlag::Append => rootfs::OpenFlag::Append,
        engine::OpenFlag::Create => rootfs::OpenFlag::Create,
        engine::OpenFlag::Exclusive => rootfs::OpenFlag::Exclusive,
        engine::OpenFlag::Truncate => rootfs::OpenFlag::Truncate,
        engine::OpenFlag::Directory => rootfs::OpenFlag::Directory,
        engine::OpenFlag::Nofollow => rootfs::OpenFlag::Nofollow,
        engine::OpenFlag::Path => rootfs::OpenFlag::Path,
        engine::OpenFlag::Tmpfile => rootfs::OpenFlag::Tmpfile,
    }
}

pub(super) fn lock_kind(kind: engine::LockKind) -> Option<rootfs::LockKind> {
    match kind {
        engine::LockKind::Shared => Some(rootfs::LockKind::Shared),
        engine::LockKind::Exclusive => Some(rootfs::LockKind::Exclusive),
        engine::LockKind::Unlock => None,
    }
}

pub(super) fn range(mode: engine::AllocateMode) -> union::AllocateRange {
    match mode {
        engine::AllocateMode::Grow => union::AllocateRange::Grow,
        engine::AllocateMode::KeepSize => union::AllocateRange::KeepSize,
        engine::AllocateMode::PunchHole => union::AllocateRange::PunchHole,
        engine::AllocateMode::Zero => union::AllocateRange::Zero,
    }
}

pub(super) fn rename_flags(mode: engine::RenameMode) -> union::RenameFlags {
    match mode {
        engine::RenameMode::Replace => union::RenameFlags::Replace,
        engine::RenameMode::NoReplace => union::RenameFlags::NoReplace,
        engine::RenameMode::Exchange => union::RenameFlags::Exchange,
        engine::RenameMode::Whiteout => union::RenameFlags::Whiteout,
    }
}

pub(super) fn xattr_flags(mode: engine::XattrMode) -> union::XattrFlags {
    match mode {
        engine::XattrMode::Any => union::XattrFlags::Any,
        engine::XattrMode::Create => union::XattrFlags::Create,
        engine::XattrMode::Replace => union::XattrFlags::Replace,
    }
}
