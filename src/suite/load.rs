//! Loading a suite.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::Root;
use super::root::short;
use crate::scenario::{Fault, Faults, FoundFile, RuleBook, Scenario, find, load};
use crate::snapshot::Leftover;

/// Which rules `covers:` may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Covers {
    /// Those of the rule book.
    Known,
    /// Any.
    Any,
}

/// One case with what belongs to it.
#[derive(Clone, Debug)]
pub struct Case {
    /// What is run.
    pub scenario: Arc<Scenario>,
    /// Index of its root in the suite.
    root: usize,
}

/// Every case of some paths.
#[derive(Clone, Debug, Default)]
pub struct Suite {
    /// Cases, in the order of their files and, in a file, of its `cases:`.
    pub cases: Vec<Case>,
    /// The scenario folders.
    pub roots: Vec<Root>,
    /// The folders of their snapshots, as people like to read them.
    snapshots: Vec<PathBuf>,
    /// Their rule books, read when they are first needed.
    books: Vec<OnceLock<Option<RuleBook>>>,
    /// The files that were loaded.
    pub files: Vec<FoundFile>,
}

impl Suite {
    /// Finds and loads scenario files, folders and globs. `covers:` may only name rules of the folder's
    /// rule book, when it has one and `covers` says so.
    ///
    /// # Errors
    /// Everything that is wrong with any file, rule books among them.
    pub fn load(
        paths: &[PathBuf],
        snapshots: Option<&Path>,
        covers: Covers,
    ) -> Result<Self, Faults> {
        let mut groups: BTreeMap<Root, Vec<FoundFile>> = BTreeMap::new();
        let files = find(paths)?;
        for file in &files {
            let root = Root::of(file, snapshots)
                .map_err(|error| whole_file(&file.path, &error.to_string()))?;
            groups.entry(root).or_default().push(file.clone());
        }
        let mut suite = Self {
            files,
            ..Self::default()
        };
        let mut faults = Vec::new();
        for (root, files) in groups {
            let book = OnceLock::new();
            if covers == Covers::Known {
                let rules = root.rules().unwrap_or_else(|wrong| {
                    faults.extend(wrong.0);
                    None
                });
                drop(book.set(rules));
            }
            let index = suite.roots.len();
            match load(&files, book.get().and_then(Option::as_ref)) {
                Ok(cases) => suite.cases.extend(cases.into_iter().map(|scenario| Case {
                    scenario: Arc::new(scenario),
                    root: index,
                })),
                Err(wrong) => faults.extend(wrong.0),
            }
            suite.snapshots.push(short(&root.snapshots));
            suite.roots.push(root);
            suite.books.push(book);
        }
        if faults.is_empty() {
            Ok(suite)
        } else {
            Err(Faults(faults))
        }
    }

    /// The folder of a case's snapshots, as people like to read it.
    pub fn snapshots(&self, case: &Case) -> PathBuf {
        self.snapshots.get(case.root).cloned().unwrap_or_default()
    }

    /// Snapshots to which no case belongs, and the like, in those scenario folders that `paths` name as a
    /// whole: of a folder that was loaded in part one cannot know.
    ///
    /// # Errors
    /// When a snapshot folder cannot be read.
    pub fn leftovers(&self, paths: &[PathBuf]) -> io::Result<Vec<Leftover>> {
        let mut found = Vec::new();
        for (index, root) in self.roots.iter().enumerate() {
            if !paths.iter().any(|path| root.is(path)) {
                continue;
            }
            let cases = self.cases.iter().filter(|case| case.root == index);
            let cases: Vec<Scenario> = cases.map(|case| Scenario::clone(&case.scenario)).collect();
            found.extend(root.leftovers(&cases)?);
        }
        Ok(found)
    }

    /// The rules that a case covers, id and statement, as far as the rule book knows them.
    pub fn rules<'a>(&'a self, case: &'a Case) -> Vec<(&'a str, &'a str)> {
        let (Some(root), Some(book)) = (self.roots.get(case.root), self.books.get(case.root))
        else {
            return Vec::new();
        };
        // A book that is at fault is for `check` to tell.
        let Some(book) = book.get_or_init(|| root.rules().ok().flatten()) else {
            return Vec::new();
        };
        let known = |id: &'a String| {
            book.rules
                .get(id)
                .map(|rule| (id.as_str(), rule.statement.as_str()))
        };
        case.scenario.covers.iter().filter_map(known).collect()
    }
}

/// A fault that concerns a file as a whole.
fn whole_file(file: &Path, message: &str) -> Faults {
    Faults(vec![Fault {
        file: file.to_path_buf(),
        at: None,
        line: None,
        message: message.to_owned(),
        help: None,
    }])
}
