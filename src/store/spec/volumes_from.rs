//! `--volumes-from CONTAINER[:MODE]`.

use super::Mode;
use crate::store::{Reason, Refusal};

/// Whose mounts to take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumesFrom {
    /// Name of the container.
    pub container: String,
    /// Everything read-only; what is read-only there stays so in any case.
    pub read_only: bool,
}

/// Reads a volumes-from specification: Docker row 98.
///
/// # Errors
/// A refusal about a [`Reason::VolumesFrom`].
pub fn parse_volumes_from(text: &str) -> Result<VolumesFrom, Refusal> {
    let refuse = |message: String| Err(Refusal::new(Reason::VolumesFrom, message));
    if text.is_empty() {
        return refuse("volumes-from specification cannot be an empty string".to_owned());
    }
    let (container, mode) = text.split_once(':').unwrap_or((text, "rw"));
    // Propagation and copying belong to the container that mounted first.
    match Mode::parse(mode) {
        Some(Mode {
            nocopy: false,
            propagation: None,
            ..
        }) if container.is_empty() => refuse("invalid name or ID supplied: \"\"".to_owned()),
        Some(Mode {
            read_only,
            nocopy: false,
            propagation: None,
        }) => Ok(VolumesFrom {
            container: container.to_owned(),
            read_only,
        }),
        _ => refuse(format!("invalid mode: {mode}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        let ok = |container: &str, read_only| {
            Ok(VolumesFrom {
                container: container.to_owned(),
                read_only,
            })
        };
        for (text, expected) in [
            ("src", ok("src", false)),
            ("src:", ok("src", false)),
            ("src:ro", ok("src", true)),
            ("src:rw,z", ok("src", false)),
            (
                "",
                Err("volumes-from specification cannot be an empty string"),
            ),
            (":ro", Err("invalid name or ID supplied: \"\"")),
            ("src:bad", Err("invalid mode: bad")),
            ("src:nocopy", Err("invalid mode: nocopy")),
            ("src:rslave", Err("invalid mode: rslave")),
            ("src:ro:z", Err("invalid mode: ro:z")),
        ] {
            let said = parse_volumes_from(text).map_err(|refusal| refusal.message);
            assert_eq!(said, expected.map_err(str::to_owned), "{text}");
        }
    }
}
