//! What is mounted: volumes, host directories, images, found before they are mounted.

use std::path::Path;
use std::sync::Arc;

use super::assemble::Purpose;
use super::daemon::{Daemon, stack_of};
use super::refusals::{Result, fault, refuse, text};
use super::subpath;
use super::translate::{host_path, volume_ref};
use super::view::Mounted;
use crate::engine::{Kind, Storage};
use crate::rootfs::{Process, Rootfs, TargetKind, host_root};
use crate::store::spec::TmpfsOptions;
use crate::store::{BindSource, Mount, MountSource, Number, Propagation, TmpfsSource, driver};
use crate::union::{Errno, FileKind, NodeRef, Union};

/// The source of a mount.
#[derive(Debug)]
pub(super) enum What {
    /// A directory or file that is there.
    There(Arc<Union>, NodeRef, Mounted),
    /// A tmpfs, made when its mount point is known.
    Memory(TmpfsOptions),
    /// A directory of the host that would be made first, by its path.
    Absent(String),
}

impl Daemon {
    /// Finds a mount's source, making a missing bind source where it was asked for with `-v`.
    pub(super) fn prepare(&mut self, mount: &Mount, purpose: Purpose) -> Result<(What, String)> {
        match &mount.source {
            MountSource::Volume(source) => {
                let number = self.mounted_volume(&source.name)?;
                let (union, node) = self.volume_node(number, source.subpath.as_deref())?;
                let storage = Mounted::One(self.volume_storage(number));
                Ok((What::There(union, node, storage), source.name.clone()))
            }
            MountSource::Bind(source) => {
                let look = BindSource {
                    create: false,
                    propagation: None,
                    ..source.clone()
                };
                if purpose == Purpose::Look && source.create && self.is_absent(&source.path)? {
                    return Ok((What::Absent(source.path.clone()), source.path.clone()));
                }
                let source = if purpose == Purpose::Look {
                    &look
                } else {
                    source
                };
                let (union, node) = self.bind_source(source)?;
                let storage = Mounted::One(Storage::Host);
                Ok((What::There(union, node, storage), source.path.clone()))
            }
            MountSource::Tmpfs(TmpfsSource { size, mode }) => {
                // What is 0 was not asked for (moby `volume/mounts/linux_parser.go`, seen on Docker 20.10).
                let (size, mode) = (size.filter(|size| *size > 0), mode.filter(|mode| *mode > 0));
                let options = TmpfsOptions {
                    size,
                    mode,
                    ..TmpfsOptions::default()
                };
                Ok((What::Memory(options), "tmpfs".to_owned()))
            }
            MountSource::Image {
                image,
                layers,
                subpath,
                ..
            } => {
                let lowers = self.lowers(layers)?;
                let union = self.ground.stack(None, self.store.work(), lowers)?;
                let top = union.root();
                let node = subpath::find(&union, &top, subpath.as_deref().unwrap_or("."))?;
                let merged = self.layering(None, layers)?;
                let stack = stack_of(None, layers, merged);
                Ok((What::There(union, node, stack), image.clone()))
            }
        }
    }

    /// Where a volume's content lies.
    pub(super) fn volume_storage(&self, number: Number) -> Storage {
        match self.store.volumes().find(|(other, _)| *other == number) {
            Some((_, volume)) if driver::bind_device(&volume.options).is_none() => {
                Storage::Volume(volume_ref(volume))
            }
            _ => Storage::Host,
        }
    }

    /// The directory or file of a volume that is mounted.
    pub(super) fn volume_node(
        &mut self,
        number: Number,
        subpath: Option<&str>,
    ) -> Result<(Arc<Union>, NodeRef)> {
        let device = self
            .store
            .volume_options(number)
            .and_then(driver::bind_device);
        let (union, top) = match device.map(host_path) {
            None => {
                let union = self.volume_union(number)?;
                let top = union.root();
                (union, top)
            }
            Some(device) => self.bound_volume(&device)?,
        };
        let node = subpath::find(&union, &top, subpath.unwrap_or("."))?;
        Ok((union, node))
    }

    /// A path of the host that is a volume: Docker rows 189, 190. A file cannot be mounted on the volume's own directory.
    fn bound_volume(&mut self, device: &str) -> Result<(Arc<Union>, NodeRef)> {
        let found = self.host_rootfs()?.find(Path::new(device));
        let (kind, errno) = match found {
            Ok((union, node)) if node.kind() == FileKind::Directory => return Ok((union, node)),
            Ok(_) => (Kind::MountTypeMismatch, Errno::NOTDIR),
            Err(errno) => (Kind::MountSourceMissing, errno),
        };
        let why = text(errno);
        let message = format!(
            "error while mounting volume: failed to mount local volume: mount {device}, flags: 0x1000: {why}"
        );
        Err(fault(kind, message))
    }

    /// Whether nothing is at a path of the host, so that `-v` makes a directory there.
    fn is_absent(&self, path: &str) -> Result<bool> {
        let host = self.host_rootfs()?;
        if host.find(Path::new(path)).err() != Some(Errno::NOENT) {
            return Ok(false);
        }
        let process = Process::new(host, host_root(), Path::new("/"))?;
        Ok(process.read_link(path.as_ref()).is_err())
    }

    /// The host's directory or file: Docker rows 120, 122, 143, 148.
    fn bind_source(&mut self, source: &BindSource) -> Result<(Arc<Union>, NodeRef)> {
        let host = self.host_rootfs()?;
        let at = Path::new(&source.path);
        let found = match host.find(at) {
            Ok(found) => found,
            Err(_) if !source.create => {
                self.check_bind_source(&source.path)?;
                host.find(at)?
            }
            Err(errno) => {
                make_host_directory(&host, &source.path, errno)?;
                host.find(at)?
            }
        };
        let shown = &source.path;
        match source.propagation {
            Some(Propagation::Shared | Propagation::Rshared) => refuse(
                Kind::InvalidMount,
                format!("path {shown} is mounted on / but it is not a shared mount"),
            ),
            Some(Propagation::Slave | Propagation::Rslave) => refuse(
                Kind::InvalidMount,
                format!("path {shown} is mounted on / but it is not a shared or slave mount"),
            ),
            _ => Ok(found),
        }
    }
}

fn make_host_directory(host: &Arc<Rootfs>, source: &str, found: Errno) -> Result<()> {
    let refused = |errno: Errno| {
        let why = text(errno);
        let message =
            format!("error while creating mount source path '{source}': mkdir {source}: {why}");
        fault(Kind::MountSourceMissing, message)
    };
    if found != Errno::NOENT {
        return Err(refused(found));
    }
    // A symlink that leads nowhere stands in the way (Docker row 148).
    let process = Process::new(Arc::clone(host), host_root(), Path::new("/"))?;
    if process.read_link(source.as_ref()).is_ok() {
        return Err(refused(Errno::EXIST));
    }
    host.make_target(Path::new(source), TargetKind::Directory)
        .map_err(refused)
}
