//! A project in a temporary directory, and the built tool to run in it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// The built tool.
pub(crate) const LAYERSPEC: &str = env!("CARGO_BIN_EXE_layerspec");

/// A private directory with files, in which the tool is run.
pub(crate) struct Project {
    directory: TempDir,
}

/// What a run of the tool gave.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Exit code; `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Project {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file, with its folders.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// The tool, about to run here, in an environment without wishes of its own.
    pub(crate) fn command<I: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = I>,
    ) -> Command {
        let mut command = Command::new(LAYERSPEC);
        command.current_dir(self.path()).args(arguments);
        quiet(&mut command);
        command
    }

    /// Runs the tool.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::from(self.command(arguments).output().unwrap())
    }
}

/// Takes every variable that the tool heeds out of a command's environment.
pub(crate) fn quiet(command: &mut Command) {
    for name in [
        "CI",
        "TF_BUILD",
        "NO_COLOR",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "LAYERSPEC_AGENT",
        "LAYERSPEC_ENGINE",
        "LAYERSPEC_REQUIRE",
        "LAYERSPEC_SCRATCH",
        "LAYERSPEC_JOBS",
        "LAYERSPEC_UPDATE",
        "INSTA_UPDATE",
        "INSTA_WORKSPACE_ROOT",
        "INSTA_FORCE_PASS",
        "NEXTEST",
    ] {
        command.env_remove(name);
    }
    command.env("LC_ALL", "C");
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
