//! A tracer that lets one write of a process take less than it is given. `strace` can fake what a call returns, but not
//! let it do half of its work.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use nix::sys::ptrace::{self, Options};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::child::{BEGIN, FLAG};
use crate::strace::Ended;

/// Calls that may write fewer bytes than they are asked to, each with its number on this architecture.
pub(crate) const WRITES: &[(&str, i64)] = &[
    ("write", libc::SYS_write),
    ("pwrite64", libc::SYS_pwrite64),
    ("copy_file_range", libc::SYS_copy_file_range),
];

/// Runs the child. After it said [`BEGIN`] and was let go, its write `nth` (from 1, those to standard output not
/// counted) moves `length` bytes.
pub(crate) fn run(arguments: &[&str], nth: usize, length: u64) -> Ended {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([FLAG, "short"])
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
    // It waits for its input. Threads that it starts are not seen; none of them writes to a disk.
    ptrace::seize(
        pid,
        Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_EXITKILL,
    )
    .unwrap();
    ptrace::interrupt(pid).unwrap();
    child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    cut(pid, nth, length);
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

/// Follows the process to that call, changes how much it is to write, and lets the process go.
fn cut(pid: Pid, nth: usize, length: u64) {
    let mut seen = 0;
    let mut is_inside = false;
    loop {
        let status = waitpid(pid, Some(WaitPidFlag::__WALL)).unwrap();
        match status {
            WaitStatus::PtraceSyscall(_) => {
                is_inside = !is_inside;
                if is_inside && is_a_write(pid) {
                    seen += 1;
                    if seen == nth {
                        shorten(pid, length);
                        ptrace::detach(pid, None).unwrap();
                        return;
                    }
                }
                ptrace::syscall(pid, None).unwrap();
            }
            WaitStatus::PtraceEvent(..) => ptrace::syscall(pid, None).unwrap(),
            WaitStatus::Stopped(_, signal) => ptrace::syscall(pid, signal).unwrap(),
            other => panic!("write {nth} never came: {other:?}"),
        }
    }
}

/// Whether the call that the process is about to make writes, and not to standard output.
fn is_a_write(pid: Pid) -> bool {
    let registers = ptrace::getregs(pid).unwrap();
    let is_output = registers.orig_rax == libc::SYS_write.cast_unsigned() && registers.rdi == 1;
    !is_output
        && WRITES
            .iter()
            .any(|(_, number)| registers.orig_rax == number.cast_unsigned())
}

fn shorten(pid: Pid, length: u64) {
    let mut registers = ptrace::getregs(pid).unwrap();
    if registers.orig_rax == libc::SYS_copy_file_range.cast_unsigned() {
        registers.r8 = length;
    } else {
        registers.rdx = length;
    }
    ptrace::setregs(pid, registers).unwrap();
}
