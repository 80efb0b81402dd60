//! Looks at new containers that are under way. What `inspect` says of a container that was just made is not needed
//! before somebody asks where something lies in it; until then it is asked for beside what comes next. An
//! operation that might change what it says waits for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::engine::{Cli, Fault, Result};
use super::inspected::{self, Container};
use super::program::{Mute, Said};
use crate::engine::{ContainerSpec, Operation};

/// A look that is under way; nothing once it has been taken in.
type Slot = Arc<Mutex<Option<Look>>>;

#[derive(Debug)]
struct Look {
    spec: ContainerSpec,
    said: JoinHandle<std::result::Result<Said, Mute>>,
}

/// Looks that are under way, by container.
#[derive(Debug, Default)]
pub(super) struct Pending(Mutex<BTreeMap<String, Slot>>);

impl Pending {
    fn slots(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Slot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cli {
    /// Begins a look at a new container.
    pub(super) fn remember_later(&self, spec: &ContainerSpec) {
        let (program, name) = (
            self.ground.program.clone(),
            self.names.container(&spec.name),
        );
        let look = Look {
            spec: spec.clone(),
            said: std::thread::spawn(move || program.run(["container", "inspect", &name])),
        };
        let slot = Arc::new(Mutex::new(Some(look)));
        self.pending.slots().insert(spec.name.clone(), slot);
    }

    /// Takes in what a look at a container has shown, if one is under way.
    pub(super) fn take_in(&self, container: &str) {
        let slot = self.pending.slots().get(container).cloned();
        let Some(slot) = slot else { return };
        {
            // Others who need it wait here.
            let mut look = slot.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(Look { spec, said }) = look.take()
                && let Ok(said) = said.join()
                && let Ok(Some(container)) = self.inspected(said)
            {
                self.learn(&spec, container);
            }
        }
        let mut slots = self.pending.slots();
        if slots
            .get(container)
            .is_some_and(|now| Arc::ptr_eq(now, &slot))
        {
            slots.remove(container);
        }
    }

    /// [`Self::take_in`] for all.
    pub(super) fn take_in_all(&self) {
        let names: Vec<String> = self.pending.slots().keys().cloned().collect();
        for name in names {
            self.take_in(&name);
        }
    }

    /// Waits for what an operation might disturb.
    pub(super) fn take_in_before(&self, operation: &Operation) {
        match operation {
            // They leave the containers that there are as they are.
            Operation::Files { .. }
            | Operation::LoadImage(_)
            | Operation::Create(_)
            | Operation::Run(_)
            | Operation::VolumeCreate(_) => {}
            _ => self.take_in_all(),
        }
    }

    fn inspected(&self, said: std::result::Result<Said, Mute>) -> Result<Option<Container>> {
        let said = self.judge(said?)?;
        let mut containers = inspected::list(&said, Container::parse).map_err(Fault::Broken)?;
        Ok(containers.pop())
    }

    /// What `inspect` says of a container now.
    pub(super) fn inspect_container(&self, name: &str) -> Result<Option<Container>> {
        let name = self.names.container(name);
        let program = &self.ground.program;
        self.inspected(program.run(["container", "inspect", &name]))
    }
}
