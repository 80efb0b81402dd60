//! `docker create`: moby `daemon/create.go`, `create_unix.go`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::daemon::Daemon;
use super::refusals::{Result, fault, is_failure, refuse, text, too_many_links};
use super::resolve::{Wanted, has_mount};
use super::seats::Seat;
use super::translate::{host_path, spec};
use crate::engine::{ContainerSpec, Kind, MountRequest, Place};
use crate::rootfs::{Rootfs, TargetKind};
use crate::store::spec::{Source, parse_tmpfs, path};
use crate::store::{Config, Container, Mount, MountSource, Number, State, VolumeSource, names};
use crate::union::{Directory, Errno, FileKind, NodeRef, Union};

impl Daemon {
    /// Makes a container: its upper, its volumes and what is copied into them.
    pub(super) fn create(&mut self, asked: &ContainerSpec) -> Result<Number> {
        let (number, container) = self.make_container(asked)?;
        self.publish_container(number, container)?;
        Ok(number)
    }

    /// Gives a container that was made its first record.
    pub(super) fn publish_container(&mut self, number: Number, container: Container) -> Result<()> {
        let name = container.name.clone();
        let published = self.store.add_container(number, container);
        if published.is_err() {
            self.unmake(number, &name);
        }
        Ok(published?)
    }

    /// The same without a record yet.
    pub(super) fn make_container(&mut self, asked: &ContainerSpec) -> Result<(Number, Container)> {
        let wanted = self.check(asked)?;
        let container = self.draft(asked)?;
        let (number, upper) = self.store.make_upper()?;
        let name = container.name.clone();
        let made = self.furnish_on(number, upper, container, &wanted);
        match &made {
            Ok(container) => {
                let place = Place::Container(name);
                self.seats.put(place, Seat::Closed(container.id.clone()));
            }
            Err(_) => self.unmake(number, &name),
        }
        Ok((number, made?))
    }

    /// Takes back a container that has no record: with the anonymous volumes that were made for it; named ones
    /// stay (Docker row 72).
    pub(super) fn unmake(&mut self, number: Number, name: &str) {
        self.seats.remove(&Place::Container(name.to_owned()));
        self.tear_down(number);
        self.forget_container(number);
        // Without a record there is nothing that could fail to be unlinked.
        let _unrecorded = self.store.remove_container(number);
        self.drop_tied_volumes(number);
    }

    fn furnish_on(
        &mut self,
        number: Number,
        upper: Directory,
        container: Container,
        wanted: &Wanted,
    ) -> Result<Container> {
        let lowers = self.lowers(&container.layers)?;
        let work = self.work_of(number)?;
        let root = self.ground.fresh_stack(upper, work, lowers)?;
        self.keep_root(number, &root);
        self.furnish(number, container, wanted, root)
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
            // Nothing is made of what comes after one that is wrong.
            if !as_short || wanted.short_fault.is_none() {
                list.push(spec);
            }
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
        number: Number,
        mut container: Container,
        wanted: &Wanted,
        root: Arc<Union>,
    ) -> Result<Container> {
        container.mounts = self.register_mounts(wanted, (number, &container.name))?;
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
            if let Some((_, node)) = find_if_there(&bare, &target)?
                && node.kind() != FileKind::Directory
            {
                let message =
                    format!("cannot mount volume over existing file, file exists {target}");
                return refuse(Kind::MountTypeMismatch, message);
            }
            let made_for = (number, container.name.as_str());
            let name = self.anonymous_volume(made_for, &target, &BTreeMap::new())?;
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
                self.populate(number, &bare, &mount.target, source)?;
            }
        }
        Ok(container)
    }
}

/// What a container's tree has at the path of a volume. The daemon walks there when it makes the container, and says so when
/// there is no way (`FollowSymlinkInScope`, moby `pkg/symlink`).
pub(super) fn find_if_there(bare: &Rootfs, path: &str) -> Result<Option<(Arc<Union>, NodeRef)>> {
    match bare.find(Path::new(path)) {
        Ok(found) => Ok(Some(found)),
        Err(Errno::LOOP) => Err(too_many_links(path)),
        Err(Errno::NOTDIR) => refuse(
            Kind::NotADirectory,
            format!("lstat {path}: not a directory"),
        ),
        Err(errno) if is_failure(errno) => Err(errno.into()),
        Err(_) => Ok(None),
    }
}

/// Makes WORKDIR in the container's own tree (`SetupWorkingDirectory`); done at create, and again at start.
pub(super) fn make_working_directory(bare: &Arc<Rootfs>, container: &Container) -> Result<()> {
    let Some(directory) = container.config.working_dir.as_deref() else {
        return Ok(());
    };
    let not_directory = || {
        fault(
            Kind::NotADirectory,
            format!("Cannot mkdir: {directory} is not a directory"),
        )
    };
    match bare.make_target(Path::new(directory), TargetKind::Directory) {
        Ok(()) => {}
        Err(Errno::NOTDIR | Errno::EXIST) => return Err(not_directory()),
        Err(errno) if is_failure(errno) => return Err(errno.into()),
        Err(errno) => return refuse(Kind::Other, format!("mkdir {directory}: {}", text(errno))),
    }
    match bare.find(Path::new(directory)) {
        Ok((_, node)) if node.kind() != FileKind::Directory => Err(not_directory()),
        _ => Ok(()),
    }
}
