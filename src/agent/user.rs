//! Who acts. Credentials of a Linux thread are its own, so each call takes on those that it needs and its
//! thread ends with it.

use std::fs;

use rustix::io::Errno;
use rustix::process::{Gid, Uid};

use super::Result;
use super::wire::Who;
use crate::engine::{Kind, Refusal};
use crate::rootfs::resolve;

/// Longest part of a passwd or group file that is read, in bytes.
const DATABASE_MAX: usize = 1 << 20;

/// User, group and supplementary groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct User {
    uid: u32,
    gid: u32,
    groups: Vec<u32>,
}

impl From<Who> for User {
    fn from(who: Who) -> Self {
        let Who { uid, gid, groups } = who;
        Self { uid, gid, groups }
    }
}

impl User {
    /// `user[:group]`, names or numbers, by the passwd and group files at this process's root.
    ///
    /// # Errors
    /// `invalid-user`
    pub(super) fn named(specification: &str) -> std::result::Result<Self, Refusal> {
        let read = |path: &str| {
            let mut text = fs::read(path).ok()?;
            text.truncate(DATABASE_MAX);
            Some(text)
        };
        let (passwd, group) = (read("/etc/passwd"), read("/etc/group"));
        resolve(Some(specification), passwd.as_deref(), group.as_deref())
            .map(|caller| Self {
                uid: caller.uid,
                gid: caller.gid,
                groups: caller.groups,
            })
            .map_err(|error| Refusal::kind(Kind::InvalidUser, error.to_string()))
    }

    /// The user that the engine gave to the container's first process; `None` for what this process is
    /// itself.
    pub(super) fn of_first_process() -> Option<Self> {
        Self::parse(&fs::read_to_string("/proc/1/status").ok()?)
    }

    /// `proc_pid_status(5)`: `Uid:` and `Gid:` real, effective, saved, file system; `Groups:`.
    fn parse(status: &str) -> Option<Self> {
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace()
                .map(|number| number.parse().ok())
                .collect::<Option<Vec<u32>>>()
        };
        Some(Self {
            uid: *field("Uid:")?.first()?,
            gid: *field("Gid:")?.first()?,
            groups: field("Groups:")?,
        })
    }

    /// Makes this thread act as the user. Leaving user 0 takes every capability away (capabilities(7)), as
    /// it does when a container is started as that user.
    pub(super) fn become_it(&self) -> Result<()> {
        let groups: Vec<Gid> = self.groups.iter().copied().map(Gid::from_raw).collect();
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        match rustix::thread::set_thread_groups(&groups) {
            // A user namespace in which groups cannot be given up (user_namespaces(7)).
            Err(Errno::PERM) if groups.is_empty() => {}
            set => set?,
        }
        rustix::thread::set_thread_res_gid(gid, gid, gid)?;
        rustix::thread::set_thread_res_uid(uid, uid, uid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_process_tells_who_it_is() {
        let status = "Name:\tagent\nUid:\t1000\t1000\t1000\t1000\nGid:\t50\t50\t50\t50\nFDSize:\t64\n\
            Groups:\t10 20 \nNStgid:\t1\n";
        assert_eq!(
            User::parse(status),
            Some(User {
                uid: 1000,
                gid: 50,
                groups: vec![10, 20]
            })
        );
        assert_eq!(User::parse("Name:\tx\n"), None);
    }
}
