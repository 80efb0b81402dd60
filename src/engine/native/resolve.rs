//! Which mounts a container gets: what it takes from others, what it asks for, and what its image declares.
//!
//! The order is that of moby `daemon/volumes.go`, `registerMountPoints`: `--volumes-from`, then `-v`, then
//! `--mount`; a later one takes the place of an inherited one with the same target (Docker row 99).

use std::collections::{BTreeMap, BTreeSet};

use super::daemon::Daemon;
use super::refusals::{Fault, Result, fault, no_such_image, no_such_volume};
use super::translate::host_path;
use crate::engine::{Kind, Place, VolumeRef};
use crate::store::spec::{self, Source, Spec, path};
use crate::store::{
    BindSource, Container, Mount, MountSource, Number, Owner, TmpfsSource, Volume, VolumeSource,
    driver, names,
};

/// What a container asks for, checked in itself.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// `-v SOURCE:TARGET`, up to the first one that is wrong.
    pub(super) short: Vec<Spec>,
    /// What is wrong with that.
    pub(super) short_fault: Option<Fault>,
    /// `--mount`
    pub(super) long: Vec<Spec>,
    /// `-v TARGET`
    pub(super) anonymous: BTreeSet<String>,
    /// `--volumes-from`
    pub(super) from: Vec<String>,
    /// `--tmpfs`
    pub(super) tmpfs: BTreeMap<String, String>,
}

/// The mount table in the making.
#[derive(Debug, Default)]
struct Table {
    mounts: Vec<Mount>,
    asked: BTreeSet<String>,
}

impl Table {
    /// Enters a mount in place of an inherited one.
    fn put(&mut self, mount: Mount) {
        self.mounts.retain(|other| other.target != mount.target);
        self.mounts.push(mount);
    }
}

impl Daemon {
    /// Resolves everything but VOLUMEs, making the volumes that are missing. A refusal leaves those behind
    /// that were made before it (Docker row 72).
    pub(super) fn register_mounts(
        &mut self,
        wanted: &Wanted,
        container: (Number, &str),
    ) -> Result<Vec<Mount>> {
        let mut table = Table::default();
        for text in &wanted.from {
            for mount in self.inherited(text)? {
                table.put(mount);
            }
        }
        for spec in &wanted.short {
            let target = path::clean(&spec.target);
            if wanted.tmpfs.contains_key(&target) || !table.asked.insert(target.clone()) {
                return Err(spec::duplicate(&target).into());
            }
            let mount = self.resolve(spec, container)?;
            table.put(mount);
        }
        if let Some(fault) = &wanted.short_fault {
            return Err(fault.clone());
        }
        for spec in &wanted.long {
            if !table.asked.insert(path::clean(&spec.target)) {
                return Err(spec::duplicate(&spec.target).into());
            }
            let mount = self.resolve(spec, container)?;
            table.put(mount);
        }
        Ok(table.mounts)
    }

    /// The mounts of another container: Docker rows 91 to 104. Its `--tmpfs` are not among them.
    fn inherited(&self, text: &str) -> Result<Vec<Mount>> {
        let from = spec::parse_volumes_from(text)?;
        let (_, source) = self.container(&from.container)?;
        let mut mounts = source.mounts.clone();
        for mount in &mut mounts {
            mount.read_only |= from.read_only;
            match &mut mount.source {
                // Row 104: the consumer's image has no say in what is in it.
                MountSource::Volume(volume) => volume.copy = false,
                // Row 102: the daemon takes it for a volume without a name.
                MountSource::Tmpfs(_) => {
                    return Err(fault(Kind::NoSuchVolume, "get: no such volume"));
                }
                MountSource::Bind(_) | MountSource::Image { .. } => {}
            }
        }
        Ok(mounts)
    }

    fn resolve(&mut self, spec: &Spec, container: (Number, &str)) -> Result<Mount> {
        let target = path::clean(&spec.target);
        let mut read_only = spec.read_only;
        let source = match &spec.source {
            Source::Volume {
                name,
                copy,
                subpath,
                labels,
            } => {
                let (copy, subpath) = (*copy, subpath.clone());
                let volume = match name {
                    Some(name) => self.named_volume(name, labels)?,
                    None => self.anonymous_volume(container, &target, labels)?,
                };
                let anonymous = name.is_none();
                MountSource::Volume(VolumeSource {
                    name: volume,
                    copy,
                    anonymous,
                    subpath,
                })
            }
            Source::Anonymous => {
                let name = self.anonymous_volume(container, &target, &BTreeMap::new())?;
                let (copy, anonymous, subpath) = (true, true, None);
                MountSource::Volume(VolumeSource {
                    name,
                    copy,
                    anonymous,
                    subpath,
                })
            }
            Source::Bind {
                path,
                create,
                propagation,
                ..
            } => MountSource::Bind(BindSource {
                path: host_path(path),
                create: *create,
                propagation: *propagation,
            }),
            Source::Tmpfs { size, mode } => MountSource::Tmpfs(TmpfsSource {
                size: *size,
                mode: *mode,
            }),
            Source::Image { image, subpath } => {
                read_only = true;
                let (_, found) = self
                    .store
                    .image(names::image(image))
                    .ok_or_else(|| no_such_image(image))?;
                MountSource::Image {
                    image: image.clone(),
                    image_id: found.id.clone(),
                    layers: found.layers.clone(),
                    subpath: subpath.clone(),
                }
            }
        };
        Ok(Mount {
            target,
            read_only,
            source,
        })
    }

    /// The volume with this name, made when it is missing (Docker row 52).
    fn named_volume(&mut self, name: &str, labels: &BTreeMap<String, String>) -> Result<String> {
        if self.store.volume(name).is_none() {
            names::check_volume(name)?;
            self.add_volume(Volume {
                name: name.to_owned(),
                anonymous: false,
                owner: None,
                with: None,
                driver: driver::LOCAL.to_owned(),
                labels: labels.clone(),
                options: BTreeMap::new(),
            })?;
        }
        Ok(name.to_owned())
    }

    /// A new volume that nobody named.
    pub(super) fn anonymous_volume(
        &mut self,
        (number, container): (Number, &str),
        target: &str,
        labels: &BTreeMap<String, String>,
    ) -> Result<String> {
        let name = names::random();
        let (container, target) = (container.to_owned(), target.to_owned());
        let owner = Owner {
            container: container.clone(),
            target: target.clone(),
        };
        // Who is known by the same words was made for an earlier container of this name.
        self.seats
            .remove(&Place::Volume(VolumeRef::Anonymous { container, target }));
        self.add_volume(Volume {
            name: name.clone(),
            anonymous: true,
            owner: Some(owner),
            with: Some(number),
            driver: driver::LOCAL.to_owned(),
            labels: labels.clone(),
            options: BTreeMap::new(),
        })?;
        Ok(name)
    }

    /// The number of a volume that a mount names.
    pub(super) fn mounted_volume(&self, name: &str) -> Result<Number> {
        let (number, _) = self
            .store
            .volume(name)
            .ok_or_else(|| no_such_volume(name))?;
        Ok(number)
    }
}

/// Whether something is mounted at a cleaned path already, tmpfs included (`HasMountDestination`).
pub(super) fn has_mount(container: &Container, target: &str) -> bool {
    container.mounts.iter().any(|mount| mount.target == target)
        || container.tmpfs.contains_key(target)
}
