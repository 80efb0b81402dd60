//! `layerspec compare`, made ready.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::args::{CompareArgs, MatrixFormat};
use super::error::UsageError;
use super::settings::{Place, engines, jobs, timeout};
use crate::engine::Provider;
use crate::environment::Environment;
use crate::report::style::printable;
use crate::suite::Filter;

/// `layerspec compare`, ready.
pub(super) struct CompareSettings {
    /// What it does.
    pub work: Work,
    /// Which cases.
    pub filter: Filter,
    /// What standard output gets.
    pub format: MatrixFormat,
    /// Where a results file is written.
    pub output: Option<PathBuf>,
}

/// What is compared.
pub(super) enum Work {
    /// Scenarios are run.
    Run(Running),
    /// Results files are rendered again.
    Render(Vec<PathBuf>),
    /// Two results files are compared.
    Diff(PathBuf, PathBuf),
}

/// How scenarios are run.
pub(super) struct Running {
    /// Scenario files, folders or globs.
    pub paths: Vec<PathBuf>,
    /// On which engines; `None` is all that can be used here.
    pub engines: Option<Vec<Arc<dyn Provider>>>,
    /// How many cases run side by side.
    pub jobs: NonZeroUsize,
    /// The most that a case may take.
    pub timeout: Option<Duration>,
    /// Where files are made.
    pub place: Place,
    /// Nothing is drawn that moves.
    pub still: bool,
}

impl CompareSettings {
    /// Makes a comparison ready.
    ///
    /// # Errors
    /// The first thing that was typed, here or in the environment, and has no meaning.
    pub(super) fn new(typed: CompareArgs, environment: &Environment) -> Result<Self, UsageError> {
        let filter = Filter::new(&typed.filter);
        let format = typed.format;
        let output = typed.output.as_deref().map(target).transpose()?;
        let work = work(typed, environment)?;
        if matches!((&work, format), (Work::Diff(..), MatrixFormat::Junit)) {
            return Err(UsageError::new("--format: a difference has no JUnit form")
                .help("pretty, markdown or json"));
        }
        Ok(Self {
            work,
            filter,
            format,
            output,
        })
    }
}

fn work(typed: CompareArgs, environment: &Environment) -> Result<Work, UsageError> {
    if let [old, new] = typed.diff.as_slice() {
        return Ok(Work::Diff(old.clone(), new.clone()));
    }
    let is_results = |path: &&PathBuf| path.extension().is_some_and(|ending| ending == "jsonl");
    let results = typed.paths.iter().filter(is_results).count();
    if results > 0 {
        if let Some(other) = typed.paths.iter().find(|path| !is_results(path)) {
            let message = format!("{}: not a results file, while others are", other.display());
            return Err(UsageError::new(printable(&message))
                .help("either scenarios are run, or results (*.jsonl) are rendered again"));
        }
        if !typed.engines.is_empty() {
            return Err(
                UsageError::new("--engines: results are rendered, nothing is run")
                    .help("--filter @ENGINE selects columns"),
            );
        }
        return Ok(Work::Render(typed.paths));
    }
    let named = !typed.engines.is_empty() || environment.engine.is_some();
    Ok(Work::Run(Running {
        paths: typed.paths,
        engines: named
            .then(|| engines(&typed.engines, environment))
            .transpose()?,
        jobs: jobs(typed.jobs, environment)?,
        timeout: timeout(&typed.timeout)?,
        place: Place::new(typed.place, environment)?,
        still: environment.ci,
    }))
}

/// Where the results file goes: looked at before anything is run, since a run may take long.
fn target(path: &Path) -> Result<PathBuf, UsageError> {
    let fault = |why: &str| {
        let message = format!("--output: {}: {why}", path.display());
        UsageError::new(printable(&message))
    };
    // The file itself is replaced, not a link to it.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    match path.metadata() {
        Ok(metadata) if !metadata.is_file() => {
            return Err(fault("not a regular file")
                .help("`--format json` writes results to standard output"));
        }
        _ => {}
    }
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    tempfile::NamedTempFile::new_in(folder)
        .map_err(|error| fault(&format!("cannot be written: {}", error.kind())))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::args::{Args, Command};

    fn ready(words: &[&str]) -> Result<CompareSettings, String> {
        let words = ["layerspec", "compare"].iter().chain(words);
        let Command::Compare(typed) = Args::try_parse_from(words)
            .map_err(|e| e.to_string())?
            .command
        else {
            panic!("another command")
        };
        CompareSettings::new(typed, &Environment::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_named_says_what_is_done() {
        let render = |words: &[&str]| matches!(ready(words).unwrap().work, Work::Render(_));
        assert!(render(&["a.jsonl", "b/c.jsonl"]));
        assert!(!render(&[]) && !render(&["scenarios"]) && !render(&["a.yaml"]));
        let Work::Run(all) = ready(&["x"]).unwrap().work else {
            panic!("nothing is run")
        };
        assert!(all.engines.is_none());
        let Work::Run(some) = ready(&["--engines", "native,overlayfs"]).unwrap().work else {
            panic!("nothing is run")
        };
        assert_eq!(some.engines.unwrap().len(), 2);
        let Work::Diff(old, new) = ready(&["--diff", "a", "b"]).unwrap().work else {
            panic!("no difference")
        };
        assert_eq!((old, new), (PathBuf::from("a"), PathBuf::from("b")));
    }

    #[test]
    fn what_has_no_meaning_is_refused() {
        for (words, message) in [
            (
                &["a.jsonl", "scenarios"][..],
                "scenarios: not a results file",
            ),
            (
                &["a.jsonl", "--engines", "native"],
                "--engines: results are rendered",
            ),
            (&["--engines", "nativ"], "no engine is called `nativ`"),
            (&["--diff", "a"], "2 values required"),
            (
                &["--diff", "a", "b", "--engines", "native"],
                "cannot be used with",
            ),
            (
                &["--diff", "a", "b", "--format", "junit"],
                "--format: a difference",
            ),
            (
                &["--output", "/no/such/folder/x"],
                "--output: /no/such/folder/x: cannot be written",
            ),
            (
                &["--output", "/dev/null"],
                "--output: /dev/null: not a regular file",
            ),
            (&["--output", "/"], "--output: /: not a regular file"),
        ] {
            let told = ready(words).err().unwrap_or_default();
            assert!(told.contains(message), "{words:?}: {told}");
        }
    }
}
