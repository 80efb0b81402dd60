//! The harness as a program sees it.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::{Arguments, FormatSetting, Trial};

use super::names::{stem_of, target_name};
use super::settings::{Settings, Wanted};
use super::trials::{Context, Loaded, trials};
use crate::cli::exit::Exit;
use crate::engine::Provider;
use crate::environment::Environment;
use crate::interrupt::Interrupt;
use crate::report::skip_list;
use crate::report::style::plain;
use crate::scratch::Scratch;

/// Runs the scenarios of a folder on the default engine, or on those that `LAYERSPEC_ENGINE` names.
/// Both folders are relative to the working directory, which `cargo` makes that of the package.
pub fn main(scenarios: impl Into<PathBuf>, snapshots: impl Into<PathBuf>) -> ExitCode {
    Harness::new(scenarios, snapshots).main()
}

/// A harness to be: which scenarios, on which engines.
///
/// ```no_run
/// use layerspec::harness::Harness;
///
/// fn main() -> std::process::ExitCode {
///     Harness::new("scenarios", "snapshots").engine("native").engine("docker").main()
/// }
/// ```
pub struct Harness {
    pub(super) scenarios: PathBuf,
    pub(super) snapshots: PathBuf,
    pub(super) engines: Vec<Wanted>,
    pub(super) timeout: Option<Duration>,
}

impl Harness {
    /// Scenarios of a folder, with the folder of their approved snapshots.
    pub fn new(scenarios: impl Into<PathBuf>, snapshots: impl Into<PathBuf>) -> Self {
        Self {
            scenarios: scenarios.into(),
            snapshots: snapshots.into(),
            engines: Vec::new(),
            timeout: Some(Duration::from_secs(60)),
        }
    }

    /// Runs on this engine too. Where it cannot be used, its trials are skipped, with the reason.
    #[must_use]
    pub fn engine(mut self, name: &str) -> Self {
        self.engines.push(Wanted::Name(name.to_owned()));
        self
    }

    /// Runs on an engine that is not layerspec's too.
    #[must_use]
    pub fn provider(mut self, provider: impl Provider + 'static) -> Self {
        self.engines.push(Wanted::Own(Arc::new(provider)));
        self
    }

    /// The most that a case may take, a minute unless said otherwise; `None` is for ever.
    #[must_use]
    pub fn timeout(mut self, timeout: Option<Duration>) -> Self {
        self.timeout = timeout;
        self
    }

    /// Does what the arguments of the process say, as a test program of libtest does.
    pub fn main(self) -> ExitCode {
        crate::agent::dispatch();
        let mut out = std::io::stdout();
        match self.run(&Arguments::from_args(), &Environment::read(), &mut out) {
            Ok(code) => code,
            Err(message) => {
                // Nobody is left to tell when standard error is closed.
                drop(writeln!(std::io::stderr(), "error: {message}"));
                Exit::Faulty.into()
            }
        }
    }

    fn run(
        self,
        arguments: &Arguments,
        environment: &Environment,
        out: &mut dyn Write,
    ) -> Result<ExitCode, String> {
        let settings = Settings::new(&self, environment)?;
        let interrupt = Interrupt::watch().map_err(|error| error.to_string())?;
        let scratch = Scratch::new(settings.scratch.as_deref())
            .map_err(|error| format!("cannot make a scratch directory: {error}"))?;
        interrupt.guard(scratch.path());
        let loaded = Loaded::new(
            &self.scenarios,
            &self.snapshots,
            only_file(&self.scenarios, arguments).as_deref(),
        );
        let engines = settings.probe(scratch.path());
        let context = Arc::new(Context {
            loaded,
            engines,
            scratch: scratch.path().to_path_buf(),
            update: settings.update,
            timeout: self.timeout,
            target: target_name(&std::env::args_os().next().unwrap_or_default()),
            interrupt: interrupt.clone(),
        });
        let (trials, mut skips) = trials(&context);
        if arguments.list && arguments.logfile.is_none() {
            list(&trials, arguments, out);
            return Ok(ExitCode::SUCCESS);
        }
        let selected: BTreeSet<String> = trials
            .iter()
            .filter(|trial| arguments.is_ignored(trial) && !arguments.is_filtered_out(trial))
            .map(|trial| trial.name().to_owned())
            .collect();
        skips.retain(|(name, _)| selected.contains(name));
        let conclusion = libtest_mimic::run(arguments, trials);
        if arguments.format != Some(FormatSetting::Json) {
            let skips = skips
                .iter()
                .map(|(name, reason)| (name.as_str(), reason.as_str()));
            let list = plain(&skip_list(skips));
            if !list.is_empty() {
                // The verdict stands, whether or not somebody reads why trials were skipped.
                drop(writeln!(out, "{list}"));
            }
        }
        Ok(match interrupt.signal() {
            Some(signal) => Exit::Signal(signal).into(),
            None => conclusion.exit_code(),
        })
    }
}

/// The one scenario file that is needed when the arguments name one trial exactly, as `cargo nextest`
/// does; each of its processes then loads one file, not all.
fn only_file(scenarios: &Path, arguments: &Arguments) -> Option<PathBuf> {
    let name = arguments.filter.as_deref().filter(|_| arguments.exact)?;
    let stem = stem_of(name)?;
    ["yaml", "yml"]
        .into_iter()
        .map(|ending| scenarios.join(format!("{stem}.{ending}")))
        .find(|path| path.is_file())
}

/// Lists trials as libtest does. libtest-mimic's own list panics when nobody reads it to its end.
fn list(trials: &[Trial], arguments: &Arguments, out: &mut dyn Write) {
    let listed = |trial: &&Trial| !arguments.is_filtered_out(trial);
    for trial in trials.iter().filter(listed) {
        if writeln!(out, "{}: test", trial.name()).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(words: &[&str]) -> Arguments {
        Arguments::from_iter(std::iter::once("scenarios").chain(words.iter().copied()))
    }

    #[test]
    fn lists_are_libtests() {
        let trials: Vec<Trial> = [
            ("binds/a", false),
            ("volumes/b[x=y]", true),
            ("volumes/c", false),
        ]
        .into_iter()
        .map(|(name, skipped)| Trial::test(name, || Ok(())).with_ignored_flag(skipped))
        .collect();
        for (words, expected) in [
            (
                &["--list"][..],
                "binds/a: test\nvolumes/b[x=y]: test\nvolumes/c: test\n",
            ),
            (&["--list", "--ignored"], "volumes/b[x=y]: test\n"),
            (&["--list", "volumes", "--skip", "x=y"], "volumes/c: test\n"),
            (&["--list", "--exact", "volumes"], ""),
        ] {
            let mut out = Vec::new();
            list(&trials, &arguments(words), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{words:?}");
        }
    }

    #[test]
    fn an_exact_name_needs_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("volumes/readonly.yaml");
        std::fs::create_dir(folder.path().join("volumes")).unwrap();
        std::fs::write(&file, "").unwrap();
        for (words, expected) in [
            (&["--exact", "volumes/readonly[access=ro]@docker"][..], true),
            (&["--exact", "volumes/readonly"], true),
            (&["--exact", "volumes/other"], false),
            (&["--exact", "../volumes/readonly"], false),
            (&["--exact", "layerspec::load"], false),
            (&["volumes/readonly"], false),
            (&["--exact"], false),
        ] {
            let found = only_file(folder.path(), &arguments(words));
            assert_eq!(found, expected.then(|| file.clone()), "{words:?}");
        }
    }
}
