//! What the benchmarks run: a scenario from text to verdict, on a file system that is named.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use layerspec::case::{CaseOptions, Watch, run_case, run_watched};
use layerspec::engine::{Description, OpenOptions, Provider};
use layerspec::registry;
use layerspec::scenario::{self, FoundFile, Scenario};
use layerspec::schedule::{self, Flow, Limit};
use layerspec::snapshot::UpdateMode;
use layerspec::verdict::Verdict;
use tempfile::TempDir;

/// The disks to measure on: the system's temporary directory, and memory where there is one.
pub(crate) fn disks() -> Vec<(&'static str, PathBuf)> {
    let mut disks = vec![("disk", std::env::temp_dir())];
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() {
        disks.push(("memory", memory));
    }
    disks
}

/// Whether an engine is here, or why not.
pub(crate) fn probe(engine: &str) -> Result<(), String> {
    let scratch = tempfile::tempdir().unwrap();
    let open = OpenOptions {
        scratch: scratch.path().to_path_buf(),
        keep: false,
    };
    let found = registry::provider(engine).unwrap().probe(&open);
    found.map(drop).map_err(|absent| absent.to_string())
}

/// A size, or a hundredth of it when the benchmarks are only tried once through.
pub(crate) fn full(size: u32) -> u32 {
    let is_trial = std::env::args().any(|argument| argument == "--test");
    if is_trial { size / 100 } else { size }
}

/// A folder of scenarios with approved snapshots, and an engine for them.
pub(crate) struct World {
    /// Holds `scenarios/`, `snapshots/` and the engines' private directories.
    pub(crate) home: TempDir,
    provider: Arc<dyn Provider>,
    description: Description,
    options: CaseOptions,
    files: Vec<FoundFile>,
}

impl World {
    /// [`Self::on`] the embedded engine.
    pub(crate) fn new(disk: &Path, scenarios: &[(String, String)]) -> Self {
        Self::on("native", disk, scenarios)
    }

    /// Writes these scenarios (stem, text) below a new directory on this disk and approves what they show on an
    /// engine.
    pub(crate) fn on(engine: &str, disk: &Path, scenarios: &[(String, String)]) -> Self {
        let home = tempfile::tempdir_in(disk).unwrap();
        let scratch = home.path().join("scratch");
        std::fs::create_dir(&scratch).unwrap();
        std::fs::create_dir(home.path().join("scenarios")).unwrap();
        for (stem, text) in scenarios {
            std::fs::write(home.path().join(format!("scenarios/{stem}.yaml")), text).unwrap();
        }
        let files = scenario::find(&[home.path().join("scenarios")]).unwrap();
        let provider = registry::provider(engine).unwrap();
        let open = OpenOptions {
            scratch: scratch.clone(),
            keep: false,
        };
        let description = provider.probe(&open).unwrap();
        let options = CaseOptions {
            scratch,
            keep: false,
            snapshots: home.path().join("snapshots"),
            update: UpdateMode::Check,
            timeout: None,
        };
        let world = Self {
            home,
            provider,
            description,
            options,
            files,
        };
        for case in world.load() {
            world.approve(&case);
        }
        world
    }

    /// Runs one case and approves what it shows.
    pub(crate) fn approve(&self, case: &Scenario) {
        let options = CaseOptions {
            update: UpdateMode::Bless,
            ..self.options.clone()
        };
        self.run_as(case, &options);
    }

    /// Loads every scenario from its file, which was found before: a folder is walked once for all that is in it.
    pub(crate) fn load(&self) -> Vec<Scenario> {
        scenario::load(&self.files, None).unwrap()
    }

    /// Runs one case to its verdict, which must be that it passed.
    pub(crate) fn run(&self, case: &Scenario) {
        self.run_as(case, &self.options);
    }

    fn run_as(&self, case: &Scenario, options: &CaseOptions) {
        let result = run_case(case, self.provider.as_ref(), &self.description, options);
        assert!(
            matches!(result.verdict, Verdict::Passed),
            "{:?}",
            result.verdict
        );
    }

    /// From text to verdict, all of them.
    pub(crate) fn load_and_run(&self) {
        for case in self.load() {
            self.run(&case);
        }
    }

    /// The same with the time limit that `layerspec run` has, in its way with one job: cases are run on a thread by
    /// themselves, and whoever is told their results watches the time.
    pub(crate) fn load_and_run_limited(&self) {
        let most = Duration::from_secs(60);
        let cases = self.load();
        let (provider, options) = (Arc::clone(&self.provider), self.options.clone());
        let description = self.description.clone();
        let run = move |index: usize| {
            let (case, watch) = (cases.get(index)?, Watch::default());
            let result = run_watched(case, &*provider, &description, &options, &watch);
            Some(result.verdict)
        };
        let overdue = &|_| None;
        let limit = Some(&Limit { most, overdue });
        let one = std::num::NonZeroUsize::MIN;
        schedule::in_order(
            self.files.len(),
            one,
            || false,
            run,
            limit,
            |_, verdict| {
                assert!(matches!(verdict, Some(Verdict::Passed)), "{verdict:?}");
                Flow::Continue
            },
        );
    }

    /// All of them, loaded already, taken by so many threads.
    pub(crate) fn run_with_jobs(&self, cases: &[Scenario], jobs: usize) {
        let next = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|threads| {
            for _ in 0..jobs {
                threads.spawn(|| {
                    while let Some(case) =
                        cases.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
                    {
                        self.run(case);
                    }
                });
            }
        });
    }
}

/// As little as a scenario can be.
pub(crate) const EMPTY_SCENARIO: &str = "title: Nothing happens\nsteps:\n  - volume ls:\n";

/// One container of an image with 5 directories of 5 files each.
pub(crate) fn thirty_entries() -> String {
    use std::fmt::Write as _;
    let mut text = "title: Thirty entries\nimages:\n  app:\n    layers:\n".to_owned();
    for number in 0..25 {
        let dash = if number == 0 { '-' } else { ' ' };
        writeln!(
            text,
            "      {dash} /{}/{}: \"12345\\n\"",
            number / 5,
            number % 5
        )
        .unwrap();
    }
    text + "steps:\n  - run: {name: first, image: app}\n"
}

/// The volume scenario of which `bare::volume_scenario` leaves the same on disk.
pub(crate) const VOLUME_SCENARIO: &str = r#"
title: A named volume outlives the container that wrote it
images:
  app:
    layers:
      - /etc/app.conf: "mode = default\n"
steps:
  - volume create: store
  - run: {name: first, image: app, volumes: ["store:/data"]}
  - in: first
    do:
      - write: {/data/rows: "1\n"}
      - write: {/cache: "x\n"}
  - rm: {container: first, force: true}
  - run: {name: second, image: app, volumes: ["store:/data"]}
  - in: second
    do:
      - read: /data/rows
        expect: {text: "1\n"}
      - read: /cache
        expect: {error: ENOENT}
  - rm: {container: second, force: true}
  - volume rm: store
"#;
