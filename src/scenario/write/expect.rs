//! What a step is expected to answer.

use super::tree::{device, mode, time};
use super::yaml::{self, Map, Yaml, bytes_entry, list, number};
use crate::engine::DeviceKind;
use crate::scenario::{Check, CheckKind, Expect};

/// The value of `expect:`.
pub(super) fn expect(expect: &Expect) -> Yaml {
    let mut map = Map::default();
    let codes: Vec<String> = expect.error.iter().map(ToString::to_string).collect();
    map = match codes.as_slice() {
        [] => map,
        [code] => map.with("error", code.as_str()),
        codes => map.with("error", list(codes.iter().map(String::as_str))),
    };
    let mut checks = expect.checks.iter().peekable();
    while let Some(check) = checks.next() {
        map = match (&check.kind, checks.peek().map(|next| &next.kind)) {
            // `device` says the type too.
            (CheckKind::Type(kind), Some(CheckKind::Device(major, minor))) => {
                let kind = if kind == "block" {
                    DeviceKind::Block
                } else {
                    DeviceKind::Char
                };
                let text = device(kind, *major, *minor);
                checks.next();
                map.with("device", text)
            }
            _ => with(map, check),
        };
    }
    map.into()
}

fn with(map: Map, check: &Check) -> Map {
    use CheckKind as C;
    let texts = |items: &[String]| list(items.iter().map(String::as_str));
    match &check.kind {
        C::Bytes(bytes) => {
            let (key, value) = bytes_entry(bytes);
            map.with(key, value)
        }
        C::Sha256(digest) => map.with("sha256", digest.as_str()),
        C::Size(size) => map.with("size", number(size)),
        C::Names(names) => map.with("names", texts(names)),
        C::Includes(names) => map.with("includes", texts(names)),
        C::Excludes(names) => map.with("excludes", texts(names)),
        C::Type(kind) => map.with("type", kind.as_str()),
        C::Mode(bits) => map.with("mode", mode(*bits)),
        C::Owner(uid, gid) => map.with("owner", format!("{uid}:{gid}")),
        C::Links(links) => map.with("links", number(links)),
        C::Device(major, minor) => map.with("device", device(DeviceKind::Char, *major, *minor)),
        C::Mtime(at) => map.with("mtime", time(*at)),
        C::Atime(at) => map.with("atime", time(*at)),
        C::BlocksMax(blocks) => map.with("blocks_max", number(blocks)),
        C::Number(number) => map.with("number", yaml::number(number)),
        C::SameFileAs(path) => map.with("same_file_as", path.as_str()),
        C::Changes(changes) => {
            let lines: Vec<String> = changes
                .iter()
                .map(|(letter, path)| format!("{letter} {path}"))
                .collect();
            map.with("changes", texts(&lines))
        }
        C::State(state) => map.with("state", state.as_str()),
        C::ExitCode(code) => map.with("exit_code", number(code)),
        C::Mounts(targets) => map.with("mounts", texts(targets)),
        C::Volumes(names) => map.with("volumes", texts(names)),
        C::Labels(labels) => {
            let mut own = Map::default();
            for (key, value) in labels {
                own = own.with(key, value.as_str());
            }
            map.with("labels", own)
        }
        C::UsedBy(names) => map.with("used_by", texts(names)),
    }
}
