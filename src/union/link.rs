//! Hard links.

use std::ffi::OsStr;
use std::sync::Arc;

use super::filesystem::{Step, Union, check_name};
use super::lock::lock;
use super::node::{NodeRef, Upper};
use super::real::Real;
use super::{Errno, Result};

impl Union {
    /// Gives a file another name, or its first one when it is nameless. Copies it up.
    ///
    /// # Errors
    /// `EPERM` for a directory; `EEXIST`; `EROFS`; `ENOENT` for a file whose last name was removed (union
    /// row 148); what the disk gives.
    pub fn link(&self, node: &NodeRef, dir: &NodeRef, name: &OsStr) -> Result<()> {
        check_name(name)?;
        self.change_names(|| self.try_link(node, dir, name))
    }

    fn try_link(&self, node: &NodeRef, dir: &NodeRef, name: &OsStr) -> Result<Step<()>> {
        let whiteout = self.free_name(dir, name)?;
        self.check_writable()?;
        if node.0.is_directory() {
            return Err(Errno::PERM);
        }
        if self.has_lost_last_name(node) {
            return Err(Errno::NOENT);
        }
        for needed in [node, dir] {
            if !needed.is_up() {
                return Ok(Step::CopyUp(needed.clone()));
            }
        }
        if self.is_overridden() {
            // A link or pipe that has to become a regular file later could not take its other names along.
            self.make_carrier(node)?;
        }
        // Whatever name it is found by.
        self.mark_for_data(node, false)?;
        if let Some(home) = self.parent(node) {
            self.mark_for_arrival(node, &home, dir)?;
        }
        let real = self.real(node)?;
        let directory = self.upper_directory(dir)?.ok_or(Errno::STALE)?;
        let entry = lock(&node.0.state).entry.clone();
        if let Some(entry) = &entry {
            self.prepare_links(&real, &real.stat()?, entry)?;
            // Whatever name it is known by: that may be in a lower layer only.
            self.set_impure(&Real::itself(Arc::clone(&directory)))?;
        }
        if whiteout.is_some() {
            let temporary = self.temporary(|work, temporary| real.link_to(work, temporary))?;
            temporary.replace(&Real::named(directory, name))?;
        } else {
            real.link_to(&directory, name)?;
        }
        let mut state = lock(&node.0.state);
        if state.dentry.is_none() {
            state.dentry = Some((dir.clone(), name.to_owned()));
            if entry.is_none() {
                state.upper = Upper::Named;
            }
        }
        if let Some(orphan) = state.orphan.take() {
            orphan.adopt();
        }
        Ok(Step::Done(()))
    }

    /// Whether a file has no name any more, other than one that has none yet. It gets none again, and that is
    /// found out before anything is copied up for it.
    fn has_lost_last_name(&self, node: &NodeRef) -> bool {
        let identity = {
            let state = lock(&node.0.state);
            if state.dentry.is_some() {
                return false;
            }
            if state.upper.is_absent() {
                return true;
            }
            state.upper_identity
        };
        // Known by its inode for as long as it can be found by a name, or may get its first one.
        let uppers = lock(&self.uppers);
        let known = identity.and_then(|identity| uppers.nodes.get(&identity));
        known.is_none_or(|known| !known.same(node))
    }
}
