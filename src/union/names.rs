//! What is known about names without asking the disk.
//!
//! Nobody but the union changes its upper layer (overlayfs.rst, "Changes to underlying filesystems":
//! what happens else is undefined), nor the directory of a plain union that is opened
//! [`alone`](super::Options::alone). So a name stays what it was found to be until the union itself changes it:
//! a node that is held and has this name as its own is still there, and a name that was not there still
//! is not. Kernel's counterpart: positive and negative dentries.
//!
//! All of this needs the namespace lock: names are learnt under it for reading, changed under it for
//! writing, so what was learnt is never older than the last change.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use super::filesystem::Union;
use super::listing::Listing;
use super::lock::lock;
use super::node::NodeRef;

/// Most names of one directory that are remembered. Beyond that all are forgotten.
const NAMES_MAX: usize = 64;

/// What is known of the names of one directory.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// In no layer, not even as whiteouts of the upper one.
    absent: BTreeSet<OsString>,
    /// All that the upper part may have, of a directory that the union made itself and so knows.
    upper: Option<BTreeSet<OsString>>,
    /// All that the lower layers have, once listed.
    pub(super) lower: Option<Arc<Listing>>,
}

impl Names {
    /// Those of a directory whose upper part is new and empty.
    pub(super) fn of_empty_upper() -> Self {
        Self {
            upper: Some(BTreeSet::new()),
            ..Self::default()
        }
    }
}

/// What a name is known to be.
pub(super) enum Known {
    /// This file's.
    Node(NodeRef),
    /// Nobody's: no layer has it.
    Absent,
    /// Only the disk can tell.
    Unknown,
}

impl Union {
    /// Whether nobody else changes what this union may change.
    pub(super) fn is_alone(&self) -> bool {
        !self.options.plain || self.options.alone
    }

    /// What a name is, as far as that is known.
    pub(super) fn known(&self, dir: &NodeRef, name: &OsStr) -> Known {
        if !self.is_alone() {
            return Known::Unknown;
        }
        // One that is shared may have been found by another name.
        let is_known = |node: &NodeRef| !node.0.is_shared && has_name(node, dir, name);
        if let Some(node) = dir.0.child(name).filter(is_known) {
            return Known::Node(node);
        }
        if lock(&dir.0.names).absent.contains(name) {
            return Known::Absent;
        }
        Known::Unknown
    }

    /// Learns that no layer has a name.
    pub(super) fn learn_absent(&self, dir: &NodeRef, name: &OsStr) {
        if self.is_alone() {
            let absent = &mut lock(&dir.0.names).absent;
            if absent.len() >= NAMES_MAX {
                absent.clear();
            }
            absent.insert(name.to_owned());
        }
    }

    /// Learns that a name of the upper layer is about to be used, be it for a whiteout.
    pub(super) fn learn_used(dir: &NodeRef, name: &OsStr) {
        let mut names = lock(&dir.0.names);
        names.absent.remove(name);
        if let Some(upper) = &mut names.upper {
            if upper.len() < NAMES_MAX {
                upper.insert(name.to_owned());
            } else {
                names.upper = None;
            }
        }
    }

    /// Learns that the upper part of a directory is new and empty.
    pub(super) fn learn_empty_upper(dir: &NodeRef) {
        *lock(&dir.0.names) = Names::of_empty_upper();
    }

    /// Whether the upper layer is known to have no name in a directory.
    pub(super) fn is_known_empty_in_upper(&self, dir: &NodeRef) -> bool {
        let is_empty = |names: &BTreeSet<OsString>| names.is_empty();
        self.is_alone() && lock(&dir.0.names).upper.as_ref().is_some_and(is_empty)
    }

    /// Whether the upper layer is known not to have a name.
    pub(super) fn is_missing_in_upper(&self, dir: &NodeRef, name: &OsStr) -> bool {
        self.is_alone()
            && lock(&dir.0.names)
                .upper
                .as_ref()
                .is_some_and(|upper| !upper.contains(name))
    }
}

/// Whether this is the name by which the node is found on the disk.
pub(super) fn has_name(node: &NodeRef, dir: &NodeRef, name: &OsStr) -> bool {
    let state = lock(&node.0.state);
    matches!(&state.dentry, Some((at, known)) if at.same(dir) && known == name)
}
