//! Ending early, and leaving nothing behind.
//!
//! The first SIGINT, SIGTERM or SIGHUP asks the run to end: no further case is started, those that run
//! are finished and cleaned up. A second one, or eight seconds after a SIGTERM or SIGHUP (who sends
//! those mostly sends SIGKILL after ten), removes the scratch directory and what is in daemons from
//! under whatever still runs, and the process dies by the signal.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::farewell;
use crate::scratch::remove_tree;

/// How long a run may take to end after a signal that a machine sent.
const GRACE: Duration = Duration::from_secs(8);

/// Knows whether the run was asked to end early.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt {
    signal: Arc<AtomicI32>,
    scratch: Arc<Mutex<Option<PathBuf>>>,
}

impl Interrupt {
    /// Watches the signals of this process from now on. To be called before anything is made that is not to be
    /// left behind.
    ///
    /// # Errors
    /// When the handlers or the thread cannot be set up.
    pub(crate) fn watch() -> io::Result<Self> {
        let interrupt = Self::default();
        let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
        let seen = interrupt.clone();
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                for signal in signals.forever() {
                    if seen.signal.swap(signal, Ordering::SeqCst) != 0 {
                        seen.die(signal);
                    } else if signal != SIGINT {
                        let seen = seen.clone();
                        thread::spawn(move || {
                            thread::sleep(GRACE);
                            seen.die(signal);
                        });
                    }
                }
            })?;
        Ok(interrupt)
    }

    /// Removes the tree at `scratch` when there is no time left to end well.
    pub(crate) fn guard(&self, scratch: &Path) {
        *self.scratch.lock().unwrap_or_else(PoisonError::into_inner) = Some(scratch.to_path_buf());
    }

    /// The signal that asked for the end, if one did.
    pub(crate) fn signal(&self) -> Option<i32> {
        match self.signal.load(Ordering::SeqCst) {
            0 => None,
            signal => Some(signal),
        }
    }

    /// The name of a signal, for messages.
    pub(crate) fn name(signal: i32) -> &'static str {
        signal_hook::low_level::signal_name(signal).unwrap_or("a signal")
    }

    /// Says farewell, removes the scratch directory and dies by the signal.
    fn die(&self, signal: i32) {
        // Held to the end of the process, so that only one thread removes the tree.
        let scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        farewell::say();
        if let Some(scratch) = scratch.as_deref() {
            drop(remove_tree(scratch));
        }
        // It returns only for signals whose default is to do nothing.
        drop(signal_hook::low_level::emulate_default_handler(signal));
    }
}
