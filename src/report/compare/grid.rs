//! Aligned columns, painted or not.

use anstyle::Style;

use crate::report::style::{paint, printable};

/// Widest first column, in characters.
const FIRST_MAX: usize = 72;

/// Rows of cells that are aligned when they are written.
#[derive(Default)]
pub(super) struct Grid(Vec<Vec<(String, Style)>>);

impl Grid {
    /// Adds a row. Texts may be foreign.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = (String, Style)>) {
        let safe = |(text, style): (String, Style)| (printable(&text), style);
        self.0.push(cells.into_iter().map(safe).collect());
    }

    /// The rows as lines, each after `indent`.
    pub(super) fn lines(&self, indent: &str) -> String {
        let mut widths: Vec<usize> = Vec::new();
        for row in &self.0 {
            for (index, (text, _)) in row.iter().enumerate() {
                let most = if index == 0 { FIRST_MAX } else { usize::MAX };
                let width = text.chars().count().min(most);
                match widths.get_mut(index) {
                    Some(widest) => *widest = width.max(*widest),
                    None => widths.push(width),
                }
            }
        }
        let mut lines = String::new();
        for row in &self.0 {
            lines.push_str(indent);
            let last = row.iter().rposition(|(text, _)| !text.is_empty());
            for (index, (text, style)) in row.iter().enumerate().take(last.map_or(0, |it| it + 1)) {
                lines.push_str(&paint(*style, text));
                if Some(index) != last {
                    let width = widths.get(index).copied().unwrap_or_default();
                    let blanks = width.saturating_sub(text.chars().count()) + 2;
                    lines.extend(std::iter::repeat_n(' ', blanks));
                }
            }
            lines.push('\n');
        }
        lines
    }
}
