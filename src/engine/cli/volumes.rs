//! Volumes. Pruning is the engine's own, but asked for our label; what cannot carry it is pruned by name.

use std::collections::BTreeSet;

use super::containers::is_generated;
use super::engine::{Cli, Fault, Result, refuse};
use super::flavor::Flavor;
use super::ground::foreign_labels;
use super::inspected::{self, Volume};
use super::names::CASE_LABEL;
use crate::engine::{Kind, Value, VolumeFilter, VolumeRef, VolumeSeen, VolumeSpec};

/// A generated name that no volume has.
const NOBODY: &str = "0000000000000000000000000000000000000000000000000000000000000000";

impl Cli {
    pub(super) fn create_volume(&self, spec: &VolumeSpec) -> Result<Value> {
        let mut arguments: Vec<String> = ["volume", "create"].map(str::to_owned).to_vec();
        let mut pair = |option: &str, value: String| arguments.push(format!("{option}={value}"));
        if let Some(driver) = &spec.driver {
            pair("--driver", driver.clone());
        }
        let bound = spec
            .driver_opts
            .get("o")
            .is_some_and(|o| o.split(',').any(|o| o == "bind"));
        let mut device = None;
        for (key, value) in &spec.driver_opts {
            if key == "device" && bound {
                device = Some(value.clone());
                pair("--opt", format!("{key}={}", self.on_daemon(value)));
            } else {
                pair("--opt", format!("{key}={value}"));
            }
        }
        for (key, value) in &spec.labels {
            pair("--label", format!("{key}={value}"));
        }
        for label in self.names.labels() {
            pair("--label", label);
        }
        if let Some(name) = &spec.name {
            // A name that is going to be refused may look like an option.
            arguments.extend(["--".to_owned(), self.names.volume(name)]);
        }
        self.stay_inside(device.iter().cloned().collect())?;
        let said = self.command(&arguments)?;
        let id = said.trim();
        if let Some(device) = device {
            // One that was there before stays as it was.
            let made = self.inspected_volume(id)?;
            if made.options.get("device") == Some(&self.on_daemon(&device)) {
                self.state().devices.insert(id.to_owned(), device);
            }
        }
        if let Some(name) = &spec.name {
            Ok(Value::Text(name.clone()))
        } else {
            let volume = VolumeRef::Named(id.to_owned());
            self.state().anonymous.push((id.to_owned(), volume));
            Ok(Value::Text(id.to_owned()))
        }
    }

    /// How a volume is known to the scenario.
    pub(super) fn volume_ref(&self, id: &str) -> VolumeRef {
        let state = self.state();
        let anonymous = state.anonymous.iter().find(|(other, _)| other == id);
        match (anonymous, self.names.of(id)) {
            (Some((_, volume)), _) => volume.clone(),
            (None, Some(name)) => VolumeRef::Named(name.to_owned()),
            (None, None) => VolumeRef::Named(id.to_owned()),
        }
    }

    /// A volume's name in the daemon.
    pub(super) fn volume_id(&self, volume: &VolumeRef) -> String {
        if let VolumeRef::Anonymous { container, .. } = volume {
            self.take_in(container);
        }
        let state = self.state();
        let mut newest = state.anonymous.iter().rev();
        match (newest.find(|(_, other)| other == volume), volume) {
            (Some((id, _)), _) => id.clone(),
            (None, VolumeRef::Named(name)) => self.names.volume(name),
            // What there is to say of it is the engine's to say.
            (None, VolumeRef::Anonymous { .. }) => NOBODY.to_owned(),
        }
    }

    pub(super) fn remove_volume(&self, volume: &VolumeRef, force: bool) -> Result<Value> {
        let id = self.volume_id(volume);
        let mut arguments = vec!["volume", "rm"];
        arguments.extend(force.then_some("--force"));
        arguments.extend(["--", &id]);
        self.command(&arguments)?;
        self.state().devices.remove(&id);
        self.leave_lost_volumes();
        Ok(Value::Nothing)
    }

    pub(super) fn inspected_volume(&self, id: &str) -> Result<Volume> {
        let said = self.command(&["volume", "inspect", "--", id])?;
        let mut volumes = inspected::list(&said, Volume::parse).map_err(Fault::Broken)?;
        match volumes.pop() {
            Some(volume) => Ok(volume),
            None => refuse(Kind::NoSuchVolume, format!("get {id}: no such volume")),
        }
    }

    pub(super) fn inspect_volume(&self, volume: &VolumeRef) -> Result<Value> {
        let volume = self.inspected_volume(&self.volume_id(volume))?;
        let users = self.users()?;
        Ok(Value::Volume(self.volume_seen(&volume, &users)))
    }

    pub(super) fn volume_seen(&self, volume: &Volume, users: &[(String, String)]) -> VolumeSeen {
        let mut used_by: Vec<String> = users
            .iter()
            .filter(|(id, _)| *id == volume.name)
            .map(|(_, container)| container.clone())
            .collect();
        used_by.sort();
        used_by.dedup();
        let mut options = volume.options.clone();
        if let (Some(device), Some(path)) = (
            options.get_mut("device"),
            self.state().devices.get(&volume.name),
        ) {
            device.clone_from(path);
        }
        VolumeSeen {
            volume: self.volume_ref(&volume.name),
            driver: volume.driver.clone(),
            labels: foreign_labels(&volume.labels),
            options,
            used_by,
        }
    }

    /// Volume and container, of every mount of this case's containers.
    fn users(&self) -> Result<Vec<(String, String)>> {
        Ok(users(&self.inspected_containers()?))
    }

    pub(super) fn list_volumes(&self, filters: &[VolumeFilter]) -> Result<Value> {
        let options = filters
            .iter()
            .map(|VolumeFilter { key, value }| format!("--filter={key}={value}"));
        let options: Vec<String> = options.collect();
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let mut volumes = self.ours(&self.volume_names(&options)?)?;
        // Our prefix is not what a filter by name asks for.
        for filter in filters.iter().filter(|filter| filter.key == "name") {
            volumes.retain(|volume| match self.names.of(&volume.name) {
                Some(name) => name.contains(&filter.value),
                None => volume.name.contains(&filter.value),
            });
        }
        self.seen(&volumes).map(Value::Volumes)
    }

    fn seen(&self, volumes: &[Volume]) -> Result<Vec<VolumeSeen>> {
        let users = self.users()?;
        let mut seen: Vec<VolumeSeen> = volumes
            .iter()
            .map(|volume| self.volume_seen(volume, &users))
            .collect();
        seen.sort_by(|one, other| one.volume.cmp(&other.volume));
        Ok(seen)
    }

    /// The names of all volumes, a line each. Podman looks each of them up in turn, and fails when somebody removes one
    /// meanwhile.
    pub(super) fn volume_names(&self, options: &[&str]) -> Result<String> {
        const TRIES: usize = 10;
        let arguments = [&["volume", "ls", "--quiet"], options].concat();
        let mut listed = self.command(&arguments);
        for _ in 1..TRIES {
            match &listed {
                Err(Fault::Refused(refusal)) if refusal.message.contains("no such volume") => {}
                _ => break,
            }
            listed = self.command(&arguments);
        }
        listed
    }

    /// Those of this case among the listed names, inspected.
    pub(super) fn ours(&self, listed: &str) -> Result<Vec<Volume>> {
        let anonymous: BTreeSet<String> = self
            .state()
            .anonymous
            .iter()
            .map(|(id, _)| id.clone())
            .collect();
        let ours: Vec<&str> = listed
            .lines()
            .map(str::trim)
            .filter(|name| self.names.of(name).is_some() || anonymous.contains(*name))
            .collect();
        if ours.is_empty() {
            return Ok(Vec::new());
        }
        let arguments: Vec<&str> = ["volume", "inspect"].into_iter().chain(ours).collect();
        let said = self.command(&arguments)?;
        let mut volumes = inspected::list(&said, Volume::parse).map_err(Fault::Broken)?;
        // Of several that are known by the same words the oldest comes first.
        let state = self.state();
        let age = |volume: &Volume| {
            let mut anonymous = state.anonymous.iter();
            anonymous.position(|(id, _)| *id == volume.name)
        };
        volumes.sort_by_key(age);
        drop(state);
        Ok(volumes)
    }

    pub(super) fn prune_volumes(&self, all: bool, filters: &[VolumeFilter]) -> Result<Value> {
        let before = self.ours(&self.volume_names(&[])?)?;
        let seen = self.seen(&before)?;
        let about = &self.ground.about;
        let named_too = about.flavor == Flavor::Podman || about.api < (1, 42);
        let mut arguments: Vec<String> = ["volume", "prune", "--force"].map(str::to_owned).to_vec();
        if all && !named_too {
            arguments.push("--all".to_owned());
        }
        for VolumeFilter { key, value } in filters {
            arguments.push(format!("--filter={key}={value}"));
        }
        arguments.push(format!("--filter=label={CASE_LABEL}={}", self.names.case()));
        self.command(&arguments)?;
        self.prune_unlabelled(&before, all || named_too, filters)?;
        self.leave_lost_volumes();
        let left = self.ours(&self.volume_names(&[])?)?;
        let is_left = |id: &String| left.iter().any(|volume| volume.name == *id);
        self.state().devices.retain(|id, _| is_left(id));
        let left: BTreeSet<VolumeRef> = left
            .iter()
            .map(|volume| self.volume_ref(&volume.name))
            .collect();
        let gone = seen.into_iter().filter(|seen| !left.contains(&seen.volume));
        Ok(Value::Volumes(gone.collect()))
    }

    /// Volumes that a mount made carry no label. Those that the engine would have pruned with the others
    /// are removed by name: nobody refers to them, they have no options, no filter asks for a label.
    fn prune_unlabelled(
        &self,
        before: &[Volume],
        named: bool,
        filters: &[VolumeFilter],
    ) -> Result<()> {
        if filters.iter().any(|filter| filter.key == "label") {
            return Ok(());
        }
        let dangling = self.volume_names(&["--filter", "dangling=true"])?;
        let dangling: BTreeSet<&str> = dangling.lines().map(str::trim).collect();
        let keeps_options = self.ground.about.flavor != Flavor::Podman;
        let unlabelled = before.iter().filter(|volume| {
            !volume.labels.contains_key(CASE_LABEL)
                && dangling.contains(volume.name.as_str())
                && (named || is_generated(&volume.name))
                && (!keeps_options || volume.options.is_empty())
        });
        let names: Vec<&str> = unlabelled.map(|volume| volume.name.as_str()).collect();
        if names.is_empty() {
            return Ok(());
        }
        let arguments: Vec<&str> = ["volume", "rm"].into_iter().chain(names).collect();
        self.command(&arguments).map(drop)
    }
}

/// Volume and container, of every mount.
pub(super) fn users(containers: &[(String, inspected::Container)]) -> Vec<(String, String)> {
    containers
        .iter()
        .flat_map(|(name, container)| {
            let volumes = container.mounts.iter().filter_map(inspected::Mount::volume);
            volumes.map(|id| (id.to_owned(), name.clone()))
        })
        .collect()
}
