//! `--tmpfs PATH[:OPTIONS]`.

use super::check_target;
use crate::store::{Reason, Refusal};

/// What a tmpfs is mounted with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TmpfsOptions {
    /// At most this many bytes.
    pub size: Option<u64>,
    /// Mode of its root, when the directory under it was not there before.
    pub mode: Option<u32>,
    /// Owner of its root.
    pub uid: u32,
    /// Group of its root.
    pub gid: u32,
    /// No writes.
    pub read_only: bool,
}

/// Options that are not accepted. Docker tells at start only (row 168).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TmpfsRefusal {
    /// The daemon does not know one.
    Unknown(Refusal),
    /// The kernel does not take a value: the whole option string.
    Value(String),
}

/// Flags that say nothing about the content.
const FLAGS: &[&str] = &[
    "",
    "defaults",
    "rw",
    "suid",
    "nosuid",
    "dev",
    "nodev",
    "exec",
    "noexec",
    "sync",
    "async",
    "dirsync",
    "remount",
    "mand",
    "nomand",
    "atime",
    "noatime",
    "diratime",
    "nodiratime",
    "bind",
    "rbind",
    "unbindable",
    "runbindable",
    "private",
    "rprivate",
    "shared",
    "rshared",
    "slave",
    "rslave",
    "relatime",
    "norelatime",
    "strictatime",
    "nostrictatime",
];

/// Splits the option and checks its path.
///
/// # Errors
/// A refusal about a [`Reason::Mount`], without the prefix that other mounts have.
pub fn parse_tmpfs(text: &str) -> Result<(String, String), Refusal> {
    let (target, options) = text.split_once(':').unwrap_or((text, ""));
    check_target(target).map_err(|message| Refusal::new(Reason::Mount, message))?;
    Ok((target.to_owned(), options.to_owned()))
}

/// Reads the options: moby/sys `mount.MergeTmpfsOptions`, then tmpfs(5).
///
/// # Errors
/// See [`TmpfsRefusal`].
pub fn parse_tmpfs_options(text: &str) -> Result<TmpfsOptions, TmpfsRefusal> {
    let mut options = TmpfsOptions::default();
    for word in text.split(',') {
        match word.split_once('=') {
            None if word == "ro" => options.read_only = true,
            None if FLAGS.contains(&word) => options.read_only &= word != "rw",
            Some((
                key @ ("size" | "mode" | "uid" | "gid" | "nr_inodes" | "nr_blocks" | "mpol"),
                value,
            )) => {
                options
                    .set(key, value)
                    .ok_or_else(|| TmpfsRefusal::Value(text.to_owned()))?;
            }
            _ => {
                let parts: Vec<String> = word
                    .splitn(2, '=')
                    .map(|part| format!("{part:?}"))
                    .collect();
                let message = format!("invalid tmpfs option [{}]", parts.join(" "));
                return Err(TmpfsRefusal::Unknown(Refusal::new(
                    Reason::DriverOption,
                    message,
                )));
            }
        }
    }
    Ok(options)
}

impl TmpfsOptions {
    fn set(&mut self, key: &str, value: &str) -> Option<()> {
        match key {
            "size" => self.size = size(value)?,
            "mode" => {
                self.mode = Some(
                    u32::from_str_radix(value, 8)
                        .ok()
                        .filter(|m| *m <= 0o7777)?,
                );
            }
            "uid" => self.uid = value.parse().ok()?,
            "gid" => self.gid = value.parse().ok()?,
            "nr_inodes" | "nr_blocks" => {
                size(value)?;
            }
            _ => {}
        }
        Some(())
    }
}

/// A number with the kernel's suffixes (`memparse`); 0 is no limit, as in tmpfs(5). Outer `None`: not a size.
#[expect(clippy::option_option, reason = "not a size, no limit, a limit")]
fn size(text: &str) -> Option<Option<u64>> {
    let (digits, shift) = match text.char_indices().next_back()? {
        (at, 'k' | 'K') => (text.get(..at)?, 10),
        (at, 'm' | 'M') => (text.get(..at)?, 20),
        (at, 'g' | 'G') => (text.get(..at)?, 30),
        // Of memory: no limit that a scenario could reach.
        (at, '%') => return text.get(..at)?.parse::<u64>().ok().map(|_| None),
        _ => (text, 0),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let bytes = digits.parse::<u64>().ok()?.checked_mul(1 << shift)?;
    Some((bytes > 0).then_some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets() {
        for (text, expected) in [
            ("/t", Ok(("/t", ""))),
            ("/t:size=1m,mode=700", Ok(("/t", "size=1m,mode=700"))),
            (
                "rel",
                Err("invalid mount path: 'rel' mount path must be absolute"),
            ),
            ("/", Err("invalid specification: destination can't be '/'")),
        ] {
            let said = parse_tmpfs(text).map_err(|refusal| refusal.message);
            let expected = expected
                .map(|(a, b): (&str, &str)| (a.to_owned(), b.to_owned()))
                .map_err(str::to_owned);
            assert_eq!(said, expected, "{text}");
        }
    }

    #[test]
    fn options() {
        let default = TmpfsOptions::default();
        for (text, expected) in [
            ("", default),
            (
                "size=1m",
                TmpfsOptions {
                    size: Some(1 << 20),
                    ..default
                },
            ),
            (
                "size=64k,mode=0700,uid=3,gid=4,ro",
                TmpfsOptions {
                    size: Some(65536),
                    mode: Some(0o700),
                    uid: 3,
                    gid: 4,
                    read_only: true,
                },
            ),
            ("size=50%,noexec", default),
            ("size=0", default),
            ("ro,rw", default),
        ] {
            assert_eq!(parse_tmpfs_options(text), Ok(expected), "{text}");
        }
        for (text, message) in [
            ("bogus", Some("invalid tmpfs option [\"bogus\"]")),
            ("foo=bar", Some("invalid tmpfs option [\"foo\" \"bar\"]")),
            ("size=bogus", None),
            ("size=-1", None),
            ("size=99999999999g", None),
            ("mode=9", None),
        ] {
            let said = parse_tmpfs_options(text).expect_err(text);
            let expected = match message {
                Some(message) => TmpfsRefusal::Unknown(Refusal::new(Reason::DriverOption, message)),
                None => TmpfsRefusal::Value(text.to_owned()),
            };
            assert_eq!(said, expected);
        }
    }
}
