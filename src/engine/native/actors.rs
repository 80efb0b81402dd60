//! Who acts in a place: a process that is played here, or a real one.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::Session;
use super::ground::Ground;
use super::kernel::{Actor, Part};
use super::observe;
use super::refusals::{Fault, Result};
use super::view::{Mounted, View};
use crate::engine::{FileAnswer, FileRequest, Seen, SeenKind, Storage, escape};
use crate::rootfs::{Rootfs, container_user, host_root, host_user};
use crate::union::{Caller, Errno, NodeRef, Union};

/// A place where file operations happen. Dropping it closes every handle there.
pub(super) trait Acts: std::fmt::Debug + Send + Sync {
    /// Performs requests in order, up to a refusal that stops the batch.
    fn perform(&self, user: Option<&str>, requests: &[FileRequest]) -> Result<Vec<FileAnswer>>;

    /// What is there, when a process can tell better than the view.
    fn look(&self) -> Option<Result<Vec<Seen>>> {
        None
    }
}

impl Acts for Session {
    fn perform(&self, user: Option<&str>, requests: &[FileRequest]) -> Result<Vec<FileAnswer>> {
        Ok(Self::perform(self, user, requests)?)
    }
}

/// A real process.
#[derive(Debug)]
struct Resident {
    actor: Arc<dyn Actor>,
    view: View,
    /// Who acts when a request names nobody.
    user: Caller,
    in_container: bool,
    working_directory: String,
    /// Where each mount lies in the container, the root first, with its storage and its top's path in that.
    places: Vec<Spot>,
}

#[derive(Debug)]
struct Spot {
    target: String,
    storage: Storage,
    union: Arc<Union>,
    top: NodeRef,
    /// Where the top was when it was mounted.
    source: PathBuf,
}

impl Spot {
    fn new(target: String, storage: Storage, union: Arc<Union>, top: NodeRef) -> Self {
        Self {
            target,
            storage,
            source: union.path(&top).unwrap_or_default(),
            union,
            top,
        }
    }

    /// The path of the top in its storage: now, or as it was mounted when that has no name any more.
    fn top(&self) -> String {
        let now = self.union.path(&self.top);
        escape(now.as_ref().unwrap_or(&self.source).as_os_str().as_bytes())
    }
}

/// A running container.
pub(super) fn in_container(
    ground: &Ground,
    view: &View,
    user: Option<&str>,
    working_directory: &str,
) -> Result<Arc<dyn Acts>> {
    let Some(kernel) = &ground.kernel else {
        let session = Session::container(view.clone(), user, working_directory)?;
        return Ok(Arc::new(session));
    };
    let user = container_user(&view.rootfs, user)?;
    let mut parts = Vec::new();
    for (mount, union, node) in view.rootfs.tops() {
        let mounted = view.mounts.get(&mount.id);
        // Real processes may give its name to another file.
        union.pin(&node)?;
        parts.push(Part {
            source: union.hold(&node)?,
            target: mount.target.to_string_lossy().into_owned(),
            read_only: mount.read_only,
            in_memory: matches!(mounted, Some(Mounted::One(Storage::Tmpfs { .. }))),
        });
    }
    let (actor, targets) = kernel.contain(&parts, false).map_err(Fault::Broken)?;
    let mut places = Vec::new();
    for ((mount, union, node), target) in view.rootfs.tops().into_iter().zip(targets) {
        let storage = match view.mounts.get(&mount.id).ok_or(Errno::IO)? {
            Mounted::One(storage) => storage.clone(),
            Mounted::Stack {
                upper: Some(upper), ..
            } => upper.clone(),
            // An image that is mounted: nothing can be changed there.
            Mounted::Stack { lowers, .. } => lowers.first().cloned().ok_or(Errno::IO)?,
        };
        places.push(Spot::new(target, storage, union, node));
    }
    Ok(Arc::new(Resident {
        actor,
        view: view.clone(),
        user,
        in_container: true,
        working_directory: working_directory.to_owned(),
        places,
    }))
}

/// The host, or a volume as the host sees it.
pub(super) fn on_host(ground: &Ground, view: View) -> Result<Arc<dyn Acts>> {
    let Some(kernel) = &ground.kernel else {
        return Ok(Arc::new(Session::host(view)));
    };
    let (union, node) = view.rootfs.find(Path::new("/"))?;
    let storage = view
        .storage(Rootfs::ROOT_ID, crate::union::Provenance::Upper)
        .cloned()
        .ok_or(Errno::IO)?;
    let spot = Spot::new("/".to_owned(), storage, Arc::clone(&union), node.clone());
    let root = Part {
        source: union.hold(&node)?,
        target: "/".to_owned(),
        read_only: false,
        in_memory: false,
    };
    let (actor, _) = kernel.contain(&[root], true).map_err(Fault::Broken)?;
    Ok(Arc::new(Resident {
        actor,
        view,
        user: host_root(),
        in_container: false,
        working_directory: "/".to_owned(),
        places: vec![spot],
    }))
}

impl Acts for Resident {
    fn perform(&self, user: Option<&str>, requests: &[FileRequest]) -> Result<Vec<FileAnswer>> {
        let caller = match user {
            None => self.user.clone(),
            Some(user) if self.in_container => container_user(&self.view.rootfs, Some(user))?,
            Some(user) => host_user(Some(user))?,
        };
        let done = self
            .actor
            .perform(&caller, &self.working_directory, requests)
            .map_err(Fault::Broken)??;
        let answer = |(result, changed): (_, Vec<String>)| FileAnswer {
            result,
            changed: changed.iter().filter_map(|path| self.lies(path)).collect(),
        };
        Ok(done.into_iter().map(answer).collect())
    }

    fn look(&self) -> Option<Result<Vec<Seen>>> {
        Some(self.seen())
    }
}

impl Resident {
    /// The storage of a path and the path in it.
    fn lies(&self, path: &str) -> Option<(Storage, String)> {
        // A later mount covers an earlier one.
        let spots = self
            .places
            .iter()
            .filter_map(|spot| Some((spot, below(path, &spot.target)?)));
        let (spot, rest) = spots.max_by_key(|(spot, _)| spot.target.len())?;
        let top = spot.top();
        let inner = format!("{}{rest}", top.trim_end_matches('/'));
        let inner = if inner.is_empty() {
            "/".to_owned()
        } else {
            inner
        };
        Some((spot.storage.clone(), inner))
    }

    /// What the process sees, each file with where it lies by the layers. That both know the same files is
    /// part of the look.
    fn seen(&self) -> Result<Vec<Seen>> {
        let sights = self.actor.walk().map_err(Fault::Broken)?;
        let lies: BTreeMap<String, Seen> = observe::tree(&self.view)?
            .into_iter()
            .map(|seen| (seen.path.clone(), seen))
            .collect();
        let shown: BTreeSet<&str> = sights.iter().map(|sight| &*sight.path).collect();
        if let Some(hidden) = lies.keys().find(|path| !shown.contains(&***path)) {
            let what = format!("the process does not see {hidden}, which the layers have");
            return Err(Fault::Broken(what));
        }
        let mut inodes: BTreeMap<(u64, u64), String> = BTreeMap::new();
        let mut tree = Vec::with_capacity(sights.len());
        for sight in sights {
            let ours = lies.get(&sight.path);
            let ours = ours.map(|seen| (seen.storage.clone(), seen.inner.clone()));
            let Some((storage, inner)) = ours.or_else(|| self.lost(&sight.path)) else {
                let what = format!("the process sees {}, which no layer has", sight.path);
                return Err(Fault::Broken(what));
            };
            let same_file_as = match sight.kind {
                SeenKind::Directory => None,
                _ => inodes.get(&sight.inode).cloned(),
            };
            if same_file_as.is_none() {
                inodes.insert(sight.inode, sight.path.clone());
            }
            tree.push(Seen {
                path: sight.path,
                kind: sight.kind,
                mode: sight.mode,
                uid: sight.uid,
                gid: sight.gid,
                xattrs: sight.xattrs,
                same_file_as,
                storage,
                inner,
            });
        }
        Ok(tree)
    }

    /// Where a mount point lies whose file was removed under it: the process goes on seeing it.
    fn lost(&self, path: &str) -> Option<(Storage, String)> {
        let spot = self.places.iter().rfind(|spot| spot.target == path)?;
        Some((spot.storage.clone(), spot.top()))
    }
}

/// What is left of a path below a directory; empty for the directory itself.
fn below<'a>(path: &'a str, directory: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(directory.trim_end_matches('/'))?;
    match rest {
        "" | "/" => Some(""),
        rest => rest.starts_with('/').then_some(rest),
    }
}
