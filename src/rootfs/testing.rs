//! What the tests of this folder share: a disk with a bit of everything on it, and a small language for
//! system calls, performed by a [`Process`] and, where the tests run as root, by the kernel too.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use super::{NewNode, OpenFlag, OpenHow, Process, Rootfs, Subject, Times, container, host_root};
use crate::union::{Caller, Errno, Options, RenameFlags, Stack, Timestamp, Union, XattrFlags};

/// Whether this process may do what a container's root may.
pub(super) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A plain union on a directory, with real owners for root.
pub(super) fn plain(directory: &Path) -> Arc<Union> {
    let upper: std::os::fd::OwnedFd = std::fs::File::open(directory).unwrap().into();
    let options = Options {
        plain: true,
        ..Options::of_this_user()
    };
    let stack = Stack {
        upper: Some(Arc::new(upper)),
        work: None,
        lowers: Vec::new(),
        options,
    };
    Union::open(stack).unwrap()
}

/// A plain disk in a fresh directory.
pub(super) fn scratch() -> (tempfile::TempDir, Arc<Rootfs>) {
    let directory = tempfile::tempdir().unwrap();
    let rootfs = Arc::new(Rootfs::new(plain(directory.path()), false));
    (directory, rootfs)
}

/// A process of `root` (a container's), `host` (the host's root, umask 0) or `uid`, `uid:gid`.
pub(super) fn process(rootfs: &Arc<Rootfs>, user: &str) -> Process {
    Process::new(Arc::clone(rootfs), caller(user), Path::new("/")).unwrap()
}

pub(super) fn caller(user: &str) -> Caller {
    match user {
        "root" => container(0, 0, Vec::new()),
        "host" => Caller {
            umask: 0,
            ..host_root()
        },
        numbers => {
            let (uid, gid) = numbers.split_once(':').unwrap_or((numbers, numbers));
            container(uid.parse().unwrap(), gid.parse().unwrap(), Vec::new())
        }
    }
}

/// A bit of everything, made by the host's root.
pub(super) const FIXTURE: &[&str] = &[
    "mkdir d 0755",
    "write d/f 0644 abc",
    "write d/secret 0600 abc",
    "write d/run 0755 abc",
    "mkdir d/sub 0755",
    "write d/sub/f 0644 abc",
    "mkdir open 0777",
    "write open/f 0666 abc",
    "mkdir open/full 0777",
    "write open/full/f 0666 abc",
    "mkdir open/empty 0777",
    "mkdir open/rodir 0755",
    "mkdir closed 0700",
    "write closed/f 0644 abc",
    "mkdir nosearch 0744",
    "write nosearch/f 0644 abc",
    "mkdir sticky 1777",
    "write sticky/theirs 0666 abc",
    "write sticky/mine 0644 abc",
    "chown sticky/mine 1000 1000",
    "mkdir sticky/dir 0777",
    "mkdir mine 0755",
    "write mine/f 0644 abc",
    "write mine/ro 0400 abc",
    "write mine/none 0000 abc",
    "mkdir mine/sub 0755",
    "chown mine 1000 1000",
    "chown mine/f 1000 1000",
    "chown mine/ro 1000 1000",
    "chown mine/none 1000 1000",
    "chown mine/sub 1000 1000",
    "write mine/set 0644 abc",
    "chown mine/set 1000 50",
    "chmod mine/set 6755",
    "mkdir sgid 0777",
    "chown sgid 0 50",
    "chmod sgid 2777",
    "symlink d/f link",
    "symlink nope dangling",
    "symlink d dirlink",
    "symlink loop loop",
    "symlink d/f/ slashlink",
    "symlink open/new newlink",
    "link d/f hard",
    "fifo pipe 0666",
    "device null 1 3 0666",
    "device tty 5 0 0666",
    "socket sock 0666",
    // Access lists.
    "mkdir acl 0755",
    "write acl/user 0600 abc",
    "acl acl/user system.posix_acl_access u::6,u:1000:6,g::0,m::4,o::0",
    "write acl/group 0600 abc",
    "acl acl/group system.posix_acl_access u::6,g::0,g:50:6,m::6,o::4",
    "write acl/less 0600 abc",
    "acl acl/less system.posix_acl_access u::6,u:1000:0,g::4,m::4,o::6",
    "mkdir acl/dir 0700",
    "acl acl/dir system.posix_acl_access u::7,u:1000:7,g::0,m::7,o::0",
    "mkdir acl/default 0777",
    "acl acl/default system.posix_acl_default u::7,u:1001:7,g::0,m::7,o::0",
];

/// Performs one call in the small language. Relative paths start at the root.
pub(super) fn perform(process: &Process, call: &str) -> Result<(), Errno> {
    let words: Vec<&str> = call.split(' ').collect();
    let path = |index: usize| OsStr::new(words[index]);
    let octal = |index: usize| u32::from_str_radix(words[index], 8).unwrap();
    let number = |index: usize| words[index].parse::<u32>().unwrap();
    match words[0] {
        "mkdir" => process.mkdir(path(1), octal(2)).map(drop),
        "write" => {
            let flags = [OpenFlag::Write, OpenFlag::Create, OpenFlag::Truncate];
            let file = process.open(path(1), OpenHow::new(&flags), octal(2))?.file;
            process.write(&file, None, words[3].as_bytes()).map(drop)?;
            process.chmod(&Subject::File(&file), octal(2)).map(drop)
        }
        "open" => process
            .open(path(1), OpenHow::new(&flags(words[2])), 0o644)
            .map(drop),
        "rmdir" => process.rmdir(path(1)).map(drop),
        "unlink" => process.unlink(path(1)).map(drop),
        "rename" => process
            .rename(path(1), path(2), RenameFlags::Replace)
            .map(drop),
        "noreplace" => process
            .rename(path(1), path(2), RenameFlags::NoReplace)
            .map(drop),
        "exchange" => process
            .rename(path(1), path(2), RenameFlags::Exchange)
            .map(drop),
        "link" => process.link(path(1), path(2)).map(drop),
        "symlink" => process.symlink(path(1), path(2)).map(drop),
        "readlink" => process.read_link(path(1)).map(drop),
        "fifo" => process.mknod(path(1), NewNode::Fifo, octal(2)).map(drop),
        "socket" => process.mknod(path(1), NewNode::Socket, octal(2)).map(drop),
        "device" | "block" => {
            let kind = if words[0] == "block" {
                NewNode::Block
            } else {
                NewNode::Character
            };
            let node = kind(number(2), number(3));
            process.mknod(path(1), node, octal(4)).map(drop)
        }
        "list" => process
            .list(&Subject::Path {
                path: path(1),
                follow: true,
            })
            .map(drop),
        _ => perform_attributes(process, &words),
    }
}

fn perform_attributes(process: &Process, words: &[&str]) -> Result<(), Errno> {
    let path = OsStr::new(words[1]);
    let octal = |index: usize| u32::from_str_radix(words[index], 8).unwrap();
    let follow = Subject::Path { path, follow: true };
    let itself = Subject::Path {
        path,
        follow: false,
    };
    let optional = |index: usize| match words[index] {
        "-" => None,
        number => Some(number.parse().unwrap()),
    };
    match words[0] {
        "chmod" => process.chmod(&follow, octal(2)).map(drop),
        "chown" => process.chown(&follow, optional(2), optional(3)).map(drop),
        "truncate" => process
            .truncate(&follow, words[2].parse().unwrap())
            .map(drop),
        "now" => process.set_times_now(&follow).map(drop),
        "times" => {
            let mtime = Some(Timestamp {
                seconds: 1,
                nanos: 0,
            });
            process
                .set_times(&follow, Times { atime: None, mtime })
                .map(drop)
        }
        "access" => {
            let asks = |letter| words[2].contains(letter);
            process.access(path, asks('r'), asks('w'), asks('x'))
        }
        "stat" => process.stat(&follow).map(drop),
        "lstat" => process.stat(&itself).map(drop),
        "setxattr" => {
            let (name, value) = (OsStr::new(words[2]), words[3].as_bytes());
            process
                .set_xattr(&itself, name, value, XattrFlags::Any)
                .map(drop)
        }
        "acl" => {
            let value = access_list(words[3]);
            process
                .set_xattr(&itself, OsStr::new(words[2]), &value, XattrFlags::Any)
                .map(drop)
        }
        "getxattr" => process.get_xattr(&itself, OsStr::new(words[2])).map(drop),
        "rmxattr" => process
            .remove_xattr(&itself, OsStr::new(words[2]))
            .map(drop),
        other => panic!("no such call: {other}"),
    }
}

/// The value of an access list: `u::6,u:1000:4,g::4,g:50:6,m::6,o::0`.
pub(super) fn access_list(text: &str) -> Vec<u8> {
    let mut value = 2_u32.to_le_bytes().to_vec();
    for entry in text.split(',') {
        let [tag, id, granted] = entry.split(':').collect::<Vec<_>>().try_into().unwrap();
        let tag: u16 = match (tag, id) {
            ("u", "") => 0x01,
            ("u", _) => 0x02,
            ("g", "") => 0x04,
            ("g", _) => 0x08,
            ("m", _) => 0x10,
            _ => 0x20,
        };
        value.extend(tag.to_le_bytes());
        value.extend(granted.parse::<u16>().unwrap().to_le_bytes());
        value.extend(id.parse().unwrap_or(u32::MAX).to_le_bytes());
    }
    value
}

pub(super) fn flags(words: &str) -> Vec<OpenFlag> {
    let flag = |word| match word {
        "read" => OpenFlag::Read,
        "write" => OpenFlag::Write,
        "append" => OpenFlag::Append,
        "create" => OpenFlag::Create,
        "exclusive" => OpenFlag::Exclusive,
        "truncate" => OpenFlag::Truncate,
        "directory" => OpenFlag::Directory,
        "nofollow" => OpenFlag::Nofollow,
        "path" => OpenFlag::Path,
        "tmpfile" => OpenFlag::Tmpfile,
        other => panic!("no such flag: {other}"),
    };
    words.split(',').map(flag).collect()
}

/// `ok`, or the errno by name.
pub(super) fn word(result: Result<(), Errno>) -> String {
    match result {
        Ok(()) => "ok".to_owned(),
        Err(errno) => {
            let name = NAMES.iter().find(|(known, _)| *known == errno);
            name.map_or_else(|| format!("{errno:?}"), |(_, name)| (*name).to_owned())
        }
    }
}

const NAMES: &[(Errno, &str)] = &[
    (Errno::PERM, "EPERM"),
    (Errno::NOENT, "ENOENT"),
    (Errno::NXIO, "ENXIO"),
    (Errno::BADF, "EBADF"),
    (Errno::AGAIN, "EAGAIN"),
    (Errno::ACCESS, "EACCES"),
    (Errno::BUSY, "EBUSY"),
    (Errno::EXIST, "EEXIST"),
    (Errno::XDEV, "EXDEV"),
    (Errno::NOTDIR, "ENOTDIR"),
    (Errno::ISDIR, "EISDIR"),
    (Errno::INVAL, "EINVAL"),
    (Errno::ROFS, "EROFS"),
    (Errno::RANGE, "ERANGE"),
    (Errno::NAMETOOLONG, "ENAMETOOLONG"),
    (Errno::NOTEMPTY, "ENOTEMPTY"),
    (Errno::LOOP, "ELOOP"),
    (Errno::NODATA, "ENODATA"),
    (Errno::OPNOTSUPP, "EOPNOTSUPP"),
];
