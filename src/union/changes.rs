//! What the upper layer changes, as `docker diff` tells it.
//!
//! Docker compares the merged tree with the image (`archive.ChangesDirs`): an entry counts as changed when
//! its mode, owner, device, capabilities or, unless it is a directory, size or modification time differ. A
//! copy that was made and changed back is no change (Docker row 172); a removed directory is one deletion; a
//! directory with changes below counts as changed itself, except the root (row 171); what replaces a file is
//! a change, and so is what is in it an addition (row 173).

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::filesystem::Union;
use super::lock::{lock, read};
use super::lower::LowerDirectory;
use super::node::{NodeRef, State, Upper};
use super::real::Real;
use super::{ChangeKind, Errno, FileKind, Result, UpperChange};

impl Union {
    /// The differences between the upper layer and the lowers, sorted by path, a directory before what is
    /// in it. Reads only what is in the upper layer.
    ///
    /// # Errors
    /// What reading the disk gives.
    pub fn changes(&self) -> Result<Vec<UpperChange>> {
        let _names = read(&self.names);
        let mut changes = Vec::new();
        if !lock(&self.root.0.state).upper.is_absent() {
            let lowers = Arc::clone(&self.roots);
            self.changes_below(&self.root, &lowers, Path::new("/"), &mut changes)?;
        }
        changes.sort();
        Ok(changes)
    }

    /// Changes in a directory that has an upper part. `lowers` is what the image has at this path, which
    /// is not what is merged when the upper part is opaque.
    fn changes_below(
        &self,
        dir: &NodeRef,
        lowers: &Arc<[Arc<LowerDirectory>]>,
        path: &Path,
        changes: &mut Vec<UpperChange>,
    ) -> Result<()> {
        let Some(directory) = self.upper_directory(dir)? else {
            // Only what a redirect has moved gets here.
            return self.additions_below(dir, path, changes);
        };
        let image = self.image_directory(lowers);
        let (is_merged, is_moved) = {
            let state = lock(&dir.0.state);
            (!state.lowers.is_empty(), state.redirect.is_some())
        };
        let mut names: BTreeSet<OsString> = super::temporary::names_in(&Real::itself(directory))?
            .into_iter()
            .collect();
        if is_moved {
            // What a redirect brings here is not what the image has here.
            names.extend(self.merged_names(dir)?);
        }
        if !is_merged || is_moved {
            names.extend(self.merged_names(&image)?);
        }
        for name in &names {
            let path = path.join(name);
            let before = self.lower_sight(&image, name)?;
            match self.find(dir, name)? {
                None if before.is_some() => {
                    changes.push(UpperChange {
                        path,
                        kind: ChangeKind::Deleted,
                    });
                }
                None => {}
                Some(node) => self.changes_of(&image, &node, name, path, changes)?,
            }
        }
        Ok(())
    }

    fn changes_of(
        &self,
        image: &NodeRef,
        node: &NodeRef,
        name: &OsStr,
        path: PathBuf,
        changes: &mut Vec<UpperChange>,
    ) -> Result<()> {
        let before = match self.lower_sight(image, name)? {
            Some(sight) if sight.facts.kind == FileKind::Directory => {
                Some((self.directory(image, name, None, Some(&sight))?, sight))
            }
            Some(sight) => Some((node.clone(), sight)),
            None => None,
        };
        let mut kind = match &before {
            None => Some(ChangeKind::Added),
            Some((_, sight)) if self.differs(node, &sight.real)? => Some(ChangeKind::Changed),
            Some(_) => None,
        };
        let at = changes.len();
        if node.0.is_directory() {
            let lowers = match &before {
                Some((old, sight)) if sight.facts.kind == FileKind::Directory => {
                    Arc::clone(&lock(&old.0.state).lowers)
                }
                _ => Arc::default(),
            };
            self.changes_below(node, &lowers, &path, changes)?;
            if changes.len() > at {
                kind = kind.or(Some(ChangeKind::Changed));
            }
        }
        if let Some(kind) = kind {
            changes.push(UpperChange { path, kind });
        }
        Ok(())
    }

    fn additions_below(
        &self,
        dir: &NodeRef,
        path: &Path,
        changes: &mut Vec<UpperChange>,
    ) -> Result<()> {
        for name in self.merged_names(dir)? {
            let path = path.join(&name);
            if let Some(node) = self.find(dir, &name)?
                && node.0.is_directory()
            {
                self.additions_below(&node, &path, changes)?;
            }
            changes.push(UpperChange {
                path,
                kind: ChangeKind::Added,
            });
        }
        Ok(())
    }

    /// A node that shows the lower layers of a directory only. It is not remembered anywhere.
    fn image_directory(&self, lowers: &Arc<[Arc<LowerDirectory>]>) -> NodeRef {
        let state = State {
            dentry: Some((self.root.clone(), "image".into())),
            upper: Upper::Absent,
            lowers: Arc::clone(lowers),
            ..State::default()
        };
        super::node::Node::create(FileKind::Directory, state)
    }

    fn differs(&self, node: &NodeRef, before: &Real) -> Result<bool> {
        let after = self.real(node)?;
        let (new, old) = (after.stat()?, before.stat()?);
        let (shown_new, shown_old) = (
            self.shown_owner(&after, &new)?,
            self.shown_owner(before, &old)?,
        );
        let is_same_time = old.mtime.seconds == new.mtime.seconds
            && (old.mtime.nanos == new.mtime.nanos || old.mtime.nanos == 0 || new.mtime.nanos == 0);
        let is_directory = shown_new.kind == Some(FileKind::Directory);
        if shown_new != shown_old || (!is_directory && (!is_same_time || new.size != old.size)) {
            return Ok(true);
        }
        let capability = self.marks.to_real("security.capability".as_ref())?;
        let of = |real: &Real| match real.xattr(&capability) {
            Err(Errno::PERM) => Ok(None),
            other => other,
        };
        Ok(of(&after)? != of(before)?)
    }
}
