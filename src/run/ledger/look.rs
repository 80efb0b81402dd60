//! The final world, searched by storage and path.

use std::collections::BTreeMap;

use crate::engine::{ContainerSeen, Seen, Storage, World};

/// Where a thing is seen: the container, or `None` for a look from the host's side.
type Sighting<'w> = (Option<&'w ContainerSeen>, &'w Seen);

/// Every entry of the final world by storage and path in it.
pub(super) struct Sight<'w> {
    world: &'w World,
    entries: BTreeMap<(&'w Storage, &'w str), Vec<Sighting<'w>>>,
}

impl<'w> Sight<'w> {
    pub(super) fn new(world: &'w World) -> Self {
        let mut entries: BTreeMap<_, Vec<Sighting<'w>>> = BTreeMap::new();
        let mut add = |container, tree: &'w [Seen]| {
            for seen in tree {
                let key = (&seen.storage, seen.inner.as_str());
                entries.entry(key).or_default().push((container, seen));
            }
        };
        for (container, tree) in &world.containers {
            add(Some(container), tree);
        }
        for (_, tree) in &world.volumes {
            add(None, tree);
        }
        add(None, &world.host);
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

    /// The layer of an image that has a path, if any container shows it.
    pub(super) fn in_image(&self, image: &str, inner: &str) -> Option<&'w Storage> {
        let mut found = self.entries.keys().filter(|(storage, path)| {
            *path == inner
                && matches!(storage, Storage::Layer { image: other, .. } if other == image)
        });
        found.next_back().map(|(storage, _)| *storage)
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
            .get(&(storage, inner))
            .map_or(&[], Vec::as_slice)
    }
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
