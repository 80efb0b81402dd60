//! Who waits for what, and what the process complained of.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::Mutex;
use std::sync::mpsc::SyncSender;

use super::lock;

/// How much is kept of what the process writes on standard error, in bytes: the last of it.
const KEPT: usize = 64 << 10;

/// Why no more answers come from a process that ends its output, whatever the reason.
pub(super) const CLOSED: &str = "it closed its standard output";

/// The same of one that ends its input.
pub(super) const DEAF: &str = "it closed its standard input";

type Waiter<G> = SyncSender<Result<G, String>>;

/// What those who ask and the one who reads share.
#[derive(Debug)]
pub(super) struct Desk<G> {
    waiting: Mutex<Waiting<G>>,
    said: Mutex<Said>,
    bell: OwnedFd,
}

#[derive(Debug)]
struct Waiting<G> {
    next: u64,
    /// By the number of their call.
    waiters: BTreeMap<u64, Waiter<G>>,
    /// Why no more answers come.
    closed: Option<String>,
}

#[derive(Debug, Default)]
struct Said {
    text: Vec<u8>,
    /// How many bytes came before.
    dropped: u64,
}

impl<G> Desk<G> {
    pub(super) fn new(bell: OwnedFd, first: u64) -> Self {
        Self {
            waiting: Mutex::new(Waiting {
                next: first,
                waiters: BTreeMap::new(),
                closed: None,
            }),
            said: Mutex::default(),
            bell,
        }
    }

    /// The number of a new call, unless no more answers come.
    pub(super) fn register(&self, waiter: Waiter<G>) -> Option<u64> {
        let mut waiting = lock(&self.waiting);
        if waiting.closed.is_some() {
            return None;
        }
        let id = waiting.next;
        waiting.next += 1;
        waiting.waiters.insert(id, waiter);
        Some(id)
    }

    pub(super) fn forget(&self, id: u64) {
        lock(&self.waiting).waiters.remove(&id);
    }

    /// Hands a reply to the one who waits for it, if somebody does.
    pub(super) fn hand_over(&self, id: u64, given: Result<G, String>) -> bool {
        let waiter = lock(&self.waiting).waiters.remove(&id);
        // One who went away meanwhile was waiting all the same.
        waiter.map(|waiter| waiter.send(given).ok()).is_some()
    }

    /// No more answers come. The first cause is the one that counts. Those who wait see their channel close.
    pub(super) fn close(&self, cause: &str) {
        let mut waiting = lock(&self.waiting);
        waiting.closed.get_or_insert_with(|| cause.to_owned());
        waiting.waiters.clear();
    }

    /// The process has ended by itself: that explains closed pipes, and nothing else.
    pub(super) fn explain(&self, end: &str) {
        let mut waiting = lock(&self.waiting);
        match &mut waiting.closed {
            Some(cause) if cause != CLOSED && cause != DEAF => {}
            closed => *closed = Some(end.to_owned()),
        }
        waiting.waiters.clear();
    }

    pub(super) fn is_closed(&self) -> bool {
        lock(&self.waiting).closed.is_some()
    }

    pub(super) fn cause(&self) -> Option<String> {
        lock(&self.waiting).closed.clone()
    }

    /// Keeps what the process wrote on standard error.
    pub(super) fn keep(&self, text: &[u8]) {
        let mut said = lock(&self.said);
        said.text.extend_from_slice(text);
        if said.text.len() > 2 * KEPT {
            let much = said.text.len() - KEPT;
            said.text.drain(..much);
            said.dropped = said.dropped.saturating_add(much as u64);
        }
    }

    pub(super) fn mark(&self) -> u64 {
        let said = lock(&self.said);
        said.dropped.saturating_add(said.text.len() as u64)
    }

    pub(super) fn said_since(&self, mark: u64) -> String {
        let said = lock(&self.said);
        let from = usize::try_from(mark.saturating_sub(said.dropped)).unwrap_or(usize::MAX);
        let text = String::from_utf8_lossy(said.text.get(from..).unwrap_or_default());
        if mark < said.dropped {
            format!("… {text}")
        } else {
            text.into_owned()
        }
    }

    /// Tells the reader to end.
    pub(super) fn ring(&self) {
        rustix::io::write(&self.bell, &1_u64.to_ne_bytes()).ok();
    }

    pub(super) fn bell(&self) -> &OwnedFd {
        &self.bell
    }
}
