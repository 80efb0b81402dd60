//! What an engine stands on: its private directory, and how files are kept there. It outlives a crash.

use std::sync::{Arc, OnceLock};

use rustix::fs::{Mode, OFlags};

use super::kernel::{Kernel, Merged};
use super::private::Private;
use super::space::Disk;
use crate::rootfs::Locks;
use crate::union::{
    Directory, Errno, MountOptions, Options, Ownership, Result, Space, Stack, Union, XattrNamespace,
};

/// How files are kept on this disk by this user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Keeping {
    /// Owners, modes, devices.
    pub(super) ownership: Ownership,
    /// The union's marks.
    pub(super) namespace: XattrNamespace,
    /// What was asked for.
    pub(super) mount: MountOptions,
}

impl Keeping {
    /// Docker's overlay2 mounts with `redirect_dir`, `metacopy` and `index` off (rows 15, 43, 45).
    pub(super) fn options(self) -> Options {
        self.mount.apply(Options {
            namespace: self.namespace,
            ownership: self.ownership,
            ..Options::default()
        })
    }
}

/// The ground.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) private: Private,
    pub(super) keeping: Keeping,
    /// Space for uppers and volumes.
    pub(super) disk: Arc<Disk>,
    /// Record locks: of all containers, since they share volumes.
    pub(super) locks: Arc<Locks>,
    /// Who merges and acts instead of us.
    pub(super) kernel: Option<Arc<dyn Kernel>>,
    host: OnceLock<Arc<Union>>,
}

impl Ground {
    pub(super) fn new(private: Private, keeping: Keeping) -> Self {
        let (disk, locks, host) = Default::default();
        Self {
            private,
            keeping,
            disk,
            locks,
            kernel: None,
            host,
        }
    }

    /// With a kernel that merges, and processes that are real.
    pub(super) fn on_kernel(private: Private, keeping: Keeping, kernel: Arc<dyn Kernel>) -> Self {
        let kernel = Some(kernel);
        Self {
            kernel,
            ..Self::new(private, keeping)
        }
    }

    /// The host directory of the scenario, made when first needed and the same ever after.
    pub(super) fn host(&self) -> Result<Arc<Union>> {
        if let Some(host) = self.host.get() {
            return Ok(Arc::clone(host));
        }
        let root = self.private.directory();
        match rustix::fs::mkdirat(root, "host", Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let directory = Arc::new(rustix::fs::openat(root, "host", flags, Mode::empty())?);
        // Files in the making lie in the host directory itself only while they have no name.
        let union = self.plain(Directory::clone(&directory), directory, None)?;
        Ok(Arc::clone(self.host.get_or_init(|| union)))
    }

    /// Opens the host directory if an earlier process made one.
    pub(super) fn find_host(&self) -> Result<()> {
        let root = self.private.directory();
        match rustix::fs::statat(root, "host", rustix::fs::AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => self.host().map(drop),
            Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(errno),
        }
    }

    /// Whether anything was ever put into the host directory.
    pub(super) fn has_host(&self) -> bool {
        self.host.get().is_some()
    }

    /// One directory as it is. All who use it at a time share one union, so nobody else changes it.
    pub(super) fn plain(
        &self,
        directory: Directory,
        work: Directory,
        space: Option<Arc<dyn Space>>,
    ) -> Result<Arc<Union>> {
        let options = Options {
            // Real processes work in it too.
            alone: self.kernel.is_none(),
            ..self.options(space)
        };
        plain(directory, work, options)
    }

    /// An empty tmpfs of the kernel's.
    pub(super) fn memory(&self, size: Option<u64>) -> Result<Arc<Union>> {
        let kernel = self.kernel.as_ref().ok_or(Errno::NOSYS)?;
        self.mounted(kernel.memory(size)?)
    }

    /// What the kernel has mounted, as it is.
    fn mounted(&self, merged: Merged) -> Result<Arc<Union>> {
        let Merged { root, keep } = merged;
        let options = Options {
            keep: Some(keep),
            ..self.options(None)
        };
        plain(Directory::clone(&root), root, options)
    }

    /// The same of a directory that was just made.
    pub(super) fn fresh_plain(
        &self,
        directory: Directory,
        work: Directory,
        space: Option<Arc<dyn Space>>,
    ) -> Result<Arc<Union>> {
        let options = Options {
            fresh: true,
            alone: true,
            ..self.options(space)
        };
        plain(directory, work, options)
    }

    /// Whether our union keeps an index of a container's layers.
    pub(super) fn keeps_index(&self) -> bool {
        let options = self.keeping.options();
        self.kernel.is_none() && options.index && options.ownership == Ownership::Real
    }

    /// A writable layer for a moment, on that of a container, which may be open, and read-only ones: without an index.
    pub(super) fn passing_stack(
        &self,
        upper: Directory,
        work: Directory,
        lowers: Vec<Directory>,
    ) -> Result<Arc<Union>> {
        if self.kernel.is_some() {
            return self.stack(Some(upper), work, lowers);
        }
        Union::open(Stack {
            upper: Some(upper),
            work: Some(work),
            lowers,
            options: Options {
                index: false,
                ..self.options(Some(Arc::clone(&self.disk) as Arc<dyn Space>))
            },
        })
    }

    /// A writable layer on read-only ones, topmost first.
    pub(super) fn stack(
        &self,
        upper: Option<Directory>,
        work: Directory,
        lowers: Vec<Directory>,
    ) -> Result<Arc<Union>> {
        match &self.kernel {
            Some(kernel) => self.mounted(kernel.merge(upper.as_ref(), &lowers)?),
            None => self.union_stack(upper, Some(work), lowers),
        }
    }

    /// The same, merged by our union in any case.
    pub(super) fn union_stack(
        &self,
        upper: Option<Directory>,
        work: Option<Directory>,
        lowers: Vec<Directory>,
    ) -> Result<Arc<Union>> {
        let work = work.filter(|_| upper.is_some());
        let options = self.options(Some(Arc::clone(&self.disk) as Arc<dyn Space>));
        Union::open(Stack {
            upper,
            work,
            lowers,
            options,
        })
    }

    /// The same with a writable layer that was just made.
    pub(super) fn fresh_stack(
        &self,
        upper: Directory,
        work: Directory,
        lowers: Vec<Directory>,
    ) -> Result<Arc<Union>> {
        if let Some(kernel) = &self.kernel {
            return self.mounted(kernel.merge(Some(&upper), &lowers)?);
        }
        let options = self.options(Some(Arc::clone(&self.disk) as Arc<dyn Space>));
        Union::open(Stack {
            upper: Some(upper),
            work: Some(work),
            lowers,
            options: Options {
                fresh: true,
                ..options
            },
        })
    }

    fn options(&self, space: Option<Arc<dyn Space>>) -> Options {
        Options {
            space,
            ..self.keeping.options()
        }
    }
}

fn plain(directory: Directory, work: Directory, options: Options) -> Result<Arc<Union>> {
    Union::open(Stack {
        upper: Some(directory),
        work: Some(work),
        lowers: Vec::new(),
        options: Options {
            plain: true,
            // What is merged is told how; one directory is as it is.
            redirect_dir: None,
            metacopy: false,
            index: false,
            volatile: false,
            ..options
        },
    })
}
