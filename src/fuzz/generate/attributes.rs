//! What processes do to extended attributes.

use super::files::Scene;
use super::pool;
use crate::engine::{Bytes, FileAction, Target, XattrMode};

impl Scene<'_> {
    /// An extended attribute that was set, mostly, and what it was set on.
    fn attribute(&mut self) -> (Target, String) {
        let attributes = self.state.attributes.get(&self.place);
        let known = attributes.map_or(&[][..], Vec::as_slice);
        if self.dice.chance(70)
            && let Some(known) = self.dice.pick(known)
        {
            return known.clone();
        }
        (self.target(), self.xattr().0)
    }

    /// The name of an extended attribute and a value.
    fn xattr(&mut self) -> (String, Bytes) {
        pool::xattr(self.dice, self.state.tmpfs == 0, &self.place)
    }
}

pub(super) fn setxattr(scene: &mut Scene<'_>) -> FileAction {
    let (name, value) = scene.xattr();
    let target = scene.changed_target();
    scene.state.note_attribute(&scene.place, &target, &name);
    FileAction::SetXattr {
        target,
        name,
        value,
        mode: match scene.dice.below(8) {
            0 => XattrMode::Create,
            1 => XattrMode::Replace,
            _ => XattrMode::Any,
        },
    }
}

pub(super) fn getxattr(scene: &mut Scene<'_>) -> FileAction {
    let (target, name) = scene.attribute();
    FileAction::GetXattr { target, name }
}

pub(super) fn removexattr(scene: &mut Scene<'_>) -> FileAction {
    let (target, name) = scene.attribute();
    let target = scene.unless_it_comes_back(target);
    FileAction::RemoveXattr { target, name }
}

pub(super) fn listxattr(scene: &mut Scene<'_>) -> FileAction {
    FileAction::ListXattr {
        target: scene.target(),
    }
}
