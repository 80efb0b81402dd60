//! Who a container's process is: user specifications as runc resolves them, and the capabilities
//! that Docker leaves to it.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use super::{OpenFlag, OpenHow, Process, Rootfs};
use crate::union::{Caller, CallerCapability};

/// File mode creation mask of every process: that of a container's first process and of `docker exec`.
pub const UMASK: u32 = 0o022;

/// Longest part of a passwd or group file that is read, in bytes.
const DATABASE_MAX: u64 = 1 << 20;

/// Of Docker's default capability set (moby `oci/caps/defaults.go`, mask `a80425fb`) those that matter
/// to a file system. Without `CAP_SYS_ADMIN`, `trusted.*` attributes are out of reach.
const CONTAINER_ROOT: &[CallerCapability] = &[
    CallerCapability::Chown,
    CallerCapability::DacOverride,
    CallerCapability::Fowner,
    CallerCapability::Fsetid,
    CallerCapability::Mknod,
    CallerCapability::Setfcap,
];

/// Every capability that matters to a file system.
const ALL: &[CallerCapability] = &[
    CallerCapability::Chown,
    CallerCapability::DacOverride,
    CallerCapability::DacReadSearch,
    CallerCapability::Fowner,
    CallerCapability::Fsetid,
    CallerCapability::Mknod,
    CallerCapability::Setfcap,
    CallerCapability::SysAdmin,
];

/// A user specification that cannot be resolved: the engine refuses with `invalid-user`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUser {
    /// A name that `/etc/passwd` does not have.
    #[error("unable to find user {0}: no matching entries in passwd file")]
    User(String),
    /// A name that `/etc/group` does not have.
    #[error("unable to find group {0}: no matching entries in group file")]
    Group(String),
    /// A number below 0 or above 2147483647.
    #[error("uids and gids must be in range 0-2147483647")]
    Range,
}

/// The host's superuser: every capability.
pub fn host_root() -> Caller {
    Caller {
        uid: 0,
        gid: 0,
        groups: Vec::new(),
        capabilities: ALL.to_vec(),
        umask: UMASK,
    }
}

/// A process in a container. Root has Docker's default capabilities; another user has none, since
/// they are lost when runc changes the user before it executes the program (capabilities(7)).
pub fn container(uid: u32, gid: u32, groups: Vec<u32>) -> Caller {
    let capabilities = if uid == 0 {
        CONTAINER_ROOT.to_vec()
    } else {
        Vec::new()
    };
    Caller {
        uid,
        gid,
        groups,
        capabilities,
        umask: UMASK,
    }
}

/// [`resolve`] with the passwd and group files of a container's root file system. What is mounted over it
/// does not count, as with Docker 20.10.
///
/// # Errors
/// [`InvalidUser`]
pub fn container_user(rootfs: &Rootfs, specification: Option<&str>) -> Result<Caller, InvalidUser> {
    let bare = Arc::new(Rootfs::new(rootfs.root_union(), true));
    let read = |path: &str| {
        let process = Process::new(Arc::clone(&bare), host_root(), Path::new("/")).ok()?;
        let how = OpenHow::new(&[OpenFlag::Read]);
        let file = process.open(OsStr::new(path), how, 0).ok()?.file;
        process.read(&file, Some(0), Some(DATABASE_MAX)).ok()
    };
    let passwd = read("/etc/passwd");
    // Groups are found by their own name, or by that of a user whom the passwd file names.
    let needs_groups = passwd.is_some() || specification.is_some_and(|text| text.contains(':'));
    let group = if needs_groups {
        read("/etc/group")
    } else {
        None
    };
    resolve(specification, passwd.as_deref(), group.as_deref())
}

/// A user of the host: numbers, or `root`. User 0 has every capability, another one none.
///
/// # Errors
/// [`InvalidUser`]
pub fn host_user(specification: Option<&str>) -> Result<Caller, InvalidUser> {
    let caller = resolve(specification, Some(b"root:x:0:0:root:/root:"), None)?;
    let capabilities = if caller.uid == 0 {
        ALL.to_vec()
    } else {
        Vec::new()
    };
    Ok(Caller {
        capabilities,
        ..caller
    })
}

/// Resolves `user[:group]`, each a name or a number, as `GetExecUser` of moby/sys/user does; an absent or
/// empty specification is user 0. `passwd` and `group` are the texts of the container's files,
/// `None` where there is none.
///
/// A number that `passwd` does not list is accepted, with group 0. Supplementary groups are those that
/// list the user's name, unless a group is given.
///
/// # Errors
/// [`InvalidUser`], also when a name is given and the file is missing.
pub fn resolve(
    specification: Option<&str>,
    passwd: Option<&[u8]>,
    group: Option<&[u8]>,
) -> Result<Caller, InvalidUser> {
    let mut parts = specification.unwrap_or("").split(':');
    let user = parts.next().unwrap_or("");
    let group_argument = parts.next().unwrap_or("");
    let number = parse_number(user);
    let entry = lines(passwd)
        .map(|line| User::parse(&line))
        .find(|entry| match number {
            _ if user.is_empty() => entry.uid == 0,
            Some(number) => entry.uid == number,
            None => entry.name == user,
        });
    let (uid, mut gid, name) = match entry {
        Some(entry) => (entry.uid, entry.gid, entry.name),
        None if user.is_empty() => (0, 0, String::new()),
        None => (
            number.ok_or_else(|| InvalidUser::User(user.to_owned()))?,
            0,
            String::new(),
        ),
    };
    let mut groups = Vec::new();
    if !group_argument.is_empty() {
        gid = resolve_group(group_argument, group)?;
    } else if !name.is_empty() {
        let member = |entry: &Group| entry.members.contains(&name);
        groups = lines(group)
            .map(|line| Group::parse(&line))
            .filter(member)
            .map(|entry| entry.gid)
            .collect();
    }
    let groups = groups.into_iter().map(in_range).collect::<Result<_, _>>()?;
    Ok(container(in_range(uid)?, in_range(gid)?, groups))
}

fn resolve_group(argument: &str, group: Option<&[u8]>) -> Result<i64, InvalidUser> {
    let number = parse_number(argument);
    let entry = lines(group)
        .map(|line| Group::parse(&line))
        .find(|entry| match number {
            Some(number) => entry.gid == number,
            None => entry.name == argument,
        });
    match entry {
        Some(entry) => Ok(entry.gid),
        None => number.ok_or_else(|| InvalidUser::Group(argument.to_owned())),
    }
}

fn in_range(id: i64) -> Result<u32, InvalidUser> {
    i32::try_from(id)
        .ok()
        .and_then(|id| u32::try_from(id).ok())
        .ok_or(InvalidUser::Range)
}

/// Go's `strconv.Atoi`: an optional sign and decimal digits.
fn parse_number(text: &str) -> Option<i64> {
    text.parse().ok()
}

/// The lines of a passwd or group file that are not blank.
fn lines(file: Option<&[u8]>) -> impl Iterator<Item = String> {
    file.unwrap_or_default()
        .split(|byte| *byte == b'\n')
        .map(|line| String::from_utf8_lossy(line).trim().to_owned())
        .filter(|line| !line.is_empty())
}

struct User {
    name: String,
    uid: i64,
    gid: i64,
}

impl User {
    /// `name:password:uid:gid:comment:home:shell`. As in Go, a number that cannot be read is 0.
    fn parse(line: &str) -> Self {
        let mut fields = line.split(':');
        let name = fields.next().unwrap_or("").to_owned();
        let mut number = |skip| fields.nth(skip).and_then(parse_number).unwrap_or(0);
        Self {
            name,
            uid: number(1),
            gid: number(0),
        }
    }
}

struct Group {
    name: String,
    gid: i64,
    members: Vec<String>,
}

impl Group {
    /// `name:password:gid:member,member`.
    fn parse(line: &str) -> Self {
        let mut fields = line.split(':');
        let name = fields.next().unwrap_or("").to_owned();
        let gid = fields.nth(1).and_then(parse_number).unwrap_or(0);
        let members = fields
            .next()
            .unwrap_or("")
            .split(',')
            .map(str::to_owned)
            .collect();
        Self { name, gid, members }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &[u8] = b"root:x:0:0:root:/root:/bin/sh\n\n  app:x:1000:1001::/:/bin/false  \n\
        42name:x:7:8::/:\nbroken:x\nhuge:x:4294967295:0::/:\nlast:x:1000:5::/:";
    const GROUP: &[u8] =
        b"root:x:0:\nwheel:x:10:root,app\naudio:x:20:app\nnum:x:30:\napp:x:1001:\n";

    fn seen(specification: &str) -> String {
        match resolve(Some(specification), Some(PASSWD), Some(GROUP)) {
            Ok(caller) => format!("{}:{} {:?}", caller.uid, caller.gid, caller.groups),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn specifications_resolve_as_runc_resolves_them() {
        for (specification, expected) in [
            ("", "0:0 [10]"),
            ("0", "0:0 [10]"),
            ("root", "0:0 [10]"),
            ("app", "1000:1001 [10, 20]"),
            ("1000", "1000:1001 [10, 20]"),
            ("+1000", "1000:1001 [10, 20]"),
            ("1000:30", "1000:30 []"),
            ("app:num", "1000:30 []"),
            ("app:", "1000:1001 [10, 20]"),
            (":30", "0:30 []"),
            ("4000", "4000:0 []"),
            ("4000:4001", "4000:4001 []"),
            ("7", "7:8 []"),
            ("app:30:ignored", "1000:30 []"),
            ("broken", "0:0 []"),
            ("2147483647", "2147483647:0 []"),
            ("2147483648", "uids and gids must be in range 0-2147483647"),
            ("-1", "uids and gids must be in range 0-2147483647"),
            ("huge", "uids and gids must be in range 0-2147483647"),
            (
                "nobody",
                "unable to find user nobody: no matching entries in passwd file",
            ),
            (
                "app:staff",
                "unable to find group staff: no matching entries in group file",
            ),
        ] {
            assert_eq!(seen(specification), expected, "{specification:?}");
        }
    }

    #[test]
    fn without_files_only_numbers_resolve() {
        assert_eq!(resolve(None, None, None), Ok(container(0, 0, Vec::new())));
        assert_eq!(
            resolve(Some("5:6"), None, None),
            Ok(container(5, 6, Vec::new()))
        );
        assert_eq!(
            resolve(Some("app"), None, None),
            Err(InvalidUser::User("app".to_owned()))
        );
    }

    #[test]
    fn only_root_has_capabilities_and_never_sys_admin() {
        assert!(container(1000, 0, Vec::new()).capabilities.is_empty());
        let root = container(0, 1000, Vec::new());
        assert!(root.can(CallerCapability::Mknod));
        assert!(
            !root.can(CallerCapability::SysAdmin) && !root.can(CallerCapability::DacReadSearch)
        );
        assert!(host_root().can(CallerCapability::SysAdmin));
    }
}
