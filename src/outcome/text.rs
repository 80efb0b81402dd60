//! The outcome as the text that a snapshot holds.
//!
//! It begins with a fixed heading and ends with a fixed line, and all content is quoted, because
//! insta's comparison forgives blanks and newlines at either end. [`super::compare`] reads it back.

use crate::engine::{ContainerSeen, Seen, VolumeSeen};

use super::place::volume_words;
use super::quote::{add, word};
use super::table::{Table, push_line};
use super::tree_text::tree_rows;
use super::value::{answer_words, list, state_name};
use super::{Fate, LedgerLine, Outcome, StepOutcome};

/// First line of every text.
pub(super) const FIRST: &str = "steps";
/// What stands for the answer of a step with a `when:`.
pub(super) const CONDITIONAL: &str = "conditional";
/// Heading of the last section.
pub(super) const PERSISTENCE: &str = "persistence";
/// Last line of every text.
pub(super) const LAST: &str = "end";

/// The outcome as the snapshot holds it: the same on every engine that agrees.
pub fn text(outcome: &Outcome) -> String {
    let mut text = String::with_capacity(1024);
    push_line(&mut text, FIRST);
    steps(&mut text, &outcome.steps);
    for (container, tree) in &outcome.containers {
        merged_tree(&mut text, container, tree);
    }
    for (volume, tree) in &outcome.volumes {
        volume_tree(&mut text, volume, tree);
    }
    if outcome.host.iter().any(|seen| seen.path != "/") {
        push_line(&mut text, "host");
        tree_rows(&outcome.host, None).write(&mut text);
    }
    if !outcome.images.is_empty() {
        push_line(&mut text, "images");
        let names: Vec<String> = outcome.images.iter().map(|name| word(name)).collect();
        push_line(&mut text, &format!("  {}", names.join(", ")));
    }
    push_line(&mut text, PERSISTENCE);
    persistence(&mut text, &outcome.persistence);
    text.push_str(LAST);
    text
}

fn steps(text: &mut String, steps: &[StepOutcome]) {
    let mut table = Table::new(&[6, 56]);
    for step in steps {
        let status = if step.conditional {
            CONDITIONAL.to_owned()
        } else {
            step.answer
                .as_ref()
                .map_or_else(|| "not performed".to_owned(), answer_words)
        };
        table.row([step.number.clone(), step.words.clone(), status]);
    }
    table.write(text);
}

fn merged_tree(text: &mut String, container: &ContainerSeen, tree: &[Seen]) {
    let state = state_name(container.state);
    push_line(
        text,
        &format!("merged tree of {} ({state})", word(&container.name)),
    );
    tree_rows(tree, Some(&container.mounts)).write(text);
}

fn volume_tree(text: &mut String, volume: &VolumeSeen, tree: &[Seen]) {
    let mut heading = volume_words(&volume.volume);
    if volume.driver != "local" {
        add(
            &mut heading,
            format_args!(", driver {}", word(&volume.driver)),
        );
    }
    for (title, map) in [("options", &volume.options), ("labels", &volume.labels)] {
        if !map.is_empty() {
            let pairs = list(
                map.iter()
                    .map(|(key, value)| word(&format!("{key}={value}"))),
            );
            add(&mut heading, format_args!(", {title} {pairs}"));
        }
    }
    push_line(text, &heading);
    tree_rows(tree, None).write(text);
}

fn persistence(text: &mut String, lines: &[LedgerLine]) {
    if lines.is_empty() {
        push_line(text, "  nothing was written");
        return;
    }
    let mut table = Table::new(&[4, 10, 32]);
    for line in lines {
        let (fate, words) = fate_words(&line.fate);
        table.row([
            fate.to_owned(),
            format!("step {}", line.step),
            line.what.clone(),
            words,
        ]);
    }
    table.write(text);
}

/// `kept` or `lost`, and the rest of the line.
pub fn fate_words(fate: &Fate) -> (&'static str, String) {
    match fate {
        Fate::Kept { place, seen_by } => {
            let mut words = place.clone();
            for (index, (container, path)) in seen_by.iter().enumerate() {
                let joint = if index == 0 { ";" } else { "," };
                let sees = if index == 0 { " sees it" } else { "" };
                add(
                    &mut words,
                    format_args!("{joint} {}{sees} at {}", word(container), path),
                );
            }
            ("kept", words)
        }
        Fate::Lost { cause } => ("lost", cause.clone()),
    }
}
