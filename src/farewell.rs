//! What has to be done even when the process dies before its time: objects in a daemon outlive it.

use std::sync::{Mutex, PoisonError};

type Deed = Box<dyn Fn() + Send>;

static DEEDS: Mutex<Vec<(u64, Deed)>> = Mutex::new(Vec::new());

/// A deed that is to be done unless this is dropped before.
#[derive(Debug)]
pub(crate) struct Farewell(u64);

impl Farewell {
    /// Has this done if the process dies by a signal, or leaves somebody behind who hangs. It may be done while others
    /// still work.
    pub(crate) fn new(deed: impl Fn() + Send + 'static) -> Self {
        let mut deeds = DEEDS.lock().unwrap_or_else(PoisonError::into_inner);
        let id = deeds.last().map_or(0, |(last, _)| last + 1);
        deeds.push((id, Box::new(deed)));
        Self(id)
    }
}

impl Drop for Farewell {
    fn drop(&mut self) {
        let mut deeds = DEEDS.lock().unwrap_or_else(PoisonError::into_inner);
        deeds.retain(|(id, _)| *id != self.0);
    }
}

/// Does everything that is still to be done.
pub(crate) fn say() {
    let deeds = std::mem::take(&mut *DEEDS.lock().unwrap_or_else(PoisonError::into_inner));
    for (_, deed) in deeds {
        deed();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn what_was_taken_back_is_not_done() {
        let done = Arc::new(AtomicUsize::new(0));
        let deed = |worth| {
            let done = Arc::clone(&done);
            Farewell::new(move || {
                done.fetch_add(worth, Ordering::Relaxed);
            })
        };
        let (_kept, taken_back) = (deed(1), deed(10));
        drop(taken_back);
        say();
        say();
        assert_eq!(done.load(Ordering::Relaxed), 1);
    }
}
