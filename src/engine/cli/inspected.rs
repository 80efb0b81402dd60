//! What `inspect` says of a container, a volume.

use std::collections::BTreeMap;

use serde_json::Value;

use super::disk::Disk;
use super::names::clean;
use crate::engine::ContainerState;

/// A container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Container {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) status: String,
    pub(super) exit_code: i32,
    pub(super) mounts: Vec<Mount>,
    /// What is in memory, as `--tmpfs` takes it.
    pub(super) tmpfs: Vec<String>,
    /// The writable layer on the daemon's disk, when the storage driver has it in one directory.
    pub(super) disk: Option<Disk>,
    /// Where its processes start.
    pub(super) directory: String,
}

/// A mount, sources as the daemon names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mount {
    pub(super) target: String,
    /// Where it lies, symlinks followed: the target, until somebody has looked.
    pub(super) at: String,
    pub(super) source: Source,
    /// The path in the source that is mounted.
    pub(super) part: String,
    pub(super) read_only: bool,
}

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Volume(String),
    Bind(String),
    Tmpfs,
    Image(String),
}

/// A volume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Volume {
    pub(super) name: String,
    pub(super) driver: String,
    pub(super) at: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) options: BTreeMap<String, String>,
}

fn text(value: &Value, pointer: &str) -> String {
    let text = value.pointer(pointer).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

fn texts(value: &Value, pointer: &str) -> BTreeMap<String, String> {
    let map = value.pointer(pointer).and_then(Value::as_object);
    map.into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect()
}

/// What a list of objects says, in JSON.
pub(super) fn list<T>(json: &str, one: impl Fn(&Value) -> T) -> Result<Vec<T>, String> {
    let value: Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let objects = value.as_array().ok_or("not a list")?;
    Ok(objects.iter().map(one).collect())
}

impl Container {
    pub(super) fn parse(value: &Value) -> Self {
        let listed = value.get("Mounts").and_then(Value::as_array);
        let mut mounts: Vec<Mount> = listed.into_iter().flatten().map(Mount::parse).collect();
        // Docker keeps `--tmpfs` apart. What else has its target is listed, but not mounted (row 99).
        for (target, options) in texts(value, "/HostConfig/Tmpfs") {
            let target = clean(&target);
            let is_listed = |mount: &Mount| mount.target == target && mount.source == Source::Tmpfs;
            if !mounts.iter().any(is_listed) {
                mounts.push(Mount {
                    at: target.clone(),
                    target,
                    source: Source::Tmpfs,
                    part: "/".to_owned(),
                    read_only: options.split(',').any(|word| word == "ro"),
                });
            }
        }
        for (target, part) in parts_of(value) {
            let named = mounts.iter_mut().filter(|mount| mount.target == target);
            named.for_each(|mount| mount.part.clone_from(&part));
        }
        // Of two with one target the tmpfs comes last.
        mounts.sort_by(|a, b| a.target.cmp(&b.target));
        let layer = |name: &str| text(value, &format!("/GraphDriver/Data/{name}"));
        Self {
            id: text(value, "/Id"),
            name: text(value, "/Name").trim_start_matches('/').to_owned(),
            status: text(value, "/State/Status"),
            exit_code: value
                .pointer("/State/ExitCode")
                .and_then(Value::as_i64)
                .and_then(|code| i32::try_from(code).ok())
                .unwrap_or(0),
            mounts,
            tmpfs: tmpfs_of(value),
            disk: Disk::new(&layer("UpperDir"), &layer("LowerDir")),
            directory: directory_of(value),
        }
    }

    /// In Docker's words; Podman has more of them.
    pub(super) fn state(&self) -> ContainerState {
        match self.status.as_str() {
            // nerdctl has no word for one that never ran.
            "" | "created" | "configured" | "initialized" => ContainerState::Created,
            "running" | "restarting" => ContainerState::Running,
            "paused" => ContainerState::Paused,
            _ => ContainerState::Exited,
        }
    }
}

/// An image that says nothing starts at the root.
fn directory_of(value: &Value) -> String {
    match text(value, "/Config/WorkingDir") {
        directory if directory.is_empty() => "/".to_owned(),
        directory => directory,
    }
}

/// `TARGET` or `TARGET:OPTIONS`, of the short form and of the long one.
fn tmpfs_of(value: &Value) -> Vec<String> {
    let with = |target: &str, options: &str| match options {
        "" => target.to_owned(),
        options => format!("{target}:{options}"),
    };
    let short = texts(value, "/HostConfig/Tmpfs");
    let short = short.iter().map(|(target, options)| with(target, options));
    let long = value
        .pointer("/HostConfig/Mounts")
        .and_then(Value::as_array);
    let long = long
        .into_iter()
        .flatten()
        .filter(|mount| text(mount, "/Type") == "tmpfs");
    let long = long.map(|mount| {
        let number = |pointer: &str| mount.pointer(pointer).and_then(Value::as_u64);
        let size = number("/TmpfsOptions/SizeBytes").map(|size| format!("size={size}"));
        let mode = number("/TmpfsOptions/Mode").map(|mode| format!("mode={mode:o}"));
        let options: Vec<String> = size.into_iter().chain(mode).collect();
        with(&text(mount, "/Target"), &options.join(","))
    });
    short.chain(long).collect()
}

/// What is mounted of volumes and images that are mounted in part, by target.
fn parts_of(value: &Value) -> Vec<(String, String)> {
    let asked = value
        .pointer("/HostConfig/Mounts")
        .and_then(Value::as_array);
    let part = |mount: &Value| {
        let subpath = ["/VolumeOptions/Subpath", "/ImageOptions/Subpath"]
            .into_iter()
            .find_map(|pointer| mount.pointer(pointer)?.as_str())?;
        Some((clean(&text(mount, "/Target")), clean(subpath)))
    };
    asked.into_iter().flatten().filter_map(part).collect()
}

/// Whether a mount is listed only: a tmpfs with the same target is mounted in its place.
pub(super) fn is_hidden(mount: &Mount, all: &[Mount]) -> bool {
    let hides = |other: &Mount| other.target == mount.target && other.source == Source::Tmpfs;
    mount.source != Source::Tmpfs && all.iter().any(hides)
}

impl Mount {
    fn parse(value: &Value) -> Self {
        let source = match text(value, "/Type").as_str() {
            "volume" => Source::Volume(text(value, "/Name")),
            "tmpfs" => Source::Tmpfs,
            "image" => Source::Image(text(value, "/Name")),
            _ => Source::Bind(text(value, "/Source")),
        };
        let target = clean(&text(value, "/Destination"));
        Self {
            at: target.clone(),
            target,
            source,
            part: "/".to_owned(),
            read_only: value.get("RW").and_then(Value::as_bool) == Some(false),
        }
    }
}

impl Volume {
    pub(super) fn parse(value: &Value) -> Self {
        // nerdctl knows no other driver and names none.
        let driver = match text(value, "/Driver") {
            none if none.is_empty() => "local".to_owned(),
            driver => driver,
        };
        Self {
            name: text(value, "/Name"),
            driver,
            at: text(value, "/Mountpoint"),
            labels: texts(value, "/Labels"),
            options: texts(value, "/Options"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_docker_inspects() {
        let json = r#"[{"Name": "/c", "State": {"Status": "exited", "ExitCode": 137},
            "HostConfig": {"Tmpfs": {"/t/": "size=1m,ro", "/z": ""}, "Mounts": [
                {"Type": "tmpfs", "Target": "/m", "TmpfsOptions": {"SizeBytes": 4096, "Mode": 448}},
                {"Type": "volume", "Source": "v", "Target": "/z/", "VolumeOptions": {"Subpath": "a/b"}},
                {"Type": "bind", "Target": "/b"}]},
            "GraphDriver": {"Data": {"LowerDir": "/b:/a", "UpperDir": "/d/diff"}},
            "Mounts": [{"Type": "volume", "Name": "v", "Source": "/s", "Destination": "/z", "RW": true},
                       {"Type": "bind", "Source": "/h", "Destination": "/b", "RW": false}]}]"#;
        let seen = list(json, Container::parse).unwrap().remove(0);
        assert_eq!(
            (seen.state(), seen.exit_code),
            (ContainerState::Exited, 137)
        );
        assert_eq!(seen.disk, Disk::new("/d/diff", "/b:/a"));
        let mounts: Vec<_> = seen
            .mounts
            .iter()
            .map(|m| (m.target.as_str(), m.read_only))
            .collect();
        let expected = [("/b", true), ("/t", true), ("/z", false), ("/z", false)];
        assert_eq!(mounts, expected);
        let parts: Vec<_> = seen.mounts.iter().map(|m| m.part.as_str()).collect();
        assert_eq!(parts, ["/", "/", "/a/b", "/a/b"]);
        let last = seen.mounts.last().map(|mount| &mount.source);
        assert_eq!(last, Some(&Source::Tmpfs));
        let expected = ["/t/:size=1m,ro", "/z", "/m:size=4096,mode=700"];
        assert_eq!(seen.tmpfs, expected);
        assert!(list("{}", Container::parse).is_err());
    }
}
