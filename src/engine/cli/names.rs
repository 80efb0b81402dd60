//! The scenario's names in the daemon, and back. Each case has names of its own, so that cases run side
//! by side and what is ours can be told from what is not.

use super::flavor::Flavor;
use crate::engine::escape;

/// What all our names start with.
pub(super) const PREFIX: &str = "layerspec-";

/// Label that tells the run.
pub(super) const RUN_LABEL: &str = "layerspec.run";

/// Label that tells the case.
pub(super) const CASE_LABEL: &str = "layerspec.case";

/// Names of one case.
#[derive(Clone, Debug)]
pub(super) struct Names {
    run: String,
    case: String,
    flavor: Flavor,
}

impl Names {
    pub(super) fn new(run: &str, number: usize, flavor: Flavor) -> Self {
        Self {
            run: run.to_owned(),
            case: format!("{run}-{number}"),
            flavor,
        }
    }

    /// What tells this case from others.
    pub(super) fn case(&self) -> &str {
        &self.case
    }

    fn prefix(&self) -> String {
        format!("{PREFIX}{}-", self.case)
    }

    /// A container's name in the daemon; one that the engine is going to refuse stays as it is.
    pub(super) fn container(&self, name: &str) -> String {
        self.own(name)
    }

    /// A volume's name in the daemon; one that the engine is going to refuse stays as it is.
    pub(super) fn volume(&self, name: &str) -> String {
        self.own(name)
    }

    fn own(&self, name: &str) -> String {
        if self.flavor.takes_name(name) {
            format!("{}{name}", self.prefix())
        } else {
            name.to_owned()
        }
    }

    /// An image's name in the daemon. `localhost` keeps Podman from looking for it elsewhere.
    pub(super) fn image(&self, name: &str) -> String {
        format!("localhost/{PREFIX}{}/{name}", self.case)
    }

    /// What `image ls` gives of an image of ours, as the scenario names it: without the tag that goes
    /// without saying.
    pub(super) fn image_of(&self, reference: &str) -> Option<String> {
        let name = reference.strip_prefix(&self.image(""))?;
        Some(name.strip_suffix(":latest").unwrap_or(name).to_owned())
    }

    /// The scenario's name of a container or volume of this case.
    pub(super) fn of<'a>(&self, name: &'a str) -> Option<&'a str> {
        name.trim_start_matches('/').strip_prefix(&self.prefix())
    }

    /// The two labels of everything that can carry any.
    pub(super) fn labels(&self) -> [String; 2] {
        [
            format!("{RUN_LABEL}={}", self.run),
            format!("{CASE_LABEL}={}", self.case),
        ]
    }

    /// A message in the scenario's names.
    pub(super) fn in_scenario_words(&self, message: &str, host: &str) -> String {
        let message = message
            .replace(&self.image(""), "")
            .replace(&self.prefix(), "");
        match host {
            "" => message,
            host => message.replace(host, ""),
        }
    }
}

/// A path without `.`, doubled and trailing slashes.
pub(super) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// What is left of a path below a directory: `/` for the directory itself.
pub(super) fn below<'a>(path: &'a str, directory: &str) -> Option<&'a str> {
    if directory == "/" {
        return Some(path);
    }
    match path.strip_prefix(directory)? {
        "" => Some("/"),
        rest if rest.starts_with('/') => Some(rest),
        _ => None,
    }
}

/// Two paths in a row.
pub(super) fn joined(directory: &str, path: &str) -> String {
    match (directory.trim_end_matches('/'), path) {
        ("", path) => path.to_owned(),
        (directory, "/") => directory.to_owned(),
        (directory, path) => format!("{directory}{path}"),
    }
}

/// A path of a tree as it is seen, escaped like those that an agent tells.
pub(super) fn seen(path: &str) -> String {
    escape(path.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_there_and_back() {
        let names = Names::new("r1", 7, Flavor::Docker);
        assert_eq!(names.container("web"), "layerspec-r1-7-web");
        assert_eq!(names.of("/layerspec-r1-7-web"), Some("web"));
        assert_eq!(names.of("layerspec-r1-77-web"), None);
        assert_eq!(names.volume("a b"), "a b");
        assert_eq!(names.container("a"), "a", "too short for Docker");
        for name in ["app", "app:2"] {
            let there = names.image(name);
            assert_eq!(names.image_of(&there).as_deref(), Some(name));
        }
        let latest = format!("{}:latest", names.image("app"));
        assert_eq!(names.image_of(&latest).as_deref(), Some("app"));
        assert_eq!(names.image_of("localhost/layerspec-r1-8/app:latest"), None);
        let message = "remove layerspec-r1-7-store: in use by localhost/layerspec-r1-7/app at /h/x";
        assert_eq!(
            names.in_scenario_words(message, "/h"),
            "remove store: in use by app at /x"
        );
    }

    #[test]
    fn paths() {
        assert_eq!(clean("//a/./b//../c/"), "/a/c");
        assert_eq!(below("/a/b", "/a"), Some("/b"));
        assert_eq!(below("/a", "/a"), Some("/"));
        assert_eq!(below("/ab", "/a"), None);
        assert_eq!(joined("/a", "/"), "/a");
        assert_eq!(joined("/", "/b"), "/b");
    }
}
