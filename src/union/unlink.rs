//! `unlink` and `rmdir`: what is only in the upper layer goes; what a lower layer has is hidden.
//!
//! Whoever still holds the file keeps it: a descriptor takes the place of its name. Source: overlayfs.rst
//! "whiteouts and opaque directories"; `ovl_do_remove` in `fs/overlayfs/dir.c`.

use std::ffi::OsStr;
use std::sync::Arc;

use super::fault::{Fault, is_planted};
use super::filesystem::{Step, Union, check_name};
use super::find::{LowerSight, UpperSight};
use super::index::Entry;
use super::lock::lock;
use super::names::has_name;
use super::node::{NodeRef, Upper};
use super::real::{Facts, Real};
use super::{Directory, Errno, FileKind, Result};

/// A file about to lose a name, and what will keep it for those who hold it.
pub(super) struct Farewell {
    node: Option<NodeRef>,
    held: Option<Directory>,
    facts: Facts,
    /// Its entry in the index.
    entry: Option<Arc<Entry>>,
    /// Names that it has in the merged view.
    links: u64,
}

impl Union {
    /// Removes a name of a file that is not a directory.
    ///
    /// # Errors
    /// `EROFS`; `ENOENT`; `EISDIR`; `EPERM` for an immutable file (union row 99); what the disk gives.
    pub fn unlink(&self, dir: &NodeRef, name: &OsStr) -> Result<()> {
        check_name(name)?;
        self.check_writable()?;
        self.change_names(|| {
            self.try_remove(dir, name, |facts| {
                if facts.kind == FileKind::Directory {
                    Err(Errno::ISDIR)
                } else {
                    Ok(())
                }
            })
        })
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// `EROFS`; `ENOENT`; `ENOTDIR`; `ENOTEMPTY`; `EPERM` for an immutable one; what the disk gives.
    pub fn remove_directory(&self, dir: &NodeRef, name: &OsStr) -> Result<()> {
        check_name(name)?;
        self.check_writable()?;
        self.change_names(|| {
            self.try_remove(dir, name, |facts| {
                if facts.kind == FileKind::Directory {
                    Ok(())
                } else {
                    Err(Errno::NOTDIR)
                }
            })
        })
    }

    fn try_remove(
        &self,
        dir: &NodeRef,
        name: &OsStr,
        check: impl Fn(&Facts) -> Result<()>,
    ) -> Result<Step<()>> {
        if !dir.0.is_directory() {
            return Err(Errno::NOTDIR);
        }
        self.check_alive(dir)?;
        match self.upper_sight(dir, name)? {
            UpperSight::Whiteout(_) => Err(Errno::NOENT),
            UpperSight::File(real, facts) => {
                check(&facts)?;
                let is_hiding = self.lower_sight(dir, name)?.is_some();
                if facts.kind == FileKind::Directory {
                    self.remove_upper_directory(dir, name, &real, &facts, is_hiding)?;
                } else {
                    self.remove_upper_file(dir, name, &real, &facts, is_hiding)?;
                }
                Ok(Step::Done(()))
            }
            UpperSight::Nothing => {
                let sight = self.lower_sight(dir, name)?.ok_or(Errno::NOENT)?;
                check(&sight.facts)?;
                self.hide_lower(dir, name, &sight)
            }
        }
    }

    fn remove_upper_file(
        &self,
        dir: &NodeRef,
        name: &OsStr,
        real: &Real,
        facts: &Facts,
        is_hiding: bool,
    ) -> Result<()> {
        let farewell = self.prepare_farewell(dir, name, real, facts)?;
        if is_hiding && !is_planted(Fault::NoWhiteout) {
            self.whiteout_for(real)?.replace(real)?;
        } else {
            real.unlink()?;
        }
        self.complete_farewell(dir, name, farewell);
        Ok(())
    }

    fn remove_upper_directory(
        &self,
        dir: &NodeRef,
        name: &OsStr,
        real: &Real,
        facts: &Facts,
        is_hiding: bool,
    ) -> Result<()> {
        if !self.options.plain {
            let node = self.directory(dir, name, Some(*facts), None)?;
            if !self.is_empty(&node)? {
                return Err(Errno::NOTEMPTY);
            }
        }
        let farewell = self.prepare_farewell(dir, name, real, facts)?;
        if is_hiding {
            // The whiteout takes the directory's place in one step; the directory then goes away in the
            // work directory, with the whiteouts that are in it.
            self.whiteout_for(real)?.exchange(real)?;
        } else {
            match real.remove_directory() {
                // Nothing but whiteouts.
                Err(Errno::NOTEMPTY) if !self.options.plain => self.discard(real)?,
                other => other?,
            }
        }
        self.complete_farewell(dir, name, farewell);
        Ok(())
    }

    fn hide_lower(&self, dir: &NodeRef, name: &OsStr, sight: &LowerSight) -> Result<Step<()>> {
        sight.real.refuse_immutable()?;
        if sight.facts.kind == FileKind::Directory {
            let node = self.directory(dir, name, None, Some(sight))?;
            if !self.is_empty(&node)? {
                return Err(Errno::NOTEMPTY);
            }
        } else if let Some((node, _)) = self.shared_file(dir, name, sight)? {
            // Only on a copy can be kept how many names are left (`ovl_nlink_start`).
            return Ok(Step::CopyUp(node));
        }
        let Some(directory) = self.upper_directory(dir)? else {
            return Ok(Step::CopyUp(dir.clone()));
        };
        self.take_space(0)?;
        Self::learn_used(dir, name);
        self.make_whiteout(&directory, name, &directory)?;
        if let Some(node) = dir.0.child(name) {
            self.lose_name(&node, dir, name, None);
        }
        dir.0.forget_child(name);
        Ok(Step::Done(()))
    }

    /// A whiteout in the work directory that is to take a file's place.
    pub(super) fn whiteout_for(&self, place: &Real) -> Result<super::temporary::Temporary> {
        self.take_space(0)?;
        self.temporary(|work, name| self.make_whiteout(work, name, &place.directory))
    }

    /// Gets hold of an upper file that is about to lose this name, if somebody has its node.
    pub(super) fn prepare_farewell(
        &self,
        dir: &NodeRef,
        name: &OsStr,
        real: &Real,
        facts: &Facts,
    ) -> Result<Farewell> {
        let node = if facts.kind == FileKind::Directory {
            dir.0.child(name)
        } else {
            lock(&self.uppers).nodes.get(&facts.identity())
        };
        let entry = self.entry_of(facts);
        let links = match &entry {
            Some(entry) => self.prepare_links(real, facts, entry)?,
            None => facts.links,
        };
        let held = match &node {
            // The index holds it until it goes there, too.
            Some(_) if entry.is_some() && links <= 1 => Some(real.hold()?),
            Some(node) if entry.is_none() && has_name(node, dir, name) => Some(real.hold()?),
            _ => None,
        };
        Ok(Farewell {
            node,
            held,
            facts: *facts,
            entry,
            links,
        })
    }

    /// Records that the name is gone.
    pub(super) fn complete_farewell(&self, dir: &NodeRef, name: &OsStr, farewell: Farewell) {
        let Farewell {
            node,
            mut held,
            facts,
            entry,
            links,
        } = farewell;
        dir.0.forget_child(name);
        let is_directory = facts.kind == FileKind::Directory;
        let mut is_last = is_directory || links <= 1;
        if let Some(entry) = entry.filter(|_| is_last) {
            is_last = self.leave_index(&entry).unwrap_or(false);
            if !is_last {
                held = None;
            } else if let Some(node) = &node {
                lock(&node.0.state).entry = None;
            }
        }
        if is_last && !is_directory {
            let mut uppers = lock(&self.uppers);
            uppers.nodes.remove(&facts.identity());
            uppers.origins.remove(&facts.identity());
        }
        match (node, held) {
            (Some(node), Some(held)) => {
                if is_last && !is_directory {
                    lock(&node.0.state).orphan = self.orphan(&held);
                }
                self.lose_name(&node, dir, name, Some(held));
            }
            (Some(node), None) if node.0.is_shared => self.lose_name(&node, dir, name, None),
            (None, _) if is_last => self.give_space(facts.blocks * 512),
            _ => {}
        }
    }

    /// Takes a name from a node, and gives it a descriptor instead.
    pub(super) fn lose_name(
        &self,
        node: &NodeRef,
        dir: &NodeRef,
        name: &OsStr,
        held: Option<Directory>,
    ) {
        if node.0.is_directory() {
            self.forget_recent(node);
            node.0.slot.clear();
        }
        let mut state = lock(&node.0.state);
        let is_this = matches!(&state.dentry, Some((at, known)) if at.same(dir) && known == name);
        let dentry = if is_this { state.dentry.take() } else { None };
        if let Some((parent, _)) = &dentry {
            state.gone_from = Some(parent.clone());
        }
        if let Some(held) = held {
            state.upper = Upper::Held(held);
        }
        drop(state);
        // Outside the lock, because it may be the last reference to the parent.
        drop(dentry);
    }
}
