//! Open files by a path, and from one process to another, over a socket, before anything else is said on it.
//!
//! Source: unix(7), `SCM_RIGHTS`.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};

use rustix::cmsg_space;
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

use super::Result;

/// A path by which the kernel finds an open file of this process.
pub(crate) fn link_to(file: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

/// How many go at once; the kernel takes no more than 253.
const AT_ONCE: usize = 200;

/// What is said with them: more come, or none.
const MORE: u8 = 1;
const LAST: u8 = 0;

/// Sends open files.
///
/// # Errors
/// As `sendmsg(2)`.
pub(super) fn send_files(socket: impl AsFd, files: &[impl AsFd]) -> Result<()> {
    let files: Vec<BorrowedFd<'_>> = files.iter().map(AsFd::as_fd).collect();
    let mut rest = files.as_slice();
    loop {
        let (some, others) = rest.split_at(rest.len().min(AT_ONCE));
        rest = others;
        let word = [if rest.is_empty() { LAST } else { MORE }];
        let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(AT_ONCE))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !some.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(some)) {
            return Err(Errno::MSGSIZE);
        }
        let words = [IoSlice::new(&word)];
        sendmsg(&socket, &words, &mut ancillary, SendFlags::NOSIGNAL)?;
        if rest.is_empty() {
            return Ok(());
        }
    }
}

/// Receives what [`send_files`] has sent; `None` when the other side went without a word.
///
/// # Errors
/// As `recvmsg(2)`.
pub(super) fn receive_files(socket: impl AsFd) -> Result<Option<Vec<OwnedFd>>> {
    let mut files = Vec::new();
    loop {
        let mut word = [LAST];
        let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(AT_ONCE))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut words = [IoSliceMut::new(&mut word)];
        let received = recvmsg(&socket, &mut words, &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(some) = message {
                files.extend(some);
            }
        }
        match (received.bytes, word) {
            (0, _) => return Ok(None),
            (_, [MORE]) => {}
            _ => return Ok(Some(files)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::os::unix::fs::MetadataExt as _;
    use std::os::unix::net::UnixStream;

    use super::*;

    fn inode(file: OwnedFd) -> u64 {
        std::fs::File::from(file).metadata().unwrap().ino()
    }

    #[test]
    fn files_arrive_in_order_and_what_follows_is_left_alone() {
        for count in [0, 1, AT_ONCE, 2 * AT_ONCE + 1] {
            let (mut here, mut there) = UnixStream::pair().unwrap();
            let files: Vec<std::fs::File> =
                (0..count).map(|_| tempfile::tempfile().unwrap()).collect();
            let expected: Vec<u64> = (files.iter())
                .map(|file| file.metadata().unwrap().ino())
                .collect();
            let files: Vec<OwnedFd> = files.into_iter().map(Into::into).collect();
            let sender = std::thread::spawn(move || {
                send_files(&here, &files).unwrap();
                here.write_all(b"hello").unwrap();
            });
            let received = receive_files(&there).unwrap().unwrap();
            let inodes: Vec<u64> = received.into_iter().map(inode).collect();
            assert_eq!(inodes, expected);
            let mut rest = String::new();
            there.read_to_string(&mut rest).unwrap();
            assert_eq!(rest, "hello");
            sender.join().unwrap();
        }
    }

    #[test]
    fn nobody_is_waited_for_who_is_gone() {
        let (here, there) = UnixStream::pair().unwrap();
        drop(here);
        assert!(receive_files(&there).unwrap().is_none());
    }
}
