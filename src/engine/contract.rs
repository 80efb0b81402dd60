//! The two traits at the waist: a provider finds and opens an engine, an engine performs operations
//! and can be observed.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Answer, Capability, Operation, World};

/// The engine that is used where none is named. Its name goes without saying in the names of tests.
pub const DEFAULT_ENGINE: &str = "native";

/// Engines behind command lines, by the names of their programs.
pub const COMMAND_LINES: &[&str] = &["docker", "nerdctl", "podman"];

/// What an engine is, as far as its answers may depend on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// The name by which it is chosen: `native`, `docker`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Kernel release.
    pub kernel: String,
    /// Storage driver.
    pub driver: String,
    /// File system under it.
    pub file_system: String,
    /// What it can show.
    pub capabilities: BTreeSet<Capability>,
    /// The engine that this is another form of: with options, or through another program. What scenarios say of
    /// that one holds for this one too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form_of: Option<String>,
}

impl Description {
    /// Whether it is an engine behind a command line, by whichever name and program.
    pub fn is_command_line(&self) -> bool {
        self.known_as(|name| COMMAND_LINES.contains(&name))
            .is_some()
    }

    /// By which of some names of engines, such as those of `differs:`, this one goes: its own comes first, and before
    /// each name the one with its version, `docker@28.5` and `docker@28`.
    pub fn known_as(&self, is_named: impl Fn(&str) -> bool) -> Option<String> {
        let mut numbers = self.version.split(|c: char| !c.is_ascii_digit());
        let (major, minor) = (numbers.next(), numbers.next());
        let with_version = |name: &str| {
            let major = major.filter(|major| !major.is_empty());
            let of_major = major.map(|major| format!("{name}@{major}"));
            let of_minor = of_major.iter().zip(minor);
            let of_minor: Vec<String> = of_minor
                .map(|(of, minor)| format!("{of}.{minor}"))
                .collect();
            of_minor
                .into_iter()
                .chain(of_major)
                .chain([name.to_owned()])
        };
        let mut names = std::iter::once(self.name.as_str()).chain(self.form_of.as_deref());
        names.find_map(|name| with_version(name).find(|name| is_named(name)))
    }
}

/// An engine that cannot be used here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Absent {
    /// Why, as a fragment: `no such program: docker`.
    pub reason: String,
    /// What would enable it.
    pub remedy: String,
}

/// The engine itself failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EngineFault(pub String);

/// How an engine is opened.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// An existing directory under which the engine may make its own private one.
    pub scratch: PathBuf,
    /// Leave the private directory behind and tell where it is.
    pub keep: bool,
}

/// Finds one kind of engine and opens it, once for each scenario.
pub trait Provider: Send + Sync {
    /// The name by which it is chosen.
    fn name(&self) -> &str;

    /// Looks whether the engine can be used with this scratch directory.
    ///
    /// # Errors
    /// [`Absent`], with the reason and what would enable it.
    fn probe(&self, options: &OpenOptions) -> Result<Description, Absent>;

    /// Opens an engine on an empty, private state.
    ///
    /// # Errors
    /// [`EngineFault`] when it could be found but not opened.
    fn open(&self, options: &OpenOptions) -> Result<Box<dyn Engine>, EngineFault>;

    /// Removes what is kept for the next engine. Whoever gives each engine a scratch directory of its own says so when
    /// the engine is gone.
    fn keep_nothing(&self) {}
}

/// An open engine. Dropping it removes everything that it made, but for what its provider keeps for the next one and
/// takes along when it is dropped itself.
pub trait Engine: Send + Sync {
    /// Performs one operation. Several threads may call this at once (`concurrently`).
    fn perform(&self, operation: &Operation) -> Answer;

    /// Looks at everything that is there. Changes nothing.
    ///
    /// # Errors
    /// [`EngineFault`] when the engine cannot be looked at.
    fn observe(&self) -> Result<World, EngineFault>;

    /// Told once, before the first operation, which operations may come, in their order: what an engine may share
    /// between cases, or keep ready, depends on it. No answer may.
    fn foresee(&self, _coming: &[&Operation]) {}

    /// Whether a call is dear, so that file steps of one place and user that follow each other had
    /// better come as one [`Operation::Files`].
    fn batches(&self) -> bool {
        false
    }

    /// What the engine's program has written on its standard error since this was asked last: a failure
    /// shows it at its step.
    fn complaint(&self) -> Option<String> {
        None
    }

    /// Whether containers that have nothing to do with each other had better be started side by side.
    fn starts_side_by_side(&self) -> bool {
        false
    }

    /// Where the private directory is, when it was asked to be kept.
    fn kept(&self) -> Option<PathBuf> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_particular_name_comes_first() {
        let mine = Description {
            name: "cli:/opt/docker".to_owned(),
            version: "28.5.2+dfsg4".to_owned(),
            kernel: String::new(),
            driver: String::new(),
            file_system: String::new(),
            capabilities: BTreeSet::new(),
            form_of: Some("docker".to_owned()),
        };
        let known_as = |names: &[&str]| mine.known_as(|name| names.contains(&name));
        for (names, expected) in [
            (&["docker", "docker@28", "docker@28.5"][..], "docker@28.5"),
            (&["docker", "docker@28", "docker@2"], "docker@28"),
            (&["docker@28", "cli:/opt/docker"], "cli:/opt/docker"),
            (&["docker@29", "docker"], "docker"),
        ] {
            assert_eq!(known_as(names).as_deref(), Some(expected));
        }
        assert_eq!(known_as(&["podman", "docker@28.50", "docker@8"]), None);
        let without = Description {
            version: "unknown".to_owned(),
            ..mine.clone()
        };
        assert_eq!(without.known_as(|name| name == "docker@"), None);
    }
}
