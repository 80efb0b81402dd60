//! The same calls performed by the kernel, with a user's credentials, on a real directory.

use std::path::{Path, PathBuf};

use rustix::fs::{
    self, Access, AtFlags, CWD, FileType, Gid, Mode, OFlags, RenameFlags, Timespec, Timestamps,
    Uid, XattrFlags,
};
use rustix::thread::{CapabilitySet, CapabilitySets};

use crate::rootfs::open_file::OpenFlag;
use crate::rootfs::testing::{access_list, caller, flags};
use crate::union::Errno;

/// Docker's default capabilities, by their bits.
const CONTAINER: u64 = 0xa804_25fb;

/// Performs one call below `root` in a thread of its own, as a user. `None` for `truncate`, which rustix
/// does not have.
pub(super) fn perform(root: &Path, user: &str, call: &str) -> Option<Result<(), Errno>> {
    if call.starts_with("truncate") {
        return None;
    }
    let (root, user, call) = (root.to_owned(), user.to_owned(), call.to_owned());
    let thread = std::thread::spawn(move || {
        become_user(&user);
        system_call(&root, &call)
    });
    Some(thread.join().unwrap())
}

/// Credentials belong to the thread: these calls do not change the other threads'.
fn become_user(user: &str) {
    if user == "host" {
        return;
    }
    let caller = caller(user);
    let (uid, gid) = (Uid::from_raw(caller.uid), Gid::from_raw(caller.gid));
    rustix::thread::set_thread_groups(&[]).unwrap();
    rustix::thread::set_thread_res_gid(gid, gid, gid).unwrap();
    rustix::thread::set_thread_res_uid(uid, uid, uid).unwrap();
    if caller.uid == 0 {
        let set = CapabilitySet::from_bits_retain(CONTAINER);
        let sets = CapabilitySets {
            effective: set,
            permitted: set,
            inheritable: CapabilitySet::empty(),
        };
        rustix::thread::set_capabilities(None, sets).unwrap();
    }
}

fn system_call(root: &Path, call: &str) -> Result<(), Errno> {
    let words: Vec<&str> = call.split(' ').collect();
    let path = |index: usize| below(root, words[index]);
    let mode = |index: usize| Mode::from_raw_mode(u32::from_str_radix(words[index], 8).unwrap());
    let number = |index: usize| words[index].parse::<u32>().unwrap();
    let rename = |flags| fs::renameat_with(CWD, path(1), CWD, path(2), flags);
    let node = |kind, index, device| fs::mknodat(CWD, path(1), kind, mode(index), device);
    match words[0] {
        "mkdir" => fs::mkdir(path(1), mode(2)),
        "open" => fs::open(path(1), open_flags(words[2]), Mode::from_raw_mode(0o644)).map(drop),
        "rmdir" => fs::rmdir(path(1)),
        "unlink" => fs::unlink(path(1)),
        "rename" => rename(RenameFlags::empty()),
        "noreplace" => rename(RenameFlags::NOREPLACE),
        "exchange" => rename(RenameFlags::EXCHANGE),
        "link" => fs::link(path(1), path(2)),
        "symlink" => fs::symlink(words[1], path(2)),
        "readlink" => fs::readlink(path(1), Vec::new()).map(drop),
        "fifo" => node(FileType::Fifo, 2, 0),
        "socket" => node(FileType::Socket, 2, 0),
        "device" => node(
            FileType::CharacterDevice,
            4,
            fs::makedev(number(2), number(3)),
        ),
        "list" => {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY;
            fs::open(path(1), flags, Mode::empty()).map(drop)
        }
        _ => attribute_call(&path(1), &words),
    }
}

fn attribute_call(path: &Path, words: &[&str]) -> Result<(), Errno> {
    let mode = |index: usize| Mode::from_raw_mode(u32::from_str_radix(words[index], 8).unwrap());
    let id = |index: usize| words[index].parse().ok();
    match words[0] {
        "chmod" => fs::chmod(path, mode(2)),
        "chown" => {
            let (user, group) = (id(2).map(Uid::from_raw), id(3).map(Gid::from_raw));
            fs::chownat(CWD, path, user, group, AtFlags::empty())
        }
        "now" => times(path, fs::UTIME_NOW, fs::UTIME_NOW),
        "times" => times(path, fs::UTIME_OMIT, 0),
        "access" => {
            let asks = |letter, bit| {
                if words[2].contains(letter) {
                    bit
                } else {
                    Access::empty()
                }
            };
            let wish = asks('r', Access::READ_OK) | asks('w', Access::WRITE_OK);
            fs::accessat(
                CWD,
                path,
                wish | asks('x', Access::EXEC_OK),
                AtFlags::empty(),
            )
        }
        "stat" => fs::stat(path).map(drop),
        "lstat" => fs::lstat(path).map(drop),
        "setxattr" => fs::lsetxattr(path, words[2], words[3].as_bytes(), XattrFlags::empty()),
        "acl" => fs::lsetxattr(path, words[2], &access_list(words[3]), XattrFlags::empty()),
        "getxattr" => fs::lgetxattr(path, words[2], &mut [0_u8; 256]).map(drop),
        "rmxattr" => fs::lremovexattr(path, words[2]),
        other => panic!("no such call: {other}"),
    }
}

/// Joined as text: a path library would drop slashes and dots.
fn below(root: &Path, path: &str) -> PathBuf {
    if path.is_empty() {
        PathBuf::new()
    } else {
        format!("{}/{path}", root.display()).into()
    }
}

fn times(path: &Path, atime: i64, mtime: i64) -> Result<(), Errno> {
    let time = |nanos| Timespec {
        tv_sec: 1,
        tv_nsec: nanos,
    };
    let times = Timestamps {
        last_access: time(atime),
        last_modification: time(mtime),
    };
    fs::utimensat(CWD, path, &times, AtFlags::empty())
}

fn open_flags(words: &str) -> OFlags {
    let flags = flags(words);
    let has = |flag| flags.contains(&flag);
    let mut bits = match (has(OpenFlag::Read), has(OpenFlag::Write)) {
        (true, true) => OFlags::RDWR,
        (false, true) => OFlags::WRONLY,
        _ => OFlags::RDONLY,
    };
    for (flag, bit) in [
        (OpenFlag::Append, OFlags::APPEND),
        (OpenFlag::Create, OFlags::CREATE),
        (OpenFlag::Exclusive, OFlags::EXCL),
        (OpenFlag::Truncate, OFlags::TRUNC),
        (OpenFlag::Directory, OFlags::DIRECTORY),
        (OpenFlag::Nofollow, OFlags::NOFOLLOW),
        (OpenFlag::Path, OFlags::PATH),
        (OpenFlag::Tmpfile, OFlags::TMPFILE),
    ] {
        if has(flag) {
            bits |= bit;
        }
    }
    bits | OFlags::CLOEXEC | OFlags::NONBLOCK
}
