//! Listing a merged directory.
//!
//! Names of all layers, each once, without what is whited out. The kernel lists a directory that is in one
//! layer only as it is, so that names of whiteouts in it show although they cannot be looked up (union rows
//! 23-25); here they never show. Source: overlayfs.rst "readdir".

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;

use rustix::fs::FileType;

use super::filesystem::Union;
use super::lock::{lock, read};
use super::node::NodeRef;
use super::real::{Real, kind_of_type};
use super::temporary::read_names;
use super::{DirectoryEntry, Errno, FileKind, Result};

/// What a name of a layer's directory is.
struct Seen {
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
        let entries = self
            .merged(dir, true)?
            .into_iter()
            .filter(|(_, seen)| !seen.is_whiteout);
        Ok(entries
            .map(|(name, Seen { kind, ino, .. })| DirectoryEntry { name, kind, ino })
            .collect())
    }

    /// Whether a directory shows no names. Needs the namespace lock.
    pub(super) fn is_empty(&self, dir: &NodeRef) -> Result<bool> {
        Ok(self
            .merged(dir, false)?
            .values()
            .all(|seen| seen.is_whiteout))
    }

    /// The names that a directory shows, sorted. Needs the namespace lock.
    pub(super) fn merged_names(&self, dir: &NodeRef) -> Result<Vec<OsString>> {
        let shown = self
            .merged(dir, false)?
            .into_iter()
            .filter(|(_, seen)| !seen.is_whiteout);
        Ok(shown.map(|(name, _)| name).collect())
    }

    /// All names of all layers, whiteouts too.
    fn merged(&self, dir: &NodeRef, is_numbered: bool) -> Result<BTreeMap<OsString, Seen>> {
        let lowers = Arc::clone(&lock(&dir.0.state).lowers);
        let mut merged = BTreeMap::new();
        if let Some(directory) = self.upper_directory(dir)? {
            self.list_layer(&Real::itself(directory), None, &mut merged)?;
            // Without lowers, only what was moved here can have lower parts.
            if is_numbered && (!lowers.is_empty() || self.rules.writes_redirects) {
                self.number_upper_directories(dir, &mut merged)?;
            }
        }
        for lower in lowers.iter() {
            let real = lower.real(&self.descriptors)?;
            self.list_layer(&real, Some(lower), &mut merged)?;
        }
        Ok(merged)
    }

    /// Adds the names of one layer that no layer above has.
    fn list_layer(
        &self,
        real: &Real,
        lower: Option<&Arc<super::lower::LowerDirectory>>,
        merged: &mut BTreeMap<OsString, Seen>,
    ) -> Result<()> {
        let facts = real.stat()?;
        let mut found = Vec::new();
        read_names(&real.directory, &real.name, |name, (file_type, ino)| {
            found.push((name, file_type, ino));
        })?;
        let has_marked_whiteouts = !self.options.plain && {
            let value = real.xattr(self.marks.name(super::marks::Mark::Opaque))?;
            value.is_some_and(|value| value == b"x")
        };
        for (name, file_type, ino) in found {
            if merged.contains_key(&name) {
                continue;
            }
            let needs_look = match file_type {
                FileType::Unknown | FileType::CharacterDevice => true,
                FileType::RegularFile => has_marked_whiteouts || self.is_overridden(),
                _ => false,
            };
            let mut seen = Seen {
                kind: kind_of_type(file_type),
                ino: self.number(lower.is_none(), (facts.dev, ino)),
                is_whiteout: false,
            };
            if needs_look {
                let child = Real::named(Arc::clone(&real.directory), &name);
                // It may have gone since the listing, in a directory that others change.
                let Some(facts) = child.look()? else { continue };
                seen.kind = self.shown_kind(&child, &facts)?;
                seen.is_whiteout = !self.options.plain
                    && (facts.is_whiteout()
                        || (has_marked_whiteouts && self.is_marked_whiteout(&child, &facts)?));
            }
            merged.insert(name, seen);
        }
        Ok(())
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
        merged: &mut BTreeMap<OsString, Seen>,
    ) -> Result<()> {
        for (name, seen) in merged
            .iter_mut()
            .filter(|(_, seen)| seen.kind == FileKind::Directory)
        {
            if let Some(node) = self.find(dir, name)? {
                seen.ino = lock(&node.0.state).ino;
            }
        }
        Ok(())
    }
}
