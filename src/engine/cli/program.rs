//! One command of the engine's program.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::owner;
use crate::engine::link::Link;

/// The program by which an engine is spoken to.
#[derive(Clone, Debug)]
pub(super) struct Program {
    path: PathBuf,
    /// Where it keeps what it forgets to remove.
    temporary: Option<PathBuf>,
    /// The run that commands are for, and its owner.
    mark: Option<String>,
    /// Set when the run has ended: no command may make anything any more.
    closed: Arc<AtomicBool>,
}

/// What a command said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) success: bool,
    pub(super) out: String,
    pub(super) err: String,
}

/// Why there is nothing that it said.
#[derive(Debug, thiserror::Error)]
pub(super) enum Mute {
    #[error("no such program: {0}")]
    Missing(String),
    #[error("{0} cannot be run: {1}")]
    Failed(String, io::Error),
    #[error("{0} has not answered for {1} s")]
    Hung(String, u64),
    #[error("the run has ended")]
    Ended,
}

impl Program {
    pub(super) fn new(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_path_buf(),
            temporary: None,
            mark: None,
            closed: Arc::default(),
        }
    }

    /// The same for the commands of a run, with this directory for its temporary files: `podman cp -` leaves its
    /// input there. It can be [closed](Self::close) without the first one.
    pub(super) fn of_run(&self, run: &str, directory: &Path) -> Self {
        Self {
            path: self.path.clone(),
            temporary: Some(directory.to_path_buf()),
            mark: Some(format!("{run} {}", owner::owner())),
            closed: Arc::default(),
        }
    }

    /// Another program for the commands of the same run.
    pub(super) fn with(&self, path: &str) -> Self {
        Self {
            path: PathBuf::from(path),
            ..self.clone()
        }
    }

    /// Runs nothing from now on, also for those who hold a clone.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    /// One like it that is not closed, for the end of the run: the directory for temporary files may be gone by
    /// then, without which Podman lists no images.
    pub(super) fn reopened(&self) -> Self {
        Self {
            temporary: None,
            closed: Arc::default(),
            ..self.clone()
        }
    }

    /// A command that a signal from the terminal does not reach: it is for us to end it well.
    pub(super) fn command<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Command {
        let mut command = Command::new(&self.path);
        if let Some(temporary) = &self.temporary {
            command.env("TMPDIR", temporary);
        }
        if let Some(mark) = &self.mark {
            command.env(owner::MARK, mark);
        }
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        command
    }

    /// Runs a command to its end.
    pub(super) fn run<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Said, Mute> {
        let child = self.spawn(self.command(arguments))?;
        let output = child.wait_with_output();
        output.map(Said::from).map_err(|error| self.mute(error))
    }

    /// Runs a command to its end, which is killed if that takes longer than `limit`.
    pub(super) fn run_within<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
        limit: Duration,
    ) -> Result<Said, Mute> {
        let mut child = self.spawn(self.command(arguments))?;
        let begin = Instant::now();
        // Both pipes hold 64 KiB, which is more than any probe says.
        loop {
            match child.try_wait() {
                Ok(Some(_)) => {
                    let output = child.wait_with_output();
                    return output.map(Said::from).map_err(|error| self.mute(error));
                }
                Ok(None) if begin.elapsed() < limit => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Ok(None) => {
                    child.kill().ok();
                    child.wait().ok();
                    return Err(Mute::Hung(self.name(), limit.as_secs()));
                }
                Err(error) => return Err(self.mute(error)),
            }
        }
    }

    /// Runs a command to its end with what `write` writes on its standard input.
    pub(super) fn feed<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Said, Mute> {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped());
        let mut child = self.spawn(command)?;
        let written = match child.stdin.take() {
            Some(mut stdin) => write(&mut stdin),
            None => Ok(()),
        };
        let output = child.wait_with_output().map_err(|error| self.mute(error))?;
        let said = Said::from(output);
        match written {
            // A program that refuses closes its input early; what it says tells more.
            Err(error) if said.success => Err(self.mute(error)),
            _ => Ok(said),
        }
    }

    pub(super) fn spawn(&self, mut command: Command) -> Result<Child, Mute> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(Mute::Ended);
        }
        command.spawn().map_err(|error| self.mute(error))
    }

    /// Starts a command that leads to an agent.
    pub(super) fn link(&self, mut command: Command) -> Result<Link, String> {
        command.stdin(Stdio::piped());
        let child = self.spawn(command).map_err(|mute| mute.to_string())?;
        Link::open(child.try_into()?)
    }

    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }

    pub(super) fn mute(&self, error: io::Error) -> Mute {
        if error.kind() == io::ErrorKind::NotFound {
            Mute::Missing(self.name())
        } else {
            Mute::Failed(self.name(), error)
        }
    }
}

impl From<std::process::Output> for Said {
    fn from(output: std::process::Output) -> Self {
        Self {
            success: output.status.success(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_says_what_it_says_or_why_it_cannot() {
        let sh = Program::new("sh");
        let said = sh.run(["-c", "echo out; echo err >&2; exit 3"]).unwrap();
        assert_eq!(
            (said.success, said.out.as_str(), said.err.as_str()),
            (false, "out\n", "err\n")
        );
        let fed = sh
            .feed(["-c", "cat"], |input| input.write_all(b"x"))
            .unwrap();
        assert_eq!(fed.out, "x");
        let hung = sh.run_within(["-c", "sleep 60"], Duration::from_millis(20));
        assert!(matches!(hung, Err(Mute::Hung(..))), "{hung:?}");
        let of_run = sh.of_run("r", Path::new("/tmp"));
        let clone = of_run.clone();
        of_run.close();
        assert!(matches!(clone.run(["-c", ":"]), Err(Mute::Ended)));
        assert!(of_run.reopened().run(["-c", ":"]).is_ok());
        let missing = Program::new("/no/such/program").run(["x"]);
        assert!(matches!(missing, Err(Mute::Missing(_))), "{missing:?}");
    }
}
