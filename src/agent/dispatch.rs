//! Tells the agent's process from every other.

use std::fmt;
use std::path::Path;

use super::{serve, wire, zygote};
use crate::engine::overlayfs;
use crate::environment::Environment;

/// The reserved environment variable that makes a process an agent. Its value is the version of the
/// protocol that the engine speaks, and what the agent is to do ([`Mode`]).
pub const VARIABLE: &str = "LAYERSPEC_AGENT";

/// What an agent is to do. Written as the value of [`VARIABLE`] by `Display`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A container's first process: waits for SIGTERM, and ends at once when it comes.
    Idle,
    /// Serves calls on its standard input until that ends.
    Serve {
        /// Changes its root to this directory first.
        root: Option<String>,
    },
    /// Forks for each container whose mounts come on standard input. A copy serves calls as the container's process, on
    /// a disk that the first call describes.
    Zygote,
    /// Serves the engine `overlayfs` in namespaces of its own, with this scratch directory.
    Overlayfs {
        /// The scratch directory.
        scratch: String,
    },
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Idle => write!(f, "{} idle", wire::VERSION),
            Self::Serve { root: None } => write!(f, "{} serve", wire::VERSION),
            Self::Serve { root: Some(root) } => write!(f, "{} serve {root}", wire::VERSION),
            Self::Zygote => write!(f, "{} zygote", wire::VERSION),
            Self::Overlayfs { scratch } => write!(f, "{} overlayfs {scratch}", wire::VERSION),
        }
    }
}

impl Mode {
    fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(wire::VERSION)?.strip_prefix(' ')?;
        match rest.split_once(' ') {
            None if rest == "idle" => Some(Self::Idle),
            None if rest == "zygote" => Some(Self::Zygote),
            None if rest == "serve" => Some(Self::Serve { root: None }),
            Some(("overlayfs", scratch)) => Some(Self::Overlayfs {
                scratch: scratch.to_owned(),
            }),
            Some(("serve", root)) => Some(Self::Serve {
                root: Some(root.to_owned()),
            }),
            _ => None,
        }
    }
}

/// Returns at once unless this process was started as an agent. The first line of every `main` that
/// uses this crate, before any argument is read and any thread is started.
///
/// As an agent the process ends here: with 0 when it was told to end, with 70 when it cannot do what the
/// variable asks for.
pub fn dispatch() {
    let Some(text) = Environment::read().agent else {
        return;
    };
    let done = match Mode::parse(&text) {
        Some(Mode::Idle) => idle(),
        Some(Mode::Serve { root }) => serve::serve(root.as_deref().map(Path::new)),
        Some(Mode::Zygote) => zygote::serve(),
        Some(Mode::Overlayfs { scratch }) => overlayfs::serve(Path::new(&scratch)),
        None => Err(std::io::Error::other(format!(
            "{VARIABLE}={text:?} asks for nothing that this version knows"
        ))),
    };
    let code = match done {
        Ok(()) => 0,
        Err(error) => {
            use std::io::Write as _;
            // Standard error is all that an agent has to complain to.
            writeln!(std::io::stderr(), "layerspec agent: {error}").ok();
            70
        }
    };
    #[expect(clippy::exit, reason = "what follows in main is not for an agent")]
    std::process::exit(code);
}

/// The first process of a container ignores every signal that it has no handler for.
fn idle() -> std::io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT])?;
    signals.forever().next();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_read_as_they_are_written() {
        for mode in [
            Mode::Idle,
            Mode::Serve { root: None },
            Mode::Serve {
                root: Some("/a b".to_owned()),
            },
            Mode::Zygote,
            Mode::Overlayfs {
                scratch: "/a b".to_owned(),
            },
        ] {
            assert_eq!(Mode::parse(&mode.to_string()), Some(mode));
        }
        for text in ["", "1", "2 idle", "1 idle x", "1 dance", "1serve"] {
            assert_eq!(Mode::parse(text), None, "{text:?}");
        }
    }
}
