//! The paths of trees.

use super::super::decoder::Decoder;
use super::super::source::Pair;
use super::super::words::quote;
use super::TreeUse;

/// Longest name and path that Linux takes, in bytes (`NAME_MAX`; `PATH_MAX` less the final NUL).
const NAME_MAX: usize = 255;
const PATH_MAX: usize = 4095;

/// A path of the host directory: `./x` is `/x`.
pub(crate) fn host_path(path: &str) -> String {
    match path.strip_prefix('.') {
        Some("") => "/".to_owned(),
        Some(rest) if rest.starts_with('/') => rest.to_owned(),
        _ => path.to_owned(),
    }
}

/// The path that a key names, and whether the key says that it is a directory.
pub(super) fn entry_path(
    pair: &Pair,
    usage: TreeUse,
    decoder: &mut Decoder<'_>,
) -> Option<(String, bool)> {
    let full = match usage {
        TreeUse::Host | TreeUse::WriteOutside => host_path(&pair.key),
        TreeUse::Layer | TreeUse::Volume | TreeUse::WriteInside => pair.key.clone(),
    };
    let is_directory = full.ends_with('/');
    let path = match full.strip_suffix('/') {
        Some("") => "/",
        Some(stripped) => stripped,
        None => full.as_str(),
    };
    let wrong = if usage.is_set_up() {
        fault_of(path, usage)
    } else {
        fault_of_written(path)
    };
    if let Some((message, help)) = wrong {
        decoder.fault_help(pair.spot(), format!("{} {message}", quote(&pair.key)), help);
        return None;
    }
    Some((path.to_owned(), is_directory))
}

/// What no system call can be given.
fn fault_of_written(path: &str) -> Option<(&'static str, Option<String>)> {
    path.contains('\0')
        .then_some(("holds a NUL character, which no path can", None))
}

fn fault_of(path: &str, usage: TreeUse) -> Option<(&'static str, Option<String>)> {
    let Some(below) = path.strip_prefix('/') else {
        let dotted = usage == TreeUse::Host;
        let start = if dotted { "`/` or `./`" } else { "`/`" };
        return Some((
            "is no path of this tree",
            Some(format!("its paths start with {start}")),
        ));
    };
    if path.len() > PATH_MAX {
        return Some(("is longer than a path can be", None));
    }
    if path == "/" {
        return None;
    }
    below.split('/').find_map(|name| match name {
        "" => Some(("has a doubled slash", None)),
        "." | ".." => Some(("has a `.` or `..` in it", None)),
        name if name.len() > NAME_MAX => Some(("has a name longer than 255 bytes", None)),
        name if name.contains('\0') => fault_of_written(name),
        _ => None,
    })
}
