//! The users of an ordinary user's name space: those that the system has set aside for it, else itself alone.
//!
//! Source: `user_namespaces(7)`, subuid(5), newuidmap(1).

use std::fs;
use std::io::{self, Write as _};
use std::process::{Child, Command, Stdio};

/// What is started before the name space is entered: only from outside can more than one user be mapped.
const SCRIPT: &str = r#"read -r go || exit
newuidmap "$1" 0 "$2" 1 1 "$3" "$4"
newgidmap "$1" 0 "$5" 1 1 "$6" "$7""#;

/// First number and length of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range(u32, u32);

/// A process that waits outside for the name space to be there.
#[derive(Debug)]
pub(super) struct Mapper {
    child: Option<Child>,
    uid: u32,
    gid: u32,
}

impl Mapper {
    /// To be called before the name space is entered.
    pub(super) fn prepare(uid: u32, gid: u32) -> Self {
        let start = || {
            let [users, groups] = ["/etc/subuid", "/etc/subgid"].map(|file| set_aside(file, uid));
            let (Range(user, users), Range(group, groups)) = (users?, groups?);
            let me = std::process::id();
            let numbers =
                [me, uid, user, users, gid, group, groups].map(|number| number.to_string());
            Command::new("sh")
                .args(["-c", SCRIPT, "sh"])
                .args(numbers)
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .ok()
        };
        Self {
            child: start(),
            uid,
            gid,
        }
    }

    /// Maps users and groups, as many as the system lets.
    ///
    /// # Errors
    /// What the kernel says when not even one may be mapped, with the file.
    pub(super) fn map(mut self) -> Result<(), (&'static str, io::Error)> {
        if let Some(mut child) = self.child.take() {
            if let Some(mut stdin) = child.stdin.take() {
                stdin.write_all(b"go\n").ok();
            }
            child.wait().ok();
        }
        // Who is on the maps already is root there.
        if is_empty("/proc/self/gid_map") {
            fs::write("/proc/self/setgroups", "deny").map_err(|e| ("/proc/self/setgroups", e))?;
            write("/proc/self/gid_map", self.gid)?;
        }
        if is_empty("/proc/self/uid_map") {
            write("/proc/self/uid_map", self.uid)?;
        }
        Ok(())
    }
}

fn is_empty(map: &str) -> bool {
    fs::read_to_string(map).is_ok_and(|text| text.trim().is_empty())
}

/// One user or group of our own is all that an ordinary user may map by itself.
fn write(map: &'static str, id: u32) -> Result<(), (&'static str, io::Error)> {
    fs::write(map, format!("0 {id} 1")).map_err(|error| (map, error))
}

/// The first range that a file sets aside for a user.
fn set_aside(file: &str, uid: u32) -> Option<Range> {
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    range(&fs::read_to_string(file).ok()?, &passwd, uid)
}

fn range(ranges: &str, passwd: &str, uid: u32) -> Option<Range> {
    let number = uid.to_string();
    let name = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == number).then_some(name)
    });
    ranges.lines().find_map(|line| {
        let mut fields = line.split(':');
        let whose = fields.next()?;
        let ours = whose == number || Some(whose) == name;
        let mut next = || fields.next()?.trim().parse().ok();
        Some(Range(next()?, next()?)).filter(|_| ours)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_named_by_name_or_number() {
        let passwd = "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n";
        for (ranges, expected) in [
            ("nobody:100000:65536\n", Some(Range(100_000, 65536))),
            (
                "root:1:2\n65534:200000:1000\nnobody:3:4\n",
                Some(Range(200_000, 1000)),
            ),
            ("root:1:2\n", None),
            ("nobody:x:2\n", None),
            ("", None),
        ] {
            assert_eq!(range(ranges, passwd, 65534), expected, "{ranges:?}");
        }
        assert_eq!(range("nobody:1:2\n", "", 65534), None);
    }
}
