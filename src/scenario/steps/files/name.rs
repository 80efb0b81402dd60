//! Operations on names.

use super::super::super::decoder::Decoder;
use super::super::super::fields::Fields;
use super::super::super::scalars;
use super::super::super::source::{Node, Value};
use super::{Files, expect_pair, is_long, single_pair};
use crate::engine::{DeviceKind, FileAction, Node as FileNode, NodeKind, RenameMode};

type Actions = Option<Vec<FileAction>>;

pub(crate) fn mkdir(node: &Node, files: Files<'_>, decoder: &mut Decoder<'_>) -> Actions {
    if let Value::Map(_) = node.value {
        let fields = Fields::open(node, "`mkdir`", &["path", "mode", "parents"], decoder)?;
        return Some(vec![FileAction::Mkdir {
            path: files.path_at(&fields, "path", decoder),
            mode: fields
                .get("mode")
                .and_then(|node| scalars::mode(node, decoder)),
            parents: fields.flag("parents", decoder),
        }]);
    }
    let path = files.path_of(node, decoder)?;
    Some(vec![FileAction::Mkdir {
        path,
        mode: None,
        parents: false,
    }])
}

pub(crate) fn rmdir(node: &Node, files: Files<'_>, decoder: &mut Decoder<'_>) -> Actions {
    Some(vec![FileAction::Rmdir {
        path: files.path_of(node, decoder)?,
    }])
}

pub(crate) fn delete(node: &Node, files: Files<'_>, decoder: &mut Decoder<'_>) -> Actions {
    if let Value::Map(_) = node.value {
        let fields = Fields::open(node, "`delete`", &["path", "recursive"], decoder)?;
        return Some(vec![FileAction::Delete {
            path: files.path_at(&fields, "path", decoder),
            recursive: fields.flag("recursive", decoder),
        }]);
    }
    Some(vec![FileAction::Delete {
        path: files.path_of(node, decoder)?,
        recursive: false,
    }])
}

const RENAME_MODES: &[(&str, RenameMode)] = &[
    ("replace", RenameMode::Replace),
    ("noreplace", RenameMode::NoReplace),
    ("exchange", RenameMode::Exchange),
    ("whiteout", RenameMode::Whiteout),
];

pub(crate) fn rename(node: &Node, files: Files<'_>, decoder: &mut Decoder<'_>) -> Actions {
    let long = &["from", "to", "mode"];
    let mut mode = None;
    let (from, to) = if let Some(pair) = single_pair(node, long) {
        (
            files.path_of_key(pair, decoder),
            files.path_of(&pair.value, decoder),
        )
    } else if is_long(node, long) {
        let fields = Fields::open(node, "`rename`", long, decoder)?;
        mode = fields
            .get("mode")
            .and_then(|node| scalars::choice(node, "mode of `rename`", RENAME_MODES, decoder));
        (
            files.path_at(&fields, "from", decoder),
            Some(files.path_at(&fields, "to", decoder)),
        )
    } else {
        expect_pair(node, "`{OLD: NEW}`", decoder);
        return None;
    };
    let mode = mode.unwrap_or(RenameMode::Replace);
    Some(vec![FileAction::Rename {
        from,
        to: to.unwrap_or_default(),
        mode,
    }])
}

pub(crate) fn link(node: &Node, files: Files<'_>, decoder: &mut Decoder<'_>) -> Actions {
    let long = &["from", "to", "handle"];
    if let Some(pair) = single_pair(node, long) {
        let from = files.path_of_key(pair, decoder);
        let to = files.path_of(&pair.value, decoder).unwrap_or_default();
        return Some(vec![FileAction::Link { from, to }]);
    }
    if !is_long(node, long) {
        expect_pair(node, "`{EXISTING: NEW}`", decoder);
        return None;
    }
    let fields = Fields::open(node, "`link`", long, decoder)?;
    let to = files.path_at(&fields, "to", decoder);
    if let Some(pair) = fields.pair("handle") {
        if fields.get("from").is_some() {
            decoder.fault(pair.spot(), "either `from` or `handle`, not both");
        }
        let handle = files.handle(&pair.value, decoder);
        return Some(vec![FileAction::LinkHandle { handle, to }]);
    }
    Some(vec![FileAction::Link {
        from: files.path_at(&fields, "from", decoder),
        to,
    }])
}

pub(crate) fn symlink(node: &Node, files: Files<'_>, decoder: &mut Decoder<'_>) -> Actions {
    let Some(pair) = single_pair(node, &[]) else {
        expect_pair(node, "`{PATH: target}`", decoder);
        return None;
    };
    let path = files.path_of_key(pair, decoder);
    Some(vec![FileAction::Symlink {
        path,
        target: scalars::text(&pair.value, decoder)?,
    }])
}

pub(crate) fn readlink(node: &Node, files: Files<'_>, decoder: &mut Decoder<'_>) -> Actions {
    Some(vec![FileAction::Readlink {
        path: files.path_of(node, decoder)?,
    }])
}

pub(crate) fn mknod(node: &Node, files: Files<'_>, decoder: &mut Decoder<'_>) -> Actions {
    let long = &["path", "device", "mode"];
    let mut mode = None;
    let (path, device) = if let Some(pair) = single_pair(node, long) {
        (
            files.path_of_key(pair, decoder),
            scalars::device(&pair.value, decoder),
        )
    } else if is_long(node, long) {
        let fields = Fields::open(node, "`mknod`", long, decoder)?;
        mode = fields
            .get("mode")
            .and_then(|node| scalars::mode(node, decoder));
        let device = fields.require("device", decoder);
        let device = device.and_then(|node| scalars::device(node, decoder));
        (files.path_at(&fields, "path", decoder), device)
    } else {
        expect_pair(node, "`{PATH: \"c 1:3\"}`", decoder);
        return None;
    };
    let (kind, major, minor) = device.unwrap_or((DeviceKind::Char, 0, 0));
    let node = FileNode {
        mode,
        ..FileNode::new(NodeKind::Device { kind, major, minor })
    };
    Some(vec![FileAction::Mknod { path, node }])
}

pub(crate) fn mkfifo(node: &Node, files: Files<'_>, decoder: &mut Decoder<'_>) -> Actions {
    special(node, "`mkfifo`", NodeKind::Fifo, files, decoder)
}

pub(crate) fn mksock(node: &Node, files: Files<'_>, decoder: &mut Decoder<'_>) -> Actions {
    special(node, "`mksock`", NodeKind::Socket, files, decoder)
}

fn special(
    node: &Node,
    what: &'static str,
    kind: NodeKind,
    files: Files<'_>,
    decoder: &mut Decoder<'_>,
) -> Actions {
    let mut special = FileNode::new(kind);
    let path = if let Value::Map(_) = node.value {
        let fields = Fields::open(node, what, &["path", "mode"], decoder)?;
        special.mode = fields
            .get("mode")
            .and_then(|node| scalars::mode(node, decoder));
        files.path_at(&fields, "path", decoder)
    } else {
        files.path_of(node, decoder)?
    };
    Some(vec![FileAction::Mknod {
        path,
        node: special,
    }])
}
