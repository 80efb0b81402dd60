//! A process that becomes each of an engine's container processes by a fork: to start the program anew takes longer than
//! most of what a container is asked to do.

use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::io::Errno;
use rustix::process::Pid;

use super::descriptors::{receive_files, send_files};
use super::serve::contained;
use crate::sys::fork_sibling;

/// Has a zygote fork. The copy is a child of the caller, with these as its standard input, output and error, and with a
/// container's mounts in its hand. `socket` is the other end of the zygote's standard input.
///
/// # Errors
/// As fork(2); `EPIPE` when the zygote is gone.
pub(crate) fn fork(
    mut socket: &UnixStream,
    pipes: [OwnedFd; 3],
    mounts: &[OwnedFd],
) -> Result<Pid, Errno> {
    let files: Vec<&OwnedFd> = pipes.iter().chain(mounts).collect();
    send_files(socket, &files)?;
    drop(pipes);
    let mut answer = [0; 4];
    socket
        .read_exact(&mut answer)
        .map_err(|_error| Errno::PIPE)?;
    // A number of a process, or an errno below zero.
    match i32::from_ne_bytes(answer) {
        errno @ ..0 => Err(Errno::from_raw_os_error(-errno)),
        number => Pid::from_raw(number).ok_or(Errno::PIPE),
    }
}

/// Forks for whoever is at the other end of standard input, until that is closed. In a copy, returns when the
/// container has ended.
pub(super) fn serve() -> io::Result<()> {
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    while let Some(files) = receive_files(&socket)? {
        let answer = match fork_sibling() {
            Ok(None) => {
                drop(socket);
                return contained(take_over(files)?);
            }
            Ok(Some(pid)) => pid.as_raw_nonzero().get(),
            Err(errno) => -errno.raw_os_error(),
        };
        drop(files);
        (&socket).write_all(&answer.to_ne_bytes())?;
    }
    Ok(())
}

/// Makes the first three files standard input, output and error. Gives the others.
fn take_over(files: Vec<OwnedFd>) -> io::Result<Vec<OwnedFd>> {
    let mut files = files.into_iter();
    let mut next = || files.next().ok_or(Errno::BADF);
    rustix::stdio::dup2_stdin(next()?)?;
    rustix::stdio::dup2_stdout(next()?)?;
    rustix::stdio::dup2_stderr(next()?)?;
    Ok(files.collect())
}
