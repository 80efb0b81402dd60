//! The command line as it is typed.

#![expect(
    clippy::doc_markdown,
    reason = "clap shows these comments as they are: no markdown"
)]

use std::path::PathBuf;

use clap::{Args as Group, Parser, Subcommand, ValueEnum};

const EXIT_CODES: &str = "\
Exit codes:
  0  every case that ran passed
  1  a case failed, or there is something to tidy up
  2  the command line, a scenario or another file is at fault
  3  an engine is missing or broke
  4  nothing was selected
  130, 143, 129  ended by SIGINT, SIGTERM, SIGHUP
  141  nobody reads the output any more";

/// Executable specifications for container storage.
#[derive(Debug, Parser)]
#[command(name = "layerspec", version, about, after_help = EXIT_CODES, max_term_width = 100)]
pub(super) struct Args {
    /// When to colour: NO_COLOR and CLICOLOR_FORCE are heeded too
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        hide_possible_values = true
    )]
    pub color: Color,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run scenarios on an engine and compare what they show with the approved snapshots
    Run(RunArgs),
    /// Run scenarios on several engines and tell where they part; render results again; compare two
    Compare(CompareArgs),
    /// List the cases
    List(ListArgs),
    /// Load scenarios and report everything that is wrong with them; run nothing
    Check(CheckArgs),
    /// Accept what the engine shows now as the approved snapshots
    Bless(BlessArgs),
    /// Perform random scenarios on several engines and find where they part
    Fuzz(FuzzArgs),
    /// List the engines: what each can show here, or what it lacks
    Engines(EnginesArgs),
    /// Tell which rules of the rule book have scenarios and which have none
    Coverage(CoverageArgs),
    /// Remove what runs that were killed left on the disk and in the daemons of docker, nerdctl and podman
    Clean(CleanArgs),
    /// Work with the images of a scenario
    #[command(subcommand)]
    Image(ImageCommand),
    /// Write and try adapters: programs behind which process:COMMAND finds an implementation
    #[command(subcommand)]
    Adapter(AdapterCommand),
}

/// What to do with adapters.
#[derive(Debug, Subcommand)]
pub(super) enum AdapterCommand {
    /// Tell in plain words what an adapter lacks
    Check(AdapterCheckArgs),
    /// Write the JSON Schema of the protocol to standard output
    Schema,
    /// Be an adapter: serve an engine on standard input and output
    Serve(AdapterServeArgs),
}

/// `layerspec adapter check`
#[derive(Debug, Group)]
pub(super) struct AdapterCheckArgs {
    /// The adapter's program with its arguments, as in process:COMMAND
    pub command: String,
    /// What is written to standard output
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: ListFormat,
    /// Make temporary files here, not in the system's temporary directory
    /// [env: LAYERSPEC_SCRATCH]
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
}

/// `layerspec adapter serve`
#[derive(Debug, Group)]
pub(super) struct AdapterServeArgs {
    /// Engine to serve
    #[arg(default_value = "native")]
    pub engine: String,
    /// Make temporary files here, not in the system's temporary directory
    /// [env: LAYERSPEC_SCRATCH]
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
}

/// What to do with an image.
#[derive(Debug, Subcommand)]
pub(super) enum ImageCommand {
    /// Write an image to an archive for `docker load`, skopeo and the like
    Export(ExportArgs),
}

/// `layerspec image export`
#[derive(Debug, Group)]
pub(super) struct ExportArgs {
    /// Scenario file
    pub scenario: PathBuf,
    /// Name of the image in it
    pub image: String,
    /// File to write
    pub output: PathBuf,
    /// Layout of the archive
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: ArchiveFormat,
    /// The case whose image is meant, when the images of the cases differ
    #[arg(short, long, value_name = "TEXT")]
    pub filter: Vec<String>,
    /// Make temporary files here, not in the system's temporary directory
    /// [env: LAYERSPEC_SCRATCH]
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
}

/// Layout of an archive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ArchiveFormat {
    /// That of docker save
    #[default]
    Docker,
    /// An OCI image layout, as a tar file
    Oci,
}

/// Which cases.
#[derive(Clone, Debug, Default, Group)]
pub(super) struct SelectionArgs {
    /// Scenario files, folders or globs
    #[arg(value_name = "PATH", default_value = "scenarios")]
    pub paths: Vec<PathBuf>,
    /// Only cases whose id contains TEXT; with * or ? a glob on the whole id. May be given several
    /// times: any of them selects
    #[arg(short, long, value_name = "TEXT")]
    pub filter: Vec<String>,
}

/// Where a run makes its files.
#[derive(Clone, Debug, Default, Group)]
pub(super) struct PlaceArgs {
    /// Make the run's private directory here, not in the system's temporary directory
    /// [env: LAYERSPEC_SCRATCH]
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
    /// Folder of the approved snapshots [default: `snapshots` beside the `scenarios` folder]
    #[arg(long, value_name = "DIR")]
    pub snapshots: Option<PathBuf>,
}

/// `layerspec run`
#[derive(Debug, Group)]
pub(super) struct RunArgs {
    /// Which cases.
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// Engine to run on; may be given several times, or as a list with commas
    /// [env: LAYERSPEC_ENGINE] [default: native]
    #[arg(short, long, value_name = "ENGINE")]
    pub engine: Vec<String>,
    /// How many cases run side by side [env: LAYERSPEC_JOBS] [default: what the machine has]
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<String>,
    /// The most that a case may take: 500ms, 10s, 2m, none
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    pub timeout: String,
    /// What is written to standard output
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
    /// Write a further report to a file: json=FILE, junit=FILE or pretty=FILE
    #[arg(long, value_name = "FORMAT=FILE")]
    pub report: Vec<String>,
    /// Where files are made.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Leave what the engines made behind, and tell where it is
    #[arg(long)]
    pub keep: bool,
    /// Start no further case after the first that fails
    #[arg(long)]
    pub fail_fast: bool,
    /// Tell a line for every case on a terminal too, and the raw difference of snapshots
    #[arg(short, long)]
    pub verbose: bool,
}

/// `layerspec compare`
#[derive(Debug, Group)]
pub(super) struct CompareArgs {
    /// Scenario files, folders or globs; or results files (*.jsonl) to render again, side by side
    #[arg(value_name = "PATH", default_value = "scenarios")]
    pub paths: Vec<PathBuf>,
    /// Only cases whose id contains TEXT; with * or ? a glob on the whole id. May be given several
    /// times: any of them selects
    #[arg(short, long, value_name = "TEXT")]
    pub filter: Vec<String>,
    /// Engines to compare, a list with commas; may be given several times
    /// [env: LAYERSPEC_ENGINE] [default: all that can be used here]
    #[arg(short, long, alias = "engine", value_name = "ENGINES")]
    pub engines: Vec<String>,
    /// How many cases run side by side [env: LAYERSPEC_JOBS] [default: what the machine has]
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<String>,
    /// The most that a case may take: 500ms, 10s, 2m, none
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    pub timeout: String,
    /// What is written to standard output
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: MatrixFormat,
    /// Write a results file, which can be rendered again and compared with another
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Tell what has changed from one results file to another, regressions first
    #[arg(
        long,
        num_args = 2,
        value_names = ["OLD", "NEW"],
        conflicts_with_all = ["paths", "engines", "output"]
    )]
    pub diff: Vec<PathBuf>,
    /// Where files are made.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// The format of a matrix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum MatrixFormat {
    /// For people
    #[default]
    Pretty,
    /// For a README or a pull request
    Markdown,
    /// JSON Lines, as in a results file
    Json,
    /// JUnit XML
    Junit,
}

/// `layerspec list`
#[derive(Debug, Group)]
pub(super) struct ListArgs {
    /// Which cases.
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// What is written to standard output
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: ListFormat,
}

/// `layerspec check`
#[derive(Debug, Group)]
pub(super) struct CheckArgs {
    /// Scenario files, folders or globs
    #[arg(value_name = "PATH", default_value = "scenarios")]
    pub paths: Vec<PathBuf>,
    /// Folder of the approved snapshots [default: `snapshots` beside the `scenarios` folder]
    #[arg(long, value_name = "DIR")]
    pub snapshots: Option<PathBuf>,
}

/// `layerspec bless`
#[derive(Debug, Group)]
pub(super) struct BlessArgs {
    /// Which cases.
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// Engine whose outcome is accepted [env: LAYERSPEC_ENGINE] [default: native]
    #[arg(short, long, value_name = "ENGINE")]
    pub engine: Option<String>,
    /// How many cases run side by side [env: LAYERSPEC_JOBS] [default: what the machine has]
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<String>,
    /// The most that a case may take: 500ms, 10s, 2m, none
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    pub timeout: String,
    /// Where files are made.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Only cases that have no snapshot yet; changed ones stay as they are
    #[arg(long)]
    pub new: bool,
    /// Delete snapshots to which no case belongs any more
    #[arg(long)]
    pub orphans: bool,
}

/// `layerspec fuzz`
#[derive(Debug, Group)]
pub(super) struct FuzzArgs {
    /// Engines to hold against each other, as a list with commas; the last is the reference
    #[arg(
        short,
        long,
        value_name = "ENGINE,ENGINE",
        default_value = "native,overlayfs"
    )]
    pub engines: Vec<String>,
    /// Where the random choices start; the same seed makes the same cases [default: a new one, which is printed]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// How many cases [default: 1000, or as many as there is time for]
    #[arg(long, value_name = "N")]
    pub cases: Option<usize>,
    /// Start no further case after this time: 30s, 10m
    #[arg(long, value_name = "DURATION")]
    pub time: Option<String>,
    /// Steps in a case
    #[arg(long, value_name = "N", default_value = "100")]
    pub steps: usize,
    /// Folder for the minimal scenarios of what was found
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    pub output: PathBuf,
    /// Start no further case after the first difference
    #[arg(long)]
    pub fail_fast: bool,
    /// How many cases run side by side [env: LAYERSPEC_JOBS] [default: what the machine has]
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<String>,
    /// The most that a case may take on one engine: 500ms, 10s, 2m, none
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    pub timeout: String,
    /// Make the run's private directory here, not in the system's temporary directory
    /// [env: LAYERSPEC_SCRATCH]
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
}

/// `layerspec engines`
#[derive(Debug, Group)]
pub(super) struct EnginesArgs {
    /// What is written to standard output
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: ListFormat,
    /// Look whether engines can be used with a private directory made here [env: LAYERSPEC_SCRATCH]
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
}

/// `layerspec coverage`
#[derive(Debug, Group)]
pub(super) struct CoverageArgs {
    /// Scenario files, folders or globs
    #[arg(value_name = "PATH", default_value = "scenarios")]
    pub paths: Vec<PathBuf>,
    /// The rule book [default: `rules.yaml` in the `scenarios` folder]
    #[arg(long, value_name = "FILE")]
    pub rules: Option<PathBuf>,
    /// What is written to standard output
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: ListFormat,
    /// Fail when a rule has no scenario
    #[arg(long)]
    pub require_all: bool,
}

/// The format of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    #[default]
    Pretty,
    /// JSON Lines: a header, one object a case, totals
    Json,
    /// JUnit XML
    Junit,
}

/// The format of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ListFormat {
    /// For people
    #[default]
    Pretty,
    /// JSON Lines: one object an item
    Json,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }
}

/// `layerspec clean`
#[derive(Debug, Group)]
pub(super) struct CleanArgs {
    /// Only with this engine: docker, nerdctl, podman or cli:PROGRAM; may be given several times
    #[arg(short, long, value_name = "ENGINE")]
    pub engine: Vec<String>,
    /// Also what runs on other machines made, which may still run
    #[arg(long)]
    pub all: bool,
    /// Look for private directories of runs here, not in the system's temporary directory; not with
    /// --engine [env: LAYERSPEC_SCRATCH]
    #[arg(long, value_name = "DIR", conflicts_with = "engine")]
    pub scratch: Option<PathBuf>,
}
