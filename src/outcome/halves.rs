//! The two halves of an outcome that are judged apart: what the disk looks like, and what persisted.

use std::ops::BitOr;

use serde::{Deserialize, Serialize};

use super::text::PERSISTENCE;

/// One thing for each half of an outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Halves<T> {
    /// For the steps' answers and everything that is there at the end: merged trees, volumes, the
    /// host directory, images.
    pub tree: T,
    /// For the ledger of what was written.
    pub persistence: T,
}

impl<T> Halves<T> {
    /// The same for both.
    pub fn both(value: T) -> Self
    where
        T: Clone,
    {
        Self {
            tree: value.clone(),
            persistence: value,
        }
    }

    /// Something else for each.
    pub fn map<U>(self, change: impl Fn(T) -> U) -> Halves<U> {
        Halves {
            tree: change(self.tree),
            persistence: change(self.persistence),
        }
    }
}

impl Halves<bool> {
    /// Whether it is so in either.
    pub fn any(self) -> bool {
        self.tree || self.persistence
    }
}

impl BitOr for Halves<bool> {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self {
            tree: self.tree || other.tree,
            persistence: self.persistence || other.persistence,
        }
    }
}

/// The text of an outcome in halves. All of a text that is no outcome's is the first.
pub fn halves(text: &str) -> Halves<&str> {
    // All content is quoted or indented, so that the last line of this kind is the heading.
    let heading = text
        .match_indices(PERSISTENCE)
        .map(|(at, _)| at)
        .filter(|at| {
            let starts = *at == 0 || text.as_bytes().get(at - 1) == Some(&b'\n');
            let end = text.as_bytes().get(at + PERSISTENCE.len());
            starts && matches!(end, None | Some(b'\n'))
        })
        .last();
    let (tree, persistence) = text.split_at(heading.unwrap_or(text.len()));
    Halves { tree, persistence }
}

/// In which halves two texts differ.
pub fn halves_that_differ(one: &str, other: &str) -> Halves<bool> {
    let (one, other) = (halves(one), halves(other));
    Halves {
        tree: one.tree != other.tree,
        persistence: one.persistence != other.persistence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "steps\n  1  run persistence\nvolume persistence\n  /  dir\npersistence\n  kept  step 1\nend";

    #[test]
    fn a_text_is_cut_at_its_ledger() {
        let cut = halves(TEXT);
        assert!(cut.tree.ends_with("  /  dir\n"), "{cut:?}");
        assert_eq!(cut.persistence, "persistence\n  kept  step 1\nend");
        assert_eq!(
            halves("steps\n  persistence\nend"),
            Halves {
                tree: "steps\n  persistence\nend",
                persistence: ""
            }
        );
    }

    #[test]
    fn halves_differ_apart() {
        for (from, to, tree, persistence) in [
            ("dir", "dir", false, false),
            ("dir", "file", true, false),
            ("kept", "lost", false, true),
            ("step", "stem", true, true),
        ] {
            let differ = halves_that_differ(TEXT, &TEXT.replace(from, to));
            assert_eq!(differ, Halves { tree, persistence }, "{from}");
        }
    }
}
