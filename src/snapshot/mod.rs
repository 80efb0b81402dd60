//! Approved outcomes on disk, in insta's file format, so that `cargo insta review` works on them.
//!
//! `volumes/reattach.yaml` has `volumes/reattach.snap`; a case has its parameters in the name:
//! `volumes/readonly[access=ro].snap`; an engine that the scenario's `differs:` names may have a
//! variant: `volumes/reattach@podman.snap`. A text that was not approved yet stands beside as
//! `.snap.new`.

mod orphans;

pub use orphans::{Leftover, leftovers};

/// What a run may write below the snapshot folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UpdateMode {
    /// Nothing: for CI.
    Check,
    /// A text that is new or has changed goes to `.snap.new`, for review; the case fails.
    #[default]
    Pending,
    /// A text that has no approved one yet is approved; one that has changed goes to `.snap.new`.
    Unseen,
    /// Every text is approved as it is.
    Bless,
}
