//! What every decoder needs: a place for faults, and the way from a node to its position.

use std::collections::BTreeSet;

use super::At;
use super::fixtures::Fixtures;
use super::mentions::{self, Known, Mention, Subject};
use super::source::{Node, Origin, Spot};
use super::words;

/// More faults than these are counted, not kept.
const KEPT_MAX: usize = 1000;

/// More faults than these get no help with a name.
const HELPED_MAX: usize = 100;

/// Something wrong, by its place in the tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    /// Where.
    pub(crate) spot: Spot,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) help: Option<String>,
    /// The place of the first of two, when the fault is that there are two.
    pub(crate) first: Option<Spot>,
}

/// Collects what is wrong with a document while it is decoded.
///
/// Decoders do not stop at a fault: they note it and return what is most like what was meant, so
/// that one reading finds every fault. What they return counts only when there are none.
#[derive(Debug)]
pub(crate) struct Decoder<'a> {
    problems: BTreeSet<Problem>,
    origin: &'a Origin,
    /// Files that content may come from.
    pub(crate) fixtures: &'a mut Fixtures,
    mentions: Vec<Mention>,
    /// How far it is known what exists.
    known: Known,
}

impl<'a> Decoder<'a> {
    /// A decoder for one document.
    pub(crate) fn new(origin: &'a Origin, fixtures: &'a mut Fixtures) -> Self {
        Self {
            problems: BTreeSet::new(),
            origin,
            fixtures,
            mentions: Vec::new(),
            known: Known::default(),
        }
    }

    /// Notes a fault.
    pub(crate) fn fault(&mut self, spot: Spot, message: impl Into<String>) {
        self.note(Problem {
            spot,
            message: message.into(),
            help: None,
            first: None,
        });
    }

    /// Notes a fault, with what to do about it.
    pub(crate) fn fault_help(
        &mut self,
        spot: Spot,
        message: impl Into<String>,
        help: impl Into<Option<String>>,
    ) {
        self.note(Problem {
            spot,
            message: message.into(),
            help: help.into(),
            first: None,
        });
    }

    /// The help for an unknown name. Looking for what was meant takes time, so that only the first
    /// faults of a file get it.
    pub(crate) fn meant<'c>(
        &self,
        written: &str,
        candidates: impl IntoIterator<Item = &'c str> + Clone,
    ) -> Option<String> {
        (self.problems.len() < HELPED_MAX).then(|| words::did_you_mean(written, candidates))?
    }

    /// Notes that something is there twice.
    pub(crate) fn fault_twice(&mut self, spot: Spot, first: Spot, message: impl Into<String>) {
        self.note(Problem {
            spot,
            message: message.into(),
            help: None,
            first: Some(first),
        });
    }

    /// Notes that a node is not what it should be.
    pub(crate) fn unexpected(&mut self, node: &Node, expected: &str) {
        self.fault(
            node.spot(),
            format!("expected {expected}, found {}", node.describe()),
        );
    }

    /// The same fault at the same place, seen in several cases, is one fault.
    fn note(&mut self, problem: Problem) {
        if self.problems.len() < KEPT_MAX {
            self.problems.insert(problem);
        }
    }

    /// Another case of the same document begins, in which nothing exists yet.
    pub(crate) fn begin_case(&mut self) {
        self.mentions.clear();
        self.known = Known::default();
    }

    /// Something that must exist is named.
    pub(crate) fn uses(&mut self, spot: Spot, subject: Subject) {
        if !subject.name().is_empty() {
            self.mentions.push(Mention {
                subject,
                spot: Some(spot),
            });
        }
    }

    /// From here on something exists.
    pub(crate) fn makes(&mut self, subject: Subject) {
        if subject.name().is_empty() {
            // Its name was not understood: any handle that is used later may be it.
            if matches!(subject, Subject::Handle(..)) {
                self.lose_track_of_handles();
            }
            return;
        }
        self.mentions.push(Mention {
            subject,
            spot: None,
        });
    }

    /// The present end of the mentions.
    pub(crate) fn mark(&self) -> usize {
        self.mentions.len()
    }

    /// A step was not understood: from here on it is not known what exists.
    pub(crate) fn lose_track(&mut self) {
        self.known.end_at(self.mentions.len());
    }

    /// A step that does something to files was not understood: from here on it is not known what is open.
    pub(crate) fn lose_track_of_handles(&mut self) {
        self.known.end_handles_at(self.mentions.len());
    }

    /// What was mentioned since a mark does not count: the step is left out.
    pub(crate) fn forget_all_since(&mut self, mark: usize) {
        self.known.move_to(mark);
        self.mentions.truncate(mark);
    }

    /// What was named since a mark need not exist: the step expects to be refused.
    pub(crate) fn forget_uses_since(&mut self, mark: usize) {
        self.known.move_to(mark);
        let made: Vec<Mention> = self
            .mentions
            .drain(mark..)
            .filter(|m| m.spot.is_none())
            .collect();
        self.mentions.extend(made);
    }

    /// What was made since a mark may exist before anything that was named since: the steps run side
    /// by side.
    pub(crate) fn makes_first_since(&mut self, mark: usize) {
        self.known.move_to(mark);
        if let Some(recent) = self.mentions.get_mut(mark..) {
            recent.sort_by_key(|mention| mention.spot.is_some());
        }
    }

    /// Notes every name that cannot exist where it is used.
    pub(crate) fn resolve(&mut self) {
        for (spot, message, help) in mentions::unresolved(&self.mentions, self.known, HELPED_MAX) {
            self.fault_help(spot, message, help);
        }
    }

    /// Where a node hangs.
    pub(crate) fn at(&self, node: &Node) -> At {
        self.origin.at(node.id)
    }

    /// Everything that was noted.
    pub(crate) fn into_problems(self) -> BTreeSet<Problem> {
        self.problems
    }
}
