//! The matrix in Markdown, for a README or a pull request.

use std::fmt::Write as _;

use super::pretty::{failure_block, product_words};
use super::sign::{marks_of, pair, sign};
use super::story::{stories, unsupported};
use crate::report::count;
use crate::report::style::{plain, printable};
use crate::results::{Cell, Matrix};

/// What the columns are, the matrix, totals, where engines part, what they cannot show, what is not as
/// it should be.
pub fn matrix_markdown(matrix: &Matrix<'_>) -> String {
    let mut text = String::new();
    for (label, product) in matrix.labels.iter().zip(matrix.columns) {
        let _ = writeln!(
            text,
            "- **{}** {}",
            prose(label),
            prose(&product_words(product))
        );
    }
    let signs: Vec<String> = marks_of(matrix)
        .into_iter()
        .map(|mark| format!("{} {}", sign(mark).0, mark.name()))
        .collect();
    let _ = writeln!(
        text,
        "\nEach cell: merged tree/persistence. {}\n",
        signs.join(", ")
    );
    heads(&mut text, "", matrix);
    for row in &matrix.rows {
        let cells = row
            .cells
            .iter()
            .map(|cell| cell.map_or(String::new(), |it| pair(it.marks)));
        table_row(&mut text, std::iter::once(code(row.case)).chain(cells));
    }
    text.push('\n');
    totals(&mut text, matrix);
    apart(&mut text, matrix);
    lacking(&mut text, matrix);
    failures(&mut text, matrix);
    text
}

fn heads(text: &mut String, first: &str, matrix: &Matrix<'_>) {
    let labels = matrix.labels.iter().map(|label| prose(label));
    table_row(text, std::iter::once(first.to_owned()).chain(labels));
    let rules = matrix.labels.iter().map(|_| ":-:".to_owned());
    table_row(text, std::iter::once("---".to_owned()).chain(rules));
}

fn table_row(text: &mut String, cells: impl Iterator<Item = String>) {
    text.push('|');
    for cell in cells {
        let _ = write!(text, " {cell} |");
    }
    text.push('\n');
}

fn totals(text: &mut String, matrix: &Matrix<'_>) {
    heads(text, &count(matrix.rows.len(), "case"), matrix);
    for mark in marks_of(matrix) {
        let counts = (0..matrix.columns.len()).map(|column| {
            let tally = matrix.tally(column);
            let counts = tally.0.get(&mark).copied().unwrap_or_default();
            format!("{}/{}", counts.tree, counts.persistence)
        });
        table_row(text, std::iter::once(mark.name().to_owned()).chain(counts));
    }
}

fn apart(text: &mut String, matrix: &Matrix<'_>) {
    let stories = stories(matrix);
    if stories.is_empty() {
        return;
    }
    text.push_str("\n### Where engines part\n\n");
    for story in stories {
        let _ = writeln!(text, "- {}: {}", code(&story.case), prose(&story.agree));
        for other in story.apart {
            let _ = writeln!(
                text,
                "  - **{}** {}",
                prose(&other.who),
                prose(&other.worth)
            );
            for line in std::iter::once(other.parts).chain(other.differences) {
                let _ = writeln!(text, "    - {}", code(&line));
            }
        }
    }
}

fn lacking(text: &mut String, matrix: &Matrix<'_>) {
    let reasons = unsupported(matrix);
    if reasons.is_empty() {
        return;
    }
    text.push_str("\n### Unsupported\n\n");
    for (engine, reason, cases) in reasons {
        let cases = count(cases, "case");
        let _ = writeln!(text, "- **{}** {cases}: {}", prose(&engine), prose(&reason));
    }
}

fn failures(text: &mut String, matrix: &Matrix<'_>) {
    let is_bad = |cell: &&Cell| cell.marks.tree.is_bad() || cell.marks.persistence.is_bad();
    let bad: Vec<&Cell> = matrix.cells().filter(is_bad).collect();
    if bad.is_empty() {
        return;
    }
    text.push_str("\n### Not as it should be\n\n");
    for cell in bad {
        let block = plain(&failure_block(matrix, cell));
        let fence = "`".repeat(longest_run(&block).max(2) + 1);
        let _ = writeln!(text, "{fence}text\n{}\n{fence}\n", block.trim_end());
    }
}

/// Foreign text as code, which is shown as it is.
pub(super) fn code(foreign: &str) -> String {
    let safe = printable(foreign);
    let fence = "`".repeat(longest_run(&safe) + 1);
    // Blanks keep a backtick at an end apart from the fence, and are not shown; a bar would end the
    // cell of a table.
    let pad = if safe.starts_with('`') || safe.ends_with('`') || safe.is_empty() {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{}{pad}{fence}", safe.replace('|', "\\|"))
}

/// The longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// Foreign text as running text: nothing in it is markup.
pub(super) fn prose(foreign: &str) -> String {
    let mut safe = String::new();
    for character in printable(foreign).chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '!' => {
                safe.push('\\');
                safe.push(character);
            }
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::testing::results;

    #[test]
    fn the_matrix_in_markdown() {
        let results = results();
        let text = matrix_markdown(&Matrix::new(&results));
        assert_eq!(text, include_str!("matrix.md"));
    }

    #[test]
    fn foreign_text_is_no_markup() {
        for (foreign, shown) in [
            ("a|b", "`a\\|b`"),
            ("a`b", "``a`b``"),
            ("`", "`` ` ``"),
            ("\u{1b}[2J", "`\\u{1b}[2J`"),
        ] {
            assert_eq!(code(foreign), shown);
        }
        assert_eq!(
            prose("<b>*x*</b> [a](b)\n|"),
            "&lt;b&gt;\\*x\\*&lt;/b&gt; \\[a\\](b)\\\\n\\|"
        );
    }
}
