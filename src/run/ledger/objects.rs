//! What one operation on a container, an image, a volume or the world does to the lines.

use std::collections::BTreeSet;

use crate::engine::{Operation, Storage, Value, VolumeRef};
use crate::outcome::{operation_words, volume_words, word};

use super::expected::Expected;
use super::story::Reader;

/// Reads one operation that was done.
pub(super) fn perform<'a>(reader: &mut Reader<'a>, operation: &'a Operation, value: &Value) {
    use Operation as O;
    let step = reader.step();
    match operation {
        O::Create(spec) | O::Run(spec) => {
            reader.containers.insert(&spec.name, spec.remove_on_exit);
            let mut owners = BTreeSet::from([spec.name.as_str()]);
            for from in &spec.volumes_from {
                let lender = from.split(':').next().unwrap_or_default();
                owners.extend(reader.mounted.get(lender).into_iter().flatten());
            }
            reader.mounted.insert(&spec.name, owners);
            if matches!(operation, O::Run(_)) {
                reader.running.insert(&spec.name);
            }
        }
        O::Start(name) => {
            reader.running.insert(name);
        }
        O::Restart(name) => {
            empty_tmpfs(reader, name, "restarted");
            reader.running.insert(name);
        }
        O::Stop(name) => stopped(reader, name, "stopped", true),
        O::Kill(name) => stopped(reader, name, "killed", true),
        O::Remove {
            container, volumes, ..
        } => {
            removed(
                reader,
                container,
                *volumes,
                &format!("removed at step {step}"),
            );
        }
        O::ContainerPrune => {
            let stopped = |name: &&str| !reader.running.contains(name);
            let names: Vec<&str> = reader.containers.keys().copied().filter(stopped).collect();
            for name in names {
                removed(reader, name, false, &format!("pruned at step {step}"));
            }
        }
        O::VolumeRemove { volume, .. } => volume_gone(reader, volume, "removed"),
        O::VolumePrune { .. } => {
            if let Value::Volumes(pruned) = value {
                for seen in pruned {
                    volume_gone(reader, &seen.volume, "pruned");
                }
            }
        }
        O::Commit(spec) => committed(reader, &spec.container, &spec.image),
        O::Copy { .. } | O::Export { .. } => copied(reader, operation, value),
        O::Crash => engine_down(reader, "crash"),
        O::RestartEngine => engine_down(reader, "restart of the engine"),
        _ => {}
    }
}

/// A container's processes end. One that is removed then takes its anonymous volumes along if `volumes`.
fn stopped(reader: &mut Reader<'_>, name: &str, how: &str, volumes: bool) {
    if !reader.running.contains(name) {
        return;
    }
    empty_tmpfs(reader, name, how);
    reader.running.remove(name);
    if reader.containers.get(name) == Some(&true) {
        let taken = format!("removed as it was {how} at step {}", reader.step());
        removed(reader, name, volumes, &taken);
    }
}

fn empty_tmpfs(reader: &mut Reader<'_>, name: &str, how: &str) {
    let taken = format!(
        "with the tmpfs of {}, {how} at step {}",
        word(name),
        reader.step()
    );
    reader.close(
        |storage| matches!(storage, Storage::Tmpfs { container, .. } if container == name),
        &taken,
    );
}

/// A container goes, with its writable layer and tmpfs, and its anonymous volumes if asked.
fn removed(reader: &mut Reader<'_>, name: &str, volumes: bool, how: &str) {
    let with = |what: &str| format!("with {what} of {}, {how}", word(name));
    reader.close(
        |storage| matches!(storage, Storage::Writable { container } if container == name),
        &with("the writable layer"),
    );
    reader.close(
        |storage| matches!(storage, Storage::Tmpfs { container, .. } if container == name),
        &with("the tmpfs"),
    );
    // A volume that somebody else has borrowed stays until that one goes.
    let owners = reader.mounted.remove(name).unwrap_or_default();
    for owner in owners.into_iter().filter(|_| volumes) {
        if reader.mounted.values().any(|others| others.contains(owner)) {
            continue;
        }
        let is_it = |storage: &Storage| match storage {
            Storage::Volume(VolumeRef::Anonymous { container, .. }) => container == owner,
            _ => false,
        };
        let taken = format!("with the anonymous volume of {}, {how}", word(owner));
        reader.close(is_it, &taken);
    }
    reader.running.remove(name);
    reader.containers.remove(name);
}

fn volume_gone(reader: &mut Reader<'_>, volume: &VolumeRef, how: &str) {
    let taken = format!(
        "with {}, {how} at step {}",
        volume_words(volume),
        reader.step()
    );
    reader.close(
        |storage| matches!(storage, Storage::Volume(other) if other == volume),
        &taken,
    );
}

fn committed(reader: &mut Reader<'_>, container: &str, image: &str) {
    let step = reader.step().to_owned();
    for line in reader.open.values_mut().filter(|line| line.taken.is_none()) {
        if matches!(&line.place.0, Storage::Writable { container: owner } if owner == container) {
            line.committed.push((step.clone(), image.to_owned()));
        }
    }
}

/// A copy that says where it went is a write; one that does not may have overwritten anything.
fn copied(reader: &mut Reader<'_>, operation: &Operation, value: &Value) {
    let places: Vec<_> = match value {
        Value::Files(answers) => answers.iter().flat_map(|answer| &answer.changed).collect(),
        _ => Vec::new(),
    };
    if places.is_empty() {
        let words = format!("unexplained, unless by step {}", reader.step());
        reader.suspect(&words);
    }
    for place in places {
        reader.write(place, operation_words(operation), |file| {
            *file = Expected::default();
        });
    }
}

/// Every container stops.
fn engine_down(reader: &mut Reader<'_>, what: &str) {
    let names: Vec<&str> = reader.running.iter().copied().collect();
    for name in names {
        stopped(reader, name, &format!("stopped by the {what}"), false);
    }
    let words = format!("by the {what} at step {}", reader.step());
    reader.suspect(&words);
}
