//! Owner, mode and type where the real disk cannot hold them.
//!
//! An ordinary user cannot give files away or make devices, so they are kept in
//! `user.containers.override_stat` as containers/storage and fuse-overlayfs do (union row 235):
//! `uid:gid:mode[:type]`, the mode in octal, the type one of `dir`, `file`, `symlink`, `pipe`, `socket`,
//! `block-MAJOR-MINOR`, `char-MAJOR-MINOR`.
//!
//! Only regular files and directories can have `user.` attributes. So a symlink, pipe or socket is real
//! as long as its owner is 0:0 and its mode is the usual one, and else a regular file that carries its
//! type; a symlink's target is then its content. Devices are always regular files. The real permission
//! bits always let this process at its own files, and never carry set-ID or sticky bits. A file that needs
//! none of this has no attribute.

use super::FileKind;

/// What the attribute says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OverrideStat {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) mode: u32,
    /// Absent in attributes of early versions: the type is then the real one.
    pub(super) kind: Option<FileKind>,
    pub(super) device: (u32, u32),
}

impl OverrideStat {
    /// Parses the attribute; `None` when it is not in that form.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        // C programs have stored the terminating zero, too.
        let text = std::str::from_utf8(value).ok()?.trim_end_matches('\0');
        let mut parts = text.splitn(4, ':');
        let uid = parts.next()?.parse().ok()?;
        let gid = parts.next()?.parse().ok()?;
        let mode = u32::from_str_radix(parts.next()?, 8).ok()? & 0o7777;
        let (kind, device) = match parts.next() {
            None => (None, (0, 0)),
            Some(text) => {
                let (kind, device) = parse_kind(text)?;
                (Some(kind), device)
            }
        };
        Some(Self {
            uid,
            gid,
            mode,
            kind,
            device,
        })
    }

    /// The attribute's value.
    pub(super) fn format(&self) -> String {
        let Self {
            uid,
            gid,
            mode,
            kind,
            device: (major, minor),
        } = self;
        let kind = match kind {
            None => return format!("{uid}:{gid}:0{mode:o}"),
            Some(FileKind::Directory) => "dir".to_owned(),
            Some(FileKind::Regular) => "file".to_owned(),
            Some(FileKind::Symlink) => "symlink".to_owned(),
            Some(FileKind::Fifo) => "pipe".to_owned(),
            Some(FileKind::Socket) => "socket".to_owned(),
            Some(FileKind::Block) => format!("block-{major}-{minor}"),
            Some(FileKind::Character) => format!("char-{major}-{minor}"),
        };
        format!("{uid}:{gid}:0{mode:o}:{kind}")
    }

    /// How the file is kept on the real disk.
    pub(super) fn representation(&self, kind: FileKind) -> Representation {
        let owner_bits = if kind == FileKind::Directory {
            0o700
        } else {
            0o600
        };
        let is_roots = (self.uid, self.gid) == (0, 0);
        let is_usual = self.mode & 0o7000 == 0 && self.mode & owner_bits == owner_bits;
        let is_real_kind = match kind {
            FileKind::Regular | FileKind::Directory => true,
            FileKind::Symlink => is_roots,
            FileKind::Fifo | FileKind::Socket => is_roots && is_usual,
            FileKind::Character | FileKind::Block => false,
        };
        let needs_attribute =
            (matches!(kind, FileKind::Regular | FileKind::Directory) && !(is_roots && is_usual));
        if !is_real_kind {
            return self.carried(kind);
        }
        Representation {
            kind,
            mode: (self.mode & 0o777) | owner_bits,
            attribute: needs_attribute.then(|| self.value(kind)),
        }
    }

    /// How the file is kept as a regular one, whatever it is: so that it can have attributes.
    pub(super) fn carried(&self, kind: FileKind) -> Representation {
        Representation {
            kind: FileKind::Regular,
            mode: (self.mode & 0o777) | 0o600,
            attribute: Some(self.value(kind)),
        }
    }

    fn value(&self, kind: FileKind) -> Vec<u8> {
        let stated = Self {
            kind: Some(kind),
            ..*self
        };
        stated.format().into_bytes()
    }
}

/// A file of the real disk that stands for one of the union.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Representation {
    /// Its real type.
    pub(super) kind: FileKind,
    /// Its real mode.
    pub(super) mode: u32,
    /// Value of `user.containers.override_stat`, if it needs one.
    pub(super) attribute: Option<Vec<u8>>,
}

fn parse_kind(text: &str) -> Option<(FileKind, (u32, u32))> {
    let plain = |kind| Some((kind, (0, 0)));
    match text {
        "dir" => return plain(FileKind::Directory),
        "file" => return plain(FileKind::Regular),
        "symlink" => return plain(FileKind::Symlink),
        "pipe" => return plain(FileKind::Fifo),
        "socket" => return plain(FileKind::Socket),
        _ => {}
    }
    let mut parts = text.splitn(3, '-');
    let kind = match parts.next()? {
        "block" => FileKind::Block,
        "char" => FileKind::Character,
        _ => return None,
    };
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next()?.parse().ok()?;
    Some((kind, (major, minor)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stat(uid: u32, mode: u32, kind: FileKind, device: (u32, u32)) -> OverrideStat {
        OverrideStat {
            uid,
            gid: uid,
            mode,
            kind: Some(kind),
            device,
        }
    }

    #[test]
    fn the_form_of_containers_storage() {
        for (text, expected) in [
            ("0:0:0755:dir", stat(0, 0o755, FileKind::Directory, (0, 0))),
            (
                "1000:1000:04755:file",
                stat(1000, 0o4755, FileKind::Regular, (0, 0)),
            ),
            (
                "5:5:0777:symlink",
                stat(5, 0o777, FileKind::Symlink, (0, 0)),
            ),
            ("0:0:0644:pipe", stat(0, 0o644, FileKind::Fifo, (0, 0))),
            ("0:0:0644:socket", stat(0, 0o644, FileKind::Socket, (0, 0))),
            (
                "0:0:0660:block-8-1",
                stat(0, 0o660, FileKind::Block, (8, 1)),
            ),
            (
                "0:0:0666:char-1-3",
                stat(0, 0o666, FileKind::Character, (1, 3)),
            ),
        ] {
            assert_eq!(
                OverrideStat::parse(text.as_bytes()),
                Some(expected),
                "{text}"
            );
            assert_eq!(expected.format(), text);
        }
        let early = OverrideStat {
            uid: 1,
            gid: 2,
            mode: 0o640,
            kind: None,
            device: (0, 0),
        };
        assert_eq!(OverrideStat::parse(b"1:2:0640"), Some(early));
        for text in [
            "",
            "1",
            "1:2",
            "a:2:3",
            "1:2:9",
            "1:2:3:chr-1-3",
            "1:2:3:char-1",
            "-1:0:0",
        ] {
            assert_eq!(OverrideStat::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn representations() {
        for (uid, mode, kind, real_kind, real_mode, has_attribute) in [
            (0, 0o644, FileKind::Regular, FileKind::Regular, 0o644, false),
            (0, 0o444, FileKind::Regular, FileKind::Regular, 0o644, true),
            (0, 0o4755, FileKind::Regular, FileKind::Regular, 0o755, true),
            (9, 0o644, FileKind::Regular, FileKind::Regular, 0o644, true),
            (
                0,
                0o1777,
                FileKind::Directory,
                FileKind::Directory,
                0o777,
                true,
            ),
            (
                0,
                0o055,
                FileKind::Directory,
                FileKind::Directory,
                0o755,
                true,
            ),
            (0, 0o777, FileKind::Symlink, FileKind::Symlink, 0o777, false),
            (9, 0o777, FileKind::Symlink, FileKind::Regular, 0o777, true),
            (0, 0o600, FileKind::Fifo, FileKind::Fifo, 0o600, false),
            (0, 0o200, FileKind::Fifo, FileKind::Regular, 0o600, true),
            (
                0,
                0o666,
                FileKind::Character,
                FileKind::Regular,
                0o666,
                true,
            ),
        ] {
            let real = stat(uid, mode, kind, (1, 3)).representation(kind);
            assert_eq!(
                (real.kind, real.mode),
                (real_kind, real_mode),
                "{kind:?} {mode:o}"
            );
            assert_eq!(real.attribute.is_some(), has_attribute, "{kind:?} {mode:o}");
        }
    }
}
