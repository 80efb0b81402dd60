//! What the generator believes there is. It is often wrong: it does not know what is refused.

use std::collections::{BTreeMap, BTreeSet};

use super::pool;
use crate::engine::{Capability, Place, Target, VolumeRef};
use crate::fuzz::dice::Dice;

/// How a path is made again that was used before, times in a hundred.
const KNOWN: usize = 62;

/// Names that things get.
pub(super) const CONTAINERS: &[&str] = &["one", "two", "three"];
pub(super) const IMAGES: &[&str] = &["app", "base", "made", "tagged:1", "imported"];
pub(super) const VOLUMES: &[&str] = &["store", "other", "seeded", "disk"];

/// A container that was made.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) name: String,
    pub(super) runs: bool,
    /// Where it has mounts.
    pub(super) targets: Vec<String>,
}

/// Everything that was made so far.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) capabilities: BTreeSet<Capability>,
    pub(super) containers: Vec<Made>,
    pub(super) images: Vec<String>,
    pub(super) volumes: Vec<String>,
    pub(super) anonymous: Vec<VolumeRef>,
    pub(super) handles: Vec<(Place, String)>,
    /// Every one that was ever asked for: what is closed or opened anew may be refused.
    pub(super) opened: BTreeSet<(Place, String)>,
    /// Those that may have been open while something was taken away where they are: their files may have gone with it.
    pub(super) stale: BTreeSet<(Place, String)>,
    /// Those of them that may have been open when a directory was made there: perhaps under the name that went.
    pub(super) replaced: BTreeSet<(Place, String)>,
    /// Whether an image may have pipes, sockets or devices.
    pub(super) has_layered_specials: bool,
    /// Paths of the images, which every container begins with.
    pub(super) layered: Vec<String>,
    /// Directories among them.
    pub(super) layered_directories: Vec<String>,
    pub(super) directories: BTreeMap<Place, Vec<String>>,
    pub(super) paths: BTreeMap<Place, Vec<String>>,
    /// Extended attributes that were set.
    pub(super) attributes: BTreeMap<Place, Vec<(Target, String)>>,
    /// The container that was paused last, when it may still be.
    pub(super) paused: Option<String>,
    pub(super) is_down: bool,
    pub(super) is_full: bool,
    /// How often a tmpfs was asked for, which takes attributes that the disk does not, where the embedded engine has it.
    pub(super) tmpfs: usize,
}

impl State {
    pub(super) fn has(&self, capability: Capability) -> bool {
        self.capabilities.contains(&capability)
    }

    /// Notes that something may be at a path, unless it is written in an odd way.
    pub(super) fn note(&mut self, place: &Place, path: &str) {
        if is_odd(path) {
            return;
        }
        let known = self.paths.entry(place.clone()).or_default();
        if known.len() < 40 && path.starts_with('/') && !known.iter().any(|one| one == path) {
            known.push(path.to_owned());
        }
    }

    /// A path in a place: one that is there perhaps, one below or beside it, or any.
    pub(super) fn path(&self, place: &Place, dice: &mut Dice) -> String {
        if !dice.chance(KNOWN) {
            return pool::path(dice);
        }
        let own = self.paths.get(place).map_or(&[][..], Vec::as_slice);
        let inside = match place {
            Place::Container(name) => self.made(name),
            Place::Host | Place::Volume(_) => None,
        };
        let targets = inside.map_or(&[][..], |made| made.targets.as_slice());
        let layered = if inside.is_some() {
            self.layered.as_slice()
        } else {
            &[]
        };
        let total = own.len() + targets.len() + layered.len();
        let at = dice.below(total);
        let found = own.iter().chain(targets).chain(layered).nth(at);
        let Some(found) = found else {
            return pool::path(dice);
        };
        if dice.chance(18) {
            format!("{}/{}", found.trim_end_matches('/'), pool::name(dice))
        } else {
            found.clone()
        }
    }

    /// Notes that a directory may be at a path.
    pub(super) fn note_directory(&mut self, place: &Place, path: &str) {
        self.note_made(place);
        if is_odd(path) {
            return;
        }
        self.note(place, path);
        let known = self.directories.entry(place.clone()).or_default();
        if known.len() < 20 && path.starts_with('/') && !known.iter().any(|one| one == path) {
            known.push(path.to_owned());
        }
    }

    /// Notes that something may have an extended attribute. The last few are remembered: earlier ones are more likely gone.
    pub(super) fn note_attribute(&mut self, place: &Place, target: &Target, name: &str) {
        let known = self.attributes.entry(place.clone()).or_default();
        if known.len() >= 8 {
            known.remove(0);
        }
        known.push((target.clone(), name.to_owned()));
    }

    /// Something may have been taken away.
    pub(super) fn note_removal(&mut self, place: &Place) {
        let opened = self.opened.iter().filter(|(other, _)| other == place);
        self.stale.extend(opened.cloned());
    }

    /// A directory may have been made.
    pub(super) fn note_made(&mut self, place: &Place) {
        let stale = self.stale.iter().filter(|(other, _)| other == place);
        self.replaced.extend(stale.cloned());
    }

    /// Whether an open file may be one of an image that was removed, and that the kernel brings back when its attributes
    /// change: it copies a pipe, socket or device up to where it was, over the whiteout, and a directory over an empty one
    /// of that name, in which nothing can be made any more. Nobody is after that, and ours stay removed
    /// (`tests/union/apart.rs`).
    pub(super) fn may_come_back(&self, place: &Place, handle: &str) -> bool {
        let held = (place.clone(), handle.to_owned());
        let is_gone = self.has_layered_specials && self.stale.contains(&held);
        matches!(place, Place::Container(_)) && (is_gone || self.replaced.contains(&held))
    }

    /// A path whose parent is there, perhaps.
    pub(super) fn path_in_directory(&self, place: &Place, dice: &mut Dice) -> String {
        let own = self.directories.get(place).map_or(&[][..], Vec::as_slice);
        let inside = matches!(place, Place::Container(_));
        let layered = if inside {
            self.layered_directories.as_slice()
        } else {
            &[]
        };
        let at = dice.below(own.len() + layered.len() + 1);
        let directory = own.iter().chain(layered).nth(at).map_or("", String::as_str);
        format!("{}/{}", directory.trim_end_matches('/'), pool::name(dice))
    }

    pub(super) fn made(&self, name: &str) -> Option<&Made> {
        self.containers.iter().find(|made| made.name == name)
    }

    pub(super) fn made_mut(&mut self, name: &str) -> Option<&mut Made> {
        self.containers.iter_mut().find(|made| made.name == name)
    }

    /// The container is gone, or it does not run any more.
    pub(super) fn ended(&mut self, name: &str, is_gone: bool) {
        self.handles
            .retain(|(place, _)| !matches!(place, Place::Container(owner) if owner == name));
        if is_gone {
            self.containers.retain(|made| made.name != name);
            self.paths.remove(&Place::Container(name.to_owned()));
            self.directories.remove(&Place::Container(name.to_owned()));
            self.attributes.remove(&Place::Container(name.to_owned()));
        } else if let Some(made) = self.made_mut(name) {
            made.runs = false;
        }
    }

    /// A container that is there mostly, and runs mostly.
    pub(super) fn container(&self, dice: &mut Dice) -> String {
        let running: Vec<&Made> = self.containers.iter().filter(|made| made.runs).collect();
        if dice.chance(85)
            && let Some(made) = dice.pick(&running)
        {
            return made.name.clone();
        }
        match dice.pick(&self.containers) {
            Some(made) if dice.chance(85) => made.name.clone(),
            _ => dice.text(CONTAINERS),
        }
    }

    pub(super) fn image(&self, dice: &mut Dice) -> String {
        match dice.pick(&self.images) {
            Some(image) if dice.chance(94) => image.clone(),
            _ => dice.text(IMAGES),
        }
    }

    pub(super) fn volume_name(&self, dice: &mut Dice) -> String {
        match dice.pick(&self.volumes) {
            Some(volume) if dice.chance(70) => volume.clone(),
            _ => dice.text(VOLUMES),
        }
    }

    pub(super) fn volume(&self, dice: &mut Dice) -> VolumeRef {
        match dice.pick(&self.anonymous) {
            Some(volume) if dice.chance(30) => volume.clone(),
            _ => VolumeRef::Named(self.volume_name(dice)),
        }
    }

    /// Where a process acts: mostly in a container that runs.
    pub(super) fn place(&self, dice: &mut Dice) -> Place {
        let outside = self.has(Capability::HostView);
        match dice.below(100) {
            0..8 if outside => Place::Host,
            8..16 if outside => Place::Volume(self.volume(dice)),
            _ => Place::Container(self.container(dice)),
        }
    }
}

/// Whether a path is written in another way than the shortest.
fn is_odd(path: &str) -> bool {
    path.contains("//") || path.contains("/.") || (path.len() > 1 && path.ends_with('/'))
}
