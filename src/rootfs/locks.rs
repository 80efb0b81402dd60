//! Record locks over whole files (fcntl(2), `F_SETLK`).
//!
//! Each open file counts as a process of its own: two handles in one container conflict as two
//! processes would, and a handle's locks end when it is closed. Locks belong to nodes, so containers
//! that share a volume see one another's, and two containers of one image do not.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::pipe::Pipes;
use crate::union::{Errno, NodeRef, Result};

/// What open files know of one another across containers: who holds which lock on which file, and what
/// is in pipes.
#[derive(Debug, Default)]
pub struct Locks {
    held: Mutex<Held>,
    pub(super) pipes: Pipes,
}

#[derive(Debug, Default)]
struct Held {
    last_owner: u64,
    files: BTreeMap<NodeRef, Vec<(Owner, LockKind)>>,
}

/// One open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner(u64);

/// Kinds of record lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockKind {
    /// `F_RDLCK`
    Shared,
    /// `F_WRLCK`
    Exclusive,
}

impl Locks {
    pub(super) fn new_owner(&self) -> Owner {
        let mut held = self.held();
        held.last_owner += 1;
        Owner(held.last_owner)
    }

    /// Takes, changes or (with `None`) gives back the lock of an owner, never waiting.
    ///
    /// # Errors
    /// `EAGAIN` when another owner's lock is in the way.
    pub(super) fn set(&self, node: &NodeRef, owner: Owner, kind: Option<LockKind>) -> Result<()> {
        let mut held = self.held();
        let locks = held.files.entry(node.clone()).or_default();
        let conflict = kind.is_some_and(|kind| {
            locks.iter().any(|(other, theirs)| {
                *other != owner && (kind == LockKind::Exclusive || *theirs == LockKind::Exclusive)
            })
        });
        if !conflict {
            locks.retain(|(other, _)| *other != owner);
            locks.extend(kind.map(|kind| (owner, kind)));
        }
        if locks.is_empty() {
            held.files.remove(node);
        }
        if conflict { Err(Errno::AGAIN) } else { Ok(()) }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
