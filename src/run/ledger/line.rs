//! One thing that was written.

use crate::engine::Storage;

/// A storage and a path in it.
pub(super) type Place = (Storage, String);

/// One line of the ledger in the making.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// How many lines were written up to this one.
    pub(super) order: usize,
    /// Number of the writing step.
    pub(super) step: String,
    /// What, as the writer named it: `first:/data/rows`.
    pub(super) what: String,
    /// Where it was written, or lies since what holds it was renamed.
    pub(super) place: Place,
    /// What holds it was renamed, so that the writer's name no longer says where it lies.
    pub(super) moved: bool,
    /// What should be there.
    pub(super) wrote: Wrote,
    /// The first step since that takes such things, in words.
    pub(super) taken: Option<String>,
    /// The first step since that might have, in words.
    pub(super) suspect: Option<String>,
    /// Steps and images that it was committed to since.
    pub(super) committed: Vec<(String, String)>,
    /// Something else was written at the same place after this was taken, so that looking there
    /// shows nothing about this.
    pub(super) superseded: bool,
}

/// What should be at a line's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrote {
    /// The file of this index among those of the story.
    File(usize),
    /// Nothing: the steps deleted what they had not made.
    Gone,
}
