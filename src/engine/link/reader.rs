//! The thread that reads what the process writes.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use super::desk::{CLOSED, Desk};
use super::lines::Lines;

/// How much is read at a time, in bytes.
const CHUNK: usize = 64 << 10;

/// How often standard error is read before standard output has its turn: a process that only complains must not
/// go unheard otherwise.
const TURNS: usize = 32;

pub(super) struct Reader<G> {
    pub(super) output: Option<OwnedFd>,
    pub(super) errors: Option<OwnedFd>,
    pub(super) lines: Lines<G>,
    pub(super) desk: Arc<Desk<G>>,
}

impl<G> Reader<G> {
    /// Reads until both pipes are closed or the bell rings.
    pub(super) fn run(mut self) {
        let mut chunk = vec![0; CHUNK];
        while self.output.is_some() || self.errors.is_some() {
            let (heard, rung) = match self.wait() {
                Ok(ready) => ready,
                Err(Errno::INTR) => continue,
                Err(errno) => {
                    let why = format!("its pipes cannot be read: {errno}");
                    return self.desk.close(&why);
                }
            };
            // What was complained of before a reply is there when the reply is.
            let reply = if heard {
                self.take_output(&mut chunk)
            } else {
                Ok(0)
            };
            let fresh = match reply {
                Ok(length) => chunk.get(..length).unwrap_or_default().to_vec(),
                Err(()) => Vec::new(),
            };
            self.take_errors(&mut chunk);
            if reply.is_err() {
                self.output = None;
                self.desk.close(CLOSED);
            } else if let Err(cause) = self
                .lines
                .feed(&fresh, |id, given| self.desk.hand_over(id, given))
            {
                self.output = None;
                self.desk.close(&cause);
            }
            if rung {
                break;
            }
        }
        self.desk.close(CLOSED);
    }

    /// Waits for words. Whether there are some on standard output, and whether the bell rings.
    fn wait(&self) -> Result<(bool, bool), Errno> {
        let mut fds = vec![PollFd::new(self.desk.bell(), PollFlags::IN)];
        let output = self.output.as_ref().map(AsFd::as_fd);
        let errors = self.errors.as_ref().map(AsFd::as_fd);
        fds.extend(
            output
                .iter()
                .chain(&errors)
                .map(|pipe| PollFd::new(pipe, PollFlags::IN)),
        );
        poll(&mut fds, None)?;
        let ready = |index: usize| fds.get(index).is_some_and(|fd| !fd.revents().is_empty());
        Ok((output.is_some() && ready(1), ready(0)))
    }

    /// Reads once from standard output: how much; `Err` at its end.
    fn take_output(&mut self, chunk: &mut [u8]) -> Result<usize, ()> {
        let Some(output) = &self.output else {
            return Ok(0);
        };
        match rustix::io::read(output, chunk) {
            Ok(0) => Err(()),
            Ok(length) => Ok(length),
            Err(Errno::AGAIN | Errno::INTR) => Ok(0),
            Err(_) => Err(()),
        }
    }

    /// Reads what is there on standard error.
    fn take_errors(&mut self, chunk: &mut [u8]) {
        for _ in 0..TURNS {
            let Some(errors) = &self.errors else { return };
            match rustix::io::read(errors, &mut *chunk) {
                Ok(length) if length > 0 => self.desk.keep(chunk.get(..length).unwrap_or_default()),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Ok(_) | Err(_) => self.errors = None,
            }
        }
    }
}
