//! Aligned columns.

/// Rows whose columns begin under each other, as far as a cell is no wider than its column may be.
pub(super) struct Table<const COLUMNS: usize> {
    widths_max: Vec<usize>,
    rows: Vec<Row<COLUMNS>>,
}

enum Row<const COLUMNS: usize> {
    Cells([String; COLUMNS]),
    Note(String),
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    /// `widths_max` has the most, in characters, that each column but the last may take.
    pub(super) fn new(widths_max: &[usize]) -> Self {
        Self {
            widths_max: widths_max.to_vec(),
            rows: Vec::new(),
        }
    }

    pub(super) fn row(&mut self, cells: [String; COLUMNS]) {
        self.rows.push(Row::Cells(cells));
    }

    /// A line below the row before it, indented further.
    pub(super) fn note(&mut self, text: String) {
        self.rows.push(Row::Note(text));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Every row as a line of its own, indented by two.
    pub(super) fn write(&self, text: &mut String) {
        let widths = self.widths();
        for row in &self.rows {
            match row {
                Row::Note(note) => push_line(text, &format!("      {note}")),
                Row::Cells(cells) => push_line(text, &aligned(cells, &widths)),
            }
        }
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths = vec![0; self.widths_max.len()];
        for row in &self.rows {
            let Row::Cells(cells) = row else { continue };
            for ((width, max), cell) in widths.iter_mut().zip(&self.widths_max).zip(cells) {
                *width = (*width).max(cell.chars().count().min(*max));
            }
        }
        widths
    }
}

fn aligned(cells: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (index, cell) in cells.iter().enumerate() {
        // A column that is empty in every row takes no room.
        if widths.get(index) == Some(&0) {
            continue;
        }
        line.push_str("  ");
        line.push_str(cell);
        let missing = widths
            .get(index)
            .map_or(0, |w| w.saturating_sub(cell.chars().count()));
        line.extend(std::iter::repeat_n(' ', missing));
    }
    line
}

/// A line without blanks at its end.
pub(super) fn push_line(text: &mut String, line: &str) {
    text.push_str(line.trim_end());
    text.push('\n');
}
