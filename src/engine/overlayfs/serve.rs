//! The engine's process: name spaces, then the contract on standard input and output.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::mount::MountPropagationFlags;

use super::kernel::{Mounter, options_shown};
use super::mapping::Mapper;
use super::protocol::{Ask, Given, NAME};
use super::residents::Residents;
use crate::agent::answer_calls;
use crate::engine::native::kernel::Kernel;
use crate::engine::native::{Pool, Survey, open_on_kernel, survey};
use crate::engine::{Absent, Capability, Description, Engine, EngineFault, OpenOptions};
use crate::sys::{NameSpace, enter_own};
use crate::union::{Errno, MountOptions, NotAnOption, XattrNamespace};

/// What one engine leaves to the next.
#[derive(Default)]
struct Ready {
    pool: Arc<Pool>,
    residents: Arc<Residents>,
}

/// Serves one engine after the other until standard input ends, and removes what they made.
pub(crate) fn serve(scratch: &Path) -> io::Result<()> {
    // Files get exactly the modes that they are made with.
    rustix::process::umask(Mode::empty());
    let namespace = enter();
    let scratch = scratch.to_owned();
    let engine: Arc<RwLock<Option<Box<dyn Engine>>>> = Arc::default();
    let ready = Arc::new(Ready::default());
    let (ours, at_hand) = (Arc::clone(&engine), Arc::clone(&ready));
    let served = answer_calls(move |ask| {
        let namespace = match &namespace {
            Ok(namespace) => *namespace,
            Err(absent) => return Ok(Given::from(absent.clone())),
        };
        let answered = match ask {
            Ask::Probe { mount } => Ok(match probe(&scratch, (namespace, asked(&mount)?)) {
                Ok(description) => Given::Here(description),
                Err(absent) => Given::from(absent),
            }),
            Ask::Open { mount, keep } => {
                let scratch = scratch.clone();
                let how = (namespace, asked(&mount)?);
                open(&OpenOptions { scratch, keep }, how, &at_hand).map(|opened| {
                    let kept = opened.kept();
                    *ours.write().unwrap_or_else(PoisonError::into_inner) = Some(opened);
                    Given::Opened(kept)
                })
            }
            Ask::Perform(operation) => with(&ours, |engine| {
                Ok(Given::Answer(Box::new(engine.perform(&operation))))
            }),
            Ask::Observe => with(&ours, |engine| {
                Ok(Given::World(Box::new(engine.observe()?)))
            }),
            Ask::Close => {
                close(&ours);
                Ok(Given::Closed)
            }
        };
        answered.map_err(|fault: EngineFault| fault.0)
    });
    // Nothing of it outlives the process.
    close(&engine);
    ready.pool.clear();
    ready.residents.dismiss();
    served
}

/// Containers end, and the private directory is for the next engine unless it is to be kept.
fn close(engine: &RwLock<Option<Box<dyn Engine>>>) {
    let engine = engine
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    drop(engine);
}

fn with(
    engine: &RwLock<Option<Box<dyn Engine>>>,
    act: impl FnOnce(&dyn Engine) -> Result<Given, EngineFault>,
) -> Result<Given, EngineFault> {
    let engine = engine.read().unwrap_or_else(PoisonError::into_inner);
    match engine.as_deref() {
        Some(engine) => act(engine),
        None => Err(EngineFault("the engine is not open".to_owned())),
    }
}

/// Name spaces of our own. Gives where the kernel can keep the union's marks in them.
fn enter() -> Result<XattrNamespace, Absent> {
    let absent = |what: &str, why: &dyn std::fmt::Display| Absent {
        reason: format!("{what}: {why}"),
        remedy: "run as root, or allow ordinary users to have user name spaces".to_owned(),
    };
    let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
    let is_root = uid.is_root() && enter_own(NameSpace::Mount).is_ok();
    if !is_root {
        let mapper = Mapper::prepare(uid.as_raw(), gid.as_raw());
        enter_own(NameSpace::UserAndMount)
            .map_err(|errno| absent("no user name space", &io::Error::from(errno)))?;
        mapper.map().map_err(|(file, error)| absent(file, &error))?;
    }
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    rustix::mount::mount_change("/", private)
        .map_err(|errno| absent("no private mounts", &io::Error::from(errno)))?;
    Ok(if is_root {
        XattrNamespace::Trusted
    } else {
        XattrNamespace::User
    })
}

/// Where the kernel keeps the union's marks, and what else it is to be told.
type How = (XattrNamespace, MountOptions);

fn asked(text: &str) -> Result<MountOptions, String> {
    match text {
        "" => Ok(MountOptions::default()),
        text => text.parse().map_err(|error: NotAnOption| error.to_string()),
    }
}

fn open(options: &OpenOptions, how: How, ready: &Ready) -> Result<Box<dyn Engine>, EngineFault> {
    let residents = Arc::clone(&ready.residents);
    open_on_kernel(options, how, &ready.pool, |directory, path| {
        let mounter = Mounter::new(directory, path, how, residents)
            .map_err(|errno| EngineFault(io::Error::from(errno).to_string()))?;
        Ok(Arc::new(mounter))
    })
}

/// Mounts an overlay and a tmpfs in a directory that goes away again.
fn probe(scratch: &Path, how: How) -> Result<Description, Absent> {
    let shown = scratch.display();
    let absent = |what: String| Absent {
        reason: what,
        remedy: "choose a scratch directory on ext4, xfs, btrfs or tmpfs, on Linux 6.7 or later"
            .to_owned(),
    };
    let error = |error: &dyn std::fmt::Display| absent(format!("cannot use {shown}: {error}"));
    let directory = tempfile::Builder::new()
        .prefix("layerspec-probe-")
        .tempdir_in(scratch)
        .map_err(|failed| error(&failed))?;
    let opened = std::fs::File::open(directory.path()).map_err(|failed| error(&failed))?;
    let opened = Arc::new(opened.into());
    let tried = |what: &str, errno: Errno| {
        let why = io::Error::from(errno);
        absent(format!("cannot mount {what} in {shown}: {why}"))
    };
    let mount = || -> Result<_, Errno> {
        let mounter = Mounter::new(&opened, directory.path(), how, Arc::default())?;
        let upper = mounter.probe_directory("upper")?;
        let lower = mounter.probe_directory("lower")?;
        let file = rustix::fs::openat(
            &lower,
            LINKED,
            OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC,
            Mode::RUSR,
        )?;
        drop(file);
        let merged = mounter.merge(Some(&upper), std::slice::from_ref(&lower))?;
        Ok((mounter, merged))
    };
    let (mounter, merged) = mount().map_err(|errno| {
        let told = tried(&format!("overlay ({})", options_shown(how)), errno);
        if how.1 == MountOptions::default() {
            return told;
        }
        Absent {
            remedy: "leave out options that do not go together, or need root".to_owned(),
            ..told
        }
    })?;
    drop(
        mounter
            .memory(Some(4096))
            .map_err(|errno| tried("tmpfs", errno))?,
    );
    let Survey {
        mut capabilities,
        file_system: _,
    } = survey(&merged.root);
    // The disk under the layers is the machine's, and not ours to fill.
    capabilities.remove(&Capability::FillDisk);
    if !links_are_one(&merged.root).unwrap_or(false) {
        capabilities.remove(&Capability::SteadyInodes);
    }
    let uname = rustix::system::uname();
    Ok(Description {
        name: NAME.to_owned(),
        form_of: None,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        kernel: uname.release().to_string_lossy().into_owned(),
        driver: format!("overlay ({})", options_shown(how)),
        file_system: survey(&opened).file_system,
        capabilities,
    })
}

/// A file of the lower layer.
const LINKED: &str = "linked";

/// Whether a file of a lower layer and a link that is made to it are one file to `stat`. They are not in an ordinary
/// user's name space, where the kernel keeps no trace of where a copy came from: the new name has the inode
/// number of the copy, the old one that of the lower file.
fn links_are_one(merged: &OwnedFd) -> Result<bool, Errno> {
    let inode =
        |name: &str| rustix::fs::statat(merged, name, AtFlags::empty()).map(|stat| stat.st_ino);
    inode(LINKED)?;
    rustix::fs::linkat(merged, LINKED, merged, "another", AtFlags::empty())?;
    Ok(inode(LINKED)? == inode("another")?)
}
