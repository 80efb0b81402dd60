//! Looking at everything that is there.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::assemble::Purpose;
use super::daemon::{Daemon, stack_of};
use super::observe;
use super::refusals::Result;
use super::translate::{container_seen, volume_seen};
use super::view::{Layering, Mounted, View};
use super::volumes::sorted;
use crate::engine::{ContainerSeen, Seen, SeenKind, Storage, VolumeSeen, World};
use crate::rootfs::Rootfs;
use crate::store::{Container, Number};
use crate::union::{Directory, copy_attributes};

impl Daemon {
    /// Everything that is there. Nothing that anybody could see is changed: what a container that does not
    /// run would find at its mount points is shown on a layer that is thrown away again.
    pub(super) fn look(&mut self) -> Result<World> {
        let containers: Vec<(Number, Container)> = self
            .store
            .containers()
            .map(|(number, container)| (number, container.clone()))
            .collect();
        let mut world = World::default();
        for (number, container) in containers {
            let seen = self.container_seen(&container);
            let mut tree = self.container_tree(number, &container)?;
            leave_out_trusted(&mut tree);
            world.containers.push((seen, tree));
        }
        world
            .containers
            .sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
        world.volumes = self.volumes_seen()?;
        world.host = self.host_seen()?;
        world.images = self
            .store
            .images()
            .flat_map(|image| image.tags.iter().cloned())
            .collect();
        world.images.sort();
        Ok(world)
    }

    /// A container without its tree.
    pub(super) fn container_seen(&self, container: &Container) -> ContainerSeen {
        container_seen(container, |name| {
            self.store.volume(name).map(|(_, volume)| volume)
        })
    }

    fn volumes_seen(&mut self) -> Result<Vec<(VolumeSeen, Vec<Seen>)>> {
        let numbers: Vec<(Number, VolumeSeen)> = self
            .store
            .volumes()
            .map(|(number, volume)| (number, volume_seen(volume, &self.users_of(&volume.name))))
            .collect();
        let mut volumes = Vec::new();
        for (number, seen) in numbers {
            // A volume whose host directory is missing has no content.
            let tree = match self.volume_view(number) {
                Ok(view) => observe::tree(&view)?,
                Err(_) => Vec::new(),
            };
            volumes.push((seen, tree));
        }
        let order = sorted(volumes.iter().map(|(seen, _)| seen.clone()).collect());
        volumes.sort_by_key(|(seen, _)| order.iter().position(|other| other == seen));
        Ok(volumes)
    }

    fn host_seen(&self) -> Result<Vec<Seen>> {
        if self.ground.has_host() {
            let rootfs = self.host_rootfs()?;
            return Ok(observe::tree(&View::single(rootfs, Storage::Host))?);
        }
        // Nobody was ever there: an empty directory, which is not made for being looked at.
        Ok(vec![Seen {
            path: "/".to_owned(),
            kind: SeenKind::Directory,
            mode: 0o755,
            uid: 0,
            gid: 0,
            xattrs: BTreeMap::new(),
            same_file_as: None,
            storage: Storage::Host,
            inner: "/".to_owned(),
        }])
    }

    fn container_tree(&mut self, number: Number, container: &Container) -> Result<Vec<Seen>> {
        if let Some(running) = self.running.get(&number) {
            return match running.actor.look() {
                Some(tree) => tree,
                None => Ok(observe::tree(&running.view)?),
            };
        }
        let merged = self.layering(Some(number), &container.layers)?;
        if container.mounts.is_empty() && container.tmpfs.is_empty() {
            let root = self.root(number)?;
            let rootfs = Rootfs::with_locks(root, false, Arc::clone(&self.ground.locks));
            let own = stack_of(Some(&container.name), &container.layers, merged);
            let mounts = BTreeMap::from([(Rootfs::ROOT_ID, own)]);
            return Ok(observe::tree(&View {
                rootfs: Arc::new(rootfs),
                mounts,
            })?);
        }
        let (passing, directory) = self.store.make_passing()?;
        self.release_root(number);
        let upper = self.store.upper(number)?;
        let real = self
            .ground
            .union_stack(None, None, vec![Directory::clone(&upper)])?;
        let mut lowers = vec![upper];
        lowers.extend(self.lowers(&container.layers)?);
        let merged = merged.map(|_| Layering {
            ground: Arc::clone(&self.ground),
            upper: Some(Directory::clone(&directory)),
            work: self.store.work(),
            lowers: lowers.clone(),
        });
        let root = self
            .ground
            .passing_stack(directory, self.store.work(), lowers)?;
        // The throw-away layer has the top of the one below.
        copy_attributes((&real, &real.root()), (&root, &root.root()))?;
        let mut own = stack_of(
            Some(&container.name),
            &container.layers,
            merged.map(Arc::new),
        );
        if let Mounted::Stack {
            upper: Some(upper),
            lowers,
            ..
        } = &mut own
        {
            lowers.insert(0, upper.clone());
        }
        let assembled = self.assemble_on(root, own, container, Purpose::Look);
        let tree = match assembled {
            Ok((view, tmpfs)) => {
                let tree = observe::tree(&view);
                for passing in tmpfs {
                    self.store.remove_passing(passing);
                }
                tree
            }
            Err(fault) => {
                self.store.remove_passing(passing);
                return Err(fault);
            }
        };
        self.store.remove_passing(passing);
        Ok(tree?)
    }
}

/// A container shows what its own processes see: for `trusted.` attributes they lack `CAP_SYS_ADMIN` (xattr(7)), which Docker
/// leaves to none.
fn leave_out_trusted(tree: &mut [Seen]) {
    for seen in tree {
        seen.xattrs.retain(|name, _| !name.starts_with("trusted."));
    }
}
