//! What is in named pipes (fifo(7)), as processes find it that open them with `O_NONBLOCK`.
//!
//! A pipe belongs to a node, so that it goes through renames and copy-up, and containers that share a
//! volume share the pipes in it. It is empty again when nobody has it open.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::locks::Locks;
use crate::union::{Errno, NodeRef, Result};

/// How much a pipe holds, in bytes (pipe(7)).
const CAPACITY: usize = 64 << 10;

/// What is written whole or not at all, in bytes (`PIPE_BUF`).
const ATOMIC: usize = 4096;

/// The pipes that somebody has open.
#[derive(Debug, Default)]
pub(super) struct Pipes(Mutex<BTreeMap<NodeRef, Pipe>>);

#[derive(Debug, Default)]
struct Pipe {
    bytes: VecDeque<u8>,
    readers: usize,
    writers: usize,
}

/// A pipe as one open file has it.
#[derive(Debug)]
pub(super) struct PipeEnd {
    table: Arc<Locks>,
    node: NodeRef,
    reads: bool,
    writes: bool,
}

impl PipeEnd {
    /// Opens a pipe.
    ///
    /// # Errors
    /// `ENXIO` for writing alone, when nobody reads.
    pub(super) fn open(
        table: &Arc<Locks>,
        node: &NodeRef,
        (reads, writes): (bool, bool),
    ) -> Result<Self> {
        let mut pipes = table.pipes.lock();
        let has_reader = pipes.get(node).is_some_and(|pipe| pipe.readers > 0);
        if !reads && !has_reader {
            return Err(Errno::NXIO);
        }
        let pipe = pipes.entry(node.clone()).or_default();
        pipe.readers += usize::from(reads);
        pipe.writers += usize::from(writes);
        Ok(Self {
            table: Arc::clone(table),
            node: node.clone(),
            reads,
            writes,
        })
    }

    /// Takes what is there, at most `length` bytes.
    pub(super) fn read(&self, length: u64) -> Vec<u8> {
        let mut pipes = self.table.pipes.lock();
        let Some(pipe) = pipes.get_mut(&self.node) else {
            return Vec::new();
        };
        let wanted = usize::try_from(length).unwrap_or(usize::MAX);
        let count = wanted.min(pipe.bytes.len());
        pipe.bytes.drain(..count).collect()
    }

    /// Puts in what there is room for, and tells how much that is.
    ///
    /// # Errors
    /// `EPIPE` when nobody reads, `EAGAIN` when it is full.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<usize> {
        let mut pipes = self.table.pipes.lock();
        let pipe = pipes.get_mut(&self.node).ok_or(Errno::PIPE)?;
        if pipe.readers == 0 {
            return Err(Errno::PIPE);
        }
        let room = CAPACITY - pipe.bytes.len();
        if room == 0 || (bytes.len() <= ATOMIC && room < bytes.len()) {
            return Err(Errno::AGAIN);
        }
        let count = room.min(bytes.len());
        pipe.bytes.extend(bytes.iter().take(count));
        Ok(count)
    }
}

impl Drop for PipeEnd {
    fn drop(&mut self) {
        let mut pipes = self.table.pipes.lock();
        if let Some(pipe) = pipes.get_mut(&self.node) {
            pipe.readers -= usize::from(self.reads);
            pipe.writers -= usize::from(self.writes);
            if pipe.readers == 0 && pipe.writers == 0 {
                pipes.remove(&self.node);
            }
        }
    }
}

impl Pipes {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<NodeRef, Pipe>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
