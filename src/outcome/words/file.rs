//! File requests in words.

use crate::engine::{
    AccessMode, AllocateMode, DeviceKind, FileAction, FileRequest, LockKind, Node, NodeKind,
    OpenFlag, RenameMode, Target, XattrMode,
};

use super::super::quote::word;

/// Requests in one line; a run of writes is one list of paths.
pub(super) fn requests_words(requests: &[FileRequest]) -> String {
    let paths: Option<Vec<String>> = requests
        .iter()
        .map(|request| match &request.action {
            FileAction::Write { path, node } => Some(written(path, node)),
            _ => None,
        })
        .collect();
    paths.map_or_else(
        || {
            requests
                .iter()
                .map(|r| action_words(&r.action))
                .collect::<Vec<_>>()
                .join("; ")
        },
        |paths| format!("write {}", paths.join(", ")),
    )
}

fn action_words(action: &FileAction) -> String {
    use FileAction as A;
    match action {
        A::Write { path, node } => format!("write {}", written(path, node)),
        A::WriteAt {
            target,
            offset,
            bytes,
        } => {
            format!(
                "write {} bytes into {}{}",
                bytes.len(),
                on(target),
                at(*offset)
            )
        }
        A::Append { target, .. } => format!("append {}", on(target)),
        A::Read {
            target,
            offset,
            length,
        } => {
            let length = length.map(|n| format!(", {n} bytes")).unwrap_or_default();
            format!("read {}{}{length}", on(target), at(*offset))
        }
        A::Truncate { target, size } => format!("truncate {} to {size}", on(target)),
        A::Allocate {
            target,
            offset,
            length,
            mode,
        } => {
            let how = match mode {
                AllocateMode::Grow => "allocate",
                AllocateMode::KeepSize => "allocate (keep size)",
                AllocateMode::PunchHole => "punch hole",
                AllocateMode::Zero => "zero",
            };
            format!("{how} {} at {offset}, {length} bytes", on(target))
        }
        A::SeekData { target, offset } => format!("seek data {} from {offset}", on(target)),
        A::SeekHole { target, offset } => format!("seek hole {} from {offset}", on(target)),
        A::Sync { target } => format!("sync {}", on(target)),
        A::List { target } => format!("list {}", on(target)),
        A::Stat { target, follow } => format!("stat {}{}", on(target), followed(*follow)),
        A::Access { path, mode } => format!("access {} {}", access(*mode), word(path)),
        A::SetXattr { .. } | A::GetXattr { .. } | A::ListXattr { .. } | A::RemoveXattr { .. } => {
            xattr_words(action)
        }
        A::Open { .. } | A::Close { .. } | A::Lock { .. } => handle_words(action),
        _ => name_words(action),
    }
}

fn handle_words(action: &FileAction) -> String {
    use FileAction as A;
    match action {
        A::Open {
            path,
            flags,
            mode,
            handle,
        } => {
            format!(
                "open {} for {}{} as {}",
                word(path),
                flag_words(flags),
                bits(*mode),
                word(handle)
            )
        }
        A::Close { handle } => format!("close {}", word(handle)),
        A::Lock { handle, kind } => {
            let kind = match kind {
                LockKind::Shared => "lock shared",
                LockKind::Exclusive => "lock exclusive",
                LockKind::Unlock => "unlock",
            };
            format!("{kind} {}", word(handle))
        }
        _ => String::new(),
    }
}

/// What makes, changes or takes names, and attributes.
fn name_words(action: &FileAction) -> String {
    use FileAction as A;
    match action {
        A::Mkdir {
            path,
            mode,
            parents,
        } => {
            let parents = if *parents { " -p" } else { "" };
            format!("mkdir{parents} {}{}", word(path), bits(*mode))
        }
        A::Rmdir { path } => format!("rmdir {}", word(path)),
        A::Delete { path, recursive } => {
            let recursive = if *recursive { " -r" } else { "" };
            format!("delete{recursive} {}", word(path))
        }
        A::Rename { from, to, mode } => match mode {
            RenameMode::Replace => format!("rename {} to {}", word(from), word(to)),
            RenameMode::NoReplace => format!("rename {} to {}, no replace", word(from), word(to)),
            RenameMode::Exchange => format!("exchange {} and {}", word(from), word(to)),
            RenameMode::Whiteout => format!("rename {} to {}, whiteout", word(from), word(to)),
        },
        A::Link { from, to } => format!("link {} to {}", word(from), word(to)),
        A::LinkHandle { handle, to } => format!("link handle {} to {}", word(handle), word(to)),
        A::Symlink { path, target } => format!("symlink {} -> {}", word(path), word(target)),
        A::Readlink { path } => format!("readlink {}", word(path)),
        A::Chmod { target, mode } => format!("chmod {mode:04o} {}", on(target)),
        A::Chown {
            target,
            uid,
            gid,
            follow,
        } => {
            let id = |id: &Option<u32>| id.map(|id| id.to_string()).unwrap_or_default();
            let owner = format!("{}:{}", id(uid), id(gid));
            format!("chown {owner} {}{}", on(target), followed(*follow))
        }
        A::Touch { target, follow, .. } => format!("touch {}{}", on(target), followed(*follow)),
        A::Mknod { path, node } => match &node.kind {
            NodeKind::Fifo => format!("mkfifo {}", word(path)),
            NodeKind::Socket => format!("mksock {}", word(path)),
            _ => format!("mknod {}", written(path, node)),
        },
        _ => String::new(),
    }
}

fn xattr_words(action: &FileAction) -> String {
    use FileAction as A;
    match action {
        A::SetXattr {
            target, name, mode, ..
        } => {
            let mode = match mode {
                XattrMode::Any => "",
                XattrMode::Create => ", create",
                XattrMode::Replace => ", replace",
            };
            format!("setxattr {} of {}{mode}", word(name), on(target))
        }
        A::GetXattr { target, name } => format!("getxattr {} of {}", word(name), on(target)),
        A::RemoveXattr { target, name } => format!("removexattr {} of {}", word(name), on(target)),
        A::ListXattr { target } => format!("listxattr {}", on(target)),
        _ => String::new(),
    }
}

/// A path with what its type adds to it: `/data/`, `/link -> target`.
fn written(path: &str, node: &Node) -> String {
    match &node.kind {
        NodeKind::Directory { .. } => format!("{}/", word(path.trim_end_matches('/'))),
        NodeKind::Symlink { target } => format!("{} -> {}", word(path), word(target)),
        NodeKind::Hardlink { to } => format!("{} = {}", word(path), word(to)),
        NodeKind::Device { kind, major, minor } => {
            let letter = match kind {
                DeviceKind::Char => 'c',
                DeviceKind::Block => 'b',
            };
            format!("{} {letter} {major}:{minor}", word(path))
        }
        NodeKind::File(_) | NodeKind::Fifo | NodeKind::Socket | NodeKind::Whiteout => word(path),
    }
}

fn on(target: &Target) -> String {
    match target {
        Target::Path(path) => word(path),
        Target::Handle(handle) => format!("handle {}", word(handle)),
    }
}

fn at(offset: Option<u64>) -> String {
    offset
        .map(|offset| format!(" at {offset}"))
        .unwrap_or_default()
}

fn bits(mode: Option<u32>) -> String {
    mode.map(|mode| format!(" {mode:04o}")).unwrap_or_default()
}

fn followed(follow: bool) -> &'static str {
    if follow { "" } else { ", no follow" }
}

fn access(mode: AccessMode) -> String {
    let letters = [(mode.read, 'r'), (mode.write, 'w'), (mode.execute, 'x')];
    let asked: String = letters
        .iter()
        .filter(|(is, _)| *is)
        .map(|(_, letter)| letter)
        .collect();
    if asked.is_empty() {
        "existence of".to_owned()
    } else {
        asked
    }
}

fn flag_words(flags: &[OpenFlag]) -> String {
    let names: Vec<&str> = flags.iter().map(|flag| flag_name(*flag)).collect();
    names.join(", ")
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
