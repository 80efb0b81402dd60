//! Finding out what this machine lets the engine do, and opening engines.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::daemon::Ending;
use super::engine::Native;
use super::ground::{Ground, Keeping};
use super::kernel::Kernel;
use super::private::{Pool, Private};
use super::probe::probe;
use super::refusals::Fault;
use crate::engine::{Absent, Description, Engine, EngineFault, OpenOptions, Provider};
use crate::union::{Directory, MountOptions, Ownership, XattrNamespace};

/// Opens embedded engines, each on a private directory of its own. What a scratch directory can hold is found out
/// once and remembered, and the directory of an engine that is gone is the next one's; the last go with the provider.
#[derive(Debug)]
pub struct NativeProvider {
    name: String,
    mount: MountOptions,
    known: Mutex<BTreeMap<PathBuf, (Description, Keeping)>>,
    pool: Arc<Pool>,
}

impl NativeProvider {
    /// One that has not looked anywhere yet.
    pub fn new() -> Self {
        Self::with_options(MountOptions::default())
    }

    /// One whose unions are opened with options of the kernel's: `native:redirect_dir=on`.
    pub fn with_options(mount: MountOptions) -> Self {
        let name = match mount.to_string().as_str() {
            "" => super::probe::NAME.to_owned(),
            asked => format!("{}:{asked}", super::probe::NAME),
        };
        Self {
            name,
            mount,
            known: Mutex::default(),
            pool: Arc::default(),
        }
    }

    fn look(&self, scratch: &Path) -> Result<(Description, Keeping), Absent> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(scratch) {
            return Ok(found.clone());
        }
        let found = probe(scratch, self.mount)?;
        known.insert(scratch.to_owned(), found.clone());
        Ok(found)
    }

    /// Opens an engine on a private directory that an earlier process left behind, however it ended: what
    /// its disk names is there again, what was never published is dropped, and containers that ran were
    /// killed (Docker row 22). The directory stays when the engine is dropped, and nobody else may have it open.
    ///
    /// # Errors
    /// [`EngineFault`] when the directory is none, or cannot be read or written. Opening may be tried again.
    pub fn reopen(&self, directory: &Path) -> Result<Box<dyn Engine>, EngineFault> {
        let broken = |why: &dyn std::fmt::Display| {
            EngineFault(format!("cannot reopen {}: {why}", directory.display()))
        };
        let private = Private::adopt(directory).map_err(|error| broken(&error))?;
        let (_, keeping) = self
            .look(private.scratch())
            .map_err(|absent| broken(&absent))?;
        open(Ground::new(private, keeping), Ending::Crashed)
    }
}

fn open(ground: Ground, ending: Ending) -> Result<Box<dyn Engine>, EngineFault> {
    match Native::open(ground, ending) {
        Ok(native) => Ok(Box::new(native)),
        Err(Fault::Refused(refusal)) => Err(EngineFault(refusal.message)),
        Err(Fault::Broken(why)) => Err(EngineFault(why)),
    }
}

/// Opens an engine in which the kernel merges, kept in the kernel's own ways, and real processes act. Its private
/// directory is one of the pool's unless it is to be kept; `kernel` is made for that and its path.
///
/// # Errors
/// What could not be made.
pub(in crate::engine) fn open_on_kernel(
    options: &OpenOptions,
    (namespace, mount): (XattrNamespace, MountOptions),
    pool: &Arc<Pool>,
    kernel: impl FnOnce(&Directory, &Path) -> Result<Arc<dyn Kernel>, EngineFault>,
) -> Result<Box<dyn Engine>, EngineFault> {
    let private = private(options, pool)?;
    let kernel = kernel(private.directory(), private.path())?;
    let keeping = Keeping {
        ownership: Ownership::Real,
        namespace,
        // Our own union beside the kernel's reads what that writes. An index is nothing to it, and it leaves no mark.
        mount: MountOptions {
            index: None,
            volatile: false,
            ..mount
        },
    };
    open(Ground::on_kernel(private, keeping, kernel), Ending::None)
}

fn private(options: &OpenOptions, pool: &Arc<Pool>) -> Result<Private, EngineFault> {
    let made = if options.keep {
        Private::make(&options.scratch, true)
    } else {
        pool.take(&options.scratch)
    };
    made.map_err(|error| {
        let scratch = options.scratch.display();
        EngineFault(format!(
            "cannot make a private directory in {scratch}: {error}"
        ))
    })
}

impl Default for NativeProvider {
    fn default() -> Self {
        Self::new()
    }
}

impl Provider for NativeProvider {
    fn name(&self) -> &str {
        &self.name
    }

    fn probe(&self, options: &OpenOptions) -> Result<Description, Absent> {
        Ok(self.look(&options.scratch)?.0)
    }

    fn open(&self, options: &OpenOptions) -> Result<Box<dyn Engine>, EngineFault> {
        open(self.ground(options)?, Ending::None)
    }

    fn keep_nothing(&self) {
        self.pool.clear();
    }
}

impl NativeProvider {
    /// A private directory, and how files are kept in it.
    pub(super) fn ground(&self, options: &OpenOptions) -> Result<Ground, EngineFault> {
        let (_, keeping) = self
            .look(&options.scratch)
            .map_err(|absent| EngineFault(absent.to_string()))?;
        Ok(Ground::new(private(options, &self.pool)?, keeping))
    }
}
