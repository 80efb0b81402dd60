//! The process and its end.

use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_open, waitid,
};

/// A child process. It is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    leads_group: bool,
    /// Whether it was waited for; its number may then be another's.
    reaped: bool,
    /// Whether others of its group were there when it had ended by itself.
    left_others: bool,
    by_itself: Option<ExitStatus>,
}

impl Process {
    pub(super) fn new(child: Child, leads_group: bool) -> Self {
        Self {
            child,
            leads_group,
            reaped: false,
            left_others: false,
            by_itself: None,
        }
    }

    /// Waits for its end, kills what is left when the patience is at its end, and gives the status of a
    /// process that ended by itself.
    pub(super) fn end(&mut self, patience: Duration) -> Option<ExitStatus> {
        if self.reaped {
            return self.by_itself;
        }
        let begin = Instant::now();
        let mut ended = self.has_ended();
        while !ended && begin.elapsed() < patience {
            self.wait(patience.saturating_sub(begin.elapsed()));
            ended = self.has_ended();
        }
        if !ended {
            // Before the leader is waited for, nobody else can have the group's number.
            if self.leads_group {
                kill_group(self.child.id());
            }
            self.child.kill().ok();
        }
        let status = self.child.wait().ok();
        if ended && self.leads_group {
            // Nor afterwards while anybody is left in it. When nobody is, nobody is killed: numbers are given out in turn.
            self.left_others = kill_group(self.child.id());
        }
        self.reaped = true;
        self.by_itself = status.filter(|_| ended);
        self.by_itself
    }

    pub(super) fn left_others(&self) -> bool {
        self.left_others
    }

    /// Until it may have ended, or that long.
    fn wait(&self, most: Duration) {
        let file = pid(self.child.id()).map(|pid| pidfd_open(pid, PidfdFlags::empty()));
        let Some(Ok(file)) = file else {
            // No descriptor is left.
            return std::thread::sleep(Duration::from_millis(1));
        };
        let most = Timespec::try_from(most).ok();
        // Whatever it was that ended the wait, the caller looks.
        poll(&mut [PollFd::new(&file, PollFlags::IN)], most.as_ref()).ok();
    }

    fn has_ended(&self) -> bool {
        let Some(pid) = pid(self.child.id()) else {
            return true;
        };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match waitid(WaitId::Pid(pid), options) {
            Ok(status) => status.is_some(),
            Err(errno) => errno != Errno::INTR,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end(Duration::ZERO);
    }
}

fn pid(number: u32) -> Option<Pid> {
    i32::try_from(number).ok().and_then(Pid::from_raw)
}

/// Kills a process group that a child of ours leads. Whether anybody was in it.
pub(in crate::engine) fn kill_group(leader: u32) -> bool {
    pid(leader).is_some_and(|group| kill_process_group(group, Signal::KILL).is_ok())
}
