//! What processes do.

use super::tree::{device, mode, node, path as tree_path, time};
use super::yaml::{self, Map, Yaml, bytes, bytes_entry, list, single};
use crate::engine::{
    AccessMode, AllocateMode, DeviceKind, FileAction, FileRequest, LockKind, Node, NodeKind,
    OpenFlag, RenameMode, Target, XattrMode,
};

/// Keys that begin a long form: a path of such a name is written as `./NAME`.
const KEYS: &[&str] = &["path", "handle", "from", "to"];

/// The value of a step's operation.
pub(super) fn requests(requests: &[FileRequest]) -> Yaml {
    if let [request] = requests
        && !matches!(request.action, FileAction::Write { .. })
    {
        return action(&request.action);
    }
    let mut map = Map::default();
    for request in requests {
        if let FileAction::Write { path, node: what } = &request.action {
            map = map.with(&tree_path(&key(path), what), node(what));
        }
    }
    map.into()
}

/// A path as the key of a short form.
fn key(path: &str) -> String {
    if KEYS.contains(&path) {
        format!("./{path}")
    } else {
        path.to_owned()
    }
}

/// The long form's `path` or `handle`.
fn on(target: &Target) -> Map {
    match target {
        Target::Path(path) => Map::default().with("path", path.as_str()),
        Target::Handle(handle) => Map::default().with("handle", handle.as_str()),
    }
}

/// The long form with these keys, or the path alone where there are none.
fn short(target: &Target, more: impl FnOnce(Map) -> Map) -> Yaml {
    let plain = Yaml::from(on(target));
    match (Yaml::from(more(on(target))), target) {
        (long, Target::Path(path)) if long == plain => path.as_str().into(),
        (long, _) => long,
    }
}

/// `{PATH: value}`, or the long form of a handle.
fn pair(target: &Target, name: &str, value: Yaml) -> Yaml {
    match target {
        Target::Path(path) => single(&key(path), value),
        Target::Handle(_) => on(target).with(name, value).into(),
    }
}

fn number(value: Option<u64>) -> Option<Yaml> {
    value.map(yaml::number)
}

fn action(action: &FileAction) -> Yaml {
    use FileAction as A;
    match action {
        A::WriteAt {
            target,
            offset,
            bytes,
        } => {
            let (key, value) = bytes_entry(bytes.as_slice());
            on(target)
                .with(key, value)
                .with_if("at", number(*offset))
                .into()
        }
        A::Append {
            target,
            bytes: content,
        } => match target {
            Target::Path(path) => single(&key(path), bytes(content.as_slice())),
            Target::Handle(_) => {
                let (key, value) = bytes_entry(content.as_slice());
                on(target).with(key, value).into()
            }
        },
        A::Read {
            target,
            offset,
            length,
        } => short(target, |map| {
            map.with_if("at", number(*offset))
                .with_if("length", number(*length))
        }),
        A::Truncate { target, size } => pair(target, "size", yaml::number(size)),
        A::Allocate {
            target,
            offset,
            length,
            mode,
        } => {
            let how = match mode {
                AllocateMode::Grow => None,
                AllocateMode::KeepSize => Some("keep-size"),
                AllocateMode::PunchHole => Some("punch-hole"),
                AllocateMode::Zero => Some("zero"),
            };
            let at = (*offset != 0).then(|| yaml::number(offset));
            on(target)
                .with_if("at", at)
                .with("length", yaml::number(length))
                .with_if("mode", how)
                .into()
        }
        A::SeekData { target, offset } | A::SeekHole { target, offset } => short(target, |map| {
            map.with_if("at", number(Some(*offset).filter(|at| *at != 0)))
        }),
        A::List { target } | A::ListXattr { target } | A::Sync { target } => {
            short(target, |map| map)
        }
        A::Stat { target, follow } => short(target, |map| map.with_if("follow", no(*follow))),
        A::Chmod { target, mode: bits } => pair(target, "mode", mode(*bits).into()),
        A::Chown { .. }
        | A::Touch { .. }
        | A::SetXattr { .. }
        | A::GetXattr { .. }
        | A::RemoveXattr { .. } => attributes(action),
        A::Open { .. } | A::Close { .. } | A::Lock { .. } | A::LinkHandle { .. } => held(action),
        _ => names(action),
    }
}

/// `false`, when a link is not followed.
fn no(follow: bool) -> Option<bool> {
    (!follow).then_some(false)
}

fn attributes(action: &FileAction) -> Yaml {
    use FileAction as A;
    match action {
        A::Chown {
            target,
            uid,
            gid,
            follow,
        } => {
            let id = |id: &Option<u32>| id.map(|id| id.to_string()).unwrap_or_default();
            let owner = format!("{}:{}", id(uid), id(gid));
            if *follow {
                pair(target, "owner", owner.into())
            } else {
                on(target).with("owner", owner).with("follow", false).into()
            }
        }
        A::Touch {
            target,
            atime,
            mtime,
            follow,
        } => short(target, |map| {
            map.with_if("atime", atime.map(time))
                .with_if("mtime", mtime.map(time))
                .with_if("follow", no(*follow))
        }),
        A::SetXattr {
            target,
            name,
            value,
            mode,
        } => {
            let how = match mode {
                XattrMode::Any => None,
                XattrMode::Create => Some("create"),
                XattrMode::Replace => Some("replace"),
            };
            let value = bytes(value.as_slice());
            on(target)
                .with("name", name.as_str())
                .with("value", value)
                .with_if("mode", how)
                .into()
        }
        A::GetXattr { target, name } | A::RemoveXattr { target, name } => {
            on(target).with("name", name.as_str()).into()
        }
        _ => Map::default().into(),
    }
}

fn held(action: &FileAction) -> Yaml {
    use FileAction as A;
    match action {
        A::Open {
            path,
            flags,
            mode: bits,
            handle,
        } => Map::default()
            .with("path", path.as_str())
            .with("for", list(flags.iter().map(|flag| flag_name(*flag))))
            .with_if("mode", bits.map(mode))
            .with("as", handle.as_str())
            .into(),
        A::Close { handle } => handle.as_str().into(),
        A::Lock { handle, kind } => Map::default()
            .with("handle", handle.as_str())
            .with(
                "kind",
                match kind {
                    LockKind::Shared => "shared",
                    LockKind::Exclusive => "exclusive",
                    LockKind::Unlock => "unlock",
                },
            )
            .into(),
        A::LinkHandle { handle, to } => Map::default()
            .with("handle", handle.as_str())
            .with("to", to.as_str())
            .into(),
        _ => Map::default().into(),
    }
}

/// What makes and takes names.
fn names(action: &FileAction) -> Yaml {
    use FileAction as A;
    match action {
        A::Mkdir {
            path,
            mode: bits,
            parents,
        } => {
            if bits.is_none() && !parents {
                return path.as_str().into();
            }
            let map = Map::default().with("path", path.as_str());
            map.with_if("mode", bits.map(mode))
                .flag("parents", *parents)
                .into()
        }
        A::Rmdir { path }
        | A::Readlink { path }
        | A::Delete {
            path,
            recursive: false,
        } => path.as_str().into(),
        A::Delete {
            path,
            recursive: true,
        } => Map::default()
            .with("path", path.as_str())
            .flag("recursive", true)
            .into(),
        A::Rename {
            from,
            to,
            mode: RenameMode::Replace,
        }
        | A::Link { from, to } => single(&key(from), to.as_str()),
        A::Rename { from, to, mode } => Map::default()
            .with("from", from.as_str())
            .with("to", to.as_str())
            .with(
                "mode",
                match mode {
                    RenameMode::NoReplace => "noreplace",
                    RenameMode::Exchange => "exchange",
                    RenameMode::Whiteout => "whiteout",
                    RenameMode::Replace => "replace",
                },
            )
            .into(),
        A::Symlink { path, target } => single(path, target.as_str()),
        A::Access { path, mode } => Map::default()
            .with("path", path.as_str())
            .with_if("mode", letters(*mode))
            .into(),
        A::Mknod { path, node } => special(path, node),
        _ => Map::default().into(),
    }
}

fn special(path: &str, node: &Node) -> Yaml {
    let bits = node.mode.map(mode);
    match (&node.kind, bits) {
        (NodeKind::Device { kind, major, minor }, bits) => {
            made_device(path, (*kind, *major, *minor), bits)
        }
        (_, None) => path.into(),
        (_, bits) => Map::default()
            .with("path", path)
            .with_if("mode", bits)
            .into(),
    }
}

fn made_device(
    path: &str,
    (kind, major, minor): (DeviceKind, u32, u32),
    bits: Option<String>,
) -> Yaml {
    let text = device(kind, major, minor);
    match bits {
        None if path != "device" => single(&key(path), text),
        bits => Map::default()
            .with("path", path)
            .with("device", text)
            .with_if("mode", bits)
            .into(),
    }
}

fn letters(mode: AccessMode) -> Option<String> {
    let letters = [(mode.read, 'r'), (mode.write, 'w'), (mode.execute, 'x')];
    let asked: String = letters
        .iter()
        .filter(|(is, _)| *is)
        .map(|(_, letter)| letter)
        .collect();
    (!asked.is_empty()).then_some(asked)
}

fn flag_name(flag: OpenFlag) -> &'static str {
    match flag {
        OpenFlag::Read => "read",
        OpenFlag::Write => "write",
        OpenFlag::Append => "append",
        OpenFlag::Create => "create",
        OpenFlag::Exclusive => "exclusive",
        OpenFlag::Truncate => "truncate",
        OpenFlag::Directory => "directory",
        OpenFlag::Nofollow => "nofollow",
        OpenFlag::Path => "path",
        OpenFlag::Tmpfile => "tmpfile",
    }
}
