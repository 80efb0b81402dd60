//! Errno values by their names. POSIX: System Interfaces, 2.3 Error Numbers; Linux: errno(3).

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An errno, written by name: `EROFS`. One that has no name here is written `errno 523`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Errno(pub i32);

impl Errno {
    /// Every name that is known.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TABLE.iter().map(|(name, _)| *name)
    }
}

impl From<rustix::io::Errno> for Errno {
    fn from(errno: rustix::io::Errno) -> Self {
        Self(errno.raw_os_error())
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match TABLE.iter().find(|(_, number)| *number == self.0) {
            Some((name, _)) => f.write_str(name),
            None => write!(f, "errno {}", self.0),
        }
    }
}

/// A name that is no errno's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an errno name")]
pub struct UnknownErrno;

impl FromStr for Errno {
    type Err = UnknownErrno;

    /// `ENOTSUP` and `EWOULDBLOCK` are accepted for `EOPNOTSUPP` and `EAGAIN`, which they equal on
    /// Linux; `ENOATTR` for `ENODATA`.
    fn from_str(text: &str) -> Result<Self, UnknownErrno> {
        let name = match text {
            "ENOTSUP" => "EOPNOTSUPP",
            "EWOULDBLOCK" => "EAGAIN",
            "ENOATTR" => "ENODATA",
            other => other,
        };
        if let Some((_, number)) = TABLE.iter().find(|(known, _)| *known == name) {
            return Ok(Self(*number));
        }
        name.strip_prefix("errno ")
            .and_then(|n| n.parse().ok())
            .map(Self)
            .ok_or(UnknownErrno)
    }
}

impl Serialize for Errno {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Errno {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|_| D::Error::custom(format!("{text:?} is not an errno name")))
    }
}

impl JsonSchema for Errno {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Errno".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut names: Vec<&str> = Self::names().collect();
        names.sort_unstable();
        json_schema!({
            "description": "An errno by its name on Linux, or by its number when it has none here: `errno 523`.",
            "anyOf": [
                {"type": "string", "enum": names},
                {"type": "string", "enum": ["ENOTSUP", "EWOULDBLOCK", "ENOATTR"]},
                {"type": "string", "pattern": "^errno -?[0-9]+$"}
            ]
        })
    }
}

const TABLE: &[(&str, i32)] = &[
    ("EPERM", 1),
    ("ENOENT", 2),
    ("EINTR", 4),
    ("EIO", 5),
    ("ENXIO", 6),
    ("E2BIG", 7),
    ("ENOEXEC", 8),
    ("EBADF", 9),
    ("EAGAIN", 11),
    ("ENOMEM", 12),
    ("EACCES", 13),
    ("EFAULT", 14),
    ("ENOTBLK", 15),
    ("EBUSY", 16),
    ("EEXIST", 17),
    ("EXDEV", 18),
    ("ENODEV", 19),
    ("ENOTDIR", 20),
    ("EISDIR", 21),
    ("EINVAL", 22),
    ("ENFILE", 23),
    ("EMFILE", 24),
    ("ENOTTY", 25),
    ("ETXTBSY", 26),
    ("EFBIG", 27),
    ("ENOSPC", 28),
    ("ESPIPE", 29),
    ("EROFS", 30),
    ("EMLINK", 31),
    ("EPIPE", 32),
    ("EDOM", 33),
    ("ERANGE", 34),
    ("EDEADLK", 35),
    ("ENAMETOOLONG", 36),
    ("ENOLCK", 37),
    ("ENOSYS", 38),
    ("ENOTEMPTY", 39),
    ("ELOOP", 40),
    ("ENODATA", 61),
    ("EOVERFLOW", 75),
    ("EILSEQ", 84),
    ("EUSERS", 87),
    ("ENOTSOCK", 88),
    ("EOPNOTSUPP", 95),
    ("ENOTCONN", 107),
    ("ECONNREFUSED", 111),
    ("ETIMEDOUT", 110),
    ("ESTALE", 116),
    ("EDQUOT", 122),
    ("ECANCELED", 125),
    ("EREMOTEIO", 121),
    ("ENOLINK", 67),
    ("EPROTO", 71),
    ("EBADMSG", 74),
    ("ECONNRESET", 104),
    ("EADDRINUSE", 98),
];
