//! The third part of a short mount: `ro`, `z`, `nocopy`, `rslave` …

use crate::store::Propagation;

/// The options of a mode string, each kind at most once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mode {
    /// `ro`
    pub read_only: bool,
    /// `nocopy`
    pub nocopy: bool,
    /// A propagation.
    pub propagation: Option<Propagation>,
}

/// Propagation by its name.
pub(super) fn propagation(name: &str) -> Option<Propagation> {
    Some(match name {
        "private" => Propagation::Private,
        "rprivate" => Propagation::Rprivate,
        "shared" => Propagation::Shared,
        "rshared" => Propagation::Rshared,
        "slave" => Propagation::Slave,
        "rslave" => Propagation::Rslave,
        _ => return None,
    })
}

impl Mode {
    /// Reads a mode string; `None` when it is none (`linuxValidMountMode`): an unknown word, or two of
    /// the same kind. The empty string is fine.
    pub fn parse(text: &str) -> Option<Self> {
        let mut mode = Self::default();
        let [mut access, mut label, mut copy, mut consistency] = [false; 4];
        let once = |seen: &mut bool| !std::mem::replace(seen, true);
        if text.is_empty() {
            return Some(mode);
        }
        for word in text.split(',') {
            let first = match word {
                "ro" | "rw" => {
                    mode.read_only = word == "ro";
                    once(&mut access)
                }
                "z" | "Z" => once(&mut label),
                "nocopy" => {
                    mode.nocopy = true;
                    once(&mut copy)
                }
                "consistent" | "cached" | "delegated" | "default" => once(&mut consistency),
                _ => mode.propagation.replace(propagation(word)?).is_none(),
            };
            if !first {
                return None;
            }
        }
        Some(mode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes() {
        for (text, fine) in [
            ("", true),
            ("ro", true),
            ("rw,z,nocopy,rslave,cached", true),
            ("rw,ro", false),
            ("Z,z", false),
            ("bogus", false),
            ("copy", false),
            ("ro,", false),
            ("private,shared", false),
            ("rro", false),
        ] {
            assert_eq!(Mode::parse(text).is_some(), fine, "{text}");
        }
        assert!(Mode::parse("z,ro").unwrap().read_only);
    }
}
