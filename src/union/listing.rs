//! What the lower layers of a directory hold together. They never change, so what was listed once holds; and it tells
//! in which of them a name is, so that a lookup need not ask them all.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::ops::Range;
use std::sync::{Arc, Weak};

use super::Result;
use super::directory::Entry;
use super::filesystem::Union;
use super::lock::lock;
use super::lower::LowerDirectory;
use super::node::{Node, NodeRef};

/// Most names in the listings that one union remembers.
const NAMES_MAX: usize = 1 << 16;

/// One name of the lower layers.
#[derive(Debug)]
struct Row {
    name: OsString,
    /// As the topmost layer that has it says.
    entry: Entry,
    /// From the topmost to the last layer that has it, by their places in the directory's stack.
    layers: Range<usize>,
}

/// All names of the lower layers of one directory, sorted.
#[derive(Debug)]
pub(super) struct Listing(Vec<Row>);

/// Where a name of the lower layers is.
pub(super) enum Listed {
    /// Not listed yet.
    Unknown,
    /// In none.
    Absent,
    /// In the first and the last of these, by their places in the directory's stack; perhaps in others between.
    In(Range<usize>),
}

/// The listings that one union remembers.
#[derive(Debug, Default)]
pub(super) struct Listings {
    kept: VecDeque<(Weak<Node>, usize)>,
    names: usize,
}

impl Listing {
    /// Every name.
    pub(super) fn entries(&self) -> impl Iterator<Item = (OsString, Entry)> {
        self.0.iter().map(|name| (name.name.clone(), name.entry))
    }
}

impl Union {
    /// What is known of the lower layers that a directory's name is in.
    pub(super) fn listed(dir: &NodeRef, name: &OsStr) -> Listed {
        let Some(listing) = lock(&dir.0.names).lower.clone() else {
            return Listed::Unknown;
        };
        let Listing(names) = &*listing;
        match names.binary_search_by(|listed| listed.name.as_os_str().cmp(name)) {
            Ok(at) => names
                .get(at)
                .map_or(Listed::Absent, |listed| Listed::In(listed.layers.clone())),
            Err(_) => Listed::Absent,
        }
    }

    /// Lists these lower layers of a directory, or remembers what they hold.
    pub(super) fn lower_listing(
        &self,
        dir: &NodeRef,
        lowers: &[Arc<LowerDirectory>],
    ) -> Result<Arc<Listing>> {
        if let Some(known) = lock(&dir.0.names).lower.clone() {
            return Ok(known);
        }
        let mut names: BTreeMap<OsString, (Entry, Range<usize>)> = BTreeMap::new();
        for (at, lower) in lowers.iter().enumerate() {
            let real = lower.real(&self.descriptors)?;
            let found = self.list_layer(&real, false, |name| match names.get_mut(name) {
                Some((_, layers)) => {
                    layers.end = at + 1;
                    true
                }
                None => false,
            })?;
            for (name, entry) in found {
                names.insert(name, (entry, at..at + 1));
            }
        }
        let names = names.into_iter().map(|(name, (entry, layers))| Row {
            name,
            entry,
            layers,
        });
        let listing = Arc::new(Listing(names.collect()));
        self.keep_listing(dir, &listing);
        Ok(listing)
    }

    /// Remembers a listing, and forgets the oldest ones when they are too many.
    fn keep_listing(&self, dir: &NodeRef, listing: &Arc<Listing>) {
        // One for the listing itself.
        let size = listing.0.len() + 1;
        if size > NAMES_MAX {
            return;
        }
        lock(&dir.0.names).lower = Some(Arc::clone(listing));
        let mut listings = lock(&self.listings);
        listings.names += size;
        listings.kept.push_back((Arc::downgrade(&dir.0), size));
        while listings.names > NAMES_MAX {
            let Some((node, size)) = listings.kept.pop_front() else {
                break;
            };
            listings.names -= size;
            if let Some(node) = node.upgrade() {
                let forgotten = lock(&node.names).lower.take();
                drop(forgotten);
            }
        }
    }
}
