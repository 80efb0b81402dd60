//! The ledger: for each thing that the steps wrote, whether it is still there when the scenario
//! ends, where, and who sees it, or what took it.
//!
//! | file | what it holds |
//! |---|---|
//! | `line` | one thing that was written |
//! | `expected` | what is known of its content |
//! | `story` | the steps, read from first to last into lines |
//! | `files`, `objects` | what one file request, one operation on an object does to the lines |
//! | `look` | the final world, searched by storage and path |
//! | `fate` | one line against the final world |
//!
//! Whether a thing is kept is established by looking, never by rule: it is there when the final
//! world has an entry of that storage and path with the content that was written. The steps serve
//! to explain a loss, and what they do not explain is called so.

mod expected;
mod fate;
mod files;
mod line;
mod look;
mod objects;
mod story;
#[cfg(test)]
mod tests;

use crate::engine::World;
use crate::outcome::LedgerLine;

use super::execute::Performed;

/// One line for each storage and path that the steps wrote, by the step that wrote it last.
pub(super) fn ledger(performed: &[Performed<'_>], world: &World) -> Vec<LedgerLine> {
    let told = story::read(performed);
    if told.lines.is_empty() {
        return Vec::new();
    }
    let sight = look::Sight::new(world, &told.lines);
    told.lines
        .iter()
        .map(|line| LedgerLine {
            step: line.step.clone(),
            what: line.what.clone(),
            fate: fate::fate(line, &told.files, &sight),
        })
        .collect()
}
