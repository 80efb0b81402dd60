//! Where file operations happen. The one thing that they share with other places is a short look into
//! this table.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::files::Session;
use super::refusals::{Fault, not_running, paused};
use crate::engine::Place;

/// A place.
#[derive(Clone, Debug)]
pub(super) enum Seat {
    /// Processes run here.
    Open(Arc<Session>),
    /// They are frozen.
    Paused(Arc<Session>),
    /// A container with this id that does not run.
    Closed(String),
}

/// Every place that was used.
#[derive(Debug, Default)]
pub(super) struct Seats(RwLock<BTreeMap<Place, Seat>>);

impl Seats {
    /// Who acts in a place; `None` when nobody was there yet.
    pub(super) fn session(&self, place: &Place) -> Option<Result<Arc<Session>, Fault>> {
        let seats = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Some(match (seats.get(place)?, place) {
            (Seat::Open(session), _) => Ok(Arc::clone(session)),
            (Seat::Paused(_), Place::Container(name)) => Err(paused(name)),
            (Seat::Paused(_), _) => return None,
            (Seat::Closed(id), _) => Err(not_running(id)),
        })
    }

    pub(super) fn put(&self, place: Place, seat: Seat) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(place, seat);
    }

    pub(super) fn remove(&self, place: &Place) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(place);
    }

    /// Freezes or wakes a container.
    pub(super) fn freeze(&self, container: &str, freeze: bool) {
        let mut seats = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(seat) = seats.get_mut(&Place::Container(container.to_owned())) {
            *seat = match seat.clone() {
                Seat::Open(session) if freeze => Seat::Paused(session),
                Seat::Paused(session) if !freeze => Seat::Open(session),
                other => other,
            };
        }
    }

    /// Everybody but those on the host is gone.
    pub(super) fn crash(&self) {
        let mut seats = self.0.write().unwrap_or_else(PoisonError::into_inner);
        seats.retain(|place, _| *place == Place::Host);
    }
}
