//! Listing a merged directory.
//!
//! Names of all layers, each once, without what is whited out. The kernel lists a directory that is in one
//! layer only as it is, so that names of whiteouts in it show although they cannot be looked up (union rows
//! 23-25); here they never show. Source: overlayfs.rst "readdir".

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use rustix::fs::FileType;

use super::filesystem::Union;
use super::lock::{lock, read};
use super::node::NodeRef;
use super::real::{Real, kind_of_type};
use super::temporary::read_names;
use super::{DirectoryEntry, Errno, FileKind, Result};

/// What a name of a layer's directory is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    kind: FileKind,
    ino: u64,
    is_whiteout: bool,
}

impl Union {
    /// The names in a directory, sorted, without `.` and `..`.
    ///
    /// # Errors
    /// `ENOTDIR`; `ENOENT` for a removed directory; what reading the disk gives.
    pub fn read_directory(&self, dir: &NodeRef) -> Result<Vec<DirectoryEntry>> {
        if !dir.0.is_directory() {
            return Err(Errno::NOTDIR);
        }
        let _names = read(&self.names);
        self.check_alive(dir)?;
        let shown = self.shown(dir, true)?;
        Ok(shown
            .map(|(name, Entry { kind, ino, .. })| DirectoryEntry { name, kind, ino })
            .collect())
    }

    /// Whether a directory shows no names. Needs the namespace lock.
    pub(super) fn is_empty(&self, dir: &NodeRef) -> Result<bool> {
        Ok(self.shown(dir, false)?.next().is_none())
    }

    /// The names that a directory shows, sorted. Needs the namespace lock.
    pub(super) fn merged_names(&self, dir: &NodeRef) -> Result<Vec<OsString>> {
        Ok(self.shown(dir, false)?.map(|(name, _)| name).collect())
    }

    /// What a directory shows, sorted: all names of all layers but those that are whited out.
    fn shown(
        &self,
        dir: &NodeRef,
        is_numbered: bool,
    ) -> Result<impl Iterator<Item = (OsString, Entry)>> {
        let lowers = Arc::clone(&lock(&dir.0.state).lowers);
        let upper = self.upper_entries(dir, is_numbered, !lowers.is_empty())?;
        let is_hidden = |name: &OsStr| upper.contains_key(name);
        let mut all = match &*lowers {
            [] => Vec::new(),
            // Its own listing is no dearer than one that is remembered.
            [lower] => self.list_layer(&lower.real(&self.descriptors)?, false, is_hidden)?,
            _ => {
                let listing = self.lower_listing(dir, &lowers)?;
                let entries = listing.entries();
                entries.filter(|(name, _)| !is_hidden(name)).collect()
            }
        };
        all.extend(upper);
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(all.into_iter().filter(|(_, entry)| !entry.is_whiteout))
    }

    /// All names of the upper part of a directory, whiteouts too.
    fn upper_entries(
        &self,
        dir: &NodeRef,
        is_numbered: bool,
        is_over_lowers: bool,
    ) -> Result<BTreeMap<OsString, Entry>> {
        if self.is_known_empty_in_upper(dir) {
            return Ok(BTreeMap::new());
        }
        let Some(directory) = self.upper_directory(dir)? else {
            return Ok(BTreeMap::new());
        };
        let found = self.list_layer(&Real::itself(directory), true, |_| false)?;
        let mut entries: BTreeMap<OsString, Entry> = found.into_iter().collect();
        // Without lowers, only what was moved here can have lower parts.
        if is_numbered && (is_over_lowers || self.rules.writes_redirects) {
            self.number_upper_directories(dir, &mut entries)?;
        }
        Ok(entries)
    }

    /// The names of one layer but those that are hidden.
    pub(super) fn list_layer(
        &self,
        real: &Real,
        is_upper: bool,
        mut is_hidden: impl FnMut(&OsStr) -> bool,
    ) -> Result<Vec<(OsString, Entry)>> {
        let facts = real.stat()?;
        let mut found = Vec::new();
        read_names(&real.directory, &real.name, |name, (file_type, ino)| {
            if !is_hidden(&name) {
                found.push((name, file_type, ino));
            }
        })?;
        let has_marked_whiteouts = !self.options.plain && {
            let value = real.xattr(self.marks.name(super::marks::Mark::Opaque))?;
            value.is_some_and(|value| value == b"x")
        };
        let mut entries = Vec::with_capacity(found.len());
        for (name, file_type, ino) in found {
            let needs_look = match file_type {
                FileType::Unknown | FileType::CharacterDevice => true,
                FileType::RegularFile => has_marked_whiteouts || self.is_overridden(),
                _ => false,
            };
            let mut entry = Entry {
                kind: kind_of_type(file_type),
                ino: self.number(is_upper, (facts.dev, ino)),
                is_whiteout: false,
            };
            if needs_look {
                let child = Real::named(Arc::clone(&real.directory), &name);
                // It may have gone since the listing, in a directory that others change.
                let Some(facts) = child.look()? else { continue };
                entry.kind = self.shown_kind(&child, &facts)?;
                entry.is_whiteout = !self.options.plain
                    && (facts.is_whiteout()
                        || (has_marked_whiteouts && self.is_marked_whiteout(&child, &facts)?));
            }
            entries.push((name, entry));
        }
        Ok(entries)
    }

    fn number(&self, is_upper: bool, identity: (u64, u64)) -> u64 {
        if is_upper && let Some(ino) = lock(&self.uppers).origins.get(&identity) {
            return *ino;
        }
        self.show_number(identity)
    }

    /// A directory that is in lower layers too shows the lower's number.
    fn number_upper_directories(
        &self,
        dir: &NodeRef,
        entries: &mut BTreeMap<OsString, Entry>,
    ) -> Result<()> {
        for (name, entry) in entries
            .iter_mut()
            .filter(|(_, entry)| entry.kind == FileKind::Directory)
        {
            if let Some(node) = self.find(dir, name)? {
                entry.ino = lock(&node.0.state).ino;
            }
        }
        Ok(())
    }
}
