//! The final world, searched by storage and path.

use std::collections::BTreeMap;

use crate::engine::{ContainerSeen, Seen, Storage, World};

use super::line::Line;

/// Where a thing is seen: the container, or `None` for a look from the host's side.
type Sighting<'w> = (Option<&'w ContainerSeen>, &'w Seen);

/// The entries of the final world at the places that the lines are about.
pub(super) struct Sight<'w> {
    world: &'w World,
    // Paths first: they differ more often than storages do.
    entries: BTreeMap<(&'w str, &'w Storage), Vec<Sighting<'w>>>,
}

impl<'w> Sight<'w> {
    pub(super) fn new(world: &'w World, lines: &'w [Line]) -> Self {
        let mut entries: BTreeMap<_, Vec<Sighting<'w>>> = lines
            .iter()
            .map(
                |Line {
                     place: (storage, inner),
                     ..
                 }| ((inner.as_str(), storage), Vec::new()),
            )
            .collect();
        for (container, seen) in all(world) {
            if let Some(sightings) = entries.get_mut(&(seen.inner.as_str(), &seen.storage)) {
                sightings.push((container, seen));
            }
        }
        Self { world, entries }
    }

    /// What lies at a place, if anybody sees it.
    pub(super) fn at(&self, storage: &Storage, inner: &str) -> Option<&'w Seen> {
        self.sightings(storage, inner)
            .first()
            .map(|(_, seen)| *seen)
    }

    /// Who sees what lies at a place, and at which path. The container whose own storage it is is
    /// left out where it sees it at the obvious path.
    pub(super) fn seen_by(&self, storage: &Storage, inner: &str) -> Vec<(String, String)> {
        self.sightings(storage, inner)
            .iter()
            .filter_map(|(container, seen)| Some(((*container)?, *seen)))
            .filter(|(container, seen)| !is_obvious(storage, inner, container, seen))
            .map(|(container, seen)| (container.name.clone(), seen.path.clone()))
            .collect()
    }

    /// What containers see of a path in the layers of an image.
    pub(super) fn in_image(&self, image: &str, inner: &str) -> Vec<(&'w ContainerSeen, &'w Seen)> {
        all(self.world)
            .filter_map(|(container, seen)| Some((container?, seen)))
            .filter(|(_, seen)| {
                let of_image =
                    matches!(&seen.storage, Storage::Layer { image: other, .. } if other == image);
                of_image && seen.inner == inner
            })
            .collect()
    }

    /// The trees of the containers of an image.
    pub(super) fn of_image(&self, image: &str) -> impl Iterator<Item = &'w [Seen]> {
        let of_image = move |(container, _): &&(ContainerSeen, _)| container.image == image;
        self.world
            .containers
            .iter()
            .filter(of_image)
            .map(|(_, tree)| tree.as_slice())
    }

    /// A container by name.
    pub(super) fn container(&self, name: &str) -> Option<&'w (ContainerSeen, Vec<Seen>)> {
        self.world
            .containers
            .iter()
            .find(|(container, _)| container.name == name)
    }

    fn sightings<'s>(&'s self, storage: &'s Storage, inner: &'s str) -> &'s [Sighting<'w>] {
        self.entries
            .get(&(inner, storage))
            .map_or(&[], Vec::as_slice)
    }
}

/// Every entry of every tree.
fn all(world: &World) -> impl Iterator<Item = Sighting<'_>> {
    let inside = world
        .containers
        .iter()
        .flat_map(|(container, tree)| tree.iter().map(move |seen| (Some(container), seen)));
    let outside = world
        .volumes
        .iter()
        .flat_map(|(_, tree)| tree)
        .chain(&world.host);
    inside.chain(outside.map(|seen| (None, seen)))
}

fn is_obvious(storage: &Storage, inner: &str, container: &ContainerSeen, seen: &Seen) -> bool {
    match storage {
        Storage::Writable { container: owner } => *owner == container.name && seen.path == inner,
        Storage::Tmpfs {
            container: owner, ..
        } => *owner == container.name,
        Storage::Layer { .. } | Storage::Volume(_) | Storage::Host => false,
    }
}
