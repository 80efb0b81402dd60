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

use super::filesystem::Union;
use super::lock::lock;
use super::node::NodeRef;

/// Most names of one directory that are remembered as absent. Beyond that all are forgotten.
const ABSENT_MAX: usize = 64;

/// Names that are in no layer of a directory, not even as whiteouts of the upper one.
#[derive(Debug, Default)]
pub(super) struct Absent(BTreeSet<OsString>);

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
        if let Some(node) = dir.0.child(name).filter(|node| has_name(node, dir, name)) {
            return Known::Node(node);
        }
        if lock(&dir.0.absent).0.contains(name) {
            return Known::Absent;
        }
        Known::Unknown
    }

    /// Learns that no layer has a name.
    pub(super) fn learn_absent(&self, dir: &NodeRef, name: &OsStr) {
        if self.is_alone() {
            let mut absent = lock(&dir.0.absent);
            if absent.0.len() >= ABSENT_MAX {
                absent.0.clear();
            }
            absent.0.insert(name.to_owned());
        }
    }

    /// Forgets it, because the name is about to be used.
    pub(super) fn forget_absent(dir: &NodeRef, name: &OsStr) {
        lock(&dir.0.absent).0.remove(name);
    }
}

/// Whether this is the name by which the node is found on the disk.
pub(super) fn has_name(node: &NodeRef, dir: &NodeRef, name: &OsStr) -> bool {
    let state = lock(&node.0.state);
    matches!(&state.dentry, Some((at, known)) if at.same(dir) && known == name)
}
