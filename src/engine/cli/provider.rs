//! Probing and opening.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use super::engine::Cli;
use super::flavor::{About, Flavor};
use super::ground::Ground;
use super::program::{Mute, Program, Said};
use super::{peers, words};
use crate::engine::{Absent, Capability, Description, Engine, EngineFault, OpenOptions, Provider};

/// The longest that an engine may take to say what it is.
const PATIENCE: Duration = Duration::from_secs(20);

/// An engine behind a command line that is like Docker's.
#[derive(Debug)]
pub struct CliProvider {
    name: String,
    program: Program,
    /// What it has said of itself.
    about: Mutex<Option<About>>,
    /// Scratch directory → what its cases share. Dropped with the provider.
    ground: Mutex<Option<(PathBuf, Arc<Ground>)>>,
    /// Why that could not be made, each time that it was tried.
    failed: Mutex<Vec<String>>,
}

/// How often it is tried: each time takes seconds, and all cases of a run would wait for the same answer.
const TRIES: usize = 2;

impl CliProvider {
    /// `name`: by which it is chosen. `program`: a path, or a name to look for in `PATH`.
    pub fn new(name: &str, program: &str) -> Self {
        Self {
            name: name.to_owned(),
            program: Program::new(program),
            about: Mutex::default(),
            ground: Mutex::default(),
            failed: Mutex::default(),
        }
    }

    /// What it says of itself, asked once.
    fn about(&self) -> Result<About, Absent> {
        let mut known = self.about.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(about) = &*known {
            return Ok(about.clone());
        }
        let about = self.ask_about()?;
        *known = Some(about.clone());
        Ok(about)
    }

    fn ask_about(&self) -> Result<About, Absent> {
        let server = ["version", "--format", "{{.Server.APIVersion}}"];
        let (version, info, api) = std::thread::scope(|scope| {
            let info = scope.spawn(|| self.ask(&["info", "--format", "{{json .}}"]));
            let api = scope.spawn(|| self.ask(&server));
            let died = |_| Err(unanswered("a thread panicked"));
            let version = self.ask(&["--version"]);
            (
                version,
                info.join().unwrap_or_else(died),
                api.join().unwrap_or_else(died),
            )
        });
        let version = version?;
        let flavor = Flavor::of(&version);
        let info = info?;
        let info: Value = serde_json::from_str(&info).map_err(|error| Absent {
            reason: format!("what it says of itself is no JSON: {error}"),
            remedy: "use a program that knows `info --format '{{json .}}'`".to_owned(),
        })?;
        // Docker's client answers with success when the daemon does not answer.
        if let Some(error) = info.pointer("/ServerErrors/0").and_then(Value::as_str) {
            return Err(unanswered(error));
        }
        let api = match flavor {
            Flavor::Podman => self.ask(&["version", "--format", "{{.Client.APIVersion}}"]),
            Flavor::Docker | Flavor::Nerdctl => api,
        };
        let mut about = About::parse(flavor, &info, &api.unwrap_or_default());
        if flavor == Flavor::Nerdctl {
            // What it calls the server's is containerd's.
            let word = version.split_whitespace().last();
            word.unwrap_or_default().clone_into(&mut about.version);
        }
        Ok(about)
    }

    /// What the cases share, unless it has become clear that there is no making it.
    fn make(&self, scratch: &Path) -> Result<Ground, String> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = failed.get(TRIES - 1) {
            return Err(why.clone());
        }
        let about = self.about().map_err(|absent| absent.reason)?;
        let made = Ground::make(&self.program, &about, scratch);
        failed.extend(made.as_ref().err().cloned());
        made
    }

    fn ask(&self, arguments: &[&str]) -> Result<String, Absent> {
        match self.program.run_within(arguments, PATIENCE) {
            Ok(Said {
                success: true, out, ..
            }) => Ok(out),
            Ok(said) => Err(unanswered(&said.err)),
            Err(mute @ Mute::Missing(_)) => Err(Absent {
                reason: mute.to_string(),
                remedy: "install it, or name another program: cli:PROGRAM".to_owned(),
            }),
            Err(mute) => Err(unanswered(&mute.to_string())),
        }
    }
}

fn unanswered(text: &str) -> Absent {
    Absent {
        reason: words::essence(text),
        remedy: "start the daemon, or say where it is (DOCKER_HOST, a context)".to_owned(),
    }
}

impl Drop for CliProvider {
    fn drop(&mut self) {
        let ground = self
            .ground
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some((_, ground)) = ground.take() {
            // A case that hangs holds it for ever.
            ground.end();
        }
    }
}

impl Provider for CliProvider {
    fn name(&self) -> &str {
        &self.name
    }

    fn probe(&self, options: &OpenOptions) -> Result<Description, Absent> {
        let about = self.about()?;
        let flavor = about.flavor.name();
        let mut capabilities = about.capabilities();
        // Podman asks for no shared mount (Docker row 143), so that with it the question does not come up.
        if about.flavor == Flavor::Podman || peers::is_private(&options.scratch) {
            capabilities.insert(Capability::PrivateMounts);
        }
        Ok(Description {
            name: self.name.clone(),
            form_of: (self.name != flavor).then(|| flavor.to_owned()),
            capabilities,
            version: about.version,
            kernel: about.kernel,
            driver: about.driver,
            file_system: about.file_system,
        })
    }

    fn open(&self, options: &OpenOptions) -> Result<Box<dyn Engine>, EngineFault> {
        let ground = {
            let mut ground = self.ground.lock().unwrap_or_else(PoisonError::into_inner);
            let there = ground
                .as_ref()
                .filter(|(scratch, _)| *scratch == options.scratch);
            if let Some((_, ground)) = there {
                Arc::clone(ground)
            } else {
                let made = Arc::new(self.make(&options.scratch).map_err(EngineFault)?);
                *ground = Some((options.scratch.clone(), Arc::clone(&made)));
                made
            }
        };
        Ok(Box::new(Cli::open(ground, options.keep)?))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::engine::cli::testing::program;

    /// Says what it is and fails at everything else, and writes down what it is asked to create.
    const PROGRAM: &str = r#"#!/bin/sh
case "$1" in
    --version) echo "Docker version 20.10" ;;
    info) echo '{"KernelVersion": "6.1"}' ;;
    version) echo 1.41 ;;
    volume) [ "$2" = create ] && echo x >>"$0.asked"; echo "the disk is gone" >&2; exit 1 ;;
    *) exit 1 ;;
esac
"#;

    #[test]
    fn what_cannot_be_made_is_not_tried_for_every_case() {
        let directory = tempfile::tempdir().unwrap();
        let path = program(directory.path(), "program", PROGRAM);
        let provider = CliProvider::new("cli", path.to_str().unwrap());
        let options = OpenOptions {
            scratch: directory.path().to_owned(),
            keep: false,
        };
        for _ in 0..5 {
            let why = provider.open(&options).err().map(|fault| fault.0);
            assert!(why.is_some_and(|why| why.contains("the disk is gone")));
        }
        let asked = fs::read_to_string(directory.path().join("program.asked")).unwrap();
        assert_eq!(asked.lines().count(), TRIES);
    }
}
