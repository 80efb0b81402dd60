//! `docker create`: moby `daemon/create.go`, `create_unix.go`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::daemon::Daemon;
use super::refusals::{Fault, Result, fault, refuse, text};
use super::resolve::{Wanted, has_mount};
use super::seats::Seat;
use super::translate::{host_path, spec};
use crate::engine::{ContainerSpec, Kind, MountRequest, Place};
use crate::rootfs::{Rootfs, TargetKind};
use crate::store::spec::{Source, parse_tmpfs, path};
use crate::store::{
    Config, Container, Mount, MountSource, Number, State, VolumeSource, driver, names,
};
use crate::union::{CopyOptions, Errno, FileKind, Union, copy_tree};

impl Daemon {
    /// Makes a container: its upper, its volumes and what is copied into them.
    pub(super) fn create(&mut self, asked: &ContainerSpec) -> Result<Number> {
        let (number, container) = self.make_container(asked)?;
        self.store.add_container(number, container)?;
        Ok(number)
    }

    /// The same without a record yet.
    pub(super) fn make_container(&mut self, asked: &ContainerSpec) -> Result<(Number, Container)> {
        let wanted = self.check(asked)?;
        let container = self.draft(asked)?;
        let volumes: BTreeSet<Number> = self.store.volumes().map(|(number, _)| number).collect();
        let (number, upper) = self.store.make_upper()?;
        let lowers = self.lowers(&container.layers)?;
        let root = self.ground.fresh_stack(upper, self.store.work(), lowers)?;
        self.keep_root(number, &root);
        match self.furnish(container, &wanted, root) {
            Ok(container) => {
                let place = Place::Container(container.name.clone());
                self.seats.put(place, Seat::Closed(container.id.clone()));
                Ok((number, container))
            }
            Err(fault) => {
                self.forget_container(number);
                self.store.remove_container(number)?;
                self.remove_orphans(&volumes)?;
                Err(fault)
            }
        }
    }

    /// Takes back the anonymous volumes of a container that could not be made; named ones stay (Docker
    /// row 72).
    fn remove_orphans(&mut self, before: &BTreeSet<Number>) -> Result<()> {
        let made = self.store.volumes();
        let made = made.filter(|(number, volume)| volume.anonymous && !before.contains(number));
        let orphans: Vec<Number> = made.map(|(number, _)| number).collect();
        for number in orphans {
            self.forget_volume(number)?;
            self.store.remove_volume(number)?;
        }
        Ok(())
    }

    /// Everything that is wrong with the request in itself (`verifyContainerSettings`).
    fn check(&self, asked: &ContainerSpec) -> Result<Wanted> {
        let mut wanted = Wanted {
            from: asked.volumes_from.clone(),
            ..Wanted::default()
        };
        for request in &asked.mounts {
            let (spec, is_long) = match spec(request) {
                // The daemon reads `-v` late (`registerMountPoints`), `--mount` at once.
                Err(fault) if matches!(request, MountRequest::Short(_)) => {
                    wanted.short_fault.get_or_insert(fault.into());
                    continue;
                }
                read => read?,
            };
            match &spec.source {
                Source::Anonymous => {
                    wanted.anonymous.insert(spec.target);
                    continue;
                }
                Source::Bind {
                    path,
                    create: false,
                    ..
                } => self.check_bind_source(path)?,
                _ => {}
            }
            // A bind that makes its source is one that `-v` asked for.
            let as_short = !is_long || matches!(spec.source, Source::Bind { create: true, .. });
            let list = if as_short {
                &mut wanted.short
            } else {
                &mut wanted.long
            };
            list.push(spec);
        }
        for text in &asked.tmpfs {
            let (target, options) = parse_tmpfs(text)?;
            wanted.tmpfs.insert(target, options);
        }
        if let Some(directory) = asked.working_dir.as_deref()
            && !directory.is_empty()
            && !directory.starts_with('/')
        {
            let message = format!(
                "the working directory '{directory}' is invalid, it needs to be an absolute path"
            );
            return refuse(Kind::Other, message);
        }
        Ok(wanted)
    }

    /// Docker row 121.
    pub(super) fn check_bind_source(&self, source: &str) -> Result<()> {
        let host = self.host_rootfs()?;
        match host.find(Path::new(&host_path(source))) {
            Ok(_) => Ok(()),
            Err(_) => refuse(
                Kind::MountSourceMissing,
                format!(
                    "invalid mount config for type \"bind\": bind source path does not exist: {source}"
                ),
            ),
        }
    }

    /// The host directory as a disk.
    pub(super) fn host_rootfs(&self) -> Result<Arc<Rootfs>> {
        let host = self.ground.host()?;
        Ok(Arc::new(Rootfs::with_locks(
            host,
            false,
            Arc::clone(&self.ground.locks),
        )))
    }

    /// The record before its mounts.
    fn draft(&self, asked: &ContainerSpec) -> Result<Container> {
        let (_, image) = self.image(&asked.image)?;
        names::check_container(&asked.name)?;
        if let Some((_, other)) = self.store.container(&asked.name) {
            let (name, id) = (&asked.name, &other.id);
            return refuse(
                Kind::NameInUse,
                format!(
                    "Conflict. The container name \"/{name}\" is already in use by container \"{id}\". You have \
                     to remove (or rename) that container to be able to reuse that name."
                ),
            );
        }
        if self.ground.disk.is_full() {
            return Err(Errno::NOSPC.into());
        }
        let set = |own: &Option<String>, image: &Option<String>| {
            own.clone()
                .filter(|own| !own.is_empty())
                .or_else(|| image.clone())
        };
        Ok(Container {
            id: names::random(),
            name: asked.name.clone(),
            image: asked.image.clone(),
            image_id: image.id.clone(),
            layers: image.layers.clone(),
            config: Config {
                volumes: image.config.volumes.clone(),
                user: set(&asked.user, &image.config.user),
                working_dir: set(&asked.working_dir, &image.config.working_dir),
            },
            state: State::Created,
            exit_code: None,
            read_only: asked.read_only,
            remove_on_exit: asked.remove_on_exit,
            mounts: Vec::new(),
            tmpfs: BTreeMap::new(),
        })
    }

    /// Mounts, WORKDIR, VOLUMEs, and the copying into volumes.
    fn furnish(
        &mut self,
        mut container: Container,
        wanted: &Wanted,
        root: Arc<Union>,
    ) -> Result<Container> {
        container.mounts = self.register_mounts(wanted, &container.name)?;
        container.tmpfs.clone_from(&wanted.tmpfs);
        let locks = Arc::clone(&self.ground.locks);
        let bare = Arc::new(Rootfs::with_locks(root, false, locks));
        make_working_directory(&bare, &container)?;
        container
            .config
            .volumes
            .extend(wanted.anonymous.iter().cloned());
        container.config.volumes.sort();
        container.config.volumes.dedup();
        for declared in container.config.volumes.clone() {
            let target = path::clean(&declared);
            if has_mount(&container, &target) {
                continue;
            }
            if let Ok((_, node)) = bare.find(Path::new(&target))
                && node.kind() != FileKind::Directory
            {
                let message =
                    format!("cannot mount volume over existing file, file exists {target}");
                return refuse(Kind::MountTypeMismatch, message);
            }
            let name = self.anonymous_volume(&container.name, &target, &BTreeMap::new())?;
            let source = VolumeSource {
                name,
                copy: true,
                anonymous: true,
                subpath: None,
            };
            let source = MountSource::Volume(source);
            container.mounts.push(Mount {
                target,
                read_only: false,
                source,
            });
        }
        for mount in &container.mounts {
            if let MountSource::Volume(source) = &mount.source
                && source.copy
            {
                self.populate(&bare, &mount.target, source)?;
            }
        }
        Ok(container)
    }

    /// Fills an empty volume with what the image has at the target: Docker rows 105 to 114. At every
    /// creation, not once in a volume's life (row 109).
    fn populate(&mut self, bare: &Rootfs, target: &str, source: &VolumeSource) -> Result<()> {
        let Ok((image, from)) = bare.find(Path::new(target)) else {
            return Ok(());
        };
        let number = self.mounted_volume(&source.name)?;
        // What is copied into memory is gone before the container starts.
        if self
            .store
            .volume_options(number)
            .is_some_and(driver::is_tmpfs)
        {
            return Ok(());
        }
        let (volume, to) = match self.volume_node(number, source.subpath.as_deref()) {
            Ok(found) => found,
            // A path that is not there yet is told about at start.
            Err(Fault::Refused(_)) if source.subpath.is_some() => return Ok(()),
            Err(fault) => return Err(fault),
        };
        if to.kind() != FileKind::Directory || !volume.read_directory(&to)?.is_empty() {
            return Ok(());
        }
        if from.kind() != FileKind::Directory {
            let message = format!("source {target} is not directory");
            return refuse(Kind::MountTypeMismatch, message);
        }
        let options = CopyOptions {
            root_attributes: true,
        };
        copy_tree((&image, &from), (&volume, &to), options)?;
        Ok(())
    }
}

/// Makes WORKDIR in the container's own tree (`SetupWorkingDirectory`); done at create, and again at start.
pub(super) fn make_working_directory(bare: &Arc<Rootfs>, container: &Container) -> Result<()> {
    let Some(directory) = container.config.working_dir.as_deref() else {
        return Ok(());
    };
    let not_directory = || {
        fault(
            Kind::Other,
            format!("Cannot mkdir: {directory} is not a directory"),
        )
    };
    match bare.make_target(Path::new(directory), TargetKind::Directory) {
        Ok(()) => {}
        Err(Errno::NOTDIR | Errno::EXIST) => return Err(not_directory()),
        Err(Errno::NOSPC) => return Err(Errno::NOSPC.into()),
        Err(errno) => return refuse(Kind::Other, format!("mkdir {directory}: {}", text(errno))),
    }
    match bare.find(Path::new(directory)) {
        Ok((_, node)) if node.kind() != FileKind::Directory => Err(not_directory()),
        _ => Ok(()),
    }
}
