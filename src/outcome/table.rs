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
                Row::Note(note) => {
                    text.push_str("      ");
                    push_line(text, note);
                }
                Row::Cells(cells) => aligned(text, cells, &widths),
            }
        }
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths = vec![0; self.widths_max.len()];
        for row in &self.rows {
            let Row::Cells(cells) = row else { continue };
            for ((width, max), cell) in widths.iter_mut().zip(&self.widths_max).zip(cells) {
                *width = (*width).max(width_of(cell).min(*max));
            }
        }
        widths
    }
}

fn aligned(text: &mut String, cells: &[String], widths: &[usize]) {
    // Blanks are written before the next cell, so that none are left at the end.
    let mut blanks = 0;
    for (index, cell) in cells.iter().enumerate() {
        // A column that is empty in every row takes no room.
        if widths.get(index) == Some(&0) {
            continue;
        }
        blanks += 2;
        if !cell.is_empty() {
            push_blanks(text, blanks);
            text.push_str(cell);
            blanks = 0;
        }
        let width = widths.get(index).copied().unwrap_or_default();
        blanks += width.saturating_sub(width_of(cell));
    }
    text.push('\n');
}

fn push_blanks(text: &mut String, mut count: usize) {
    const BLANKS: &str = "                                ";
    while count > 0 {
        let some = count.min(BLANKS.len());
        text.push_str(BLANKS.get(..some).unwrap_or_default());
        count -= some;
    }
}

fn width_of(cell: &str) -> usize {
    if cell.is_ascii() {
        cell.len()
    } else {
        cell.chars().count()
    }
}

/// A line without blanks at its end.
pub(super) fn push_line(text: &mut String, line: &str) {
    text.push_str(line.trim_end());
    text.push('\n');
}
