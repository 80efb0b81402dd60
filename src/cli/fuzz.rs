//! `layerspec fuzz`

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::args::FuzzArgs;
use super::error::{CommandError, UsageError};
use super::execute::{Found, make_scratch, probe};
use super::exit::Exit;
use super::output::Output;
use super::settings;
use crate::engine::{Description, Provider};
use crate::environment::Environment;
use crate::fuzz::{Difference, Fuzzer, Reach, Shown, case_seed};
use crate::interrupt::Interrupt;
use crate::report::style::{BAD, paint};
use crate::scenario::operation_names;
use crate::schedule::{Flow, in_order};

/// Cases when neither their number nor a time was said.
const CASES: usize = 1000;

/// How long one difference may be made smaller.
const SHRINKING: Duration = Duration::from_secs(60);

/// Performs random scenarios on several engines and tells where they part.
///
/// # Errors
/// A wrong command line, an engine that cannot be used here, output that cannot be written.
pub(super) fn fuzz(
    args: FuzzArgs,
    environment: &Environment,
    output: &mut Output,
) -> Result<Exit, CommandError> {
    let engines = settings::engines(&args.engines, environment)?;
    if engines.len() < 2 {
        let error = UsageError::new("one engine alone has nothing to differ from");
        return Err(error.help("--engines native,overlayfs").into());
    }
    let jobs = settings::jobs(args.jobs, environment)?;
    let timeout = settings::timeout(&args.timeout)?;
    let time = args.time.as_deref().map(duration).transpose()?;
    let (interrupt, scratch) =
        make_scratch(settings::scratch(args.scratch, environment)?.as_deref())?;
    let found = probe(&engines, scratch.path(), false)?;
    // Now, and not when something was found.
    std::fs::create_dir_all(&args.output).map_err(|error| about(&args.output, &error))?;
    let describe = |found: Found| (found.provider, Description::clone(&found.description));
    let described: Vec<(Arc<dyn Provider>, _)> = found.into_iter().map(describe).collect();
    let names = described.iter().map(|(_, description)| &*description.name);
    let names: Vec<String> = names.map(str::to_owned).collect();
    let seed = args.seed.unwrap_or_else(fresh);
    writeln!(
        output.out,
        "fuzz {} with seed {seed}",
        names.join(" against ")
    )?;
    output.out.flush()?;

    let folder = scratch.path().to_path_buf();
    let fuzzer = Arc::new(Fuzzer::new(described, args.steps, folder, timeout));
    let cases = args
        .cases
        .unwrap_or(if time.is_some() { usize::MAX } else { CASES });
    let begin = Instant::now();
    let asked = interrupt.clone();
    let is_over =
        move || asked.signal().is_some() || time.is_some_and(|time| begin.elapsed() >= time);
    let shows = Arc::clone(&fuzzer);
    let mut report = Report {
        fuzzer: &fuzzer,
        interrupt: &interrupt,
        seed,
        output: args.output,
        reach: Reach::default(),
        cases: 0,
        classes: BTreeMap::new(),
    };
    let mut failed: Option<std::io::Error> = None;
    in_order(
        cases,
        jobs,
        is_over,
        move |index| {
            let seed = case_seed(seed, u64::try_from(index).unwrap_or(u64::MAX));
            shows.scenario(seed).map(|scenario| shows.show(&scenario))
        },
        None,
        |index, shown| match report.tell(index, shown, &mut output.out) {
            Ok(()) if args.fail_fast && !report.classes.is_empty() => Flow::Stop,
            Ok(()) => Flow::Continue,
            Err(error) => {
                failed = Some(error);
                Flow::Stop
            }
        },
    );
    if let Some(error) = failed {
        return Err(error.into());
    }
    report.end(begin.elapsed(), &mut output.out)?;
    Ok(match interrupt.signal() {
        Some(signal) => Exit::Signal(signal),
        None if report.classes.is_empty() => Exit::Passed,
        None => Exit::Failed,
    })
}

fn duration(text: &str) -> Result<Duration, UsageError> {
    humantime::parse_duration(text).map_err(|_| {
        UsageError::new(format!("--time: not a duration: `{text}`")).help("such as 30s, 10m or 1h")
    })
}

/// A seed that nobody chose, short enough to be typed again.
fn fresh() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    now.as_secs().wrapping_mul(1_000_003) % 1_000_000_007 + u64::from(std::process::id())
}

/// What there is to tell.
struct Report<'f> {
    fuzzer: &'f Fuzzer,
    interrupt: &'f Interrupt,
    seed: u64,
    output: PathBuf,
    reach: Reach,
    cases: u64,
    /// How often each kind of difference was found.
    classes: BTreeMap<String, u64>,
}

impl Report<'_> {
    fn tell(
        &mut self,
        index: usize,
        shown: Result<Shown, String>,
        out: &mut impl std::io::Write,
    ) -> std::io::Result<()> {
        let shown = match shown {
            Ok(shown) => shown,
            Err(why) => return Err(std::io::Error::other(why)),
        };
        self.cases += 1;
        self.reach.add(&shown.reach);
        let Some(difference) = shown.difference else {
            return Ok(());
        };
        let seed = case_seed(self.seed, u64::try_from(index).unwrap_or(u64::MAX));
        let count = self.classes.entry(difference.class.clone()).or_default();
        *count += 1;
        if *count > 1 {
            return Ok(());
        }
        self.first(seed, &difference, out)
    }

    /// The first of its kind is made small and written down.
    fn first(
        &mut self,
        seed: u64,
        difference: &Difference,
        out: &mut impl std::io::Write,
    ) -> std::io::Result<()> {
        writeln!(out, "\n{} {}", paint(BAD, "DIFFERENCE"), difference.class)?;
        writeln!(out, "  seed {seed}; being made small")?;
        out.flush()?;
        let begin = Instant::now();
        let go_on = || self.interrupt.signal().is_none() && begin.elapsed() < SHRINKING;
        let found = self
            .fuzzer
            .find(seed, difference, &go_on)
            .map_err(std::io::Error::other)?;
        writeln!(out, "  {}", found.difference.what)?;
        for (name, shown) in &found.difference.shown {
            writeln!(out, "    {name}: {}", shown.replace('\n', "\n      "))?;
        }
        let path = self.output.join(format!("fuzz-{seed}.yaml"));
        std::fs::write(&path, &found.text).map_err(|error| about(&path, &error))?;
        writeln!(out, "  written to {}", path.display())?;
        if !found.again {
            writeln!(
                out,
                "  the file, run alone, does not show it: it depends on more than its steps"
            )?;
        }
        out.flush()
    }

    fn end(&self, elapsed: Duration, out: &mut impl std::io::Write) -> std::io::Result<()> {
        let seconds = elapsed.as_secs_f64();
        let total = self.reach.total();
        for (what, counts) in [
            ("operations", &self.reach.operations),
            ("forms", &self.reach.forms),
        ] {
            writeln!(out, "\n{what:<40}{:>10}{:>10}", "done", "refused")?;
            for (name, count) in counts {
                writeln!(out, "  {name:<38}{:>10}{:>10}", count.done, count.refused)?;
            }
        }
        let never: Vec<&str> = operation_names()
            .filter(|name| !self.reach.operations.contains_key(*name))
            .collect();
        if !never.is_empty() {
            writeln!(
                out,
                "\nnever asked, for want of a capability or of time: {}",
                never.join(", ")
            )?;
        }
        #[expect(clippy::cast_precision_loss, reason = "for people")]
        let rate = total as f64 / seconds;
        writeln!(
            out,
            "\n{} cases, {total} operations in {seconds:.1} s ({rate:.0} a second), seed {}",
            self.cases, self.seed
        )?;
        for (class, count) in &self.classes {
            writeln!(out, "  {count:>6}  {class}")?;
        }
        Ok(())
    }
}

fn about(path: &Path, error: &std::io::Error) -> std::io::Error {
    std::io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
