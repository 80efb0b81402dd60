//! One line against the final world.

use crate::engine::{Seen, Storage};
use crate::outcome::{Fate, storage_words, word};

use super::expected::Expected;
use super::line::{Line, Wrote};
use super::look::Sight;

/// What is said of a loss that the steps do not explain.
const UNEXPLAINED: &str = "no step explains it";

/// What became of a line.
pub(super) fn fate(line: &Line, files: &[Expected], sight: &Sight<'_>) -> Fate {
    if line.superseded {
        return Fate::Lost { cause: cause(line) };
    }
    match line.wrote {
        Wrote::File(index) => file_fate(line, files.get(index), sight),
        Wrote::Gone => gone_fate(line, sight),
    }
}

fn file_fate(line: &Line, expected: Option<&Expected>, sight: &Sight<'_>) -> Fate {
    let (storage, inner) = &line.place;
    let difference = |seen: &Seen| expected.and_then(|expected| expected.difference(seen));
    if let Some(seen) = sight.at(storage, inner) {
        return match difference(seen) {
            None => Fate::Kept {
                place: format!("in {}{}", storage_words(storage), moved_to(line)),
                seen_by: sight.seen_by(storage, inner),
            },
            Some(how) => Fate::Lost {
                cause: format!("{how}: {}", cause(line)),
            },
        };
    }
    for (step, image) in &line.committed {
        let mut copies = sight.in_image(image, inner);
        copies.retain(|(_, seen)| difference(seen).is_none());
        if let Some((_, seen)) = copies.first() {
            let seen_by = copies
                .iter()
                .map(|(c, seen)| (c.name.clone(), seen.path.clone()));
            return Fate::Kept {
                place: format!(
                    "in {}, committed at step {step}",
                    storage_words(&seen.storage)
                ),
                seen_by: seen_by.collect(),
            };
        }
    }
    let copies: Vec<String> = line
        .committed
        .iter()
        .map(|(step, image)| {
            format!(
                "; committed at step {step} to image {}, which no container shows",
                word(image)
            )
        })
        .collect();
    Fate::Lost {
        cause: format!("{}{}", cause(line), copies.concat()),
    }
}

/// A deletion is kept as long as its storage is there and nothing is at its place.
fn gone_fate(line: &Line, sight: &Sight<'_>) -> Fate {
    let (storage, inner) = &line.place;
    let back = match storage {
        Storage::Writable { container } => match sight.container(container) {
            None => return committed_gone_fate(line, sight),
            Some((_, tree)) => tree.iter().find(|seen| lies_at(seen, inner)),
        },
        _ if line.taken.is_some() => return Fate::Lost { cause: cause(line) },
        _ => sight.at(storage, inner),
    };
    match back {
        None => Fate::Kept {
            place: "stays deleted".to_owned(),
            seen_by: Vec::new(),
        },
        Some(seen) => Fate::Lost {
            cause: format!(
                "it is back, from {}: {}",
                storage_words(&seen.storage),
                cause(line)
            ),
        },
    }
}

/// The container has gone, but an image may have the deletion too: then its containers lack the
/// path.
fn committed_gone_fate(line: &Line, sight: &Sight<'_>) -> Fate {
    for (step, image) in &line.committed {
        let mut trees = sight.of_image(image).peekable();
        let shown = trees.peek().is_some();
        if shown && !trees.any(|tree| tree.iter().any(|seen| lies_at(seen, &line.place.1))) {
            let place = format!(
                "stays deleted in image {}, committed at step {step}",
                word(image)
            );
            return Fate::Kept {
                place,
                seen_by: Vec::new(),
            };
        }
    }
    Fate::Lost { cause: cause(line) }
}

/// Whether an entry of a container's tree is at this path of its root file system, not of a mount.
fn lies_at(seen: &Seen, path: &str) -> bool {
    let of_root = matches!(
        seen.storage,
        Storage::Layer { .. } | Storage::Writable { .. }
    );
    of_root && seen.path == path
}

fn moved_to(line: &Line) -> String {
    if line.moved {
        format!(" at {}", line.place.1)
    } else {
        String::new()
    }
}

fn cause(line: &Line) -> String {
    let known = line.taken.as_ref().or(line.suspect.as_ref());
    known.cloned().unwrap_or_else(|| UNEXPLAINED.to_owned())
}
