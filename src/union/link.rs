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
        let is_unlinked_lower = {
            let state = lock(&node.0.state);
            state.dentry.is_none() && state.upper.is_absent()
        };
        if is_unlinked_lower {
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
}
