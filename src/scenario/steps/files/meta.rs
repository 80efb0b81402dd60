//! Operations on attributes, and what only looks.

use super::super::super::decoder::Decoder;
use super::super::super::fields::Fields;
use super::super::super::scalars;
use super::super::super::source::Node;
use super::super::super::words::quote;
use super::{Files, expect_pair, is_long, single_pair};
use crate::engine::{AccessMode, Bytes, FileAction, Target, XattrMode};

type Actions = Option<Vec<FileAction>>;

const LONG: &[&str] = &["path", "handle"];

pub(crate) fn chmod(node: &Node, files: Files<'_>, decoder: &mut Decoder<'_>) -> Actions {
    let (target, mode) = if let Some(pair) = single_pair(node, LONG) {
        (
            Target::Path(files.path_of_key(pair, decoder)),
            scalars::mode(&pair.value, decoder),
        )
    } else if is_long(node, LONG) {
        let fields = Fields::open(node, "`chmod`", &["path", "handle", "mode"], decoder)?;
        let mode = fields
            .require("mode", decoder)
            .and_then(|node| scalars::mode(node, decoder));
        (files.target(&fields, decoder), mode)
    } else {
        expect_pair(node, "`{PATH: mode}`", decoder);
        return None;
    };
    Some(vec![FileAction::Chmod {
        target,
        mode: mode.unwrap_or_default(),
    }])
}

pub(crate) fn chown(node: &Node, files: Files<'_>, decoder: &mut Decoder<'_>) -> Actions {
    let mut follow = true;
    let (target, owner) = if let Some(pair) = single_pair(node, LONG) {
        let owner = scalars::owner_change(&pair.value, decoder);
        (Target::Path(files.path_of_key(pair, decoder)), owner)
    } else if is_long(node, LONG) {
        let keys = &["path", "handle", "owner", "follow"];
        let fields = Fields::open(node, "`chown`", keys, decoder)?;
        follow = fields.flag_or("follow", true, decoder);
        let owner = fields.require("owner", decoder);
        let owner = owner.and_then(|node| scalars::owner_change(node, decoder));
        (files.target(&fields, decoder), owner)
    } else {
        expect_pair(node, "`{PATH: \"uid:gid\"}`", decoder);
        return None;
    };
    let (uid, gid) = owner.unwrap_or_default();
    Some(vec![FileAction::Chown {
        target,
        uid,
        gid,
        follow,
    }])
}

pub(crate) fn touch(node: &Node, files: Files<'_>, decoder: &mut Decoder<'_>) -> Actions {
    let keys = &["path", "handle", "atime", "mtime", "follow"];
    let (target, fields) = files.target_form(node, "`touch`", keys, decoder)?;
    let mut time = |key: &str| {
        let node = fields.as_ref().and_then(|fields| fields.get(key));
        node.and_then(|node| scalars::time(node, decoder))
    };
    let (atime, mtime) = (time("atime"), time("mtime"));
    Some(vec![FileAction::Touch {
        target,
        atime,
        mtime,
        follow: follow(fields, decoder),
    }])
}

/// `follow`, true when absent, as the plain system calls do.
fn follow(fields: Option<Fields<'_>>, decoder: &mut Decoder<'_>) -> bool {
    fields.is_none_or(|fields| fields.flag_or("follow", true, decoder))
}

const XATTR_MODES: &[(&str, XattrMode)] = &[
    ("any", XattrMode::Any),
    ("create", XattrMode::Create),
    ("replace", XattrMode::Replace),
];

pub(crate) fn setxattr(node: &Node, files: Files<'_>, decoder: &mut Decoder<'_>) -> Actions {
    let keys = &["path", "handle", "name", "value", "mode"];
    let fields = Fields::open(node, "`setxattr`", keys, decoder)?;
    let value = fields
        .require("value", decoder)
        .and_then(|node| scalars::bytes(node, decoder));
    let mode = fields
        .get("mode")
        .and_then(|node| scalars::choice(node, "mode of `setxattr`", XATTR_MODES, decoder));
    Some(vec![FileAction::SetXattr {
        target: files.target(&fields, decoder),
        name: fields.text("name", decoder),
        value: value.unwrap_or_else(Bytes::default),
        mode: mode.unwrap_or(XattrMode::Any),
    }])
}

pub(crate) fn getxattr(node: &Node, files: Files<'_>, decoder: &mut Decoder<'_>) -> Actions {
    let (target, name) = named(node, "`getxattr`", files, decoder)?;
    Some(vec![FileAction::GetXattr { target, name }])
}

pub(crate) fn removexattr(node: &Node, files: Files<'_>, decoder: &mut Decoder<'_>) -> Actions {
    let (target, name) = named(node, "`removexattr`", files, decoder)?;
    Some(vec![FileAction::RemoveXattr { target, name }])
}

fn named(
    node: &Node,
    what: &'static str,
    files: Files<'_>,
    decoder: &mut Decoder<'_>,
) -> Option<(Target, String)> {
    let fields = Fields::open(node, what, &["path", "handle", "name"], decoder)?;
    Some((files.target(&fields, decoder), fields.text("name", decoder)))
}

pub(crate) fn listxattr(node: &Node, files: Files<'_>, decoder: &mut Decoder<'_>) -> Actions {
    let (target, _) = files.target_form(node, "`listxattr`", LONG, decoder)?;
    Some(vec![FileAction::ListXattr { target }])
}

pub(crate) fn list(node: &Node, files: Files<'_>, decoder: &mut Decoder<'_>) -> Actions {
    let (target, _) = files.target_form(node, "`list`", LONG, decoder)?;
    Some(vec![FileAction::List { target }])
}

pub(crate) fn stat(node: &Node, files: Files<'_>, decoder: &mut Decoder<'_>) -> Actions {
    let keys = &["path", "handle", "follow"];
    let (target, fields) = files.target_form(node, "`stat`", keys, decoder)?;
    Some(vec![FileAction::Stat {
        target,
        follow: follow(fields, decoder),
    }])
}

pub(crate) fn access(node: &Node, files: Files<'_>, decoder: &mut Decoder<'_>) -> Actions {
    let fields = Fields::open(node, "`access`", &["path", "mode"], decoder)?;
    let mode = fields
        .get("mode")
        .map(|node| access_mode(node, decoder))
        .unwrap_or_default();
    Some(vec![FileAction::Access {
        path: files.path_at(&fields, "path", decoder),
        mode,
    }])
}

fn access_mode(node: &Node, decoder: &mut Decoder<'_>) -> AccessMode {
    let Some(letters) = scalars::scalar(node, "some of `rwx`", decoder) else {
        return AccessMode::default();
    };
    if letters.is_empty() || letters.chars().any(|letter| !"rwx".contains(letter)) {
        decoder.fault(
            node.spot(),
            format!("expected some of `rwx`, found {}", quote(letters)),
        );
    }
    AccessMode {
        read: letters.contains('r'),
        write: letters.contains('w'),
        execute: letters.contains('x'),
    }
}
