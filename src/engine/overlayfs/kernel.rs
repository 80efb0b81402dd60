//! Mounts of the kernel's, and processes on them.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags,
    fsconfig_create, fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen,
};

use super::residents::Residents;
use super::unwritten;
use crate::agent::link_to;
use crate::agent::wire::{Ask, Disk, Found, Given, MountHere, Who};
use crate::engine::link::{Link, Lost};
use crate::engine::native::kernel::{Act, Actor, Kernel, Merged, Part, Sight};
use crate::engine::{FileRequest, Refusal};
use crate::union::{Caller, Directory, Errno, MountOptions, XattrNamespace};

/// Where mounts are made, in the engine's directory.
const PLACE: &str = "mounts";

/// A layer that is not written to.
const UNWRITTEN: &str = "upper";

/// Makes mounts below a directory, and processes.
#[derive(Debug)]
pub(super) struct Mounter {
    directory: OwnedFd,
    path: PathBuf,
    how: (XattrNamespace, MountOptions),
    last: AtomicU64,
    residents: Arc<Residents>,
}

/// The options with which layers are mounted: what was asked for, else as Docker's overlay2 has them.
fn options(
    (namespace, asked): (XattrNamespace, MountOptions),
) -> Vec<(&'static str, Option<&'static str>)> {
    let is_trusted = namespace == XattrNamespace::Trusted;
    let mut options = Vec::new();
    options.extend((!is_trusted).then_some(("userxattr", None)));
    let asked_for = asked.pairs();
    for (name, usual) in [
        // With `metacopy=on` the kernel turns it on by itself, unless it is told not to.
        ("redirect_dir", is_trusted && asked.metacopy != Some(true)),
        ("index", true),
        // Of redirects and metacopies none is followed here anyway (overlayfs.rst, "User xattr").
        ("metacopy", is_trusted),
    ] {
        if usual && asked_for.iter().all(|(asked, _)| *asked != name) {
            options.push((name, Some("off")));
        }
    }
    options.extend(asked_for);
    options
}

/// The same as one reads them in a mount table.
pub(super) fn options_shown(how: (XattrNamespace, MountOptions)) -> String {
    let shown = |(key, value): (&str, Option<&str>)| match value {
        Some(value) => format!("{key}={value}"),
        None => key.to_owned(),
    };
    let options: Vec<String> = options(how).into_iter().map(shown).collect();
    options.join(",")
}

/// A new directory, open.
fn make(parent: &OwnedFd, name: &str) -> Result<OwnedFd, Errno> {
    let mode = Mode::from_raw_mode(0o700);
    match rustix::fs::mkdirat(parent, name, mode) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(errno),
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, Mode::empty())
}

/// One mount, in a directory of its own with its work directory.
#[derive(Debug)]
struct Mounted {
    parent: OwnedFd,
    name: String,
    own: OwnedFd,
    /// The mount.
    mount: Option<OwnedFd>,
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if let Some(mount) = self.mount.take() {
            // What is still open in it stays so; nobody is there to be told.
            rustix::mount::unmount(link_to(&mount), UnmountFlags::DETACH).ok();
        }
        for name in [
            "work/work",
            "work/index",
            "work",
            "bottom",
            UNWRITTEN,
            "merged",
        ] {
            rustix::fs::unlinkat(&self.own, name, AtFlags::REMOVEDIR).ok();
        }
        rustix::fs::unlinkat(&self.parent, &*self.name, AtFlags::REMOVEDIR).ok();
    }
}

impl Mounter {
    pub(super) fn new(
        directory: &Directory,
        path: &Path,
        how: (XattrNamespace, MountOptions),
        residents: Arc<Residents>,
    ) -> Result<Self, Errno> {
        Ok(Self {
            directory: make(directory, PLACE)?,
            path: path.join(PLACE),
            how,
            last: AtomicU64::new(0),
            residents,
        })
    }

    /// A directory to try something with.
    pub(super) fn probe_directory(&self, name: &str) -> Result<Directory, Errno> {
        make(&self.directory, name).map(Arc::new)
    }

    fn mount(
        &self,
        file_system: &str,
        configure: impl FnOnce(&OwnedFd, &OwnedFd) -> Result<(), Errno>,
    ) -> Result<Merged, Errno> {
        let name = (self.last.fetch_add(1, Ordering::SeqCst) + 1).to_string();
        let mut mounted = Mounted {
            parent: rustix::io::fcntl_dupfd_cloexec(&self.directory, 0)?,
            own: make(&self.directory, &name)?,
            name,
            mount: None,
        };
        let point = make(&mounted.own, "merged")?;
        let context = fsopen(file_system, FsOpenFlags::FSOPEN_CLOEXEC)?;
        fsconfig_set_string(&context, "source", "layerspec")?;
        configure(&context, &mounted.own)?;
        fsconfig_create(&context)?;
        // Devices that a scenario makes are not the machine's.
        let nodev = MountAttrFlags::MOUNT_ATTR_NODEV;
        let mount = fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, nodev)?;
        let flags =
            MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
        rustix::mount::move_mount(&mount, "", &point, "", flags)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::openat(&mount, ".", flags, Mode::empty())?;
        mounted.mount = Some(mount);
        Ok(Merged {
            root: Arc::new(root),
            keep: Arc::new(mounted),
        })
    }
}

impl Kernel for Mounter {
    fn merge(&self, upper: Option<&Directory>, lowers: &[Directory]) -> Result<Merged, Errno> {
        self.mount("overlay", |context, own| {
            for lower in lowers {
                fsconfig_set_string(context, "lowerdir+", link_to(lower))?;
            }
            // The kernel wants two layers at the least.
            if lowers.is_empty() {
                let bottom = make(own, "bottom")?;
                fsconfig_set_string(context, "lowerdir+", link_to(&bottom))?;
            }
            let work = make(own, "work")?;
            if let Some(upper) = upper {
                fsconfig_set_string(context, "upperdir", link_to(upper))?;
            } else {
                let upper = make(own, UNWRITTEN)?;
                if let Some(topmost) = lowers.first() {
                    unwritten::dress(&upper, topmost)?;
                }
                fsconfig_set_string(context, "upperdir", link_to(&upper))?;
            }
            fsconfig_set_string(context, "workdir", link_to(&work))?;
            for (key, value) in options(self.how) {
                match value {
                    Some(value) => fsconfig_set_string(context, key, value)?,
                    None => fsconfig_set_flag(context, key)?,
                }
            }
            Ok(())
        })
    }

    fn memory(&self, size: Option<u64>) -> Result<Merged, Errno> {
        self.mount("tmpfs", |context, _| match size {
            Some(size) => fsconfig_set_string(context, "size", size.to_string()),
            None => Ok(()),
        })
    }

    fn contain(
        &self,
        parts: &[Part],
        is_host: bool,
    ) -> Result<(Arc<dyn Actor>, Vec<String>), String> {
        let mut handed_over = Vec::new();
        let mut mounts = Vec::new();
        for part in parts {
            let flags = OpenTreeFlags::OPEN_TREE_CLONE
                | OpenTreeFlags::OPEN_TREE_CLOEXEC
                | OpenTreeFlags::AT_EMPTY_PATH;
            let detached = rustix::mount::open_tree(&*part.source, "", flags).map_err(|errno| {
                format!("mount {}: {}", part.target, std::io::Error::from(errno))
            })?;
            mounts.push(MountHere {
                target: part.target.clone(),
                read_only: part.read_only,
                restricted: part.in_memory,
            });
            handed_over.push(detached);
        }
        let link = self.residents.take(&handed_over)?;
        let place = self
            .path
            .to_str()
            .ok_or("the scratch directory is no text")?;
        let disk = Disk {
            place: place.to_owned(),
            mounts,
            is_host,
        };
        match ask(&link, Ask::Enter(disk))? {
            Given::Entered(targets) => Ok((Arc::new(Process(link)), targets)),
            other => Err(strange(&other)),
        }
    }
}

/// A process on a disk.
#[derive(Debug)]
struct Process(Link);

fn ask(link: &Link, ask: Ask) -> Result<Given, String> {
    link.ask(ask).map_err(|lost| match lost {
        Lost::Failed(why) => why,
        Lost::Gone(said) => format!("a container's process has ended: {}", said.trim()),
    })
}

fn strange(given: &Given) -> String {
    format!("a container's process answered {given:?}")
}

impl Actor for Process {
    fn perform(
        &self,
        caller: &Caller,
        directory: &str,
        requests: &[FileRequest],
    ) -> Result<Result<Vec<Act>, Refusal>, String> {
        let user = Who {
            uid: caller.uid,
            gid: caller.gid,
            groups: caller.groups.clone(),
        };
        let requests = requests.to_vec();
        let directory = directory.to_owned();
        match ask(
            &self.0,
            Ask::FilesAs {
                user,
                directory,
                requests,
            },
        )? {
            Given::Files(done) => Ok(Ok(done
                .into_iter()
                .map(|done| (done.result, done.changed))
                .collect())),
            Given::Refused(refusal) => Ok(Err(refusal)),
            other => Err(strange(&other)),
        }
    }

    fn walk(&self) -> Result<Vec<Sight>, String> {
        let walk = Ask::Walk {
            top: "/".to_owned(),
            without: Vec::new(),
            content: true,
        };
        let sight = |found: Found| Sight {
            path: found.path,
            kind: found.kind,
            mode: found.mode,
            uid: found.uid,
            gid: found.gid,
            xattrs: found.xattrs,
            inode: found.inode,
        };
        match ask(&self.0, walk)? {
            Given::Found(found) => Ok(found.into_iter().map(sight).collect()),
            other => Err(strange(&other)),
        }
    }
}
