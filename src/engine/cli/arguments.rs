//! A container's specification as arguments of `create` and `run`.

use super::engine::Cli;
use super::flavor::Flavor;
use super::ground::AGENT;
use super::names::{clean, joined};
use crate::agent::{Mode, VARIABLE};
use crate::engine::{
    BindRequest, ContainerSpec, MountRequest, MountSource, Propagation, TmpfsRequest, VolumeRequest,
};

impl Cli {
    /// Everything after `create` or `run`.
    pub(super) fn arguments(&self, spec: &ContainerSpec) -> Vec<String> {
        let mut arguments = Arguments(Vec::new());
        arguments.pair("--name", self.names.container(&spec.name));
        arguments.pair("--network", "none");
        for label in self.names.labels() {
            arguments.pair("--label", label);
        }
        arguments.pair("--pull", "never");
        arguments.pair("--env", format!("{VARIABLE}={}", Mode::Idle));
        arguments.pair("--volume", format!("{}:{AGENT}:ro", self.ground.volume()));
        for mount in &spec.mounts {
            let (option, value) = self.mount(mount);
            arguments.pair(option, value);
        }
        for from in &spec.volumes_from {
            let (name, mode) = match from.split_once(':') {
                Some((name, mode)) => (name, format!(":{mode}")),
                None => (from.as_str(), String::new()),
            };
            let name = if name.is_empty() {
                String::new()
            } else {
                self.names.container(name)
            };
            arguments.pair("--volumes-from", format!("{name}{mode}"));
        }
        for tmpfs in &spec.tmpfs {
            arguments.pair("--tmpfs", tmpfs);
        }
        if spec.read_only {
            arguments.0.push("--read-only".to_owned());
        }
        if let Some(user) = &spec.user {
            arguments.pair("--user", user);
        }
        if let Some(directory) = &spec.working_dir {
            arguments.pair("--workdir", directory);
        }
        if spec.remove_on_exit {
            arguments.0.push("--rm".to_owned());
        }
        arguments
            .0
            .extend(self.ground.entry(&self.image_reference(&spec.image)));
        arguments.0
    }

    /// A path of the host directory as the daemon names it.
    pub(super) fn on_daemon(&self, path: &str) -> String {
        joined(&self.host.daemon, &clean(path))
    }

    fn mount(&self, request: &MountRequest) -> (&'static str, String) {
        match request {
            MountRequest::Short(text) => ("--volume", self.short(text)),
            MountRequest::Long {
                target,
                read_only,
                source,
            } => self.long(target, *read_only, source),
        }
    }

    /// The source in the daemon's names, all else as it was written.
    fn short(&self, text: &str) -> String {
        match text.split_once(':') {
            Some((source, rest)) if source.starts_with(['/', '.']) => {
                format!("{}:{rest}", self.on_daemon(source))
            }
            Some((name, rest)) => format!("{}:{rest}", self.names.volume(name)),
            None => text.to_owned(),
        }
    }

    fn long(&self, target: &str, read_only: bool, source: &MountSource) -> (&'static str, String) {
        let mut fields = vec![format!("target={target}")];
        if read_only {
            // The word that Podman knows for a tmpfs too.
            fields.push("ro".to_owned());
        }
        match source {
            MountSource::Bind(bind) if bind.create_host_path || bind.selinux.is_some() => {
                return ("--volume", self.created(target, read_only, bind));
            }
            MountSource::Bind(bind) => {
                fields.push("type=bind".to_owned());
                fields.push(format!("source={}", self.on_daemon(&bind.source)));
                fields.extend(
                    bind.propagation
                        .map(|way| format!("bind-propagation={}", propagation(way))),
                );
                fields.extend(bind.recursive.as_deref().map(|how| self.recursive(how)));
            }
            MountSource::Volume(VolumeRequest {
                name,
                nocopy,
                subpath,
                labels,
            }) => {
                fields.push("type=volume".to_owned());
                let name = name.as_ref().map(|name| self.names.volume(name));
                fields.extend(name.map(|name| format!("source={name}")));
                fields.extend(nocopy.then(|| "volume-nocopy".to_owned()));
                fields.extend(
                    subpath
                        .as_ref()
                        .map(|path| format!("volume-subpath={path}")),
                );
                fields.extend(
                    labels
                        .iter()
                        .map(|(key, value)| format!("volume-label={key}={value}")),
                );
            }
            MountSource::Tmpfs(TmpfsRequest { size, mode }) => {
                fields.push("type=tmpfs".to_owned());
                fields.extend(size.map(|size| format!("tmpfs-size={size}")));
                fields.extend(mode.map(|mode| format!("tmpfs-mode={mode:o}")));
            }
            MountSource::Image { source, subpath } => {
                fields.push("type=image".to_owned());
                fields.push(format!("source={}", self.image_reference(source)));
                fields.extend(subpath.as_ref().map(|path| format!("image-subpath={path}")));
            }
        }
        let quoted: Vec<String> = fields.into_iter().map(quoted).collect();
        ("--mount", quoted.join(","))
    }

    /// Compose's `create_host_path` is what `-v` does.
    fn created(&self, target: &str, read_only: bool, bind: &BindRequest) -> String {
        let mut options: Vec<&str> = Vec::new();
        options.extend(read_only.then_some("ro"));
        options.extend(bind.propagation.map(propagation));
        options.extend(bind.selinux.as_deref());
        let colon = if options.is_empty() { "" } else { ":" };
        let source = self.on_daemon(&bind.source);
        format!("{source}:{target}{colon}{}", options.join(","))
    }

    fn recursive(&self, how: &str) -> String {
        match (self.ground.about.flavor, how) {
            (Flavor::Podman | Flavor::Nerdctl, "disabled") => "bind-nonrecursive".to_owned(),
            _ => format!("bind-recursive={how}"),
        }
    }
}

struct Arguments(Vec<String>);

impl Arguments {
    fn pair(&mut self, option: &str, value: impl Into<String>) {
        self.0.push(format!("{option}={}", value.into()));
    }
}

/// `--mount` is a line of CSV.
fn quoted(field: String) -> String {
    if field.contains([',', '"', '\n']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field
    }
}

fn propagation(propagation: Propagation) -> &'static str {
    match propagation {
        Propagation::Private => "private",
        Propagation::Rprivate => "rprivate",
        Propagation::Shared => "shared",
        Propagation::Rshared => "rshared",
        Propagation::Slave => "slave",
        Propagation::Rslave => "rslave",
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn commas_and_quotes_are_kept_from_the_option_parser() {
        assert_eq!(quoted("target=/a".to_owned()), "target=/a");
        assert_eq!(quoted("target=/a,\"b".to_owned()), "\"target=/a,\"\"b\"");
    }
}
