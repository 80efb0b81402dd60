//! Which program it is, and what it can show.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::engine::Capability;

/// Programs that speak Docker's command line differ in their words and in some of their ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavor {
    Docker,
    Podman,
    Nerdctl,
}

impl Flavor {
    /// By what `PROGRAM --version` says; what is not known speaks like Docker.
    pub(super) fn of(version: &str) -> Self {
        let version = version.to_lowercase();
        if version.contains("podman") {
            Self::Podman
        } else if version.contains("nerdctl") {
            Self::Nerdctl
        } else {
            Self::Docker
        }
    }

    /// The name of the engine whose ways it has.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Nerdctl => "nerdctl",
        }
    }

    /// Whether a container's or volume's name is one that the engine takes; else it is passed on as it is, to be refused
    /// in the engine's own words (Docker rows 57, 58).
    pub(super) fn takes_name(self, name: &str) -> bool {
        let mut bytes = name.bytes();
        let first = bytes
            .next()
            .is_some_and(|byte| byte.is_ascii_alphanumeric());
        let rest = bytes.all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
        let long_enough = name.len() > 1 || self == Self::Podman;
        first && rest && long_enough
    }
}

/// What `info` and `version` tell of an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct About {
    pub(super) flavor: Flavor,
    pub(super) version: String,
    /// Major and minor number of Docker's API.
    pub(super) api: (u32, u32),
    pub(super) kernel: String,
    pub(super) driver: String,
    pub(super) file_system: String,
    /// The directory, on the daemon's host, that holds everything of the engine's.
    pub(super) root: String,
}

impl About {
    /// From `info --format '{{json .}}'` and the API version.
    pub(super) fn parse(flavor: Flavor, info: &Value, api: &str) -> Self {
        let text = |pointer: &str| {
            let text = info.pointer(pointer).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let mut numbers = api.trim().split('.').map(|part| part.parse().unwrap_or(0));
        let api = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        if flavor == Flavor::Podman {
            return Self {
                flavor,
                version: text("/version/Version"),
                api,
                kernel: text("/host/kernel"),
                driver: text("/store/graphDriverName"),
                file_system: file_system(&text("/store/graphStatus/Backing Filesystem")),
                root: text("/store/graphRoot"),
            };
        }
        let backing = info
            .get("DriverStatus")
            .and_then(Value::as_array)
            .and_then(|pairs| {
                pairs.iter().find(|pair| {
                    pair.pointer("/0").and_then(Value::as_str) == Some("Backing Filesystem")
                })
            })
            .and_then(|pair| pair.pointer("/1")?.as_str());
        Self {
            flavor,
            version: text("/ServerVersion"),
            api,
            kernel: text("/KernelVersion"),
            driver: text("/Driver"),
            file_system: file_system(backing.unwrap_or_default()),
            root: match flavor {
                // It does not tell where its data is, nor containerd's.
                Flavor::Nerdctl => "/".to_owned(),
                _ => text("/DockerRootDir"),
            },
        }
    }

    /// What the engine can show.
    pub(super) fn capabilities(&self) -> BTreeSet<Capability> {
        use Capability as C;
        let mut capabilities = BTreeSet::from([
            C::HardLinks,
            C::Owners,
            C::SteadyInodes,
            C::Fifos,
            C::Xattrs,
            C::SecurityXattrs,
            C::RenameFlags,
            C::Sparse,
            C::Handles,
            C::Locks,
            C::Concurrent,
            C::TmpfsSize,
            C::Pause,
            C::HostView,
            C::ImageArchive,
        ]);
        let podman = self.flavor == Flavor::Podman;
        for (capability, has) in [
            // Podman leaves CAP_MKNOD out of its default set.
            (C::Devices, !podman),
            // overlayfs has O_TMPFILE since Linux 6.1.
            (C::TmpfileLink, self.kernel_version() >= (6, 1)),
            // By Docker's API; Podman's claim to it says nothing (Docker rows 65, 185, 186).
            (C::AnonymousPrune, !podman && self.api >= (1, 42)),
            (C::VolumeSubpath, !podman && self.api >= (1, 45)),
            // Podman mounts images too, and lists them as binds of its own directories, which tell no layer.
            (C::ImageMount, !podman && self.api >= (1, 48)),
        ] {
            if has {
                capabilities.insert(capability);
            }
        }
        capabilities
    }

    fn kernel_version(&self) -> (u32, u32) {
        let mut numbers = self
            .kernel
            .split(|c: char| !c.is_ascii_digit())
            .map(|part| part.parse().unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    }
}

/// Docker calls ext4 by the magic number's name.
fn file_system(name: &str) -> String {
    match name {
        "extfs" => "ext4".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_tell_what_they_are() {
        for (text, flavor) in [
            ("Docker version 28.2.2, build e6534b4", Flavor::Docker),
            ("podman version 4.3.1", Flavor::Podman),
            ("nerdctl version 2.0.0", Flavor::Nerdctl),
            ("something else 1", Flavor::Docker),
        ] {
            assert_eq!(Flavor::of(text), flavor);
        }
    }

    #[test]
    fn names_that_would_be_refused_are_known() {
        for (name, docker, podman) in [
            ("store", true, true),
            ("a", false, true),
            ("_x", false, false),
            ("a b", false, false),
            ("", false, false),
            ("C_1.x-y", true, true),
        ] {
            assert_eq!(Flavor::Docker.takes_name(name), docker, "{name:?}");
            assert_eq!(Flavor::Podman.takes_name(name), podman, "{name:?}");
        }
    }

    #[test]
    fn what_depends_on_versions() {
        let info = serde_json::json!({
            "ServerVersion": "20.10.24", "KernelVersion": "5.10.0-8-amd64", "Driver": "overlay2",
            "DriverStatus": [["Backing Filesystem", "extfs"]], "DockerRootDir": "/var/lib/docker",
        });
        let old = About::parse(Flavor::Docker, &info, "1.41\n");
        assert_eq!(old.file_system, "ext4");
        assert!(!old.capabilities().contains(&Capability::AnonymousPrune));
        assert!(!old.capabilities().contains(&Capability::TmpfileLink));
        let new = About::parse(Flavor::Docker, &info, "1.48");
        assert!(new.capabilities().contains(&Capability::ImageMount));
        assert!(new.capabilities().contains(&Capability::AnonymousPrune));
    }
}
