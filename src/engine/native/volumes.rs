//! Volumes: moby `daemon/volume/service`.

use std::sync::Arc;

use super::daemon::Daemon;
use super::refusals::{Result, refuse};
use super::translate::{volume_ref, volume_seen};
use super::view::View;
use crate::engine::{Kind, Place, VolumeFilter, VolumeRef, VolumeSeen, VolumeSpec};
use crate::rootfs::Rootfs;
use crate::store::filter::{Command, Filters};
use crate::store::{Number, Volume, driver, names};
use crate::union::Errno;

impl Daemon {
    /// `docker volume create`: a second one of the same name is the first one (Docker row 49).
    pub(super) fn create_volume(&mut self, asked: &VolumeSpec) -> Result<String> {
        let given = asked.name.clone().filter(|name| !name.is_empty());
        let anonymous = given.is_none();
        let name = given.unwrap_or_else(names::random);
        let driver = asked.driver.clone().filter(|driver| !driver.is_empty());
        let driver = driver.unwrap_or_else(|| driver::LOCAL.to_owned());
        if self.store.volume(&name).is_some() && driver == driver::LOCAL {
            return Ok(name);
        }
        if driver == driver::LOCAL {
            names::check_volume(&name)?;
        }
        driver::check(&name, &driver, &asked.driver_opts)?;
        let (labels, options) = (asked.labels.clone(), asked.driver_opts.clone());
        self.add_volume(Volume {
            name: name.clone(),
            anonymous,
            owner: None,
            with: None,
            driver,
            labels,
            options,
        })?;
        Ok(name)
    }

    /// Makes a volume, unless the disk is full.
    pub(super) fn add_volume(&mut self, volume: Volume) -> Result<Number> {
        if self.ground.disk.is_full() {
            return Err(Errno::NOSPC.into());
        }
        let has_options = !volume.options.is_empty();
        let (number, directory) = self.store.add_volume(volume)?;
        if !has_options {
            self.open_new_volume(number, directory)?;
        }
        Ok(number)
    }

    /// `docker volume rm`: Docker rows 53 to 55. `force` concerns volumes that are missing only.
    pub(super) fn remove_volume(&mut self, wanted: &VolumeRef, force: bool) -> Result<()> {
        let (number, volume) = match self.volume(wanted) {
            Ok(found) => found,
            Err(_) if force => return Ok(()),
            Err(fault) => return Err(fault),
        };
        let users = self.users_of(&volume.name);
        if !users.is_empty() {
            let ids: Vec<&str> = users
                .iter()
                .map(|container| container.id.as_str())
                .collect();
            let (name, ids) = (&volume.name, ids.join(", "));
            return refuse(
                Kind::VolumeInUse,
                format!("remove {name}: volume is in use - [{ids}]"),
            );
        }
        self.drop_volume(number)
    }

    /// Removes a volume that nobody uses.
    pub(super) fn drop_volume(&mut self, number: Number) -> Result<()> {
        let seats = self.volume_seats(number);
        self.store.remove_volume(number)?;
        self.leave_volume(number, &seats);
        Ok(())
    }

    fn volume_seats(&self, number: Number) -> Vec<Place> {
        let volume = self.store.volumes().find(|(other, _)| *other == number);
        let names = |volume: &Volume| [volume_ref(volume), VolumeRef::Named(volume.name.clone())];
        let names = volume.map(|(_, volume)| names(volume));
        names.into_iter().flatten().map(Place::Volume).collect()
    }

    fn leave_volume(&mut self, number: Number, seats: &[Place]) {
        for seat in seats {
            self.seats.remove(seat);
        }
        self.forget_volume(number);
    }

    /// Removes the volumes that go with a container which is gone, unless somebody else mounts them.
    pub(super) fn drop_tied_volumes(&mut self, container: Number) {
        let tied: Vec<Number> = self
            .store
            .volumes()
            .filter(|(_, volume)| volume.with == Some(container))
            .filter(|(_, volume)| self.users_of(&volume.name).is_empty())
            .map(|(number, _)| number)
            .collect();
        for number in tied {
            let seats = self.volume_seats(number);
            if self.store.remove_volume(number).is_err() {
                self.store.forsake_volume(number);
            }
            self.leave_volume(number, &seats);
        }
    }

    /// `docker volume prune`, as since API 1.42: what nobody named and nobody uses, or with `all` named
    /// ones too (Docker row 65). Volumes with driver options stay (row 67).
    pub(super) fn prune_volumes(
        &mut self,
        all: bool,
        filters: &[VolumeFilter],
    ) -> Result<Vec<VolumeSeen>> {
        let filters = parse(filters, Command::Prune)?;
        let all = all || filters.all();
        let doomed: Vec<Number> = self
            .store
            .volumes()
            .filter(|(_, volume)| all || volume.anonymous)
            .filter(|(_, volume)| volume.options.is_empty() && filters.matches(volume, false))
            .filter(|(_, volume)| self.users_of(&volume.name).is_empty())
            .map(|(number, _)| number)
            .collect();
        let mut removed = Vec::new();
        for number in doomed {
            let volume = self.store.volumes().find(|(other, _)| *other == number);
            removed.extend(volume.map(|(_, volume)| volume_seen(volume, &[])));
            self.drop_volume(number)?;
        }
        Ok(sorted(removed))
    }

    /// `docker volume ls`: Docker row 63.
    pub(super) fn list_volumes(&self, filters: &[VolumeFilter]) -> Result<Vec<VolumeSeen>> {
        let filters = parse(filters, Command::List)?;
        let seen = self.store.volumes().filter_map(|(_, volume)| {
            let users = self.users_of(&volume.name);
            filters
                .matches(volume, !users.is_empty())
                .then(|| volume_seen(volume, &users))
        });
        Ok(sorted(seen.collect()))
    }

    /// `docker volume inspect`.
    pub(super) fn inspect_volume(&self, wanted: &VolumeRef) -> Result<VolumeSeen> {
        let (_, volume) = self.volume(wanted)?;
        Ok(volume_seen(volume, &self.users_of(&volume.name)))
    }

    /// A volume from outside, as a place for file operations.
    pub(super) fn volume_view(&mut self, number: Number) -> Result<View> {
        let (union, top) = self.volume_node(number, None)?;
        let locks = Arc::clone(&self.ground.locks);
        let storage = self.volume_storage(number);
        let rootfs = Rootfs::of_part(union, top, false, locks);
        Ok(View::single(Arc::new(rootfs), storage))
    }
}

/// Named ones first, each group by name.
pub(super) fn sorted(mut volumes: Vec<VolumeSeen>) -> Vec<VolumeSeen> {
    volumes.sort_by(|a, b| a.volume.cmp(&b.volume));
    volumes
}

fn parse(filters: &[VolumeFilter], command: Command) -> Result<Filters> {
    let pairs = filters
        .iter()
        .map(|filter| (filter.key.as_str(), filter.value.as_str()));
    Ok(Filters::parse(pairs, command)?)
}
