//! Mounting: a container's root and everything on it, as the daemon and runc do at start.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::create::make_working_directory;
use super::daemon::{Daemon, stack_of};
use super::refusals::{Fault, Result, fault, is_failure, refuse, text, type_mismatch};
use super::sources::What;
use super::space::Limited;
use super::view::{Mounted, View};
use crate::engine::{Kind, Storage};
use crate::rootfs::{self, Locks, Rootfs, TargetKind, container_user, host_root};
use crate::store::spec::{TmpfsOptions, TmpfsRefusal, parse_tmpfs_options, path};
use crate::store::{Container, Mount, MountSource, Number};
use crate::union::{Errno, FileKind, NodeRef, SetAttributes, Space, Union};

/// What a container is mounted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// For its processes.
    Start,
    /// For the daemon to copy from or to: nothing in memory is mounted, and nobody works there.
    Copy,
    /// To be looked at: what cannot be mounted is left out, and only the root is changed.
    Look,
}

/// Something to mount, its source found.
struct Ready {
    target: String,
    read_only: bool,
    what: What,
    /// As messages name the source.
    shown: String,
}

/// A disk in the making.
struct Assembly {
    root: Arc<Union>,
    locks: Arc<Locks>,
    rootfs: Arc<Rootfs>,
    mounts: BTreeMap<u64, Mounted>,
    /// What was mounted, to be mounted again over a read-only root, and whether it is a tmpfs.
    done: Vec<(rootfs::Mount, bool)>,
    tmpfs: Vec<Number>,
}

impl Assembly {
    /// Whether a mount point is there, or can be made in what goes with a look: its deepest existing directory is on the throw-away
    /// layer or in a tmpfs, and not in anything else that is mounted.
    fn takes_target(&self, target: &Path) -> bool {
        if self.rootfs.find(target).is_ok() {
            return true;
        }
        let in_memory = self.done.iter().filter(|(_, in_memory)| *in_memory);
        let mut passing = in_memory.map(|(mount, _)| &mount.union).chain([&self.root]);
        target
            .ancestors()
            .filter(|ancestor| !ancestor.as_os_str().is_empty())
            .find_map(|ancestor| self.rootfs.find(ancestor).ok())
            .is_none_or(|(union, _)| passing.any(|passing| Arc::ptr_eq(passing, &union)))
    }
}

impl Daemon {
    /// Mounts a container for its processes, making on the host, and at the targets, what is missing.
    /// Gives its disk and the directories of its tmpfs mounts.
    pub(super) fn assemble(
        &mut self,
        number: Number,
        container: &Container,
        purpose: Purpose,
    ) -> Result<(View, Vec<Number>)> {
        let root = self.root(number)?;
        let merged = self.layering(Some(number), &container.layers)?;
        let own = stack_of(Some(&container.name), &container.layers, merged);
        self.assemble_on(root, own, container, purpose)
    }

    /// The same on a given root.
    pub(super) fn assemble_on(
        &mut self,
        root: Arc<Union>,
        own: Mounted,
        container: &Container,
        purpose: Purpose,
    ) -> Result<(View, Vec<Number>)> {
        let locks = Arc::clone(&self.ground.locks);
        let rootfs = Rootfs::with_locks(Arc::clone(&root), false, Arc::clone(&locks));
        let rootfs = Arc::new(rootfs);
        if purpose == Purpose::Start {
            make_working_directory(&rootfs, container)?;
        }
        let mounts = BTreeMap::from([(Rootfs::ROOT_ID, own)]);
        let (done, tmpfs) = Default::default();
        let mut assembly = Assembly {
            root,
            locks,
            rootfs,
            mounts,
            done,
            tmpfs,
        };
        match self.mount_all(&mut assembly, container, purpose) {
            Ok(()) => {
                let view = View {
                    rootfs: assembly.rootfs,
                    mounts: assembly.mounts,
                };
                Ok((view, assembly.tmpfs))
            }
            Err(fault) => {
                for passing in assembly.tmpfs {
                    self.store.remove_passing(passing);
                }
                Err(fault)
            }
        }
    }

    fn mount_all(
        &mut self,
        assembly: &mut Assembly,
        container: &Container,
        purpose: Purpose,
    ) -> Result<()> {
        if purpose == Purpose::Start {
            self.check_before_mounts(&assembly.rootfs, container)?;
        }
        let mut ready = Vec::new();
        for mount in visible(container) {
            let (what, shown) = match self.prepare(mount, purpose) {
                Err(Fault::Refused(_)) if purpose == Purpose::Look => continue,
                prepared => prepared?,
            };
            let (target, read_only) = (mount.target.clone(), mount.read_only);
            ready.push(Ready {
                target,
                read_only,
                what,
                shown,
            });
        }
        for (target, options) in &container.tmpfs {
            let options = match tmpfs_options(target, options) {
                Err(_) if purpose == Purpose::Look => continue,
                options => options?,
            };
            let (read_only, shown) = (options.read_only, "tmpfs".to_owned());
            ready.push(Ready {
                target: path::clean(target),
                read_only,
                what: What::Memory(options),
                shown,
            });
        }
        if purpose == Purpose::Copy {
            ready.retain(|mount| matches!(mount.what, What::There(..)));
        }
        // Parents first, else as they came (`sort.Sort(mounts)` by the number of parts).
        ready.sort_by_key(|mount| path::depth(&mount.target));
        for (mount, id) in ready.into_iter().zip(Rootfs::ROOT_ID + 1..) {
            if purpose == Purpose::Look && !assembly.takes_target(Path::new(&mount.target)) {
                continue;
            }
            match self.mount_one(assembly, &container.name, mount, id) {
                Err(Fault::Refused(_)) if purpose == Purpose::Look => {}
                mounted => mounted?,
            }
        }
        if let Some(directory) = container.config.working_dir.as_deref()
            && purpose == Purpose::Start
        {
            // runc makes the working directory again, through the mounts (Docker row 163).
            let made = assembly
                .rootfs
                .make_target(Path::new(directory), TargetKind::Directory);
            made.map_err(|errno| target_failed(directory, errno))?;
        }
        if container.read_only {
            assembly.seal()?;
        }
        Ok(())
    }

    /// What is found wrong at a start before anything is mounted: sources that `--mount` asked for, then the user. Seen on
    /// Docker 20.10; moby `daemon/oci_linux.go`.
    fn check_before_mounts(&self, bare: &Rootfs, container: &Container) -> Result<()> {
        for mount in visible(container) {
            if let MountSource::Bind(source) = &mount.source
                && !source.create
            {
                self.check_bind_source(&source.path)?;
            }
        }
        if let user @ Some(_) = container.config.user.as_deref() {
            container_user(bare, user)?;
        }
        Ok(())
    }

    /// Makes the mount point and mounts.
    fn mount_one(
        &mut self,
        assembly: &mut Assembly,
        container: &str,
        ready: Ready,
        id: u64,
    ) -> Result<()> {
        let Ready {
            target,
            read_only,
            what,
            shown,
        } = ready;
        check_proc(&target)?;
        let (union, node, mounted) = match what {
            What::There(union, node, mounted) => {
                let is_directory = node.kind() == FileKind::Directory;
                let kind = if is_directory {
                    TargetKind::Directory
                } else {
                    TargetKind::File
                };
                assembly.make_target(&target, kind)?;
                (union, node, mounted)
            }
            What::Absent(path) => {
                assembly.make_target(&target, TargetKind::Directory)?;
                let (union, node) = self.stand_in(assembly, &path)?;
                (union, node, Mounted::One(Storage::Host))
            }
            What::Memory(options) => {
                let (container, target) = (container.to_owned(), target.clone());
                let union = self.memory(assembly, &target, options)?;
                let root = union.root();
                (
                    union,
                    root,
                    Mounted::One(Storage::Tmpfs { container, target }),
                )
            }
        };
        let mount = rootfs::Mount {
            target: target.clone().into(),
            union,
            node,
            read_only,
            id,
        };
        let in_memory = matches!(mounted, Mounted::One(Storage::Tmpfs { .. }));
        enter(&assembly.rootfs, &mount, in_memory).map_err(|errno| match errno {
            Errno::NOTDIR => type_mismatch(&shown, &target),
            errno => target_failed(&target, errno),
        })?;
        assembly.done.push((mount, in_memory));
        assembly.mounts.insert(id, mounted);
        Ok(())
    }

    /// An empty directory in the place of one of the host that starting the container would make, at the same path of a
    /// tree that goes with the look.
    fn stand_in(&mut self, assembly: &mut Assembly, path: &str) -> Result<(Arc<Union>, NodeRef)> {
        let (passing, directory) = self.store.make_passing()?;
        assembly.tmpfs.push(passing);
        let union = self
            .ground
            .fresh_plain(directory, self.store.work(), None)?;
        let tree = Arc::new(Rootfs::new(Arc::clone(&union), false));
        tree.make_target(Path::new(path), TargetKind::Directory)?;
        let (_, node) = tree.find(Path::new(path))?;
        Ok((union, node))
    }

    /// An empty tmpfs. As runc 1.1 does it, the mode is that of the directory that was there before, and
    /// the one asked for only when there was none (Docker row 167).
    fn memory(
        &mut self,
        assembly: &mut Assembly,
        target: &str,
        options: TmpfsOptions,
    ) -> Result<Arc<Union>> {
        let below = match assembly.rootfs.find(Path::new(target)) {
            Ok((union, node)) => Some(union.attributes(&node)?.mode),
            Err(_) => None,
        };
        assembly.make_target(target, TargetKind::Directory)?;
        let union = if self.ground.kernel.is_some() {
            self.ground.memory(options.size)?
        } else {
            let (passing, directory) = self.store.make_passing()?;
            assembly.tmpfs.push(passing);
            let space = options
                .size
                .map(|size| Arc::new(Limited::new(size)) as Arc<dyn Space>);
            self.ground
                .fresh_plain(directory, self.store.work(), space)?
        };
        let change = SetAttributes {
            mode: Some(below.or(options.mode).unwrap_or(0o1777)),
            uid: Some(options.uid).filter(|uid| *uid != 0),
            gid: Some(options.gid).filter(|gid| *gid != 0),
            ..SetAttributes::default()
        };
        union.set_attributes(&union.root(), &change, &host_root())?;
        Ok(union)
    }
}

impl Assembly {
    fn make_target(&self, target: &str, kind: TargetKind) -> Result<()> {
        let made = self.rootfs.make_target(Path::new(target), kind);
        made.map_err(|errno| target_failed(target, errno))
    }

    /// The same mounts on a root that is read-only: Docker makes missing targets before it seals the root
    /// (row 170).
    fn seal(&mut self) -> Result<()> {
        let sealed = Rootfs::with_locks(Arc::clone(&self.root), true, Arc::clone(&self.locks));
        for (mount, in_memory) in &self.done {
            enter(&sealed, mount, *in_memory)?;
        }
        self.rootfs = Arc::new(sealed);
        Ok(())
    }
}

/// Mounts; a tmpfs without devices and programs (Docker row 164).
fn enter(rootfs: &Rootfs, mount: &rootfs::Mount, in_memory: bool) -> crate::union::Result<()> {
    if in_memory {
        rootfs.mount_restricted(mount.clone())
    } else {
        rootfs.mount(mount.clone())
    }
}

/// The mounts that take effect: `--tmpfs` on the same target wins (Docker row 99).
fn visible(container: &Container) -> impl Iterator<Item = &Mount> {
    container
        .mounts
        .iter()
        .filter(|mount| !container.tmpfs.contains_key(&mount.target))
}

fn tmpfs_options(target: &str, options: &str) -> Result<TmpfsOptions> {
    parse_tmpfs_options(options).map_err(|refusal| match refusal {
        TmpfsRefusal::Unknown(refusal) => refusal.into(),
        TmpfsRefusal::Value(data) => fault(
            Kind::InvalidOption,
            format!(
                "error mounting \"tmpfs\" to rootfs at \"{target}\": mount tmpfs:{target}, data: {data}: invalid \
                 argument: unknown"
            ),
        ),
    })
}

/// Docker row 136.
fn target_failed(target: &str, errno: Errno) -> Fault {
    if is_failure(errno) {
        return errno.into();
    }
    fault(
        Kind::MountTargetFailed,
        format!("mkdir {target}: {}", text(errno)),
    )
}

/// Docker row 158: runc guards `/proc` (`checkProcMount`).
fn check_proc(target: &str) -> Result<()> {
    /// Files that lxcfs may cover.
    const COVERED: &[&str] = &[
        "/proc/cpuinfo",
        "/proc/diskstats",
        "/proc/meminfo",
        "/proc/stat",
        "/proc/swaps",
        "/proc/uptime",
        "/proc/loadavg",
        "/proc/slabinfo",
        "/proc/net/dev",
        "/proc/sys/kernel/ns_last_pid",
        "/proc/sys/crypto/fips_enabled",
    ];
    let clean = path::absolute(target);
    if clean == "/proc" {
        let message = format!("{target:?} cannot be mounted because it is not of type proc");
        return refuse(Kind::MountTargetFailed, message);
    }
    if clean.starts_with("/proc/") && !COVERED.contains(&clean.as_str()) {
        let message = format!("{target:?} cannot be mounted because it is inside /proc");
        return refuse(Kind::MountTargetFailed, message);
    }
    Ok(())
}
