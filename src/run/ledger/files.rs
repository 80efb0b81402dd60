//! What one file request does to the lines.

use crate::engine::{
    FileAction, FileAnswer, Node, NodeKind, OpenFlag, Place as At, RenameMode, Target, escape,
};
use crate::outcome::word;

use super::expected::Expected;
use super::line::{Line, Place, Wrote};
use super::story::{Reader, named};

/// Reads one request. One that was refused may have changed something before: `rm -r` does.
pub(super) fn perform<'a>(
    reader: &mut Reader<'a>,
    at: &'a At,
    action: &'a FileAction,
    answer: &FileAnswer,
) {
    if answer.result.is_ok() {
        name_handle(reader, at, action);
    }
    let (Some(first), Some(last)) = (answer.changed.first(), answer.changed.last()) else {
        return;
    };
    match action {
        FileAction::Delete { .. } | FileAction::Rmdir { .. } => {
            for top in tops(&answer.changed) {
                delete(reader, top, &what(reader, at, action));
            }
        }
        FileAction::Rename {
            from,
            to,
            mode: RenameMode::Exchange,
        } => {
            exchange(reader, (first, last), (named(at, from), named(at, to)));
        }
        FileAction::Rename { from, to, .. } => {
            rename(reader, (first, last), (named(at, from), named(at, to)));
        }
        FileAction::Link { from, .. } => {
            let existing = reader
                .open
                .values()
                .find(|line| line.what == named(at, from));
            let known = existing
                .filter(|line| is_there(line))
                .map(|line| line.wrote);
            link(reader, first, known, what(reader, at, action));
        }
        FileAction::Mkdir {
            path,
            parents: true,
            ..
        } => {
            // The leaf comes last, each before it is one component higher.
            let names = std::iter::successors(Some(path.trim_end_matches('/')), |name| {
                name.rsplit_once('/').map(|(parent, _)| parent)
            });
            let made: Vec<_> = answer.changed.iter().rev().zip(names).collect();
            for (place, name) in made.into_iter().rev() {
                reader.write(place, named(at, name), |file| change(file, action));
            }
        }
        FileAction::LinkHandle { .. }
        | FileAction::Write {
            node:
                Node {
                    kind: NodeKind::Hardlink { .. },
                    ..
                },
            ..
        } => {
            link(reader, first, None, what(reader, at, action));
        }
        _ => {
            let what = what(reader, at, action);
            let done = answer.result.is_ok();
            reader.write(last, what, |file| {
                if done {
                    change(file, action);
                } else {
                    *file = Expected::default();
                }
            });
        }
    }
}

/// A handle is told by the path that it was opened by; one of a file without a name by the first name that this gets.
fn name_handle<'a>(reader: &mut Reader<'a>, at: &'a At, action: &'a FileAction) {
    match action {
        FileAction::Open { flags, handle, .. } if flags.contains(&OpenFlag::Tmpfile) => {
            reader.handles.remove(&(at, handle.as_str()));
        }
        FileAction::Open { path, handle, .. } => {
            reader.handles.insert((at, handle), path);
        }
        FileAction::LinkHandle { handle, to } => {
            reader.handles.entry((at, handle)).or_insert(to);
        }
        _ => {}
    }
}

/// Those of the removed places that are not below another of them.
fn tops(places: &[Place]) -> impl Iterator<Item = &Place> {
    let below = |(storage, path): &Place, (other, top): &Place| {
        storage == other
            && path
                .strip_prefix(top.as_str())
                .is_some_and(|r| r.starts_with('/'))
    };
    places
        .iter()
        .filter(move |place| !places.iter().any(|other| below(place, other)))
}

/// What an action says about the file that it changes.
fn change(file: &mut Expected, action: &FileAction) {
    match action {
        FileAction::Write { node, .. } | FileAction::Mknod { node, .. } => {
            let mode = file.mode;
            *file = Expected::of(node);
            file.mode = file.mode.or(mode);
        }
        FileAction::Mkdir { .. } => {
            *file = Expected {
                kind: Some("directory"),
                ..Expected::default()
            };
        }
        FileAction::Symlink { target, .. } => {
            *file = Expected {
                kind: Some("symlink"),
                link: Some(escape(target.as_bytes())),
                ..Expected::default()
            };
        }
        FileAction::Append { bytes, .. } => {
            file.kind = Some("file");
            file.change(|all| all.extend(bytes.as_slice()));
        }
        FileAction::WriteAt {
            target: Target::Path(_),
            offset,
            bytes,
        } => {
            let offset = usize::try_from(offset.unwrap_or(0)).unwrap_or(usize::MAX);
            file.change(|all| overwrite(all, offset, bytes.as_slice()));
        }
        FileAction::Truncate { size, .. } => match usize::try_from(*size) {
            Ok(size) if size <= 1 << 20 => file.change(|all| all.resize(size, 0)),
            _ => file.bytes = None,
        },
        FileAction::Open { flags, .. } if flags.contains(&OpenFlag::Truncate) => {
            file.bytes = Some(Vec::new());
        }
        FileAction::Chmod { mode, .. } => file.mode = Some(mode & 0o777),
        // An access ACL changes the permission bits too (acl(5)).
        FileAction::SetXattr { .. } | FileAction::RemoveXattr { .. } => file.mode = None,
        FileAction::Touch { .. } | FileAction::Chown { .. } => {}
        // Where a handle stands, and what a range does to the content, is not followed.
        _ => file.bytes = None,
    }
}

/// As `pwrite`: a gap is zeros. What lies too far out is not followed.
fn overwrite(all: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset.saturating_add(bytes.len());
    let longest = (1 << 20) + 1;
    if end > longest {
        all.resize(longest, 0);
        return;
    }
    if all.len() < end {
        all.resize(end, 0);
    }
    if let Some(range) = all.get_mut(offset..end) {
        range.copy_from_slice(bytes);
    }
}

/// What the scenario made itself is lost by it; of anything else the deletion is what was written.
fn delete(reader: &mut Reader<'_>, place: &Place, what: &str) {
    let taken = format!("deleted at step {}", reader.step());
    let mut own = false;
    for mut line in reader.take_tree(place) {
        if matches!(line.wrote, Wrote::File(_)) {
            own |= line.place == *place && line.taken.is_none();
            line.taken.get_or_insert_with(|| taken.clone());
        }
        reader.open.insert(line.place.clone(), line);
    }
    if !own {
        reader.put(place, what.to_owned(), Wrote::Gone);
    }
}

/// Everything below moves along; what was at the new name is overwritten.
fn rename(reader: &mut Reader<'_>, (old, new): (&Place, &Place), (from, to): (String, String)) {
    if old == new {
        return;
    }
    reader.take_tree(new);
    let moved = reader.take_tree(old);
    let own = moved
        .iter()
        .any(|line| line.place == *old && is_there(line));
    settle(reader, moved, (old, new), &to);
    if !own {
        reader.write(new, to, |_| {});
        reader.put(old, from, Wrote::Gone);
    }
}

fn exchange(reader: &mut Reader<'_>, (one, other): (&Place, &Place), names: (String, String)) {
    let (ones, others) = (reader.take_tree(one), reader.take_tree(other));
    settle(reader, ones, (one, other), &names.1);
    settle(reader, others, (other, one), &names.0);
    for (place, name) in [(one, names.0), (other, names.1)] {
        if !reader.open.contains_key(place) {
            reader.write(place, name, |_| {});
        }
    }
}

/// Puts lines down below another path. That of the moved thing itself is written by this step;
/// those of what lies in it keep their step and name.
fn settle(reader: &mut Reader<'_>, lines: Vec<Line>, (old, new): (&Place, &Place), name: &str) {
    for mut line in lines {
        let below = line
            .place
            .1
            .strip_prefix(&old.1)
            .unwrap_or_default()
            .to_owned();
        let top = below.is_empty();
        if !is_there(&line) {
            // Deleted before the move: what is told of it stays where it was, but the move took a
            // deletion inside the directory along.
            if matches!(line.wrote, Wrote::File(_)) || top {
                reader.open.entry(line.place.clone()).or_insert(line);
                continue;
            }
        }
        line.place = (new.0.clone(), format!("{}{below}", new.1));
        if top {
            let wrote = line.wrote;
            reader.put(&line.place, name.to_owned(), wrote);
        } else {
            line.moved = true;
            reader.open.insert(line.place.clone(), line);
        }
    }
}

fn is_there(line: &Line) -> bool {
    matches!(line.wrote, Wrote::File(_)) && line.taken.is_none()
}

/// Another name shares what is known of the file.
fn link(reader: &mut Reader<'_>, new: &Place, known: Option<Wrote>, what: String) {
    let wrote = match known {
        Some(wrote) => wrote,
        None => Wrote::File(reader.new_file(Expected::default())),
    };
    reader.put(new, what, wrote);
}

/// The changed thing as the writer named it.
fn what(reader: &Reader<'_>, at: &At, action: &FileAction) -> String {
    use FileAction as A;
    match action {
        A::Write { path, .. }
        | A::Mkdir { path, .. }
        | A::Rmdir { path }
        | A::Delete { path, .. }
        | A::Symlink { path, .. }
        | A::Mknod { path, .. }
        | A::Open { path, .. }
        | A::Link { to: path, .. }
        | A::LinkHandle { to: path, .. } => named(at, path),
        A::WriteAt { target, .. }
        | A::Append { target, .. }
        | A::Truncate { target, .. }
        | A::Allocate { target, .. }
        | A::Chmod { target, .. }
        | A::Chown { target, .. }
        | A::Touch { target, .. }
        | A::SetXattr { target, .. }
        | A::RemoveXattr { target, .. } => match target {
            Target::Path(path) => named(at, path),
            Target::Handle(handle) => match reader.handles.get(&(at, handle.as_str())) {
                Some(path) => named(at, path),
                None => format!("{} handle {}", named(at, ""), word(handle)),
            },
        },
        _ => named(at, ""),
    }
}
