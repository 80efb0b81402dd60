//! What is known of a file that the steps wrote, so far as the steps tell.

use crate::engine::{Content, Node, NodeKind, Seen, SeenKind, escape};
use crate::outcome::{content, sha256, type_name};

/// Longest content that is followed, in bytes. Of a longer one only the place is looked at.
const FOLLOWED_MAX: usize = 1 << 20;

/// What is known. Two names of one file share it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Expected {
    /// Its type, as scenarios name it.
    pub(super) kind: Option<&'static str>,
    /// Its whole content.
    pub(super) bytes: Option<Vec<u8>>,
    /// Permission bits, as set explicitly, at most 0o777: a set-ID bit may fall for good reasons.
    pub(super) mode: Option<u32>,
    /// Text of a symbolic link.
    pub(super) link: Option<String>,
}

impl Expected {
    /// What a written node is.
    pub(super) fn of(node: &Node) -> Self {
        let mut expected = Self {
            mode: node.mode.map(|mode| mode & 0o777),
            ..Self::default()
        };
        expected.kind = match &node.kind {
            NodeKind::File(held) => {
                expected.bytes = bytes_of(held);
                Some("file")
            }
            NodeKind::Directory { .. } => Some("directory"),
            NodeKind::Symlink { target } => {
                expected.mode = None;
                expected.link = Some(escape(target.as_bytes()));
                Some("symlink")
            }
            NodeKind::Fifo => Some("fifo"),
            NodeKind::Socket => Some("socket"),
            NodeKind::Device { .. } | NodeKind::Hardlink { .. } | NodeKind::Whiteout => None,
        };
        expected
    }

    /// Changes the content, where it is known.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Vec<u8>)) {
        if let Some(bytes) = &mut self.bytes {
            change(bytes);
            if bytes.len() > FOLLOWED_MAX {
                self.bytes = None;
            }
        }
    }

    /// How what is there differs from what was written, in words; `None` when it does not.
    pub(super) fn difference(&self, seen: &Seen) -> Option<String> {
        let kind = type_name(&seen.kind);
        if let Some(wanted) = self.kind.filter(|wanted| *wanted != kind) {
            return Some(format!("it is a {kind}, not a {wanted}"));
        }
        if let (Some(wanted), SeenKind::Symlink(link)) = (&self.link, &seen.kind)
            && wanted != link
        {
            return Some(format!("it points to {link}, not to {wanted}"));
        }
        if let Some(wanted) = &self.bytes
            && let Some(found) = other_content(wanted, &seen.kind)
        {
            return Some(format!("its content is {found}, not {}", content(wanted)));
        }
        let wanted = self.mode.filter(|wanted| *wanted != seen.mode & 0o777)?;
        Some(format!(
            "its mode is {:04o}, not {wanted:04o}",
            seen.mode & 0o777
        ))
    }
}

fn bytes_of(held: &Content) -> Option<Vec<u8>> {
    match held {
        Content::Bytes(bytes) => Some(bytes.as_slice())
            .filter(|bytes| bytes.len() <= FOLLOWED_MAX)
            .map(<[u8]>::to_vec),
        Content::Fill { size, fill } => {
            let size = usize::try_from(*size)
                .ok()
                .filter(|size| *size <= FOLLOWED_MAX)?;
            let pattern = fill.as_ref().map_or(&[0][..], |fill| fill.as_slice());
            Some(pattern.iter().copied().cycle().take(size).collect())
        }
    }
}

/// What is there instead of the wanted bytes.
fn other_content(wanted: &[u8], kind: &SeenKind) -> Option<String> {
    match kind {
        SeenKind::File {
            content: Some(bytes),
            ..
        } => (bytes.as_slice() != wanted).then(|| content(bytes.as_slice())),
        SeenKind::File {
            size,
            sha256: Some(digest),
            ..
        } => {
            let same = *size == wanted.len() as u64 && *digest == sha256(wanted);
            (!same).then(|| format!("of {size} bytes"))
        }
        _ => None,
    }
}
