//! The process and its end.

use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, WaitOptions, kill_process, kill_process_group,
    pidfd_open, waitid, waitpid,
};

/// A child process that was started, and the other ends of its standard input, output and error.
#[derive(Debug)]
pub(in crate::engine) struct Started {
    pub(in crate::engine) pid: Pid,
    pub(in crate::engine) input: OwnedFd,
    pub(in crate::engine) output: OwnedFd,
    pub(in crate::engine) errors: OwnedFd,
}

impl TryFrom<Child> for Started {
    type Error = String;

    fn try_from(child: Child) -> Result<Self, String> {
        let pid = pid(child.id()).ok_or("a program without a number")?;
        match (child.stdin, child.stdout, child.stderr) {
            (Some(input), Some(output), Some(errors)) => Ok(Self {
                pid,
                input: input.into(),
                output: output.into(),
                errors: errors.into(),
            }),
            _ => Err("a program without pipes".to_owned()),
        }
    }
}

/// A child process. It is killed when this is dropped.
#[derive(Debug)]
pub(in crate::engine) struct Process {
    pid: Pid,
    leads_group: bool,
    /// Whether it was waited for; its number may then be another's.
    reaped: bool,
    /// Whether others of its group were there when it had ended by itself.
    left_others: bool,
    by_itself: Option<ExitStatus>,
}

impl Process {
    pub(in crate::engine) fn new(pid: Pid, leads_group: bool) -> Self {
        Self {
            pid,
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
                kill_group(self.pid);
            }
            kill_process(self.pid, Signal::KILL).ok();
        }
        let status = self.status();
        if ended && self.leads_group {
            // Nor afterwards while anybody is left in it. When nobody is, nobody is killed: numbers are given out in turn.
            self.left_others = kill_group(self.pid);
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
        let Ok(file) = pidfd_open(self.pid, PidfdFlags::empty()) else {
            // No descriptor is left.
            return std::thread::sleep(Duration::from_millis(1));
        };
        let most = Timespec::try_from(most).ok();
        // Whatever it was that ended the wait, the caller looks.
        poll(&mut [PollFd::new(&file, PollFlags::IN)], most.as_ref()).ok();
    }

    /// Waits for one that has ended or was killed.
    fn status(&self) -> Option<ExitStatus> {
        loop {
            match waitpid(Some(self.pid), WaitOptions::empty()) {
                Ok(ended) => return ended.map(|(_, status)| ExitStatus::from_raw(status.as_raw())),
                Err(Errno::INTR) => {}
                Err(_) => return None,
            }
        }
    }

    fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match waitid(WaitId::Pid(self.pid), options) {
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

/// The number of a child, as the system's calls take it.
pub(in crate::engine) fn pid(number: u32) -> Option<Pid> {
    i32::try_from(number).ok().and_then(Pid::from_raw)
}

/// Kills a process group that a child of ours leads. Whether anybody was in it.
pub(in crate::engine) fn kill_group(leader: Pid) -> bool {
    kill_process_group(leader, Signal::KILL).is_ok()
}
