//! `docker commit` and `docker diff`.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::daemon::Daemon;
use super::images::{LAYERS_MAX, apply};
use super::refusals::{Fault, Result, refuse, text};
use super::transfer::{CAPABILITY, Source, Stuck, Target, transfer};
use crate::engine::{Change, ChangeKind, CommitSpec, Kind};
use crate::rootfs::{Process, Rootfs, host_root};
use crate::store::{Layer, names};
use crate::union::{self, Directory, XattrNamespace};

impl Daemon {
    /// `docker commit`: the upper becomes a layer. What is mounted is not in it (Docker row 175).
    pub(super) fn commit(&mut self, asked: &CommitSpec) -> Result<()> {
        let (number, container) = self.container(&asked.container)?;
        let (mut layers, mut config) = (container.layers.clone(), container.config.clone());
        apply(&mut config, &asked.change);
        if layers.len() >= LAYERS_MAX {
            return refuse(Kind::MaxDepth, "max depth exceeded");
        }
        let upper = self.store.upper(number)?;
        let (layer, directory) = self.make_layer()?;
        if let Err(fault) = self.copy_layer(upper, directory) {
            self.store.discard_layer(layer);
            return Err(fault);
        }
        let image = names::image(&asked.image).to_owned();
        layers.push(Layer {
            number: layer,
            image,
            position: layers.len() + 1,
        });
        self.publish_image(&asked.image, layers, config, None)
    }

    /// Copies an upper as an archive would hold it: with its whiteouts and opaque marks.
    fn copy_layer(&self, upper: Directory, directory: Directory) -> Result<()> {
        let (source, _) = self.bare_process(upper)?;
        let (target, layer) = self.bare_process(directory)?;
        let xattrs = match self.ground.keeping.namespace {
            XattrNamespace::Trusted => [
                CAPABILITY,
                "trusted.overlay.opaque",
                "trusted.overlay.whiteout",
            ],
            XattrNamespace::User => [CAPABILITY, "user.overlay.opaque", "user.overlay.whiteout"],
        };
        let (top, is_layer) = (PathBuf::from("/"), true);
        let source = Source {
            process: &source,
            top,
            xattrs: &xattrs,
            is_layer,
        };
        let target = Target::layer(&target, &layer);
        transfer(&source, target, Path::new("")).map_err(|stuck| match stuck {
            Stuck::Errno(errno) => errno.into(),
            Stuck::Overwrite(words) => Fault::Broken(words),
        })
    }

    /// The host's superuser on one directory of the store as it is.
    pub(super) fn bare_process(&self, directory: Directory) -> Result<(Process, Arc<Rootfs>)> {
        let space = Arc::clone(&self.ground.disk) as Arc<dyn union::Space>;
        let union = self
            .ground
            .plain(directory, self.store.work(), Some(space))?;
        let rootfs = Arc::new(Rootfs::new(union, false));
        let process = Process::new(Arc::clone(&rootfs), host_root(), Path::new("/"))?;
        Ok((process, rootfs))
    }

    /// `docker diff`: Docker rows 171 to 173.
    pub(super) fn diff(&mut self, name: &str) -> Result<Vec<Change>> {
        let (number, container) = self.container(name)?;
        let layers = container.layers.clone();
        let root = match self.layering(Some(number), &layers)? {
            Some(layering) => layering.open()?,
            None => self.root(number)?,
        };
        let changes = root
            .changes()
            .map_err(|errno| Fault::Broken(format!("cannot compare layers: {}", text(errno))))?;
        let mut changes: Vec<Change> = changes
            .into_iter()
            .map(|change| Change {
                path: crate::engine::escape(change.path.as_os_str().as_bytes()),
                kind: match change.kind {
                    union::ChangeKind::Added => ChangeKind::Added,
                    union::ChangeKind::Changed => ChangeKind::Changed,
                    union::ChangeKind::Deleted => ChangeKind::Deleted,
                },
            })
            .collect();
        changes.sort();
        Ok(changes)
    }
}
