//! Storages and places in words.

use crate::engine::{MountSeen, Place, Seen, Storage, VolumeRef};

use super::quote::{seen_path, word};

/// `store`, or `anonymous volume of first at /data`.
pub fn volume_name(volume: &VolumeRef) -> String {
    match volume {
        VolumeRef::Named(name) => word(name),
        VolumeRef::Anonymous { container, target } => {
            format!(
                "anonymous volume of {} at {}",
                word(container),
                word(target)
            )
        }
    }
}

/// `volume store`, or `anonymous volume of first at /data`.
pub fn volume_words(volume: &VolumeRef) -> String {
    match volume {
        VolumeRef::Named(name) => format!("volume {}", word(name)),
        VolumeRef::Anonymous { .. } => volume_name(volume),
    }
}

/// A place as the one who acts there names it: `first`, `host`, `volume store`.
pub fn place_words(place: &Place) -> String {
    match place {
        Place::Container(name) => word(name),
        Place::Host => "host".to_owned(),
        Place::Volume(volume) => volume_words(volume),
    }
}

/// A storage as seen from anywhere: `the writable layer of first`.
pub fn storage_words(storage: &Storage) -> String {
    match storage {
        Storage::Layer { image, number } => format!("image {}, layer {number}", word(image)),
        Storage::Writable { container } => format!("the writable layer of {}", word(container)),
        Storage::Volume(volume) => volume_words(volume),
        Storage::Host => "the host directory".to_owned(),
        Storage::Tmpfs { container, target } => {
            format!("the tmpfs of {} at {}", word(container), word(target))
        }
    }
}

/// Where an entry of a container's merged tree lies, as short as can be: what the reader can tell
/// from the path and the mounts is left out.
pub(super) fn provenance(seen: &Seen, mounts: &[MountSeen]) -> String {
    let mount = mounts
        .iter()
        .filter(|mount| are_of_one_kind(&mount.storage, &seen.storage))
        .filter(|mount| beneath(&seen.path, &mount.target).is_some())
        .max_by_key(|mount| mount.target.len());
    let below = mount.and_then(|mount| beneath(&seen.path, &mount.target));
    let source = seen
        .inner
        .strip_suffix(below.unwrap_or(&seen.path))
        .unwrap_or(&seen.inner);
    let mut words = match &seen.storage {
        Storage::Layer { image, number } => format!("image {}, layer {number}", word(image)),
        Storage::Writable { .. } => "writable layer".to_owned(),
        Storage::Volume(volume) => volume_words(volume),
        Storage::Host => format!(
            "host {}",
            seen_path(&format!(".{}", source.trim_end_matches('/')))
        ),
        Storage::Tmpfs { .. } => "tmpfs".to_owned(),
    };
    if seen.storage != Storage::Host && !matches!(source, "" | "/") {
        words.push_str(", path ");
        words.push_str(&seen_path(source));
    }
    if mount.is_some_and(|mount| mount.read_only && below == Some("")) {
        words.push_str(", read-only");
    }
    words
}

/// Whether an entry in one storage may come from a mount of the other: a mounted image has many layers.
fn are_of_one_kind(mounted: &Storage, seen: &Storage) -> bool {
    let is_layer = |storage| matches!(storage, &Storage::Layer { .. });
    mounted == seen || (is_layer(mounted) && is_layer(seen))
}

/// What is left of a path below a directory: `""` for the directory itself, else with its `/`.
pub(super) fn beneath<'a>(path: &'a str, directory: &str) -> Option<&'a str> {
    if directory == "/" {
        return Some(path);
    }
    let rest = path.strip_prefix(directory)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}
