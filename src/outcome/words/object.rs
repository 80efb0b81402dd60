//! Operations on containers, images, volumes and the world in words.

use crate::engine::{
    BindRequest, CommitSpec, ContainerSpec, CopyEnd, MountRequest, MountSource, Operation,
    VolumeFilter, VolumeRequest, VolumeSpec,
};

use super::super::place::{place_words, volume_name};
use super::super::quote::{add, word};
use super::file::requests_words;

/// An operation in one line: `run first from app with store:/data`, `in first as 1000: write
/// /data/rows`.
pub fn operation_words(operation: &Operation) -> String {
    use Operation as O;
    match operation {
        O::Files {
            place,
            user,
            requests,
        } => {
            let user = user
                .as_ref()
                .map(|user| format!(" as {}", word(user)))
                .unwrap_or_default();
            format!(
                "in {}{user}: {}",
                place_words(place),
                requests_words(requests)
            )
        }
        O::Plant(place, _) => format!("plant {}", place_words(place)),
        O::Create(spec) => container_words("create", spec),
        O::Run(spec) => container_words("run", spec),
        O::Start(name) => format!("start {}", word(name)),
        O::Stop(name) => format!("stop {}", word(name)),
        O::Kill(name) => format!("kill {}", word(name)),
        O::Restart(name) => format!("restart {}", word(name)),
        O::Pause(name) => format!("pause {}", word(name)),
        O::Unpause(name) => format!("unpause {}", word(name)),
        O::Remove {
            container,
            force,
            volumes,
        } => {
            format!(
                "rm{}{} {}",
                flag(*force, "-f"),
                flag(*volumes, "-v"),
                word(container)
            )
        }
        O::ContainerPrune => "container prune".to_owned(),
        O::Inspect(name) => format!("inspect {}", word(name)),
        O::Commit(spec) => commit_words(spec),
        O::Diff(name) => format!("diff {}", word(name)),
        O::Copy {
            from,
            to,
            archive,
            follow,
        } => {
            let flags = format!("{}{}", flag(*archive, "-a"), flag(*follow, "-L"));
            format!("cp{flags} {} {}", copy_end(from), copy_end(to))
        }
        O::Export { container, to } => format!("export {} to {}", word(container), host_path(to)),
        O::Crash => "crash".to_owned(),
        O::RestartEngine => "restart engine".to_owned(),
        O::FillDisk => "fill disk".to_owned(),
        O::FreeDisk => "free disk".to_owned(),
        O::LoadImage(_) | O::Import { .. } | O::ImageRemove { .. } | O::ImageTag { .. } => {
            image_words(operation)
        }
        _ => volume_operation(operation),
    }
}

fn image_words(operation: &Operation) -> String {
    use Operation as O;
    match operation {
        O::LoadImage(spec) => format!("load image {}", word(&spec.name)),
        O::Import { from, image } => format!("import {} as {}", host_path(from), word(image)),
        O::ImageRemove { image, force } => {
            format!("image rm{} {}", flag(*force, "-f"), word(image))
        }
        O::ImageTag { image, tag } => format!("image tag {} {}", word(image), word(tag)),
        _ => String::new(),
    }
}

fn volume_operation(operation: &Operation) -> String {
    use Operation as O;
    match operation {
        O::VolumeCreate(spec) => volume_create(spec),
        O::VolumeRemove { volume, force } => {
            format!("volume rm{} {}", flag(*force, "-f"), volume_name(volume))
        }
        O::VolumePrune { all, filters } => {
            format!(
                "volume prune{}{}",
                flag(*all, "--all"),
                filter_words(filters)
            )
        }
        O::VolumeList { filters } => format!("volume ls{}", filter_words(filters)),
        O::VolumeInspect(volume) => format!("volume inspect {}", volume_name(volume)),
        _ => String::new(),
    }
}

fn container_words(verb: &str, spec: &ContainerSpec) -> String {
    let mut words = format!("{verb} {} from {}", word(&spec.name), word(&spec.image));
    let mut with: Vec<String> = spec.mounts.iter().map(mount_words).collect();
    with.extend(
        spec.tmpfs
            .iter()
            .map(|tmpfs| format!("tmpfs {}", word(tmpfs))),
    );
    with.extend(
        spec.volumes_from
            .iter()
            .map(|from| format!("volumes from {}", word(from))),
    );
    if !with.is_empty() {
        add(&mut words, format_args!(" with {}", with.join(", ")));
    }
    if let Some(user) = &spec.user {
        add(&mut words, format_args!(", user {}", word(user)));
    }
    if let Some(directory) = &spec.working_dir {
        add(&mut words, format_args!(", workdir {}", word(directory)));
    }
    if spec.read_only {
        words.push_str(", read-only");
    }
    if spec.remove_on_exit {
        words.push_str(", rm");
    }
    words
}

fn mount_words(mount: &MountRequest) -> String {
    let (target, read_only, source) = match mount {
        MountRequest::Short(text) => return word(text),
        MountRequest::Long {
            target,
            read_only,
            source,
        } => (word(target), *read_only, source),
    };
    let read_only = if read_only { " read-only" } else { "" };
    match source {
        MountSource::Volume(volume) => format!("{} at {target}{read_only}", volume_source(volume)),
        MountSource::Bind(bind) => format!("{} at {target}{read_only}", bind_source(bind)),
        MountSource::Tmpfs(tmpfs) => {
            let size = tmpfs
                .size
                .map(|size| format!(" of {size} bytes"))
                .unwrap_or_default();
            let mode = tmpfs
                .mode
                .map(|mode| format!(" {mode:04o}"))
                .unwrap_or_default();
            format!("tmpfs{size}{mode} at {target}{read_only}")
        }
        MountSource::Image { source, subpath } => {
            format!(
                "image {}{} at {target}{read_only}",
                word(source),
                below(subpath.as_deref())
            )
        }
    }
}

fn volume_source(volume: &VolumeRequest) -> String {
    let name = match &volume.name {
        Some(name) => format!("volume {}", word(name)),
        None => "anonymous volume".to_owned(),
    };
    let nocopy = if volume.nocopy { " nocopy" } else { "" };
    format!("{name}{}{nocopy}", below(volume.subpath.as_deref()))
}

fn bind_source(bind: &BindRequest) -> String {
    let mut words = format!("bind {}", host_path(&bind.source));
    if let Some(propagation) = bind.propagation {
        words.push_str(&format!(" {propagation:?}").to_lowercase());
    }
    if let Some(recursive) = &bind.recursive {
        add(&mut words, format_args!(" recursive {}", word(recursive)));
    }
    words
}

fn commit_words(spec: &CommitSpec) -> String {
    format!("commit {} as {}", word(&spec.container), word(&spec.image))
}

fn volume_create(spec: &VolumeSpec) -> String {
    let mut words = "volume create".to_owned();
    match &spec.name {
        Some(name) => add(&mut words, format_args!(" {}", word(name))),
        None => words.push_str(", anonymous"),
    }
    if let Some(driver) = &spec.driver {
        add(&mut words, format_args!(" driver {}", word(driver)));
    }
    for (key, value) in &spec.driver_opts {
        add(
            &mut words,
            format_args!(" opt {}", word(&format!("{key}={value}"))),
        );
    }
    for (key, value) in &spec.labels {
        add(
            &mut words,
            format_args!(" label {}", word(&format!("{key}={value}"))),
        );
    }
    words
}

fn copy_end(end: &CopyEnd) -> String {
    match end {
        CopyEnd::Container { container, path } => word(&format!("{container}:{path}")),
        CopyEnd::Host(path) => host_path(path),
    }
}

/// A path of the host directory, as Compose writes it.
fn host_path(path: &str) -> String {
    word(&format!(
        "./{}",
        path.trim_start_matches("./").trim_start_matches('/')
    ))
}

fn below(subpath: Option<&str>) -> String {
    subpath
        .map(|path| format!(" path {}", word(path)))
        .unwrap_or_default()
}

fn filter_words(filters: &[VolumeFilter]) -> String {
    let mut words = String::new();
    for filter in filters {
        let pair = word(&format!("{}={}", filter.key, filter.value));
        add(&mut words, format_args!(" --filter {pair}"));
    }
    words
}

fn flag(is: bool, words: &'static str) -> String {
    if is {
        format!(" {words}")
    } else {
        String::new()
    }
}
