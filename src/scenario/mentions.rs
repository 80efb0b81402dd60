//! Names of things that steps make and use, in the order of the steps: what is used must have been
//! made before, unless the step expects to be refused.

use std::collections::BTreeSet;

use super::source::Spot;
use super::words::{did_you_mean, quote};
use crate::engine::Place;

/// A thing with a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    /// An image.
    Image(String),
    /// A container.
    Container(String),
    /// A named volume.
    Volume(String),
    /// An open file, which belongs to a place.
    Handle(Place, String),
}

impl Subject {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Image(name)
            | Self::Container(name)
            | Self::Volume(name)
            | Self::Handle(_, name) => name,
        }
    }

    /// Whether another one could be meant instead.
    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Handle(one, _), Self::Handle(two, _)) => one == two,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }

    fn is_image_too(&self, made: &BTreeSet<&Self>) -> bool {
        // `app` and `app:latest` are one name to Docker.
        let Self::Image(name) = self else {
            return false;
        };
        let other = match name.strip_suffix(":latest") {
            Some(short) => short.to_owned(),
            None => format!("{name}:latest"),
        };
        made.contains(&Self::Image(other))
    }

    fn unknown(&self) -> String {
        match self {
            Self::Image(name) => format!("unknown image {}", quote(name)),
            Self::Container(name) => {
                format!("no step before this one makes a container {}", quote(name))
            }
            Self::Volume(name) => {
                format!("nothing before this step makes a volume {}", quote(name))
            }
            Self::Handle(_, name) => format!("no step before this one opens {} here", quote(name)),
        }
    }
}

/// A thing that is used, at its place in the file, or made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mention {
    /// Which.
    pub(crate) subject: Subject,
    /// Where it is used; `None` when it is made.
    pub(crate) spot: Option<Spot>,
}

/// Up to which mention it is known what exists. A step that could not be understood may have made
/// anything, so that what is used after it cannot be said to be missing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    things: usize,
    handles: usize,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            things: usize::MAX,
            handles: usize::MAX,
        }
    }
}

impl Known {
    /// From this mention on nothing is known.
    pub(crate) fn end_at(&mut self, mention: usize) {
        self.things = self.things.min(mention);
        self.end_handles_at(mention);
    }

    /// From this mention on it is not known what is open.
    pub(crate) fn end_handles_at(&mut self, mention: usize) {
        self.handles = self.handles.min(mention);
    }

    /// The mentions after this one are taken away or brought into another order.
    pub(crate) fn move_to(&mut self, mention: usize) {
        for end in [&mut self.things, &mut self.handles] {
            if *end != usize::MAX {
                *end = (*end).min(mention);
            }
        }
    }

    fn covers(self, mention: usize, subject: &Subject) -> bool {
        let end = match subject {
            Subject::Handle(..) => self.handles,
            Subject::Image(_) | Subject::Container(_) | Subject::Volume(_) => self.things,
        };
        mention < end
    }
}

/// Every use of something that was not made before, as far as that is known: where, what is wrong,
/// what may help. The first `helped` get a name that may have been meant.
pub(crate) fn unresolved(
    mentions: &[Mention],
    known: Known,
    helped: usize,
) -> Vec<(Spot, String, Option<String>)> {
    let all: BTreeSet<&Subject> = mentions
        .iter()
        .filter(|m| m.spot.is_none())
        .map(|m| &m.subject)
        .collect();
    let mut made = BTreeSet::new();
    let mut faults = Vec::new();
    for (index, Mention { subject, spot }) in mentions.iter().enumerate() {
        let Some(spot) = spot else {
            made.insert(subject);
            continue;
        };
        if made.contains(subject) || subject.is_image_too(&made) || !known.covers(index, subject) {
            continue;
        }
        let help = if faults.len() >= helped {
            None
        } else if all.contains(subject) {
            Some("a later step makes it".to_owned())
        } else {
            let alike = all
                .iter()
                .filter(|other| other.is_like(subject))
                .map(|other| other.name());
            did_you_mean(subject.name(), alike)
        };
        faults.push((*spot, subject.unknown(), help));
    }
    faults
}
