//! A line of a script as an operation.

use std::collections::BTreeMap;

use super::script::{node, text};
use crate::engine::{
    BindRequest, CommitSpec, ContainerSpec, CopyEnd, FileAction, FileRequest, ImageConfig,
    MountRequest, MountSource, NodeKind, Operation, Place, Target, TmpfsRequest, VolumeFilter,
    VolumeRef, VolumeRequest, VolumeSpec,
};

fn volume(word: &str) -> VolumeRef {
    match word
        .strip_prefix('<')
        .and_then(|word| word.strip_suffix('>'))
    {
        Some(inner) => {
            let (container, target) = inner.split_once(':').unwrap();
            let (container, target) = (container.to_owned(), target.to_owned());
            VolumeRef::Anonymous { container, target }
        }
        None => VolumeRef::Named(word.to_owned()),
    }
}

fn place(word: &str) -> Place {
    match word {
        "host" => Place::Host,
        word => match word.strip_prefix("volume=") {
            Some(name) => Place::Volume(volume(name)),
            None => Place::Container(word.to_owned()),
        },
    }
}

fn file(place_word: &str, user: Option<String>, action: FileAction) -> Operation {
    let requests = vec![FileRequest {
        action,
        stop_on_refusal: true,
    }];
    Operation::Files {
        place: place(place_word),
        user,
        requests,
    }
}

fn path_target(path: &str) -> Target {
    Target::Path(path.to_owned())
}

/// `type=volume,source=x,target=/y,readonly`, as `--mount` has it.
fn mount(words: &str) -> MountRequest {
    let pairs: BTreeMap<&str, &str> = words
        .split(',')
        .map(|word| word.split_once('=').unwrap_or((word, "true")))
        .collect();
    let get = |key: &str| pairs.get(key).map(|value| (*value).to_owned());
    let source = match pairs["type"] {
        "volume" => MountSource::Volume(VolumeRequest {
            name: get("source"),
            nocopy: pairs.contains_key("volume-nocopy"),
            subpath: get("volume-subpath"),
            labels: BTreeMap::new(),
        }),
        "bind" => MountSource::Bind(BindRequest {
            source: get("source").unwrap_or_default(),
            create_host_path: false,
            propagation: None,
            recursive: None,
            selinux: None,
        }),
        "tmpfs" => MountSource::Tmpfs(TmpfsRequest {
            size: get("tmpfs-size").map(|size| size.parse().unwrap()),
            mode: get("tmpfs-mode").map(|mode| u32::from_str_radix(&mode, 8).unwrap()),
        }),
        "image" => MountSource::Image {
            source: get("source").unwrap_or_default(),
            subpath: get("image-subpath"),
        },
        other => panic!("mount type {other}"),
    };
    let target = get("target").unwrap_or_default();
    MountRequest::Long {
        target,
        read_only: pairs.contains_key("readonly"),
        source,
    }
}

fn container(words: &[&str]) -> ContainerSpec {
    let mut spec = ContainerSpec::default();
    let mut plain = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || (*words.next().expect(word)).to_owned();
        match *word {
            "-v" => spec.mounts.push(MountRequest::Short(value())),
            "--mount" => spec.mounts.push(mount(&value())),
            "--tmpfs" => spec.tmpfs.push(value()),
            "--volumes-from" => spec.volumes_from.push(value()),
            "-u" => spec.user = Some(value()),
            "-w" => spec.working_dir = Some(value()),
            "--read-only" => spec.read_only = true,
            "--rm" => spec.remove_on_exit = true,
            word => plain.push(word.to_owned()),
        }
    }
    [spec.name, spec.image] = plain.try_into().unwrap();
    spec
}

fn end(word: &str) -> CopyEnd {
    match word.split_once(':') {
        Some((container, path)) => {
            let (container, path) = (container.to_owned(), path.to_owned());
            CopyEnd::Container { container, path }
        }
        None => CopyEnd::Host(word.to_owned()),
    }
}

fn filters(words: &[&str]) -> Vec<VolumeFilter> {
    let pair = |word: &&str| {
        let (key, value) = word.split_once('=').unwrap();
        VolumeFilter {
            key: key.to_owned(),
            value: value.to_owned(),
        }
    };
    words
        .iter()
        .filter(|word| !word.starts_with('-'))
        .map(pair)
        .collect()
}

pub(super) fn operation(line: &str) -> Operation {
    let words: Vec<&str> = line.split_whitespace().collect();
    let has = |flag: &str| words.contains(&flag);
    let owned = |index: usize| words[index].to_owned();
    let last = || (*words.last().unwrap()).to_owned();
    match words[0] {
        "run" => Operation::Run(container(&words[1..])),
        "create" => Operation::Create(container(&words[1..])),
        "start" => Operation::Start(last()),
        "stop" => Operation::Stop(last()),
        "kill" => Operation::Kill(last()),
        "restart" if words[1] == "engine" => Operation::RestartEngine,
        "restart" => Operation::Restart(last()),
        "pause" => Operation::Pause(last()),
        "unpause" => Operation::Unpause(last()),
        "inspect" => Operation::Inspect(last()),
        "diff" => Operation::Diff(last()),
        "crash" => Operation::Crash,
        "fill" => Operation::FillDisk,
        "free" => Operation::FreeDisk,
        "rm" => Operation::Remove {
            container: last(),
            force: has("-f"),
            volumes: has("-v"),
        },
        "prune" => Operation::ContainerPrune,
        "commit" => Operation::Commit(CommitSpec {
            container: owned(1),
            image: owned(2),
            change: ImageConfig::default(),
        }),
        "cp" => Operation::Copy {
            from: end(words[words.len() - 2]),
            to: end(words[words.len() - 1]),
            archive: has("-a"),
            follow: has("-L"),
        },
        "export" => Operation::Export {
            container: owned(1),
            to: owned(2),
        },
        "import" => Operation::Import {
            from: owned(1),
            image: owned(2),
        },
        "rmi" => Operation::ImageRemove {
            image: last(),
            force: has("-f"),
        },
        "tag" => Operation::ImageTag {
            image: owned(1),
            tag: owned(2),
        },
        "volume" => volume_operation(&words[1..]),
        "in" => file_operation(&words[1..]),
        other => panic!("{other}"),
    }
}

fn volume_operation(words: &[&str]) -> Operation {
    let last = || (*words.last().unwrap()).to_owned();
    match words[0] {
        "create" => {
            let mut spec = VolumeSpec::default();
            for word in &words[1..] {
                match word.split_once('=') {
                    Some(("driver", driver)) => spec.driver = Some(driver.to_owned()),
                    Some((key, value)) if key.starts_with("label.") => {
                        spec.labels.insert(key[6..].to_owned(), value.to_owned());
                    }
                    Some((key, value)) => {
                        spec.driver_opts.insert(key.to_owned(), value.to_owned());
                    }
                    None => spec.name = Some((*word).to_owned()),
                }
            }
            Operation::VolumeCreate(spec)
        }
        "rm" => Operation::VolumeRemove {
            volume: volume(&last()),
            force: words.contains(&"-f"),
        },
        "inspect" => Operation::VolumeInspect(volume(&last())),
        "ls" => Operation::VolumeList {
            filters: filters(&words[1..]),
        },
        "prune" => Operation::VolumePrune {
            all: words.contains(&"--all"),
            filters: filters(&words[1..]),
        },
        other => panic!("{other}"),
    }
}

/// `PLACE [as USER] ACTION PATH [ARGUMENT]`.
#[expect(clippy::too_many_lines, reason = "a table")]
fn file_operation(words: &[&str]) -> Operation {
    let (user, rest) = match words[1] {
        "as" => (Some(words[2].to_owned()), &words[3..]),
        _ => (None, &words[1..]),
    };
    let path = rest[1].to_owned();
    let argument = || rest.get(2).map_or(String::new(), |word| (*word).to_owned());
    let action = match rest[0] {
        "write" => FileAction::Write {
            path,
            node: text(&argument()),
        },
        "read" => FileAction::Read {
            target: path_target(&path),
            offset: None,
            length: None,
        },
        "list" => FileAction::List {
            target: path_target(&path),
        },
        "stat" => FileAction::Stat {
            target: path_target(&path),
            follow: false,
        },
        "mkdir" => FileAction::Mkdir {
            path,
            mode: None,
            parents: true,
        },
        "delete" => FileAction::Delete {
            path,
            recursive: true,
        },
        "symlink" => FileAction::Symlink {
            path,
            target: argument(),
        },
        "readlink" => FileAction::Readlink { path },
        "link" => FileAction::Link {
            from: path,
            to: argument(),
        },
        "chown" => {
            let (uid, gid) = (argument().parse().ok(), argument().parse().ok());
            FileAction::Chown {
                target: path_target(&path),
                uid,
                gid,
                follow: true,
            }
        }
        "chmod" => {
            let mode = u32::from_str_radix(&argument(), 8).unwrap();
            FileAction::Chmod {
                target: path_target(&path),
                mode,
            }
        }
        "truncate" => FileAction::Truncate {
            target: path_target(&path),
            size: argument().parse().unwrap(),
        },
        "mkfifo" => FileAction::Mknod {
            path,
            node: node(NodeKind::Fifo),
        },
        "mksock" => FileAction::Mknod {
            path,
            node: node(NodeKind::Socket),
        },
        other => panic!("{other}"),
    };
    file(words[0], user, action)
}
