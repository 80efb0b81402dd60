//! Where file operations happen. The one thing that they share with other places is a short look into
//! this table.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::actors::Acts;
use super::refusals::{Result, engine_down, not_running, paused};
use crate::engine::Place;

/// A place.
#[derive(Clone, Debug)]
pub(super) enum Seat {
    /// Processes run here.
    Open(Arc<dyn Acts>),
    /// They are frozen.
    Paused(Arc<dyn Acts>),
    /// A container with this id that does not run.
    Closed(String),
}

/// Every place that was used.
#[derive(Debug, Default)]
pub(super) struct Seats(RwLock<Table>);

#[derive(Debug, Default)]
struct Table {
    places: BTreeMap<Place, Seat>,
    down: bool,
}

impl Seats {
    fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Table> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who acts in a place; `None` when nobody was there yet.
    pub(super) fn session(&self, place: &Place) -> Option<Result<Arc<dyn Acts>>> {
        let table = self.read();
        if table.down {
            return Some(engine_down());
        }
        Some(match (table.places.get(place)?, place) {
            (Seat::Open(session), _) => Ok(Arc::clone(session)),
            (Seat::Paused(_), Place::Container(name)) => Err(paused(name)),
            (Seat::Paused(_), _) => return None,
            (Seat::Closed(id), _) => Err(not_running(id)),
        })
    }

    pub(super) fn put(&self, place: Place, seat: Seat) {
        self.write().places.insert(place, seat);
    }

    pub(super) fn remove(&self, place: &Place) {
        self.write().places.remove(place);
    }

    /// Freezes or wakes a container.
    pub(super) fn freeze(&self, container: &str, freeze: bool) {
        let mut table = self.write();
        if let Some(seat) = table
            .places
            .get_mut(&Place::Container(container.to_owned()))
        {
            *seat = match seat.clone() {
                Seat::Open(session) if freeze => Seat::Paused(session),
                Seat::Paused(session) if !freeze => Seat::Open(session),
                other => other,
            };
        }
    }

    /// The engine is down. Everybody but those on the host is gone, and they must wait too.
    pub(super) fn crash(&self) {
        let mut table = self.write();
        table.places.retain(|place, _| *place == Place::Host);
        table.down = true;
    }

    /// The engine is up again.
    pub(super) fn recover(&self) {
        self.write().down = false;
    }
}
