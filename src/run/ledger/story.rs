//! The steps, read from first to last into lines.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::{Answer, Operation, Place as At, Storage, Value};
use crate::outcome::{place_words, word};
use crate::scenario::{Action, Step};

use super::super::execute::Performed;
use super::expected::Expected;
use super::line::{Line, Place, Wrote};
use super::{files, objects};

/// What the steps tell.
#[derive(Default)]
pub(super) struct Story {
    /// Every line, in order of the writing steps.
    pub(super) lines: Vec<Line>,
    /// What is known of the files, by [`Wrote::File`].
    pub(super) files: Vec<Expected>,
}

/// The story while it is being read.
#[derive(Default)]
pub(super) struct Reader<'a> {
    /// The line of each place.
    pub(super) open: BTreeMap<Place, Line>,
    /// Lines whose storage has gone since; another of the same name may come.
    pub(super) closed: Vec<Line>,
    /// What is known of the files.
    pub(super) files: Vec<Expected>,
    /// Paths of held handles as they were opened.
    pub(super) handles: BTreeMap<(&'a At, &'a str), &'a str>,
    /// Containers: whether they go away when they stop.
    pub(super) containers: BTreeMap<&'a str, bool>,
    /// Containers, and whose anonymous volumes each of them mounts: its own and those it borrowed.
    pub(super) mounted: BTreeMap<&'a str, BTreeSet<&'a str>>,
    /// Those of them that run.
    pub(super) running: BTreeSet<&'a str>,
    /// Number of the `concurrently` that encloses the step.
    block: Option<&'a str>,
    step: &'a str,
    written: usize,
}

/// Reads all steps.
pub(super) fn read(performed: &[Performed<'_>]) -> Story {
    let mut reader = Reader::default();
    for Performed { step, outcome } in performed {
        reader.enter(step);
        if let Action::Operation(operation) = &step.action
            && let Some(answer) = &outcome.answer
        {
            reader.perform(operation, answer);
        }
    }
    let mut lines = reader.closed;
    lines.extend(reader.open.into_values());
    lines.sort_by_key(|line| line.order);
    supersede(&mut lines);
    Story {
        lines,
        files: reader.files,
    }
}

/// Of several lines of one place, looking shows only the last.
fn supersede(lines: &mut [Line]) {
    let mut later: BTreeSet<Place> = BTreeSet::new();
    for line in lines.iter_mut().rev() {
        line.superseded = !later.insert(line.place.clone());
    }
}

impl<'a> Reader<'a> {
    fn enter(&mut self, step: &'a Step) {
        self.step = &step.number;
        if !self.block.is_some_and(|block| inside(&step.number, block)) {
            let opens = matches!(step.action, Action::Concurrently(_));
            self.block = opens.then_some(step.number.as_str());
        }
    }

    fn perform(&mut self, operation: &'a Operation, answer: &Answer) {
        let Answer::Done(value) = answer else { return };
        match (operation, value) {
            (
                Operation::Files {
                    place, requests, ..
                },
                Value::Files(answers),
            ) => {
                for (request, answer) in requests.iter().zip(answers) {
                    files::perform(self, place, &request.action, answer);
                }
            }
            _ => objects::perform(self, operation, value),
        }
    }

    /// Number of the step that is being read.
    pub(super) fn step(&self) -> &'a str {
        self.step
    }

    /// The line of a thing that this step writes, in place of the one that was there. The file
    /// keeps what was known of it, as an overwritten file keeps its inode; `change` says what is
    /// known now.
    pub(super) fn write(
        &mut self,
        place: &Place,
        what: String,
        change: impl FnOnce(&mut Expected),
    ) {
        let before = self.open.get(place).filter(|line| line.taken.is_none());
        // Which branch of a `concurrently` comes last is not known.
        let raced = before.is_some_and(|line| self.block.is_some_and(|b| inside(&line.step, b)));
        let index = match before.map(|line| line.wrote) {
            Some(Wrote::File(index)) => index,
            _ => self.new_file(Expected::default()),
        };
        if let Some(file) = self.files.get_mut(index) {
            change(file);
            if raced {
                *file = Expected {
                    kind: file.kind,
                    ..Expected::default()
                };
            }
        }
        self.put(place, what, Wrote::File(index));
    }

    /// Another file.
    pub(super) fn new_file(&mut self, expected: Expected) -> usize {
        self.files.push(expected);
        self.files.len() - 1
    }

    /// A new line in place of the one that was there.
    pub(super) fn put(&mut self, place: &Place, what: String, wrote: Wrote) {
        self.written += 1;
        let line = Line {
            order: self.written,
            step: self.step.to_owned(),
            what,
            place: place.clone(),
            moved: false,
            wrote,
            taken: None,
            suspect: None,
            committed: Vec::new(),
            superseded: false,
        };
        self.open.insert(place.clone(), line);
    }

    /// Takes out the lines of a path and of everything below it.
    pub(super) fn take_tree(&mut self, (storage, top): &Place) -> Vec<Line> {
        let below = format!("{}/", top.trim_end_matches('/'));
        let places: Vec<Place> = self
            .open
            .keys()
            .filter(|(other, path)| other == storage && (path == top || path.starts_with(&below)))
            .cloned()
            .collect();
        places
            .iter()
            .filter_map(|place| self.open.remove(place))
            .collect()
    }

    /// A storage has gone: its lines are taken by this step, and what is written under its name
    /// from now on is something else.
    pub(super) fn close(&mut self, is_it: impl Fn(&Storage) -> bool, taken: &str) {
        let places: Vec<Place> = self
            .open
            .keys()
            .filter(|(storage, _)| is_it(storage))
            .cloned()
            .collect();
        for mut line in places.iter().filter_map(|place| self.open.remove(place)) {
            line.taken.get_or_insert_with(|| taken.to_owned());
            self.closed.push(line);
        }
    }

    /// A step that may have taken anything.
    pub(super) fn suspect(&mut self, words: &str) {
        for line in self.open.values_mut() {
            line.suspect.get_or_insert_with(|| words.to_owned());
        }
    }
}

/// A path as the one who acts in a place names it.
pub(super) fn named(place: &At, path: &str) -> String {
    format!("{}:{}", place_words(place), word(path))
}

/// Whether a step is part of another: `4.2` of `4`.
fn inside(number: &str, block: &str) -> bool {
    number
        .strip_prefix(block)
        .is_some_and(|rest| rest.starts_with('.'))
}
