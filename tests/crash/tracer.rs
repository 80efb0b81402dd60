//! A tracer of our own, that leaves a process alone before and after the one call that it is about: `strace` stops at
//! every call of that name, hundreds of them. And `strace` can fake what a call returns, but not let it do half of its work.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::child::{BEGIN, FLAG};
use crate::strace::{Call, Ended};

/// What becomes of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    /// It is not made and gives this error.
    Fail(Errno),
    /// It moves so many bytes: `write`, `pwrite64` or `copy_file_range`.
    Shorten(u64),
}

/// Runs the child. After it said [`BEGIN`], did what comes before the call's act and was let go, the call is changed.
pub(crate) fn run(arguments: &[&str], call: &Call, change: Change) -> Ended {
    let nth = call.nth.expect("a call of the first thread");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([FLAG, "held"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut lines = Vec::new();
    let act: usize = arguments[2].parse().unwrap();
    while lines.len() <= act {
        let mut line = String::new();
        if output.read_line(&mut line).unwrap() == 0 {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    assert_eq!(lines.first().map(String::as_str), Some(BEGIN));
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
    // It waits for its input. Threads that it starts are not seen.
    ptrace::seize(
        pid,
        Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_EXITKILL,
    )
    .unwrap();
    ptrace::interrupt(pid).unwrap();
    child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    let came = follow(pid, call.number, nth);
    assert!(came, "never came: {call:?}");
    apply(pid, change);
    ptrace::detach(pid, None).unwrap();
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    lines.extend(rest.lines().map(str::to_owned));
    let mut errors = String::new();
    let mut said = child.stderr.take().unwrap();
    said.read_to_string(&mut errors).unwrap();
    Ended {
        lines,
        signal: child.wait().unwrap().signal(),
        errors,
    }
}

/// Follows the process to the entry of that call. Whether it gets there.
fn follow(pid: Pid, number: i64, nth: usize) -> bool {
    let mut seen = 0;
    let mut is_inside = false;
    loop {
        match waitpid(pid, Some(WaitPidFlag::__WALL)).unwrap() {
            WaitStatus::PtraceSyscall(_) => {
                is_inside = !is_inside;
                if is_inside && is_it(pid, number) {
                    seen += 1;
                    if seen == nth {
                        return true;
                    }
                }
                ptrace::syscall(pid, None).unwrap();
            }
            WaitStatus::PtraceEvent(..) => ptrace::syscall(pid, None).unwrap(),
            WaitStatus::Stopped(_, signal) => ptrace::syscall(pid, signal).unwrap(),
            _ => return false,
        }
    }
}

/// Whether the process is about to make this call, and does not speak with us.
fn is_it(pid: Pid, number: i64) -> bool {
    let registers = ptrace::getregs(pid).unwrap();
    let spoken = match number {
        libc::SYS_read => registers.rdi == 0,
        libc::SYS_write => registers.rdi == 1,
        _ => false,
    };
    registers.orig_rax == number.cast_unsigned() && !spoken
}

/// Changes the call that the process is about to make.
fn apply(pid: Pid, change: Change) {
    let mut registers = ptrace::getregs(pid).unwrap();
    match change {
        Change::Shorten(length)
            if registers.orig_rax == libc::SYS_copy_file_range.cast_unsigned() =>
        {
            registers.r8 = length;
        }
        Change::Shorten(length) => registers.rdx = length,
        Change::Fail(errno) => {
            // There is no such call; and when it has ended, this is what it gave.
            registers.orig_rax = u64::MAX;
            ptrace::setregs(pid, registers).unwrap();
            ptrace::syscall(pid, None).unwrap();
            let status = waitpid(pid, Some(WaitPidFlag::__WALL)).unwrap();
            assert!(matches!(status, WaitStatus::PtraceSyscall(_)), "{status:?}");
            registers = ptrace::getregs(pid).unwrap();
            registers.rax = (-i64::from(errno as i32)).cast_unsigned();
        }
    }
    ptrace::setregs(pid, registers).unwrap();
}
