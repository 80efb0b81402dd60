//! A scenario as it is meant: checked, with every name resolved and every case expanded.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use crate::engine::{Capability, Code, ImageSpec, Operation, Time, Tree, VolumeSpec};

/// One case of one scenario file: what a test runs.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Where it was written.
    pub file: Arc<SourceFile>,
    /// Path below the scenario folder without its ending: `volumes/reattach`.
    pub stem: String,
    /// Parameters of the case, in the order of `cases:`; empty when the file has none.
    pub case: Vec<(String, String)>,
    /// One line.
    pub title: String,
    /// Prose.
    pub about: Option<String>,
    /// Ids of the rules it proves.
    pub covers: Vec<String>,
    /// What an engine must be able to show.
    pub requires: Vec<Capability>,
    /// Engine name → why its outcome may differ.
    pub differs: BTreeMap<String, Difference>,
    /// Images, each after the one that it builds on.
    pub images: Vec<ImageSpec>,
    /// The host directory at the start.
    pub host: Tree,
    /// Volumes that exist at the start, with their content.
    pub volumes: Vec<(VolumeSpec, Tree)>,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

impl Scenario {
    /// The test's id: `volumes/readonly[access=ro]`. In values, what does not go well with file names
    /// and test filters is `_`.
    pub fn id(&self) -> String {
        id(&self.stem, &self.case)
    }
}

/// Why the outcome of an engine may differ from the common one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The reason, for readers.
    pub why: String,
    /// Where it is reported, when it is a bug of that engine and not its right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bug: Option<String>,
}

impl Difference {
    /// A difference that is the engine's right.
    pub fn accepted(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            bug: None,
        }
    }
}

/// The id of a case of the file with this stem.
pub(super) fn id(stem: &str, case: &[(String, String)]) -> String {
    if case.is_empty() {
        return stem.to_owned();
    }
    let sane = |c: char| {
        if c.is_ascii_alphanumeric() || "._+:@~-".contains(c) {
            c
        } else {
            '_'
        }
    };
    let parameters: Vec<String> = case
        .iter()
        .map(|(key, value)| format!("{key}={}", value.chars().map(sane).collect::<String>()))
        .collect();
    format!("{stem}[{}]", parameters.join(","))
}

/// A scenario file as text, for messages.
#[derive(Debug)]
pub struct SourceFile {
    /// As it was named or found.
    pub path: PathBuf,
    /// Its whole text.
    pub text: String,
}

/// A node of a scenario file: the index of an entry at each level from the top, keys and list items
/// alike. Turned into a [`Span`] only when a message needs it, since that parses the file again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct At(pub Vec<usize>);

/// A place in a scenario file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Span {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// `4`, or `4.2` inside a `do:` or a `concurrently:`.
    pub number: String,
    /// Where it was written.
    pub at: At,
    /// Why it is there, for the reader.
    pub note: Option<String>,
    /// When it is performed at all.
    pub when: Option<When>,
    /// What is done.
    pub action: Action,
    /// What is expected of it.
    pub expect: Option<Expect>,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Action {
    /// One operation. File steps are [`Operation::Files`] with one request each, or several when the
    /// step's tree has several entries.
    Operation(Operation),
    /// Branches that run side by side, each a sequence of steps.
    Concurrently(Vec<Vec<Step>>),
}

/// A condition that is known only when the engine is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct When {
    /// Only on these engines; empty is all.
    pub engines: Vec<String>,
    /// Not on these engines.
    pub not_engines: Vec<String>,
    /// Only with these capabilities.
    pub requires: Vec<Capability>,
}

/// What is expected of a step.
#[derive(Clone, Debug)]
pub struct Expect {
    /// Where it was written.
    pub at: At,
    /// The refusal: any of these codes. Empty: the step succeeds.
    pub error: Vec<Code>,
    /// What its value must be, each checked for itself.
    pub checks: Vec<Check>,
}

/// One expectation of a value.
#[derive(Clone, Debug)]
pub struct Check {
    /// Where it was written.
    pub at: At,
    /// What.
    pub kind: CheckKind,
}

/// What is expected of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckKind {
    /// `text`, `base64`: exactly these bytes (read, getxattr); of a text answer (readlink), this text.
    Bytes(Vec<u8>),
    /// `sha256`: of the bytes.
    Sha256(String),
    /// `size`: of the bytes, or of `stat`.
    Size(u64),
    /// `names`: exactly these, in any order (list, listxattr).
    Names(Vec<String>),
    /// `includes`: these among them.
    Includes(Vec<String>),
    /// `excludes`: none of these.
    Excludes(Vec<String>),
    /// `type`: `file`, `directory`, `symlink`, `fifo`, `socket`, `char`, `block`.
    Type(String),
    /// `mode`
    Mode(u32),
    /// `owner`: user, group.
    Owner(u32, u32),
    /// `links`
    Links(u64),
    /// `device`: major, minor.
    Device(u32, u32),
    /// `mtime`
    Mtime(Time),
    /// `atime`
    Atime(Time),
    /// `blocks`: at most so many units of 512 bytes.
    BlocksMax(u64),
    /// `number`: an offset.
    Number(u64),
    /// `same file as`: the path of another name, in the same place, of the same inode.
    SameFileAs(String),
    /// `changes`: exactly these lines of `diff`: letter and path.
    Changes(Vec<(char, String)>),
    /// `state`: of a container.
    State(String),
    /// `exit_code`: of a container.
    ExitCode(i32),
    /// `mounts`: exactly these targets of a container.
    Mounts(Vec<String>),
    /// `volumes`: exactly these (volume ls, prune), as they display.
    Volumes(Vec<String>),
    /// `labels`: of a volume, exactly.
    Labels(BTreeMap<String, String>),
    /// `used_by`: of a volume, exactly.
    UsedBy(Vec<String>),
}
