//! Operations on held files.

use super::super::super::decoder::Decoder;
use super::super::super::fields::Fields;
use super::super::super::mentions::Subject;
use super::super::super::scalars;
use super::super::super::source::{Node, Value};
use super::Files;
use crate::engine::{FileAction, LockKind, OpenFlag};

type Actions = Option<Vec<FileAction>>;

const OPEN_FLAGS: &[(&str, OpenFlag)] = &[
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

pub(crate) fn open(node: &Node, files: Files<'_>, decoder: &mut Decoder<'_>) -> Actions {
    let fields = Fields::open(node, "`open`", &["path", "for", "mode", "as"], decoder)?;
    let flags = match fields.require("for", decoder) {
        Some(Node {
            value: Value::List(items),
            ..
        }) => items
            .iter()
            .filter_map(|item| open_flag(item, decoder))
            .collect(),
        Some(node) => open_flag(node, decoder).into_iter().collect(),
        None => Vec::new(),
    };
    let handle = fields.text("as", decoder);
    decoder.makes(Subject::Handle(files.place.clone(), handle.clone()));
    Some(vec![FileAction::Open {
        path: files.path_at(&fields, "path", decoder),
        flags,
        mode: fields
            .get("mode")
            .and_then(|node| scalars::mode(node, decoder)),
        handle,
    }])
}

fn open_flag(node: &Node, decoder: &mut Decoder<'_>) -> Option<OpenFlag> {
    scalars::choice(node, "use of an open file", OPEN_FLAGS, decoder)
}

pub(crate) fn close(node: &Node, files: Files<'_>, decoder: &mut Decoder<'_>) -> Actions {
    if !matches!(node.value, Value::Scalar(_)) {
        decoder.unexpected(node, "the name of a handle");
        return None;
    }
    Some(vec![FileAction::Close {
        handle: files.handle(node, decoder),
    }])
}

const LOCK_KINDS: &[(&str, LockKind)] = &[
    ("shared", LockKind::Shared),
    ("exclusive", LockKind::Exclusive),
    ("unlock", LockKind::Unlock),
];

pub(crate) fn lock(node: &Node, files: Files<'_>, decoder: &mut Decoder<'_>) -> Actions {
    let fields = Fields::open(node, "`lock`", &["handle", "kind"], decoder)?;
    let kind = fields.require("kind", decoder);
    let kind = kind.and_then(|node| scalars::choice(node, "kind of lock", LOCK_KINDS, decoder));
    let handle = fields.require("handle", decoder);
    Some(vec![FileAction::Lock {
        handle: handle
            .map(|node| files.handle(node, decoder))
            .unwrap_or_default(),
        kind: kind.unwrap_or(LockKind::Shared),
    }])
}

pub(crate) fn sync(node: &Node, files: Files<'_>, decoder: &mut Decoder<'_>) -> Actions {
    let (target, _) = files.target_form(node, "`sync`", &["path", "handle"], decoder)?;
    Some(vec![FileAction::Sync { target }])
}
