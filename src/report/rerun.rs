//! The command that runs one case again.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::case_name;
use crate::engine::DEFAULT_ENGINE;
use crate::scenario::Scenario;

/// How a case is run again: with the tool, or with the test program that ran it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rerun {
    /// `layerspec run FILE --filter ID`, with the snapshot folder when it was named.
    Tool {
        /// What is typed for the tool: `layerspec`, or `cargo run --`.
        program: &'static str,
        /// `--snapshots`
        snapshots: Option<PathBuf>,
    },
    /// `cargo test --test NAME -- --exact ID`
    Trial {
        /// Name of the test target.
        target: String,
        /// The engine was asked for by `LAYERSPEC_ENGINE`, not by the test program.
        insisted: bool,
    },
}

impl Rerun {
    /// The command that runs a case again, ready to be pasted into a shell.
    pub fn again(&self, scenario: &Scenario, engine: &str) -> String {
        match self {
            Self::Tool { program, .. } => self.tool(program, "run", scenario, engine),
            Self::Trial { .. } => self.trial(&[], scenario, engine),
        }
    }

    /// The command that accepts what a case shows now.
    pub fn accept(&self, scenario: &Scenario, engine: &str) -> String {
        match self {
            Self::Tool { program, .. } => self.tool(program, "bless", scenario, engine),
            Self::Trial { .. } => self.trial(&["LAYERSPEC_UPDATE=all"], scenario, engine),
        }
    }

    fn tool(&self, program: &str, command: &str, scenario: &Scenario, engine: &str) -> String {
        let file = shell_word(scenario.file.path.as_os_str());
        let mut words = vec![program.to_owned(), command.to_owned(), file];
        // A file without cases is its only one.
        if !scenario.case.is_empty() {
            words.extend([
                "--filter".to_owned(),
                shell_word(OsStr::new(&scenario.id())),
            ]);
        }
        if engine != DEFAULT_ENGINE {
            words.extend(["--engine".to_owned(), shell_word(OsStr::new(engine))]);
        }
        if let Self::Tool {
            snapshots: Some(folder),
            ..
        } = self
        {
            words.extend(["--snapshots".to_owned(), shell_word(folder.as_os_str())]);
        }
        words.join(" ")
    }

    fn trial(&self, variables: &[&str], scenario: &Scenario, engine: &str) -> String {
        let mut words: Vec<String> = variables
            .iter()
            .map(|&variable| variable.to_owned())
            .collect();
        let mut test = "scenarios";
        if let Self::Trial { target, insisted } = self {
            test = target;
            if *insisted {
                words.push(format!(
                    "LAYERSPEC_ENGINE={}",
                    shell_word(OsStr::new(engine))
                ));
            }
        }
        let name = case_name(&scenario.id(), engine);
        words.extend(["cargo", "test", "--test"].map(str::to_owned));
        words.push(shell_word(OsStr::new(test)));
        words.extend(["--", "--exact"].map(str::to_owned));
        words.push(shell_word(OsStr::new(&name)));
        words.join(" ")
    }
}

/// A word as a POSIX shell reads it back: as it is when that is safe, else in single quotes.
pub fn shell_word(word: &OsStr) -> String {
    let text = word.to_string_lossy();
    let safe = |c: char| c.is_ascii_alphanumeric() || "_./@%+:,-=".contains(c);
    if !text.is_empty() && text.chars().all(safe) {
        return text.into_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::scenario;

    #[test]
    fn words_survive_the_shell() {
        for (word, quoted) in [
            ("scenarios/a.yaml", "scenarios/a.yaml"),
            ("a[b=c]", "'a[b=c]'"),
            ("it's", "'it'\\''s'"),
            ("", "''"),
            ("$HOME", "'$HOME'"),
        ] {
            assert_eq!(shell_word(OsStr::new(word)), quoted);
        }
    }

    #[test]
    fn the_command_names_exactly_one_case() {
        let tool = Rerun::Tool {
            program: "layerspec",
            snapshots: None,
        };
        let cases = scenario("volumes/x", &[("access", "ro")]);
        let single = scenario("volumes/x", &[]);
        assert_eq!(
            tool.again(&cases, "native"),
            "layerspec run scenarios/volumes/x.yaml --filter 'volumes/x[access=ro]'"
        );
        assert_eq!(
            tool.again(&single, "native"),
            "layerspec run scenarios/volumes/x.yaml"
        );
        assert_eq!(
            Rerun::Tool {
                program: "cargo run --",
                snapshots: Some(PathBuf::from("my snaps"))
            }
            .again(&single, "docker"),
            "cargo run -- run scenarios/volumes/x.yaml --engine docker --snapshots 'my snaps'"
        );
        let trial = |insisted| Rerun::Trial {
            target: "scenarios".to_owned(),
            insisted,
        };
        assert_eq!(
            trial(false).again(&cases, "docker"),
            "cargo test --test scenarios -- --exact 'volumes/x[access=ro]@docker'"
        );
        assert_eq!(
            trial(true).again(&single, "native"),
            "LAYERSPEC_ENGINE=native cargo test --test scenarios -- --exact volumes/x"
        );
        assert_eq!(
            tool.accept(&single, "native"),
            "layerspec bless scenarios/volumes/x.yaml"
        );
        assert_eq!(
            trial(false).accept(&single, "native"),
            "LAYERSPEC_UPDATE=all cargo test --test scenarios -- --exact volumes/x"
        );
    }
}
