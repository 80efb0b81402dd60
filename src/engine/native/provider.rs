//! Finding out what this machine lets the engine do, and opening engines.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::engine::Native;
use super::ground::{Ground, Keeping, Private};
use super::probe::probe;
use super::refusals::Fault;
use crate::engine::{Absent, Description, Engine, EngineFault, OpenOptions, Provider};

/// Opens embedded engines, each on a private directory of its own. What a scratch directory can hold is found out
/// once and remembered.
#[derive(Debug, Default)]
pub struct NativeProvider {
    known: Mutex<BTreeMap<PathBuf, (Description, Keeping)>>,
}

impl NativeProvider {
    /// One that has not looked anywhere yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn look(&self, scratch: &Path) -> Result<(Description, Keeping), Absent> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(scratch) {
            return Ok(found.clone());
        }
        let found = probe(scratch)?;
        known.insert(scratch.to_owned(), found.clone());
        Ok(found)
    }
}

impl Provider for NativeProvider {
    fn name(&self) -> &str {
        super::probe::NAME
    }

    fn probe(&self, options: &OpenOptions) -> Result<Description, Absent> {
        Ok(self.look(&options.scratch)?.0)
    }

    fn open(&self, options: &OpenOptions) -> Result<Box<dyn Engine>, EngineFault> {
        let native = Native::open(self.ground(options)?);
        let native = native.map_err(|fault| match fault {
            Fault::Refused(refusal) => EngineFault(refusal.message),
            Fault::Broken(why) => EngineFault(why),
        })?;
        Ok(Box::new(native))
    }
}

impl NativeProvider {
    /// A private directory, and how files are kept in it.
    pub(super) fn ground(&self, options: &OpenOptions) -> Result<Ground, EngineFault> {
        let (_, keeping) = self
            .look(&options.scratch)
            .map_err(|absent| EngineFault(absent.to_string()))?;
        let private = Private::make(&options.scratch, options.keep).map_err(|error| {
            let scratch = options.scratch.display();
            EngineFault(format!(
                "cannot make a private directory in {scratch}: {error}"
            ))
        })?;
        Ok(Ground::new(private, keeping))
    }
}
