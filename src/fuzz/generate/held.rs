//! What processes do with files that they hold open.

use super::files::{Scene, stat};
use super::pool;
use crate::engine::{Capability, FileAction, LockKind, OpenFlag};

/// Flags that go together, and some that do not.
const FLAGS: &[(usize, &[OpenFlag])] = &[
    (8, &[OpenFlag::Read]),
    (8, &[OpenFlag::Read, OpenFlag::Write]),
    (4, &[OpenFlag::Write]),
    (4, &[OpenFlag::Write, OpenFlag::Create]),
    (3, &[OpenFlag::Read, OpenFlag::Write, OpenFlag::Create]),
    (3, &[OpenFlag::Write, OpenFlag::Create, OpenFlag::Exclusive]),
    (3, &[OpenFlag::Write, OpenFlag::Truncate]),
    (3, &[OpenFlag::Write, OpenFlag::Append]),
    (3, &[OpenFlag::Read, OpenFlag::Directory]),
    (2, &[OpenFlag::Read, OpenFlag::Nofollow]),
    (2, &[OpenFlag::Path]),
    (2, &[OpenFlag::Path, OpenFlag::Nofollow]),
    (2, &[OpenFlag::Read, OpenFlag::Write, OpenFlag::Tmpfile]),
    (1, &[OpenFlag::Write, OpenFlag::Directory]),
    (1, &[OpenFlag::Read, OpenFlag::Truncate]),
    (1, &[OpenFlag::Read, OpenFlag::Create]),
];

pub(super) fn open(scene: &mut Scene<'_>) -> FileAction {
    if !scene.state.has(Capability::Handles) {
        return stat(scene);
    }
    let handle = scene.free_handle();
    let path = scene.new_path();
    let flags = match scene.dice.weighted(FLAGS) {
        flags
            if flags.contains(&OpenFlag::Tmpfile) && !scene.state.has(Capability::TmpfileLink) =>
        {
            &[OpenFlag::Read]
        }
        flags => flags,
    };
    let held = (scene.place.clone(), handle.clone());
    scene.state.opened.insert(held.clone());
    if !scene.state.handles.contains(&held) {
        scene.state.handles.push(held);
    }
    FileAction::Open {
        path,
        flags: flags.to_vec(),
        mode: scene.dice.maybe(20, pool::mode),
        handle,
    }
}

impl Scene<'_> {
    /// A name for what is opened: one of three, or now and then a new one where that is of little use any more.
    fn free_handle(&mut self) -> String {
        let handle = self.dice.text(&["h", "i", "j"]);
        if self.state.may_come_back(&self.place, &handle) && self.dice.chance(50) {
            return format!("h{}", self.state.opened.len());
        }
        handle
    }
}

pub(super) fn close(scene: &mut Scene<'_>) -> FileAction {
    let Some(handle) = scene.handle() else {
        return open(scene);
    };
    let place = &scene.place;
    scene
        .state
        .handles
        .retain(|(other, name)| other != place || *name != handle);
    FileAction::Close { handle }
}

pub(super) fn lock(scene: &mut Scene<'_>) -> FileAction {
    let Some(handle) = scene
        .handle()
        .filter(|_| scene.state.has(Capability::Locks))
    else {
        return open(scene);
    };
    FileAction::Lock {
        handle,
        kind: match scene.dice.below(3) {
            0 => LockKind::Shared,
            1 => LockKind::Exclusive,
            _ => LockKind::Unlock,
        },
    }
}

pub(super) fn link_handle(scene: &mut Scene<'_>) -> FileAction {
    let Some(handle) = scene
        .handle()
        .filter(|handle| !scene.state.may_come_back(&scene.place, handle))
    else {
        return open(scene);
    };
    FileAction::LinkHandle {
        handle,
        to: scene.new_path(),
    }
}
