//! Lookup: from a directory and a name to the layers that have it.
//!
//! Source: overlayfs.rst "Directories", "whiteouts and opaque directories"; `fs/overlayfs/namei.c`.

use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use super::filesystem::Union;
use super::lock::lock;
use super::lower::LowerDirectory;
use super::marks::Mark;
use super::metacopy::{Elsewhere, LowerPlace};
use super::names::Known;
use super::node::{Node, NodeRef, State, Upper};
use super::real::{Facts, Real};
use super::{Errno, FileKind, Result};

/// What the upper layer has under a name.
pub(super) enum UpperSight {
    /// Nothing.
    Nothing,
    /// A whiteout.
    Whiteout(Real),
    /// A file.
    File(Real, Facts),
}

/// What the lower layers have under a name.
pub(super) struct LowerSight {
    /// Directory in which it was found.
    pub(super) directory: Arc<LowerDirectory>,
    /// The file.
    pub(super) real: Real,
    /// What it is.
    pub(super) facts: Facts,
}

impl Union {
    /// Looks a name up. Needs the namespace lock.
    pub(super) fn find(&self, dir: &NodeRef, name: &OsStr) -> Result<Option<NodeRef>> {
        if !dir.0.is_directory() {
            return Err(Errno::NOTDIR);
        }
        self.check_alive(dir)?;
        match self.known(dir, name) {
            Known::Node(node) => return Ok(Some(node)),
            Known::Absent => return Ok(None),
            Known::Unknown => {}
        }
        match self.upper_sight(dir, name)? {
            UpperSight::Whiteout(_) => Ok(None),
            UpperSight::File(_, facts) if facts.kind == FileKind::Directory => {
                self.directory(dir, name, Some(facts), None).map(Some)
            }
            UpperSight::File(real, facts) => self.upper_file(dir, name, &real, &facts).map(Some),
            UpperSight::Nothing => match self.lower_sight(dir, name)? {
                None => {
                    self.learn_absent(dir, name);
                    Ok(None)
                }
                Some(sight) if sight.facts.kind == FileKind::Directory => {
                    self.directory(dir, name, None, Some(&sight)).map(Some)
                }
                Some(sight) => self.lower_file(dir, name, &sight).map(Some),
            },
        }
    }

    /// Looks into the upper layer only. Needs the namespace lock.
    pub(super) fn upper_sight(&self, dir: &NodeRef, name: &OsStr) -> Result<UpperSight> {
        if self.is_missing_in_upper(dir, name) {
            return Ok(UpperSight::Nothing);
        }
        let Some(directory) = self.upper_directory(dir)? else {
            return Ok(UpperSight::Nothing);
        };
        let real = Real::named(directory, name);
        let Some(facts) = real.look()? else {
            return Ok(UpperSight::Nothing);
        };
        if self.is_upper_whiteout(dir, &real, &facts)? {
            return Ok(UpperSight::Whiteout(real));
        }
        Ok(UpperSight::File(real, facts))
    }

    /// Looks into the lower layers only: what would show if the upper layer had nothing there.
    pub(super) fn lower_sight(&self, dir: &NodeRef, name: &OsStr) -> Result<Option<LowerSight>> {
        let lowers = Arc::clone(&lock(&dir.0.state).lowers);
        for directory in lowers.iter() {
            let real = directory.child(&self.descriptors, name)?;
            let Some(facts) = real.look()? else { continue };
            if self.is_lower_whiteout(directory, &real, &facts)? {
                return Ok(None);
            }
            return Ok(Some(LowerSight {
                directory: Arc::clone(directory),
                real,
                facts,
            }));
        }
        Ok(None)
    }

    fn upper_file(
        &self,
        dir: &NodeRef,
        name: &OsStr,
        real: &Real,
        facts: &Facts,
    ) -> Result<NodeRef> {
        let kind = self.shown_kind(real, facts)?;
        let identity = facts.identity();
        let is_known = lock(&self.uppers).nodes.get(&identity).is_some();
        let elsewhere = if is_known {
            Elsewhere::default()
        } else {
            self.data_of_upper(dir, name, real, facts)?
        };
        let mut uppers = lock(&self.uppers);
        if let Some(node) = uppers
            .nodes
            .get(&identity)
            .filter(|node| node.0.kind == kind)
        {
            let mut state = lock(&node.0.state);
            if state.dentry.is_none() {
                // Unlinked under one name and found again under another.
                state.dentry = Some((dir.clone(), name.to_owned()));
                state.upper = Upper::Named;
            } else if !self.is_alone() && matches!(state.upper, Upper::Named) {
                // Somebody else may have moved it.
                state.dentry = Some((dir.clone(), name.to_owned()));
            }
            drop(state);
            dir.0.remember_child(name, &node);
            return Ok(node);
        }
        let ino = uppers.origins.get(&identity).copied();
        let state = State {
            dentry: Some((dir.clone(), name.to_owned())),
            upper: Upper::Named,
            upper_identity: Some(identity),
            ino: ino.unwrap_or_else(|| self.show_ino(facts)),
            data: elsewhere.data,
            redirect: elsewhere.redirect,
            ..State::default()
        };
        let node = Node::create(kind, state);
        uppers.nodes.insert(identity, &node);
        dir.0.remember_child(name, &node);
        Ok(node)
    }

    fn lower_file(&self, dir: &NodeRef, name: &OsStr, sight: &LowerSight) -> Result<NodeRef> {
        let kind = self.shown_kind(&sight.real, &sight.facts)?;
        let data = self.data_of_lower(dir, name, sight)?;
        let mut children = lock(&dir.0.children);
        if let Some(node) = children.get(name)
            && node.0.kind == kind
            && !node.0.is_in_upper()
        {
            return Ok(node);
        }
        let state = State {
            dentry: Some((dir.clone(), name.to_owned())),
            lower: Some((Arc::clone(&sight.directory), name.to_owned())),
            ino: self.show_ino(&sight.facts),
            data,
            ..State::default()
        };
        let node = Node::create(kind, state);
        children.insert(name.to_owned(), &node);
        Ok(node)
    }

    /// The node of a directory, from the children that are remembered or from the layers. `upper` is what the
    /// upper layer has there; without that, `lower` may tell where the topmost lower part is.
    pub(super) fn directory(
        &self,
        dir: &NodeRef,
        name: &OsStr,
        upper: Option<Facts>,
        lower: Option<&LowerSight>,
    ) -> Result<NodeRef> {
        let identity = upper.map(|facts| facts.identity());
        let is_same = |node: &NodeRef| {
            node.0.is_directory() && lock(&node.0.state).upper_identity == identity
        };
        if let Some(node) = dir.0.child(name).filter(is_same) {
            return Ok(node);
        }
        let state = self.merge(dir, name, upper, lower)?;
        let mut children = lock(&dir.0.children);
        if let Some(node) = children.get(name).filter(is_same) {
            return Ok(node);
        }
        let node = Node::create(FileKind::Directory, state);
        children.insert(name.to_owned(), &node);
        drop(children);
        self.keep_recent(&node);
        Ok(node)
    }

    /// Collects the layers of a directory.
    fn merge(
        &self,
        dir: &NodeRef,
        name: &OsStr,
        upper: Option<Facts>,
        lower: Option<&LowerSight>,
    ) -> Result<State> {
        let candidates = Arc::clone(&lock(&dir.0.state).lowers);
        let mut state = State {
            dentry: Some((dir.clone(), name.to_owned())),
            upper_identity: upper.map(|facts| facts.identity()),
            ..State::default()
        };
        let mut search = Search::new(self, candidates, name);
        let mut ino = None;
        if let Some(sight) = lower {
            search.start_at(sight);
        }
        if let Some(facts) = upper {
            state.upper = Upper::Named;
            ino = Some(self.show_ino(&facts));
            // A redirect can lead into the lower layers even where the parent has no part in them.
            if !self.roots.is_empty() {
                let directory = self.upper_directory(dir)?.ok_or(Errno::STALE)?;
                let marks = self.marks_of(&Real::named(directory, name))?;
                state.opaque = marks.opaque;
                state.redirect.clone_from(&marks.redirect);
                search.follow(&marks)?;
            }
        }
        let mut lowers = Vec::new();
        while let Some(found) = search.next()? {
            if lowers.is_empty() {
                ino = Some(self.show_ino(&found.facts));
            }
            lowers.push(LowerDirectory::below(&found.parent, &found.name));
        }
        state.lowers = lowers.into();
        state.ino = ino.ok_or(Errno::NOENT)?;
        Ok(state)
    }

    /// The marks of a real file. Asking for all names at once is one call for the many that have none.
    pub(super) fn marks_of(&self, real: &Real) -> Result<FileMarks> {
        let mut marks = FileMarks::default();
        for name in real.xattr_names()? {
            if name == self.marks.name(Mark::Opaque) {
                marks.opaque = real.xattr(&name)?.is_some_and(|value| value == b"y");
            } else if name == self.marks.name(Mark::Redirect) {
                marks.redirect = real.xattr(&name)?.map(|value| {
                    use std::os::unix::ffi::OsStringExt as _;
                    OsString::from_vec(value)
                });
            } else if name == self.marks.name(Mark::Metacopy) {
                marks.metacopy = true;
            }
        }
        Ok(marks)
    }
}

/// What a union has written on a file.
#[derive(Debug, Default)]
pub(super) struct FileMarks {
    /// `overlay.opaque` is `y`.
    pub(super) opaque: bool,
    /// `overlay.redirect`
    pub(super) redirect: Option<OsString>,
    /// `overlay.metacopy` is there.
    pub(super) metacopy: bool,
}

/// What a search came upon.
pub(super) struct Found {
    parent: Arc<LowerDirectory>,
    name: OsString,
    facts: Facts,
}

/// The walk down the layers in search of the parts of one directory, or of the data of one file.
pub(super) struct Search<'union> {
    union: &'union Union,
    /// Directories to look into.
    candidates: Arc<[Arc<LowerDirectory>]>,
    next: usize,
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
            candidates,
            next: 0,
            path: vec![name.to_owned()],
            seen: None,
            stop: false,
            is_for_data: false,
        }
    }

    /// Begins with the topmost part, which was found already.
    fn start_at(&mut self, sight: &LowerSight) {
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
        if is_absolute {
            self.path = parts;
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
    fn next(&mut self) -> Result<Option<Found>> {
        while !self.stop {
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
