//! What the program and the environment ask of the harness.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Harness;
use crate::engine::{Absent, DEFAULT_ENGINE, Description, OpenOptions, Provider};
use crate::environment::Environment;
use crate::registry;
use crate::snapshot::UpdateMode;

/// An engine that is asked for.
#[derive(Clone)]
pub(super) enum Wanted {
    /// One of layerspec's, by name.
    Name(String),
    /// The program's own.
    Own(Arc<dyn Provider>),
}

impl Wanted {
    fn name(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::Own(provider) => provider.name(),
        }
    }

    fn provider(&self) -> Result<Arc<dyn Provider>, String> {
        match self {
            Self::Name(name) => registry::provider(name).map_err(|unknown| unknown.to_string()),
            Self::Own(provider) => Ok(Arc::clone(provider)),
        }
    }
}

/// Ready for use.
pub(super) struct Settings {
    engines: Vec<Arc<dyn Provider>>,
    /// The engines were asked for by this run, not by the program: it is a failure if one is absent.
    insisted: bool,
    /// What may be written to the snapshot folder.
    pub(super) update: UpdateMode,
    /// Where the run's private directory is made.
    pub(super) scratch: Option<PathBuf>,
}

/// An engine with what it said of itself, or why it cannot be used.
pub(super) struct Probed {
    /// Opens it.
    pub(super) provider: Arc<dyn Provider>,
    /// Its description.
    pub(super) found: Result<Description, Absent>,
    /// It was asked for by this run.
    pub(super) insisted: bool,
}

impl Settings {
    /// Reads the wishes of program and environment.
    ///
    /// # Errors
    /// The first value that has no meaning, as a message.
    pub(super) fn new(harness: &Harness, environment: &Environment) -> Result<Self, String> {
        let wanted: Vec<Wanted> = match &environment.engine {
            Some(list) => registry::names_in(list)
                .into_iter()
                .map(|name| own(harness, name).unwrap_or(Wanted::Name(name.to_owned())))
                .collect(),
            None if harness.engines.is_empty() => vec![Wanted::Name(DEFAULT_ENGINE.to_owned())],
            None => harness.engines.clone(),
        };
        Ok(Self {
            engines: wanted
                .iter()
                .map(Wanted::provider)
                .collect::<Result<_, _>>()?,
            insisted: environment.engine.is_some(),
            update: update(environment)?,
            scratch: environment.scratch.clone(),
        })
    }

    /// Looks whether each engine can be used.
    pub(super) fn probe(&self, scratch: &Path) -> Vec<Probed> {
        let options = OpenOptions {
            scratch: scratch.to_path_buf(),
            keep: false,
        };
        let probe = |provider: &Arc<dyn Provider>| Probed {
            provider: Arc::clone(provider),
            found: provider.probe(&options),
            insisted: self.insisted,
        };
        self.engines.iter().map(probe).collect()
    }
}

/// The program's own engine of a name.
fn own(harness: &Harness, name: &str) -> Option<Wanted> {
    harness
        .engines
        .iter()
        .find(|engine| engine.name() == name)
        .cloned()
}

/// What may be written, by layerspec's variable, else by insta's, else by whether a machine watches.
fn update(environment: &Environment) -> Result<UpdateMode, String> {
    let unasked = if environment.ci {
        UpdateMode::Check
    } else {
        UpdateMode::Pending
    };
    if let Some(word) = &environment.update {
        return match word.as_str() {
            "no" => Ok(UpdateMode::Check),
            "new" => Ok(UpdateMode::Unseen),
            "all" => Ok(UpdateMode::Bless),
            _ => Err(format!(
                "LAYERSPEC_UPDATE: not one of new, all, no: `{word}`"
            )),
        };
    }
    match environment.insta_update.as_deref() {
        None | Some("auto") => Ok(unasked),
        Some("no") => Ok(UpdateMode::Check),
        Some("new") => Ok(UpdateMode::Pending),
        Some("unseen") => Ok(UpdateMode::Unseen),
        Some("always" | "1" | "force") => Ok(UpdateMode::Bless),
        Some(word) => Err(format!(
            "INSTA_UPDATE: not one of auto, always, new, no, unseen, force: `{word}`"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn update_heeds_its_own_variable_first() {
        let some = |word: &str| Some(word.to_owned());
        for (update, insta_update, ci, expected) in [
            (None, None, false, Ok(UpdateMode::Pending)),
            (None, None, true, Ok(UpdateMode::Check)),
            (some("new"), some("no"), true, Ok(UpdateMode::Unseen)),
            (some("all"), None, true, Ok(UpdateMode::Bless)),
            (some("no"), some("always"), false, Ok(UpdateMode::Check)),
            (None, some("always"), true, Ok(UpdateMode::Bless)),
            (None, some("unseen"), true, Ok(UpdateMode::Unseen)),
            (None, some("auto"), true, Ok(UpdateMode::Check)),
            (
                some("yes"),
                None,
                false,
                Err("LAYERSPEC_UPDATE: not one of new, all, no: `yes`"),
            ),
            (
                None,
                some("yes"),
                false,
                Err("INSTA_UPDATE: not one of auto, always, new, no, unseen, force: `yes`"),
            ),
        ] {
            let environment = Environment {
                update,
                insta_update,
                ci,
                ..Environment::default()
            };
            let seen = super::update(&environment);
            assert_eq!(seen, expected.map_err(str::to_owned), "{environment:?}");
        }
    }

    #[test]
    fn the_environment_chooses_among_engines() {
        let harness = Harness::new("scenarios", "snapshots")
            .engine("native")
            .engine("docker");
        for (engine, expected) in [
            (None, Ok(vec!["native", "docker"])),
            (Some("podman, native"), Ok(vec!["podman", "native"])),
            (Some("process:sh a,b"), Ok(vec!["process:sh a,b"])),
            (
                Some("doker"),
                Err("no engine is called `doker`; did you mean `docker`?"),
            ),
        ] {
            let environment = Environment {
                engine: engine.map(str::to_owned),
                ..Environment::default()
            };
            let settings = Settings::new(&harness, &environment);
            let names = settings.as_ref().map(|settings| {
                settings
                    .engines
                    .iter()
                    .map(|engine| engine.name())
                    .collect::<Vec<_>>()
            });
            assert_eq!(names.map_err(String::as_str), expected);
        }
    }
}
