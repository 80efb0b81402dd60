//! Operations on content.

use super::super::super::decoder::Decoder;
use super::super::super::fields::Fields;
use super::super::super::scalars;
use super::super::super::source::{Node, Value};
use super::super::super::tree::{TreeUse, tree};
use super::{Files, expect_pair, is_long, single_pair};
use crate::engine::{AllocateMode, Bytes, FileAction, Target};

const LONG: &[&str] = &["path", "handle"];

pub(crate) fn write(
    node: &Node,
    files: Files<'_>,
    decoder: &mut Decoder<'_>,
) -> Option<Vec<FileAction>> {
    if is_long(node, LONG) {
        let keys = &["path", "handle", "text", "base64", "at"];
        let fields = Fields::open(node, "`write`", keys, decoder)?;
        return Some(vec![FileAction::WriteAt {
            target: files.target(&fields, decoder),
            offset: size_at(Some(&fields), "at", decoder),
            bytes: scalars::bytes_of(&fields, decoder),
        }]);
    }
    let usage = if files.is_outside() {
        TreeUse::WriteOutside
    } else {
        TreeUse::WriteInside
    };
    let entries = tree(node, usage, decoder).0;
    if matches!(&node.value, Value::Map(pairs) if pairs.is_empty()) {
        decoder.fault(node.spot(), "nothing is written");
    }
    let write = |entry: crate::engine::Entry| FileAction::Write {
        path: entry.path,
        node: entry.node,
    };
    Some(entries.into_iter().map(write).collect())
}

pub(crate) fn append(
    node: &Node,
    files: Files<'_>,
    decoder: &mut Decoder<'_>,
) -> Option<Vec<FileAction>> {
    let (target, bytes) = if let Some(pair) = single_pair(node, LONG) {
        let bytes = scalars::bytes(&pair.value, decoder).unwrap_or_default();
        (Target::Path(files.path_of_key(pair, decoder)), bytes)
    } else if is_long(node, LONG) {
        let keys = &["path", "handle", "text", "base64"];
        let fields = Fields::open(node, "`append`", keys, decoder)?;
        (
            files.target(&fields, decoder),
            scalars::bytes_of(&fields, decoder),
        )
    } else {
        expect_pair(node, "`{PATH: text}`", decoder);
        (Target::Path(String::new()), Bytes::default())
    };
    Some(vec![FileAction::Append { target, bytes }])
}

pub(crate) fn read(
    node: &Node,
    files: Files<'_>,
    decoder: &mut Decoder<'_>,
) -> Option<Vec<FileAction>> {
    let keys = &["path", "handle", "at", "length"];
    let (target, fields) = files.target_form(node, "`read`", keys, decoder)?;
    Some(vec![FileAction::Read {
        target,
        offset: size_at(fields.as_ref(), "at", decoder),
        length: size_at(fields.as_ref(), "length", decoder),
    }])
}

pub(crate) fn truncate(
    node: &Node,
    files: Files<'_>,
    decoder: &mut Decoder<'_>,
) -> Option<Vec<FileAction>> {
    let (target, size) = if let Some(pair) = single_pair(node, LONG) {
        (
            Target::Path(files.path_of_key(pair, decoder)),
            scalars::size(&pair.value, decoder),
        )
    } else if is_long(node, LONG) {
        let fields = Fields::open(node, "`truncate`", &["path", "handle", "size"], decoder)?;
        let size = fields
            .require("size", decoder)
            .and_then(|node| scalars::size(node, decoder));
        (files.target(&fields, decoder), size)
    } else {
        expect_pair(node, "`{PATH: size}`", decoder);
        (Target::Path(String::new()), None)
    };
    Some(vec![FileAction::Truncate {
        target,
        size: size.unwrap_or_default(),
    }])
}

const ALLOCATE_MODES: &[(&str, AllocateMode)] = &[
    ("grow", AllocateMode::Grow),
    ("keep-size", AllocateMode::KeepSize),
    ("punch-hole", AllocateMode::PunchHole),
    ("zero", AllocateMode::Zero),
];

pub(crate) fn allocate(
    node: &Node,
    files: Files<'_>,
    decoder: &mut Decoder<'_>,
) -> Option<Vec<FileAction>> {
    let keys = &["path", "handle", "at", "length", "mode"];
    let fields = Fields::open(node, "`allocate`", keys, decoder)?;
    let length = fields
        .require("length", decoder)
        .and_then(|node| scalars::size(node, decoder));
    let mode = fields
        .get("mode")
        .and_then(|node| scalars::choice(node, "mode of `allocate`", ALLOCATE_MODES, decoder));
    Some(vec![FileAction::Allocate {
        target: files.target(&fields, decoder),
        offset: size_at(Some(&fields), "at", decoder).unwrap_or_default(),
        length: length.unwrap_or_default(),
        mode: mode.unwrap_or(AllocateMode::Grow),
    }])
}

pub(crate) fn seek_data(
    node: &Node,
    files: Files<'_>,
    decoder: &mut Decoder<'_>,
) -> Option<Vec<FileAction>> {
    let (target, offset) = seek(node, "`seek data`", files, decoder)?;
    Some(vec![FileAction::SeekData { target, offset }])
}

pub(crate) fn seek_hole(
    node: &Node,
    files: Files<'_>,
    decoder: &mut Decoder<'_>,
) -> Option<Vec<FileAction>> {
    let (target, offset) = seek(node, "`seek hole`", files, decoder)?;
    Some(vec![FileAction::SeekHole { target, offset }])
}

fn seek(
    node: &Node,
    what: &'static str,
    files: Files<'_>,
    decoder: &mut Decoder<'_>,
) -> Option<(Target, u64)> {
    let (target, fields) = files.target_form(node, what, &["path", "handle", "at"], decoder)?;
    Some((
        target,
        size_at(fields.as_ref(), "at", decoder).unwrap_or_default(),
    ))
}

/// A size or an offset, when its key is there.
fn size_at(fields: Option<&Fields<'_>>, key: &str, decoder: &mut Decoder<'_>) -> Option<u64> {
    fields?
        .get(key)
        .and_then(|node| scalars::size(node, decoder))
}
