//! Loading scenario files: bytes → text → nodes → cases → scenarios, or faults.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::OFlags;

use super::cases::{self, Case};
use super::decoder::Decoder;
use super::document::{self, Body};
use super::fault::{Fault, Faults, located};
use super::fixtures::Fixtures;
use super::source::{self, Document, Value};
use super::{FoundFile, RuleBook, Scenario, SourceFile, shape};

/// Longest id of a test, in bytes: it becomes the name of a snapshot file, which may have 255.
const ID_MAX: usize = 200;

/// Room for most scenarios, in bytes, so that they are read in one go.
const USUAL_SIZE: usize = 8 << 10;

/// Loads files: every case of every file, in the order of the files, or every fault of every file.
/// With a rule book, `covers:` may only name its rules.
///
/// # Errors
/// Everything that is wrong with any of the files.
pub fn load(files: &[FoundFile], rules: Option<&RuleBook>) -> Result<Vec<Scenario>, Faults> {
    let mut scenarios = Vec::new();
    let mut faults = Vec::new();
    for found in files {
        match read(&found.path).and_then(|text| parse(found, text, rules)) {
            Ok(cases) => scenarios.extend(cases),
            Err(wrong) => faults.extend(wrong),
        }
    }
    faults.extend(same_ids(&scenarios));
    if faults.is_empty() {
        Ok(scenarios)
    } else {
        Err(Faults::new(faults))
    }
}

/// Loads the text of one file: every case, or every fault.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load_text(found: &FoundFile, text: String) -> Result<Vec<Scenario>, Faults> {
    parse(found, text, None).map_err(Faults::new)
}

/// Opens a regular file to read it, and nothing else: a pipe would keep its reader waiting.
///
/// # Errors
/// As `open(2)`; that it is no regular file.
fn open_regular(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("it is no regular file"))
    }
}

/// What is in a regular file, up to so many bytes.
///
/// # Errors
/// As [`open_regular`] and `read(2)`.
pub(crate) fn read_regular(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(USUAL_SIZE);
    // A reader with a limit does not ask for the size first: most files are read in one go.
    open_regular(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a file as text, at most as long as a scenario may be.
pub(crate) fn read(path: &Path) -> Result<String, Vec<Fault>> {
    let bytes = read_regular(path, source::SIZE_MAX as u64 + 1)
        .map_err(|error| vec![Fault::of_file(path, format!("cannot be read: {error}"))])?;
    let excerpt = bytes.clone();
    source::decode(bytes).map_err(|unreadable| {
        vec![Fault::unreadable(
            path,
            &String::from_utf8_lossy(&excerpt),
            unreadable,
        )]
    })
}

/// Parses the text of one file: every case, or every fault.
pub(crate) fn parse(
    found: &FoundFile,
    text: String,
    rules: Option<&RuleBook>,
) -> Result<Vec<Scenario>, Vec<Fault>> {
    let document = source::parse(&text)
        .map_err(|unreadable| vec![Fault::unreadable(&found.path, &text, unreadable)])?;
    if document.root.value == Value::Null {
        return Err(vec![Fault::of_file(
            &found.path,
            "the file is empty".to_owned(),
        )]);
    }
    let mut fixtures = Fixtures::beside(&found.path);
    let mut decoder = Decoder::new(&document.origin, &mut fixtures);
    let bodies = bodies(&document, &text, rules, &mut decoder);
    check_ids(found, &document, &bodies, &mut decoder);
    let problems = decoder.into_problems();
    if !problems.is_empty() {
        return Err(located(&found.path, &text, &document.origin, &problems));
    }
    let file = Arc::new(SourceFile {
        path: found.path.clone(),
        text,
    });
    Ok(bodies
        .into_iter()
        .map(|(case, body)| scenario(&file, &found.stem, case, body))
        .collect())
}

fn bodies(
    document: &Document,
    text: &str,
    rules: Option<&RuleBook>,
    decoder: &mut Decoder<'_>,
) -> Vec<(Case, Body)> {
    let root = &document.root;
    shape::check(root, decoder);
    let cases = cases::cases(root, text.len(), decoder);
    cases::check_used(root, decoder);
    let mut bodies = Vec::new();
    for case in cases {
        decoder.begin_case();
        let filled = cases::fill_in(root, &case, decoder);
        if !case.is_empty() {
            // Parameters may make two keys one.
            shape::check(&filled, decoder);
        }
        if let Some(body) = document::body(&filled, &case, rules, decoder) {
            bodies.push((case, body));
        }
    }
    bodies
}

fn scenario(file: &Arc<SourceFile>, stem: &str, case: Case, body: Body) -> Scenario {
    Scenario {
        file: Arc::clone(file),
        stem: stem.to_owned(),
        case,
        title: body.title,
        about: body.about,
        covers: body.covers,
        requires: body.requires,
        differs: body.differs,
        images: body.images,
        host: body.host,
        volumes: body.volumes,
        steps: body.steps,
    }
}

/// Ids name tests and snapshot files, so that they must differ in more than case.
fn check_ids(
    found: &FoundFile,
    document: &Document,
    bodies: &[(Case, Body)],
    decoder: &mut Decoder<'_>,
) {
    let spot = cases::spot(&document.root);
    let mut seen = BTreeMap::new();
    for (case, _) in bodies {
        let id = super::model::id(&found.stem, case);
        if id.len() > ID_MAX {
            let message = format!(
                "a test's id is at most {ID_MAX} bytes long, this one has {}",
                id.len()
            );
            decoder.fault_help(
                spot,
                message,
                "shorten the values of the parameters".to_owned(),
            );
        }
        if let Some(other) = seen.insert(id.to_lowercase(), id.clone()) {
            let message = if other == id {
                format!("two cases have the id `{id}`")
            } else {
                format!("the ids `{other}` and `{id}` differ in case only")
            };
            decoder.fault(spot, message);
        }
    }
}

/// Faults of files whose tests have the same ids.
fn same_ids(scenarios: &[Scenario]) -> Vec<Fault> {
    let mut stems: BTreeMap<String, &Path> = BTreeMap::new();
    let mut faults = Vec::new();
    let mut last: Option<&Path> = None;
    for scenario in scenarios {
        let path = scenario.file.path.as_path();
        if last == Some(path) {
            continue;
        }
        last = Some(path);
        if let Some(other) = stems.insert(scenario.stem.to_lowercase(), path) {
            let message = format!(
                "its tests have the same ids as those of {}",
                other.display()
            );
            faults.push(Fault::of_file(path, message));
        }
    }
    faults
}
