//! What was typed, made ready: validated, with the environment's and the default values filled in.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use clap::ValueEnum as _;

use super::args::{BlessArgs, Format, PlaceArgs, RunArgs, SelectionArgs};
use super::error::UsageError;
use crate::engine::{DEFAULT_ENGINE, Provider};
use crate::environment::Environment;
use crate::registry;
use crate::suite::Filter;

/// Which cases.
#[derive(Clone, Debug)]
pub(super) struct Selection {
    /// Scenario files, folders or globs.
    pub paths: Vec<PathBuf>,
    /// Which of their cases.
    pub filter: Filter,
}

/// Where files are made.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// What is typed to run the tool.
    pub program: &'static str,
    /// The run's private directory is made in it; `None` is the system's temporary directory.
    pub scratch: Option<PathBuf>,
    /// Folder of the approved snapshots, when it is not where it is usually found.
    pub snapshots: Option<PathBuf>,
}

/// `layerspec run`, ready.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
pub(super) struct RunSettings {
    /// Which cases.
    pub selection: Selection,
    /// On which engines, in this order; never empty.
    pub engines: Vec<Arc<dyn Provider>>,
    /// How many cases run side by side.
    pub jobs: NonZeroUsize,
    /// What standard output gets.
    pub format: Format,
    /// Further reports.
    pub reports: Vec<(Format, PathBuf)>,
    /// The most that a case may take.
    pub timeout: Option<Duration>,
    /// Where files are made.
    pub place: Place,
    /// Leave what the engines made.
    pub keep: bool,
    /// Start nothing after the first failure.
    pub fail_fast: bool,
    /// A line for every case, and raw differences.
    pub verbose: bool,
    /// Nothing is drawn that moves.
    pub still: bool,
}

/// `layerspec bless`, ready.
pub(super) struct BlessSettings {
    /// Which cases.
    pub selection: Selection,
    /// Whose outcome is accepted.
    pub engine: Arc<dyn Provider>,
    /// How many cases run side by side.
    pub jobs: NonZeroUsize,
    /// The most that a case may take.
    pub timeout: Option<Duration>,
    /// Where files are made.
    pub place: Place,
    /// Only cases without a snapshot.
    pub new_only: bool,
    /// Delete orphans.
    pub orphans: bool,
}

impl Selection {
    /// Makes a selection ready.
    pub(super) fn new(typed: SelectionArgs) -> Self {
        Self {
            filter: Filter::new(&typed.filter),
            paths: typed.paths,
        }
    }
}

impl Place {
    /// Makes a place ready.
    ///
    /// # Errors
    /// A scratch directory that is none.
    pub(super) fn new(typed: PlaceArgs, environment: &Environment) -> Result<Self, UsageError> {
        let scratch = scratch(typed.scratch, environment)?;
        // What failures say to type works where the tool is not installed, too.
        let here = std::env::current_dir().unwrap_or_default();
        let by_cargo = environment
            .own_package
            .as_ref()
            .is_some_and(|package| here.starts_with(package));
        Ok(Self {
            program: if by_cargo {
                "cargo run --"
            } else {
                "layerspec"
            },
            scratch,
            snapshots: typed.snapshots,
        })
    }
}

impl RunSettings {
    /// Makes a run ready.
    ///
    /// # Errors
    /// The first thing that was typed, here or in the environment, and has no meaning.
    pub(super) fn new(typed: RunArgs, environment: &Environment) -> Result<Self, UsageError> {
        Ok(Self {
            selection: Selection::new(typed.selection),
            engines: engines(&typed.engine, environment)?,
            jobs: jobs(typed.jobs, environment)?,
            format: typed.format,
            reports: typed
                .report
                .iter()
                .map(|text| report(text))
                .collect::<Result<_, _>>()?,
            timeout: timeout(&typed.timeout)?,
            place: Place::new(typed.place, environment)?,
            keep: typed.keep,
            fail_fast: typed.fail_fast,
            verbose: typed.verbose,
            still: environment.ci,
        })
    }
}

impl BlessSettings {
    /// Makes a blessing ready.
    ///
    /// # Errors
    /// The first thing that was typed, here or in the environment, and has no meaning.
    pub(super) fn new(typed: BlessArgs, environment: &Environment) -> Result<Self, UsageError> {
        let mut engines = engines(&Vec::from_iter(typed.engine), environment)?;
        let (Some(engine), None) = (engines.pop(), engines.pop()) else {
            return Err(UsageError::new(
                "bless accepts the outcome of one engine at a time",
            ));
        };
        Ok(Self {
            selection: Selection::new(typed.selection),
            engine,
            jobs: jobs(typed.jobs, environment)?,
            timeout: timeout(&typed.timeout)?,
            place: Place::new(typed.place, environment)?,
            new_only: typed.new,
            orphans: typed.orphans,
        })
    }
}

/// The directory in which the run's private one is made.
///
/// # Errors
/// When it is none.
pub(super) fn scratch(
    typed: Option<PathBuf>,
    environment: &Environment,
) -> Result<Option<PathBuf>, UsageError> {
    let (directory, source) = match (typed, &environment.scratch) {
        (Some(directory), _) => (directory, "--scratch"),
        (None, Some(directory)) => (directory.clone(), "LAYERSPEC_SCRATCH"),
        (None, None) => return Ok(None),
    };
    if !directory.is_dir() {
        return Err(UsageError::new(format!(
            "{source}: no such directory: {}",
            directory.display()
        )));
    }
    Ok(Some(directory))
}

/// Engines by their names: those that were typed, else the environment's, else the default one. A
/// name may be a list with commas, and each engine counts once.
///
/// # Errors
/// A name that is no engine's.
pub(super) fn engines(
    typed: &[String],
    environment: &Environment,
) -> Result<Vec<Arc<dyn Provider>>, UsageError> {
    let wanted = match (typed, &environment.engine) {
        ([], Some(names)) => vec![names.clone()],
        ([], None) => vec![DEFAULT_ENGINE.to_owned()],
        (names, _) => names.to_vec(),
    };
    let mut names: Vec<&str> = Vec::new();
    for list in &wanted {
        for name in registry::names_in(list) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
        .into_iter()
        .map(|name| {
            registry::provider(name).map_err(|unknown| {
                UsageError::new(unknown.to_string()).help("`layerspec engines` lists them")
            })
        })
        .collect()
}

/// How many cases run side by side.
///
/// # Errors
/// A text that is no number from 1.
pub(super) fn jobs(
    typed: Option<String>,
    environment: &Environment,
) -> Result<NonZeroUsize, UsageError> {
    let (text, source) = match (typed, &environment.jobs) {
        (Some(text), _) => (text, "--jobs"),
        (None, Some(text)) => (text.clone(), "LAYERSPEC_JOBS"),
        (None, None) => return Ok(available_parallelism().unwrap_or(NonZeroUsize::MIN)),
    };
    text.parse().map_err(|_| {
        UsageError::new(format!(
            "{source}: not a number of cases to run side by side: `{text}`"
        ))
        .help("a whole number from 1")
    })
}

/// The most that a case may take; `None` for ever.
///
/// # Errors
/// A text that is no duration.
pub(super) fn timeout(text: &str) -> Result<Option<Duration>, UsageError> {
    if text == "none" {
        return Ok(None);
    }
    match humantime::parse_duration(text) {
        Ok(duration) if !duration.is_zero() => Ok(Some(duration)),
        _ => Err(
            UsageError::new(format!("--timeout: not a duration: `{text}`"))
                .help("such as 500ms, 10s, 2m, or none"),
        ),
    }
}

fn report(text: &str) -> Result<(Format, PathBuf), UsageError> {
    let parsed = text.split_once('=').and_then(|(format, file)| {
        let format = Format::from_str(format, false).ok()?;
        (!file.is_empty()).then(|| (format, PathBuf::from(file)))
    });
    parsed.ok_or_else(|| {
        UsageError::new(format!("--report: not a format and a file: `{text}`"))
            .help("json=FILE, junit=FILE or pretty=FILE")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn engines_come_from_the_command_line_then_the_environment() {
        let environment = Environment {
            engine: Some("docker,native".to_owned()),
            ..Environment::default()
        };
        for (typed, environment, expected) in [
            (&[][..], &Environment::default(), &["native"][..]),
            (&[], &environment, &["docker", "native"]),
            (&["native"], &environment, &["native"]),
            (
                &["native,docker", "native"],
                &environment,
                &["native", "docker"],
            ),
        ] {
            let engines = engines(&strings(typed), environment).unwrap();
            let names: Vec<&str> = engines.iter().map(|engine| engine.name()).collect();
            assert_eq!(names, expected, "{typed:?}");
        }
    }

    #[test]
    fn jobs_are_a_number_from_one() {
        let environment = Environment {
            jobs: Some("3".to_owned()),
            ..Environment::default()
        };
        assert_eq!(jobs(Some("2".to_owned()), &environment).unwrap().get(), 2);
        assert_eq!(jobs(None, &environment).unwrap().get(), 3);
        assert!(jobs(None, &Environment::default()).unwrap().get() >= 1);
        for text in ["0", "-1", "two", ""] {
            let fault = jobs(Some(text.to_owned()), &environment).unwrap_err();
            assert!(
                fault.to_string().starts_with("--jobs: not a number"),
                "{fault}"
            );
        }
        let environment = Environment {
            jobs: Some("x".to_owned()),
            ..Environment::default()
        };
        let fault = jobs(None, &environment).unwrap_err();
        assert!(fault.to_string().starts_with("LAYERSPEC_JOBS: "), "{fault}");
    }

    #[test]
    fn a_timeout_is_a_duration_or_none() {
        assert_eq!(timeout("1m"), Ok(Some(Duration::from_secs(60))));
        assert_eq!(timeout("none"), Ok(None));
        for text in ["", "0s", "10", "soon"] {
            assert!(timeout(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_report_is_a_format_and_a_file() {
        assert_eq!(
            report("junit=a=b").unwrap(),
            (Format::Junit, PathBuf::from("a=b"))
        );
        for text in ["junit", "junit=", "xml=x", "=x", ""] {
            assert!(report(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_scratch_directory_exists() {
        let environment = Environment {
            scratch: Some(PathBuf::from("/nowhere")),
            ..Environment::default()
        };
        let fault = scratch(None, &environment).unwrap_err();
        assert_eq!(
            fault.to_string(),
            "LAYERSPEC_SCRATCH: no such directory: /nowhere"
        );
        assert_eq!(
            scratch(Some(PathBuf::from("/")), &environment),
            Ok(Some(PathBuf::from("/")))
        );
    }
}
