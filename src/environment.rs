//! The process's environment: the one place that reads it.

use std::ffi::OsString;
use std::path::PathBuf;

/// The variables that layerspec heeds, as they were typed. An empty value is no value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// `LAYERSPEC_ENGINE`: engines to run on, when the command line names none; separated by commas.
    pub engine: Option<String>,
    /// `LAYERSPEC_SCRATCH`: where a run makes its private directory, instead of the system's
    /// temporary directory.
    pub scratch: Option<PathBuf>,
    /// `LAYERSPEC_JOBS`: how many cases run side by side.
    pub jobs: Option<String>,
    /// `LAYERSPEC_UPDATE`: `new` or `all` makes the test harness accept what it sees.
    pub update: Option<String>,
    /// `INSTA_UPDATE`: the same wish in insta's words, heeded when `LAYERSPEC_UPDATE` is not set.
    pub insta_update: Option<String>,
    /// `CI`: a machine watches, so nothing is drawn that moves.
    pub ci: bool,
    /// `LAYERSPEC_AGENT`: makes this process an agent, which serves an engine inside a container.
    pub agent: Option<String>,
    /// `LAYERSPEC_REQUIRE`: engines that must be there, separated by commas: a test that would be skipped for
    /// want of one of them fails instead.
    pub require: Option<String>,
    /// `CARGO_MANIFEST_DIR`, where it is this package's own: `cargo run` runs the tool, from there or below.
    pub own_package: Option<PathBuf>,
    /// `NEXTEST`: `cargo nextest` runs each trial in a process of its own.
    pub nextest: bool,
}

impl Environment {
    /// Reads this process's environment.
    pub fn read() -> Self {
        Self::from_lookup(|name| std::env::var_os(name))
    }

    /// Reads the environment that `lookup` shows.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<OsString>) -> Self {
        let value = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let text = |name: &str| value(name).map(|value| value.to_string_lossy().into_owned());
        // Whoever runs the tool in a test or a build script of another package hands that package's on.
        let is_ours = text("CARGO_PKG_NAME").is_some_and(|name| name == env!("CARGO_PKG_NAME"));
        let switch = |name: &str| text(name).is_some_and(|value| value != "0" && value != "false");
        Self {
            engine: text("LAYERSPEC_ENGINE"),
            scratch: value("LAYERSPEC_SCRATCH").map(PathBuf::from),
            jobs: text("LAYERSPEC_JOBS"),
            update: text("LAYERSPEC_UPDATE"),
            insta_update: text("INSTA_UPDATE"),
            ci: switch("CI") || switch("TF_BUILD"),
            agent: text("LAYERSPEC_AGENT"),
            require: text("LAYERSPEC_REQUIRE"),
            own_package: value("CARGO_MANIFEST_DIR")
                .filter(|_| is_ours)
                .map(PathBuf::from),
            nextest: switch("NEXTEST"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        Environment::from_lookup(|name| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn an_empty_value_is_no_value() {
        assert_eq!(
            environment(&[
                ("LAYERSPEC_ENGINE", ""),
                ("CI", ""),
                ("LAYERSPEC_SCRATCH", "")
            ]),
            Environment::default()
        );
    }

    #[test]
    fn ci_is_a_switch() {
        for (value, on) in [
            ("true", true),
            ("1", true),
            ("woodpecker", true),
            ("false", false),
            ("0", false),
        ] {
            assert_eq!(environment(&[("CI", value)]).ci, on, "CI={value}");
        }
    }

    #[test]
    fn each_variable_has_its_field() {
        let seen = environment(&[
            ("LAYERSPEC_ENGINE", "native"),
            ("LAYERSPEC_SCRATCH", "/s"),
            ("LAYERSPEC_JOBS", "3"),
            ("LAYERSPEC_UPDATE", "new"),
            ("INSTA_UPDATE", "always"),
            ("LAYERSPEC_AGENT", "1 idle"),
            ("LAYERSPEC_REQUIRE", "docker"),
            ("NEXTEST", "1"),
            ("CARGO_MANIFEST_DIR", "/src/layerspec"),
            ("CARGO_PKG_NAME", "layerspec"),
        ]);
        assert_eq!(
            seen,
            Environment {
                engine: Some("native".to_owned()),
                scratch: Some(PathBuf::from("/s")),
                jobs: Some("3".to_owned()),
                update: Some("new".to_owned()),
                insta_update: Some("always".to_owned()),
                ci: false,
                agent: Some("1 idle".to_owned()),
                require: Some("docker".to_owned()),
                own_package: Some(PathBuf::from("/src/layerspec")),
                nextest: true,
            }
        );
        let of_another = [
            ("CARGO_MANIFEST_DIR", "/src/other"),
            ("CARGO_PKG_NAME", "other"),
        ];
        assert_eq!(environment(&of_another), Environment::default());
    }
}
