//! `--filter KEY=VALUE` of `volume ls` and `volume prune`: Docker rows 63, 65, 66; moby
//! `daemon/volume/service/{service,by}.go`.

use std::collections::BTreeMap;

use super::{Reason, Refusal, Volume};

/// Label that current moby gives to anonymous volumes.
pub const ANONYMOUS_LABEL: &str = "com.docker.volume.anonymous";

/// For which command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `volume ls`
    List,
    /// `volume prune`
    Prune,
}

/// Filters that were checked. Values of one key are alternatives; keys must all hold; every label must match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters(BTreeMap<String, Vec<String>>);

impl Filters {
    /// Checks filters.
    ///
    /// # Errors
    /// A refusal about a [`Reason::Filter`]: an unknown key, or a value that the key does not have.
    pub fn parse<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
        command: Command,
    ) -> Result<Self, Refusal> {
        let known: &[&str] = match command {
            Command::List => &["dangling", "name", "driver", "label"],
            Command::Prune => &["label", "label!", "all"],
        };
        let mut filters: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (key, value) in pairs {
            if !known.contains(&key) {
                return Err(Refusal::new(
                    Reason::Filter,
                    format!("Invalid filter '{key}'"),
                ));
            }
            if ["dangling", "all"].contains(&key) && boolean(value).is_none() {
                let message = format!("Invalid filter '{key}=[{value}]'");
                return Err(Refusal::new(Reason::Filter, message));
            }
            filters
                .entry(key.to_owned())
                .or_default()
                .push(value.to_owned());
        }
        Ok(Self(filters))
    }

    fn values(&self, key: &str) -> &[String] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }

    /// Whether named volumes are asked for too (`all=true`).
    pub fn all(&self) -> bool {
        self.values("all")
            .iter()
            .any(|value| boolean(value) == Some(true))
    }

    /// Whether a volume passes; `used` tells whether a container refers to it.
    pub fn matches(&self, volume: &Volume, used: bool) -> bool {
        let any = |key: &str, passes: &dyn Fn(&str) -> bool| {
            let values = self.values(key);
            values.is_empty() || values.iter().any(|value| passes(value))
        };
        any("name", &|part| volume.name.contains(part))
            && any("driver", &|driver| volume.driver == driver)
            && any("dangling", &|value| boolean(value) == Some(!used))
            && self
                .values("label")
                .iter()
                .all(|label| has_label(volume, label))
            && !self
                .values("label!")
                .iter()
                .any(|label| has_label(volume, label))
    }
}

fn boolean(value: &str) -> Option<bool> {
    match value {
        "1" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}

/// `KEY` or `KEY=VALUE`.
fn has_label(volume: &Volume, wanted: &str) -> bool {
    let (key, value) = wanted
        .split_once('=')
        .map_or((wanted, None), |(k, v)| (k, Some(v)));
    let anonymous = (volume.anonymous && key == ANONYMOUS_LABEL).then_some("");
    let found = volume.labels.get(key).map(String::as_str).or(anonymous);
    found.is_some_and(|found| value.is_none_or(|value| value == found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(name: &str, label: Option<(&str, &str)>) -> Volume {
        Volume {
            name: name.to_owned(),
            anonymous: false,
            owner: None,
            with: None,
            driver: "local".to_owned(),
            labels: label
                .into_iter()
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .collect(),
            options: BTreeMap::new(),
        }
    }

    #[test]
    fn matching() {
        let store = volume("store", Some(("tier", "gold")));
        for (pairs, used, expected) in [
            (vec![], false, true),
            (vec![("name", "tor")], false, true),
            (vec![("name", "x")], false, false),
            (vec![("name", "x"), ("name", "st")], false, true),
            (vec![("label", "tier")], false, true),
            (vec![("label", "tier=gold")], false, true),
            (vec![("label", "tier=lead")], false, false),
            (vec![("label", "tier"), ("label", "other")], false, false),
            (vec![("driver", "local"), ("dangling", "true")], false, true),
            (vec![("dangling", "true")], true, false),
            (vec![("dangling", "0")], true, true),
        ] {
            let filters = Filters::parse(pairs.clone(), Command::List).unwrap();
            assert_eq!(filters.matches(&store, used), expected, "{pairs:?}");
        }
        let keep = Filters::parse([("label!", "tier")], Command::Prune).unwrap();
        assert!(!keep.matches(&store, false) && keep.matches(&volume("b", None), false));
    }

    #[test]
    fn refusals() {
        for (pair, command, expected) in [
            (("bogus", "x"), Command::List, "Invalid filter 'bogus'"),
            (
                ("dangling", "maybe"),
                Command::List,
                "Invalid filter 'dangling=[maybe]'",
            ),
            (("label!", "x"), Command::List, "Invalid filter 'label!'"),
            (
                ("dangling", "true"),
                Command::Prune,
                "Invalid filter 'dangling'",
            ),
        ] {
            let refusal = Filters::parse([pair], command).unwrap_err();
            assert_eq!(refusal, Refusal::new(Reason::Filter, expected));
        }
    }
}
