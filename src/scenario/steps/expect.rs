//! `expect:`, what a step must answer.

use super::super::decoder::Decoder;
use super::super::source::{Node, Pair, Value};
use super::super::words::{one_of, quote};
use super::super::{Check, CheckKind, Expect, names, scalars};
use super::table::{Answers, Row};
use crate::engine::{Code, DeviceKind, Errno, Kind};

/// Every expectation but `error`, whatever the operation.
const KEYS: &[&str] = &[
    "error",
    "text",
    "base64",
    "sha256",
    "size",
    "names",
    "includes",
    "excludes",
    "type",
    "mode",
    "owner",
    "links",
    "device",
    "mtime",
    "atime",
    "blocks_max",
    "number",
    "same_file_as",
    "changes",
    "state",
    "exit_code",
    "mounts",
    "volumes",
    "labels",
    "used_by",
];

const TYPES: &[(&str, &str)] = &[
    ("file", "file"),
    ("directory", "directory"),
    ("symlink", "symlink"),
    ("fifo", "fifo"),
    ("socket", "socket"),
    ("char", "char"),
    ("block", "block"),
];

const STATES: &[(&str, &str)] = &[
    ("created", "created"),
    ("running", "running"),
    ("paused", "paused"),
    ("exited", "exited"),
];

/// Decodes `expect:` of a step with this operation.
pub(super) fn expect(node: &Node, row: &Row, decoder: &mut Decoder<'_>) -> Option<Expect> {
    let Value::Map(pairs) = &node.value else {
        decoder.unexpected(node, "a mapping such as `{error: EROFS}`");
        return None;
    };
    if pairs.is_empty() {
        decoder.fault(node.spot(), "nothing is expected");
    }
    let mut expect = Expect {
        at: decoder.at(node),
        error: Vec::new(),
        checks: Vec::new(),
    };
    let refused = pairs.iter().any(|pair| pair.key == "error");
    for pair in pairs {
        if pair.key == "error" {
            expect.error = codes(&pair.value, row, decoder);
        } else if fits(pair, row, decoder) {
            if refused {
                let message = format!("a step that is refused has no `{}`", pair.key);
                decoder.fault(pair.spot(), message);
            }
            let at = decoder.at(&pair.value);
            for kind in checks(pair, row, decoder) {
                expect.checks.push(Check {
                    at: at.clone(),
                    kind,
                });
            }
        }
    }
    Some(expect)
}

/// Whether the operation can answer what a key expects.
fn fits(pair: &Pair, row: &Row, decoder: &mut Decoder<'_>) -> bool {
    let fitting = row.answers.keys();
    if fitting.contains(&pair.key.as_str()) {
        return true;
    }
    if !KEYS.contains(&pair.key.as_str()) {
        let candidates: Vec<&str> = fitting.iter().copied().chain(["error"]).collect();
        decoder.fault_help(
            pair.spot(),
            format!("unknown expectation {}", quote(&pair.key)),
            decoder.meant(&pair.key, candidates),
        );
        return false;
    }
    let message = format!(
        "`{}` answers nothing that `{}` could be compared with",
        row.name, pair.key
    );
    let help = match row.answers {
        Answers::Nothing => "only `error` can be expected of it".to_owned(),
        _ => format!(
            "of it, one can expect {}",
            one_of(fitting.iter().copied().chain(["error"]))
        ),
    };
    decoder.fault_help(pair.spot(), message, help);
    false
}

/// `error:`, an errno or a kind, or a list of alternatives.
fn codes(node: &Node, row: &Row, decoder: &mut Decoder<'_>) -> Vec<Code> {
    let written = names::each(node, decoder);
    if written.is_empty() && matches!(node.value, Value::List(_)) {
        decoder.fault(node.spot(), "no error is named");
    }
    written
        .into_iter()
        .filter_map(|(item, name)| code(item, &name, row, decoder))
        .collect()
}

fn code(node: &Node, name: &str, row: &Row, decoder: &mut Decoder<'_>) -> Option<Code> {
    if let Ok(kind) = name.parse::<Kind>() {
        return Some(Code::Kind(kind));
    }
    let kinds = Kind::ALL.iter().map(|kind| kind.name());
    if !row.is_file_operation() {
        let message = if name.parse::<Errno>().is_ok() {
            format!(
                "`{}` is refused with a kind, not with an errno such as {}",
                row.name,
                quote(name)
            )
        } else {
            format!("unknown kind of refusal {}", quote(name))
        };
        let help = decoder.meant(name, kinds);
        let help = help.or_else(|| Some("a kind is a name such as `volume-in-use`".to_owned()));
        decoder.fault_help(node.spot(), message, help);
        return None;
    }
    if let Ok(errno) = name.parse::<Errno>() {
        return Some(Code::Errno(errno));
    }
    // Errnos are in capitals, kinds are not.
    let help = if name.starts_with(|first: char| first.is_ascii_uppercase()) {
        decoder.meant(name, Errno::names().collect::<Vec<_>>())
    } else {
        decoder.meant(name, Errno::names().chain(kinds).collect::<Vec<_>>())
    };
    decoder.fault_help(node.spot(), format!("unknown errno {}", quote(name)), help);
    None
}

fn checks(pair: &Pair, row: &Row, decoder: &mut Decoder<'_>) -> Vec<CheckKind> {
    let value = &pair.value;
    if pair.key == "device" {
        return device(value, decoder);
    }
    let check = match pair.key.as_str() {
        "text" => scalars::text(value, decoder).map(|text| CheckKind::Bytes(text.into_bytes())),
        "base64" => scalars::base64(value, decoder).map(CheckKind::Bytes),
        "sha256" => scalars::sha256(value, decoder).map(CheckKind::Sha256),
        "size" => scalars::size(value, decoder).map(CheckKind::Size),
        "names" => Some(CheckKind::Names(list(value, decoder))),
        "includes" => Some(CheckKind::Includes(list(value, decoder))),
        "excludes" => Some(CheckKind::Excludes(list(value, decoder))),
        "type" => scalars::choice(value, "type of file", TYPES, decoder)
            .map(|name| CheckKind::Type(name.to_owned())),
        "mode" => scalars::mode(value, decoder).map(CheckKind::Mode),
        "owner" => scalars::owner(value, decoder).map(|(uid, gid)| CheckKind::Owner(uid, gid)),
        "links" => scalars::number(value, decoder).map(CheckKind::Links),
        "mtime" => scalars::time(value, decoder).map(CheckKind::Mtime),
        "atime" => scalars::time(value, decoder).map(CheckKind::Atime),
        "blocks_max" => scalars::number(value, decoder).map(CheckKind::BlocksMax),
        "number" => scalars::size(value, decoder).map(CheckKind::Number),
        "same_file_as" => scalars::text(value, decoder).map(CheckKind::SameFileAs),
        "changes" => Some(CheckKind::Changes(changes(value, decoder))),
        "state" => scalars::choice(value, "state", STATES, decoder)
            .map(|name| CheckKind::State(name.to_owned())),
        "exit_code" => scalars::integer(value, decoder).map(CheckKind::ExitCode),
        "mounts" => Some(CheckKind::Mounts(list(value, decoder))),
        "volumes" => Some(CheckKind::Volumes(list(value, decoder))),
        "labels" => Some(CheckKind::Labels(scalars::labels(value, decoder))),
        "used_by" => Some(CheckKind::UsedBy(list(value, decoder))),
        other => {
            decoder.fault(
                pair.spot(),
                format!("`{}` has no expectation `{other}`", row.name),
            );
            None
        }
    };
    check.into_iter().collect()
}

/// A list of texts; one text alone would read like a part of a text.
fn list(node: &Node, decoder: &mut Decoder<'_>) -> Vec<String> {
    if matches!(node.value, Value::Scalar(_)) {
        decoder.unexpected(node, "a list");
        return Vec::new();
    }
    scalars::texts(node, decoder)
}

/// `device: "c 1:3"` says the type too.
fn device(node: &Node, decoder: &mut Decoder<'_>) -> Vec<CheckKind> {
    let Some((kind, major, minor)) = scalars::device(node, decoder) else {
        return Vec::new();
    };
    let name = match kind {
        DeviceKind::Char => "char",
        DeviceKind::Block => "block",
    };
    vec![
        CheckKind::Type(name.to_owned()),
        CheckKind::Device(major, minor),
    ]
}

/// `["C /etc", "A /etc/x"]`
fn changes(node: &Node, decoder: &mut Decoder<'_>) -> Vec<(char, String)> {
    let Value::List(items) = &node.value else {
        decoder.unexpected(node, "a list of changes such as `C /etc`");
        return Vec::new();
    };
    items
        .iter()
        .filter_map(|item| change(item, decoder))
        .collect()
}

fn change(node: &Node, decoder: &mut Decoder<'_>) -> Option<(char, String)> {
    let line = scalars::scalar(node, "a change such as `C /etc`", decoder)?;
    let change = line.split_once(' ').and_then(|(letter, path)| {
        let letter = match letter {
            "A" => 'A',
            "C" => 'C',
            "D" => 'D',
            _ => return None,
        };
        path.starts_with('/').then(|| (letter, path.to_owned()))
    });
    if change.is_none() {
        decoder.unexpected(node, "a change: `A`, `C` or `D`, a blank and a path");
    }
    change
}
