//! Lookup: from a directory and a name to the layers that have it.
//!
//! Source: overlayfs.rst "Directories", "whiteouts and opaque directories"; `fs/overlayfs/namei.c`.

use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use super::filesystem::Union;
use super::links::Alias;
use super::listing::Listed;
use super::lock::lock;
use super::lower::LowerDirectory;
use super::marks::Mark;
use super::metacopy::Elsewhere;
use super::names::Known;
use super::node::{Node, NodeRef, State, Upper};
use super::real::{Facts, Real};
use super::search::Search;
use super::{Errno, FileKind, Result};

/// A file, and what the disk said of its topmost part.
pub(super) type Seen = (NodeRef, Option<(Real, Facts)>);

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
        Ok(self.see(dir, name)?.map(|(node, _)| node))
    }

    /// The same, with what the disk said of the topmost part, if it was asked.
    pub(super) fn see(&self, dir: &NodeRef, name: &OsStr) -> Result<Option<Seen>> {
        if !dir.0.is_directory() {
            return Err(Errno::NOTDIR);
        }
        self.check_alive(dir)?;
        match self.known(dir, name) {
            Known::Node(node) => return Ok(Some((node, None))),
            Known::Absent => return Ok(None),
            Known::Unknown => {}
        }
        match self.upper_sight(dir, name)? {
            UpperSight::Whiteout(_) => Ok(None),
            UpperSight::File(real, facts) => {
                let node = if facts.kind == FileKind::Directory {
                    self.directory(dir, name, Some(facts), None)?
                } else {
                    self.upper_file(dir, name, &real, &facts)?
                };
                Ok(Some((node, Some((real, facts)))))
            }
            UpperSight::Nothing => {
                let Some(sight) = self.lower_sight(dir, name)? else {
                    self.learn_absent(dir, name);
                    return Ok(None);
                };
                let node = if sight.facts.kind == FileKind::Directory {
                    self.directory(dir, name, None, Some(&sight))?
                } else if let Some(seen) = self.shared_file(dir, name, &sight)? {
                    return Ok(Some(seen));
                } else {
                    self.lower_file(dir, name, &sight)?
                };
                Ok(Some((node, Some((sight.real, sight.facts)))))
            }
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
        let candidates = match Self::listed(dir, name) {
            Listed::Unknown => 0..lowers.len(),
            Listed::Absent => return Ok(None),
            Listed::In(layers) => layers,
        };
        for directory in lowers.get(candidates).unwrap_or_default() {
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
        let is_it = |node: &NodeRef| node.0.kind == kind;
        // Held from here on: let go of between the two looks, it would be made anew without its data.
        let known = lock(&self.uppers).nodes.get(&identity).filter(is_it);
        let elsewhere = if known.is_some() {
            Elsewhere::default()
        } else {
            self.data_of_upper(dir, name, real, facts)?
        };
        let mut uppers = lock(&self.uppers);
        if let Some(node) = uppers.nodes.get(&identity).filter(is_it) {
            let mut state = lock(&node.0.state);
            if state.dentry.is_none() {
                // Unlinked under one name and found again under another.
                state.dentry = Some((dir.clone(), name.to_owned()));
                if state.entry.is_none() {
                    state.upper = Upper::Named;
                }
            } else if !self.is_alone() && matches!(state.upper, Upper::Named) {
                // Somebody else may have moved it.
                state.dentry = Some((dir.clone(), name.to_owned()));
            }
            drop(state);
            dir.0.remember_child(name, &node);
            return Ok(Alias::of_upper(node, dir, name));
        }
        let ino = uppers.origins.get(&identity).copied();
        let entry = self.entry_of(facts);
        let indexed = entry.as_ref().map(|entry| entry.name.clone());
        let state = State {
            dentry: Some((dir.clone(), name.to_owned())),
            upper: indexed.map_or(Upper::Named, Upper::Indexed),
            shared: entry.as_ref().map(|entry| entry.lower.identity()),
            entry,
            upper_identity: Some(identity),
            ino: ino.unwrap_or_else(|| self.show_ino(facts)),
            data: elsewhere.data,
            redirect: elsewhere.redirect,
            ..State::default()
        };
        let node = Node::create(kind, state);
        uppers.nodes.insert(identity, &node);
        dir.0.remember_child(name, &node);
        Ok(Alias::of_upper(node, dir, name))
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
        match Self::listed(dir, name) {
            Listed::Unknown => {}
            Listed::Absent => search.end_at(0),
            Listed::In(layers) => search.end_at(layers.end),
        }
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
