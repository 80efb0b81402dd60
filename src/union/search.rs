//! The walk down the layers in search of the parts of one directory, or of the data of one file.

use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use super::filesystem::Union;
use super::find::{FileMarks, LowerSight};
use super::lower::LowerDirectory;
use super::metacopy::LowerPlace;
use super::real::{Facts, Real};
use super::{Errno, FileKind, Result};

/// What a search came upon.
pub(super) struct Found {
    pub(super) parent: Arc<LowerDirectory>,
    pub(super) name: OsString,
    pub(super) facts: Facts,
}

/// The walk down the layers in search of the parts of one directory, or of the data of one file.
pub(super) struct Search<'union> {
    union: &'union Union,
    /// Directories to look into.
    candidates: Arc<[Arc<LowerDirectory>]>,
    next: usize,
    /// The first candidate that is known not to have it, nor any further one.
    end: usize,
    /// What to look for there: one name, or several from the root of a layer.
    path: Vec<OsString>,
    /// What the next candidate has there, if that is known.
    seen: Option<Facts>,
    stop: bool,
    is_for_data: bool,
}

impl<'union> Search<'union> {
    pub(super) fn new(
        union: &'union Union,
        candidates: Arc<[Arc<LowerDirectory>]>,
        name: &OsStr,
    ) -> Self {
        Self {
            union,
            end: candidates.len(),
            candidates,
            next: 0,
            path: vec![name.to_owned()],
            seen: None,
            stop: false,
            is_for_data: false,
        }
    }

    /// Ends before this candidate, which is known not to have the name, nor any further one.
    pub(super) fn end_at(&mut self, candidate: usize) {
        self.end = candidate;
    }

    /// Begins with the topmost part, which was found already.
    pub(super) fn start_at(&mut self, sight: &LowerSight) {
        let mut candidates = self.candidates.iter();
        if let Some(at) = candidates.position(|at| Arc::ptr_eq(at, &sight.directory)) {
            self.next = at;
            self.seen = Some(sight.facts);
        }
    }

    /// Takes the marks of the part in the upper layer into account.
    pub(super) fn follow(&mut self, marks: &FileMarks) -> Result<()> {
        if marks.opaque {
            self.stop = true;
            return Ok(());
        }
        self.follow_redirect(marks, None)
    }

    fn follow_redirect(&mut self, marks: &FileMarks, layer: Option<usize>) -> Result<()> {
        let at = self.path.len().saturating_sub(1);
        match &marks.redirect {
            Some(redirect) => self.redirect(redirect, at, layer),
            None => Ok(()),
        }
    }

    /// Where the data of a file are that was found in this directory of a lower layer.
    pub(super) fn data_below(
        mut self,
        directory: &Arc<LowerDirectory>,
        marks: &FileMarks,
    ) -> Result<LowerPlace> {
        let at = self
            .candidates
            .iter()
            .position(|it| Arc::ptr_eq(it, directory));
        self.next = at.map_or(self.candidates.len(), |at| at + 1);
        self.follow_redirect(marks, Some(directory.layer))?;
        self.data()
    }

    /// Where the data of the file are.
    pub(super) fn data(mut self) -> Result<LowerPlace> {
        self.is_for_data = true;
        let found = self.next()?.ok_or(Errno::IO)?;
        Ok((found.parent, found.name))
    }

    /// Replaces component `at` of the path by what a redirect says. An absolute one starts at the roots
    /// of the layers below `layer`.
    fn redirect(&mut self, redirect: &OsStr, at: usize, layer: Option<usize>) -> Result<()> {
        if !self.union.rules.follows_redirects {
            return Err(Errno::PERM);
        }
        let (is_absolute, parts) = super::redirect::parse(redirect)?;
        let rest = self.path.split_off((at + 1).min(self.path.len()));
        // What is known of one name says nothing of another.
        self.end = usize::MAX;
        if is_absolute {
            self.path = parts;
            // It leads on, even out of an opaque directory (`ovl_check_redirect`).
            self.stop = false;
            let roots = &self.union.roots;
            if !Arc::ptr_eq(&self.candidates, roots) {
                self.candidates = Arc::clone(roots);
                self.next = layer.map_or(0, |layer| layer + 1);
            }
        } else {
            self.path.truncate(at);
            self.path.extend(parts);
        }
        self.path.extend(rest);
        Ok(())
    }

    /// The next part, downwards.
    pub(super) fn next(&mut self) -> Result<Option<Found>> {
        while !self.stop && self.next < self.end {
            let Some(base) = self.candidates.get(self.next).cloned() else {
                break;
            };
            self.next += 1;
            if let Some(found) = self.walk(base)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Walks the path in one layer.
    fn walk(&mut self, mut base: Arc<LowerDirectory>) -> Result<Option<Found>> {
        let path = self.path.clone();
        let is_last_layer = base.layer + 1 >= self.union.roots.len();
        for (at, name) in path.iter().enumerate() {
            let real = base.child(&self.union.descriptors, name)?;
            let seen = self.seen.take();
            let Some(facts) = seen.map_or_else(|| real.look(), |facts| Ok(Some(facts)))? else {
                return Ok(None);
            };
            let is_last = at + 1 == path.len();
            if is_last && self.is_for_data {
                return self.data_here(base, real, facts);
            }
            if facts.kind != FileKind::Directory {
                // A whiteout ends the merge, and so does any other file (union row 5), on the way to an
                // absolute redirect too.
                self.stop = true;
                return Ok(None);
            }
            if !is_last_layer {
                let marks = self.union.marks_of(&real)?;
                if marks.opaque {
                    self.stop = true;
                } else if let Some(redirect) = &marks.redirect {
                    let from_end = path.len() - at;
                    let at = self.path.len().saturating_sub(from_end);
                    self.redirect(redirect, at, Some(base.layer))?;
                }
            }
            if is_last {
                let (parent, name) = (base, name.clone());
                return Ok(Some(Found {
                    parent,
                    name,
                    facts,
                }));
            }
            base = LowerDirectory::below(&base, name);
        }
        Ok(None)
    }

    /// What the walk has come to is the file with the data, or one that leads further down.
    fn data_here(
        &mut self,
        parent: Arc<LowerDirectory>,
        real: Real,
        facts: Facts,
    ) -> Result<Option<Found>> {
        if facts.kind != FileKind::Regular
            || self.union.is_lower_whiteout(&parent, &real, &facts)?
        {
            self.stop = true;
            return Ok(None);
        }
        let marks = self.union.marks_of(&real)?;
        if marks.metacopy {
            self.follow_redirect(&marks, Some(parent.layer))?;
            return Ok(None);
        }
        let name = real.name;
        Ok(Some(Found {
            parent,
            name,
            facts,
        }))
    }
}
