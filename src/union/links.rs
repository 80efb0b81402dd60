//! Files of the lower layers with several names, in a union with an index: one file whatever it is found by.
//!
//! Its copy goes into the index first and is then linked to the name by which it is to change; its other names stay
//! in the lower layer until they change, too. How many names the merged view has is kept in `overlay.nlink` on the
//! copy, as the difference from the links of the upper file (`U+1`) or of the lower one (`L-2`). Before a name comes or
//! goes, what is kept there is such that it is right before and after: a crash between makes no difference.
//!
//! Source: overlayfs.rst "Non-standard behavior"; `ovl_link_up` in `fs/overlayfs/copy_up.c`, `ovl_nlink_start` and
//! `ovl_cleanup_index` in `fs/overlayfs/util.c`, `ovl_get_nlink` in `fs/overlayfs/inode.c`; union rows 102, 145, 228.

use std::ffi::{OsStr, OsString};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::XattrFlags;

use super::filesystem::Union;
use super::find::{LowerSight, Seen, UpperSight};
use super::index::Entry;
use super::lock::{lock, write};
use super::marks::{Mark, Marks};
use super::node::{Node, NodeRef, State, Upper};
use super::real::{Facts, Real};
use super::temporary::Temporary;
use super::{Errno, Result, SetTime};

/// A name by which a file was found that is one file whatever it is found by. As long as only a lower layer has the name,
/// changing the file through it links it.
#[derive(Debug)]
pub(super) struct Alias {
    pub(super) dir: NodeRef,
    pub(super) name: OsString,
    linked: AtomicBool,
}

impl Alias {
    fn of(node: NodeRef, dir: &NodeRef, name: &OsStr, is_linked: bool) -> NodeRef {
        let alias = Self {
            dir: dir.clone(),
            name: name.to_owned(),
            linked: AtomicBool::new(is_linked),
        };
        NodeRef(node.0, Some(Arc::new(alias)))
    }

    /// Remembers the name in the upper layer by which a file was found, if it is one of those files.
    pub(super) fn of_upper(node: NodeRef, dir: &NodeRef, name: &OsStr) -> NodeRef {
        if node.0.is_shared {
            Self::of(node, dir, name, true)
        } else {
            node
        }
    }

    /// Whether the upper layer has the name by now.
    pub(super) fn is_linked(&self) -> bool {
        self.linked.load(Ordering::Acquire)
    }
}

/// Names of a file in the merged view; `None` when nothing that makes sense is kept on it.
pub(super) fn links_of(
    upper: &Real,
    facts: &Facts,
    lower: &Facts,
    marks: Marks,
) -> Result<Option<u64>> {
    if lower.links <= 1 {
        return Ok(None);
    }
    let value = upper.xattr(marks.name(Mark::Links))?.unwrap_or_default();
    Ok(read_links(&value, facts.links, lower.links))
}

fn read_links(value: &[u8], upper: u64, lower: u64) -> Option<u64> {
    let (base, difference) = match value {
        [b'U', rest @ ..] => (upper, rest),
        [b'L', rest @ ..] => (lower, rest),
        _ => return None,
    };
    let difference = difference
        .first()
        .filter(|sign| matches!(sign, b'+' | b'-'))
        .and_then(|_sign| str::from_utf8(difference).ok())?;
    base.checked_add_signed(difference.parse().ok()?)
}

fn write_links(letter: char, links: u64, base: u64) -> String {
    let difference = links.cast_signed().wrapping_sub(base.cast_signed());
    format!("{letter}{difference:+}")
}

/// Gives a file that has lost the name by which it was known another one.
fn settle(node: &NodeRef, dir: &NodeRef, name: &OsStr) {
    let mut state = lock(&node.0.state);
    if state.dentry.is_none() {
        state.dentry = Some((dir.clone(), name.to_owned()));
    }
}

impl Union {
    /// A file of a lower layer whose names are one file: with a file of the upper layer already, or to be so.
    ///
    /// # Errors
    /// `EIO` when the index has something else for it; `EPERM` with `metacopy` off for a file without data.
    pub(super) fn shared_file(
        &self,
        dir: &NodeRef,
        name: &OsStr,
        sight: &LowerSight,
    ) -> Result<Option<Seen>> {
        let Some(index) = &self.index else {
            return Ok(None);
        };
        let (node, seen) = match index.of_lower(&sight.facts) {
            Some(entry) if entry.kind != sight.facts.kind => return Err(Errno::IO),
            Some(entry) => self.indexed_file(dir, name, sight, &entry)?,
            None if index.wants(&sight.facts) => {
                let seen = (sight.real.clone(), sight.facts);
                (self.file_to_index(dir, name, sight)?, seen)
            }
            None => return Ok(None),
        };
        Ok(Some((Alias::of(node, dir, name, false), Some(seen))))
    }

    fn indexed_file(
        &self,
        dir: &NodeRef,
        name: &OsStr,
        sight: &LowerSight,
        entry: &Arc<Entry>,
    ) -> Result<(NodeRef, (Real, Facts))> {
        let real = self.indexed_real(&entry.name)?;
        let facts = real.stat()?;
        let known = lock(&self.uppers).nodes.get(&entry.upper);
        if let Some(node) = known {
            settle(&node, dir, name);
            return Ok((node, (real, facts)));
        }
        let elsewhere = self.data_of_indexed(dir, name, sight, (&real, &facts))?;
        let mut uppers = lock(&self.uppers);
        if let Some(node) = uppers.nodes.get(&entry.upper) {
            return Ok((node, (real, facts)));
        }
        let state = State {
            dentry: Some((dir.clone(), name.to_owned())),
            upper: Upper::Indexed(entry.name.clone()),
            upper_identity: Some(entry.upper),
            lower: Some((Arc::clone(&sight.directory), name.to_owned())),
            shared: Some(sight.facts.identity()),
            entry: Some(Arc::clone(entry)),
            ino: self.show_ino(&sight.facts),
            data: elsewhere.data,
            redirect: elsewhere.redirect,
            ..State::default()
        };
        let node = Node::create(entry.kind, state);
        uppers.nodes.insert(entry.upper, &node);
        Ok((node, (real, facts)))
    }

    fn file_to_index(&self, dir: &NodeRef, name: &OsStr, sight: &LowerSight) -> Result<NodeRef> {
        let identity = sight.facts.identity();
        let data = self.data_of_lower(dir, name, sight)?;
        let mut uppers = lock(&self.uppers);
        if let Some(node) = uppers.shared.get(&identity) {
            settle(&node, dir, name);
            return Ok(node);
        }
        let state = State {
            dentry: Some((dir.clone(), name.to_owned())),
            lower: Some((Arc::clone(&sight.directory), name.to_owned())),
            shared: Some(identity),
            ino: self.show_ino(&sight.facts),
            data,
            ..State::default()
        };
        let node = Node::create(sight.facts.kind, state);
        uppers.shared.insert(identity, &node);
        Ok(node)
    }

    /// An entry's place on the disk.
    pub(super) fn indexed_real(&self, name: &OsStr) -> Result<Real> {
        let index = self.index.as_ref().ok_or(Errno::STALE)?;
        Ok(Real::named(Arc::clone(&index.directory), name))
    }

    /// The entry of an upper file.
    pub(super) fn entry_of(&self, upper: &Facts) -> Option<Arc<Entry>> {
        self.index.as_ref()?.of_upper(upper)
    }

    /// Names of an upper file in the merged view.
    pub(super) fn links(&self, real: &Real, facts: &Facts, entry: Option<&Entry>) -> Result<u64> {
        let Some(entry) = entry else {
            return Ok(facts.links);
        };
        let links = links_of(real, facts, &entry.lower, self.marks)?;
        Ok(links.filter(|links| *links > 0).unwrap_or(facts.links))
    }

    /// Writes on a copy what makes it an entry, and returns what that will be called.
    pub(super) fn mark_for_index(
        &self,
        lower: &Real,
        facts: &Facts,
        copy: &Real,
    ) -> Result<OsString> {
        let index = self.index.as_ref().ok_or(Errno::STALE)?;
        let origin = index.origin(lower, facts)?;
        let name = self.marks.name(Mark::Origin);
        copy.set_xattr(name, origin.bytes(), XattrFlags::empty())?;
        self.keep_links(copy, &write_links('L', facts.links, facts.links))?;
        Ok(origin.name())
    }

    /// Gives a copy its name in the index.
    pub(super) fn publish_in_index(
        &self,
        name: OsString,
        lower: &Facts,
        (copy, facts): (&Real, &Facts),
        temporary: Option<Temporary>,
    ) -> Result<Arc<Entry>> {
        let index = self.index.as_ref().ok_or(Errno::STALE)?;
        match temporary {
            Some(temporary) => temporary.publish(&self.indexed_real(&name)?)?,
            None => copy.link_to(&index.directory, &name)?,
        }
        Ok(index.enter(Entry {
            name,
            lower: *lower,
            upper: facts.identity(),
            kind: facts.kind,
        }))
    }

    fn keep_links(&self, real: &Real, value: &str) -> Result<()> {
        let name = self.marks.name(Mark::Links);
        if real
            .xattr(name)?
            .is_some_and(|kept| kept == value.as_bytes())
        {
            return Ok(());
        }
        real.set_xattr(name, value.as_bytes(), XattrFlags::empty())
    }

    /// Keeps the number of names so that it follows the links of the upper file, which are about to change with
    /// it. Returns it.
    pub(super) fn prepare_links(&self, real: &Real, facts: &Facts, entry: &Entry) -> Result<u64> {
        let links = self.links(real, facts, Some(entry))?;
        self.keep_links(real, &write_links('U', links, facts.links))?;
        Ok(links)
    }

    /// Gives a file that is in the index the name by which it was found, in the upper layer. Takes the namespace lock
    /// by itself.
    pub(super) fn link_up(&self, node: &NodeRef) -> Result<()> {
        let Some(alias) = node.1.as_ref().filter(|alias| !alias.is_linked()) else {
            return Ok(());
        };
        let _names = write(&self.names);
        if self.awaits_link(node, alias)? {
            self.link_alias(node, alias)?;
            lock(&node.0.state).dentry = Some((alias.dir.clone(), alias.name.clone()));
        }
        alias.linked.store(true, Ordering::Release);
        Ok(())
    }

    /// Whether the name still leads to the file, and by way of the lower layer.
    fn awaits_link(&self, node: &NodeRef, alias: &Alias) -> Result<bool> {
        if self.check_alive(&alias.dir).is_err() {
            return Ok(false);
        }
        let UpperSight::Nothing = self.upper_sight(&alias.dir, &alias.name)? else {
            return Ok(false);
        };
        let sight = self.lower_sight(&alias.dir, &alias.name)?;
        let found = sight.map(|sight| sight.facts.identity());
        let state = lock(&node.0.state);
        Ok(state.entry.is_some() && found == state.shared)
    }

    fn link_alias(&self, node: &NodeRef, alias: &Alias) -> Result<()> {
        let entry = lock(&node.0.state).entry.clone().ok_or(Errno::STALE)?;
        let directory = self.upper_directory(&alias.dir)?.ok_or(Errno::STALE)?;
        let parent = Real::itself(Arc::clone(&directory));
        let before = parent.stat()?;
        self.set_impure(&parent)?;
        let real = self.indexed_real(&entry.name)?;
        let links = self.links(&real, &real.stat()?, Some(&entry))?;
        // The merged view has the name already; only the upper file gets one more.
        self.keep_links(&real, &write_links('L', links, entry.lower.links))?;
        Self::learn_used(&alias.dir, &alias.name);
        real.link_to(&directory, &alias.name)?;
        // It is linked: whatever fails from here on makes no difference.
        let at = |time| Some(SetTime::At(time));
        let _times = parent.set_times(at(before.atime), at(before.mtime));
        let _kept = real
            .stat()
            .and_then(|after| self.keep_links(&real, &write_links('U', links, after.links)));
        Ok(())
    }

    /// Removes the entry of a file that has lost its last name. Returns whether it has: somebody may have given the
    /// lower file more names meanwhile.
    pub(super) fn leave_index(&self, entry: &Entry) -> Result<bool> {
        let real = self.indexed_real(&entry.name)?;
        let facts = real.stat()?;
        if facts.links > 1 {
            let value = write_links('U', facts.links - 1, facts.links);
            self.keep_links(&real, &value)?;
            return Ok(false);
        }
        if let Some(index) = &self.index {
            index.leave(entry);
        }
        lock(&self.uppers).shared.remove(&entry.lower.identity());
        // What stays is removed when the index is opened the next time.
        let _removed = real.unlink();
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_links_are_read_as_they_are_written() {
        for (letter, links, base, text) in [
            ('U', 3, 2, "U+1"),
            ('U', 2, 2, "U+0"),
            ('L', 1, 4, "L-3"),
            ('U', 0, 1, "U-1"),
        ] {
            assert_eq!(write_links(letter, links, base), text);
            let (upper, lower) = if letter == 'U' { (base, 9) } else { (9, base) };
            assert_eq!(read_links(text.as_bytes(), upper, lower), Some(links));
        }
        for text in [
            "",
            "U",
            "U7",
            "X+1",
            "U+",
            "U+1x",
            "L-9",
            "U+99999999999999999999",
        ] {
            assert_eq!(read_links(text.as_bytes(), 2, 2), None, "{text}");
        }
    }
}
