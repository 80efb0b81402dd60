//! Which engines there are: from the name by which one is chosen to its provider.

use std::sync::Arc;

use crate::engine::cli::CliProvider;
use crate::engine::native::NativeProvider;
use crate::engine::overlayfs::OverlayfsProvider;
use crate::engine::process::{BadCommand, ProcessProvider};
use crate::engine::{
    Absent, COMMAND_LINES, DEFAULT_ENGINE, Description, Engine, EngineFault, OpenOptions, Provider,
};
use crate::union::{MountOptions, NotAnOption};

/// Names of engines that a later version brings. They are known, so that asking for one says so
/// instead of calling it a typing error.
const PLANNED: &[&str] = &["fuse"];

/// The kernel's own union.
const OVERLAYFS: &str = "overlayfs";

/// Any other program that speaks Docker's command line: `cli:PROGRAM`.
const COMMAND_LINE: &str = "cli";

/// Anyone's implementation behind a program that speaks the protocol of adapters: `process:COMMAND`.
const PROCESS: &str = "process";

/// A name that is no engine's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownEngine {
    /// Nothing is called that.
    #[error("no engine is called `{name}`{}", hint(*.near))]
    Name {
        /// As it was asked for.
        name: String,
        /// The nearest name that there is.
        near: Option<&'static str>,
    },
    /// What stands after the name of an engine that there is.
    #[error("engine `{name}`: {why}")]
    Argument {
        /// As it was asked for.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// The command of an adapter is none.
    #[error(transparent)]
    Command(#[from] BadCommand),
}

fn hint(near: Option<&str>) -> String {
    near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

/// Finds an engine by name, or by name and argument: `cli:PROGRAM`, `overlayfs:metacopy=on`.
///
/// # Errors
/// [`UnknownEngine`]; that the engine cannot be used here is for its `probe` to say.
pub fn provider(name: &str) -> Result<Arc<dyn Provider>, UnknownEngine> {
    let (family, argument) = name.split_once(':').unwrap_or((name, ""));
    if [DEFAULT_ENGINE, OVERLAYFS].contains(&family) {
        let options = options(name).map_err(|why| UnknownEngine::Argument {
            name: name.to_owned(),
            why: why.to_string(),
        })?;
        return Ok(if family == DEFAULT_ENGINE {
            Arc::new(NativeProvider::with_options(options))
        } else {
            Arc::new(OverlayfsProvider::with_options(options))
        });
    }
    if COMMAND_LINES.contains(&name) {
        return Ok(Arc::new(CliProvider::new(name, name)));
    }
    if family == COMMAND_LINE && !argument.is_empty() {
        return Ok(Arc::new(CliProvider::new(name, argument)));
    }
    if name == PROCESS {
        return Ok(Arc::new(Nobody::ADAPTER));
    }
    if family == PROCESS {
        return Ok(Arc::new(ProcessProvider::new(name, argument)?));
    }
    if let Some(planned) = PLANNED.iter().find(|planned| **planned == family) {
        return Ok(Arc::new(Nobody {
            name: planned,
            ..Nobody::PLANNED
        }));
    }
    Err(UnknownEngine::Name {
        name: name.to_owned(),
        near: nearest(family),
    })
}

/// Options of a union, after the name of an engine that merges.
fn options(name: &str) -> Result<MountOptions, NotAnOption> {
    match name.split_once(':') {
        Some((_, options)) => options.parse(),
        None => Ok(MountOptions::default()),
    }
}

/// The program by which an engine is spoken to whose objects outlive a run.
pub fn program(name: &str) -> Option<&str> {
    if COMMAND_LINES.contains(&name) {
        return Some(name);
    }
    let (family, program) = name.split_once(':')?;
    (family == COMMAND_LINE && !program.is_empty()).then_some(program)
}

/// Engines whose objects outlive a run, with their programs.
pub fn programs() -> impl Iterator<Item = (&'static str, &'static str)> {
    COMMAND_LINES.iter().map(|name| (*name, *name))
}

/// The names in a list with commas. The argument of an engine may have commas of its own, so a name with an argument
/// stands alone.
pub fn names_in(list: &str) -> Vec<&str> {
    if list.contains(':') {
        return vec![list.trim()];
    }
    list.split(',').map(str::trim).collect()
}

/// Every engine that can be named without an argument, the default one first.
pub fn providers() -> Vec<Arc<dyn Provider>> {
    names().filter_map(|name| provider(name).ok()).collect()
}

fn names() -> impl Iterator<Item = &'static str> {
    let others = COMMAND_LINES.iter().chain(PLANNED).copied();
    [DEFAULT_ENGINE, OVERLAYFS]
        .into_iter()
        .chain(others)
        .chain([PROCESS])
}

fn nearest(name: &str) -> Option<&'static str> {
    let distance = |candidate: &str| strsim::damerau_levenshtein(name, candidate);
    names()
        .min_by_key(|candidate| distance(candidate))
        .filter(|best| distance(best) <= 2)
}

/// A name behind which there is no engine.
#[derive(Debug)]
struct Nobody {
    name: &'static str,
    reason: &'static str,
    remedy: &'static str,
}

impl Nobody {
    /// This version does not have it.
    const PLANNED: Self = Self {
        name: "",
        reason: "this version of layerspec does not have it yet",
        remedy: "use the engine `native`, which needs nothing",
    };

    /// It has no command.
    const ADAPTER: Self = Self {
        name: PROCESS,
        reason: "it is whatever program you name: process:COMMAND",
        remedy: "write an adapter; `layerspec adapter check COMMAND` tells what it lacks",
    };
}

impl Provider for Nobody {
    fn name(&self) -> &str {
        self.name
    }

    fn probe(&self, _options: &OpenOptions) -> Result<Description, Absent> {
        Err(Absent {
            reason: self.reason.to_owned(),
            remedy: self.remedy.to_owned(),
        })
    }

    fn open(&self, _options: &OpenOptions) -> Result<Box<dyn Engine>, EngineFault> {
        Err(EngineFault(self.reason.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_engines() {
        let with_arguments = [
            "cli:x",
            "native:volatile",
            "overlayfs:redirect_dir=on,index=on",
        ];
        for name in with_arguments.into_iter().chain(names()) {
            assert_eq!(provider(name).unwrap().name(), name);
        }
        assert_eq!(providers().first().unwrap().name(), DEFAULT_ENGINE);
    }

    #[test]
    fn a_typing_error_is_guessed() {
        for (name, message) in [
            (
                "doker",
                "no engine is called `doker`; did you mean `docker`?",
            ),
            (
                "overlay-fs",
                "no engine is called `overlay-fs`; did you mean `overlayfs`?",
            ),
            (
                "overlayfs:redirect=on",
                "engine `overlayfs:redirect=on`: `redirect=on` is not an option; there are redirect_dir=on, \
                 follow, nofollow or off, metacopy=on or off, index=on or off, volatile",
            ),
            (
                "native:",
                "engine `native:`: `` is not an option; there are redirect_dir=on, \
                 follow, nofollow or off, metacopy=on or off, index=on or off, volatile",
            ),
            ("zfs-on-a-toaster", "no engine is called `zfs-on-a-toaster`"),
            ("", "no engine is called ``"),
            (
                "procces:x",
                "no engine is called `procces:x`; did you mean `process`?",
            ),
            (
                "process:",
                "`process:` needs the command of an adapter: `process:COMMAND`",
            ),
            (
                "process:sh -c 'x",
                "a quote in the adapter's command does not end",
            ),
        ] {
            let Err(unknown) = provider(name) else {
                panic!("{name} is an engine")
            };
            assert_eq!(unknown.to_string(), message);
        }
    }
}
