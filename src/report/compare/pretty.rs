//! The matrix for people.

use std::fmt::Write as _;
use std::time::Duration;

use anstyle::Style;

use super::grid::Grid;
use super::sign::{marks_of, pair, pair_style, sign};
use super::story::{Story, stories, unsupported, worth_words};
use crate::report::block::one_failure;
use crate::report::count;
use crate::report::style::{BAD, FAINT, LEFT_OUT, NAME, paint, printable};
use crate::report::summary::seconds;
use crate::results::{Cell, Matrix, Product};
use crate::verdict::Mark;

const NONE: Style = Style::new();

/// What the columns are, the matrix, where engines part, what they cannot show, what is not as it should
/// be, and the totals.
pub fn matrix_pretty(matrix: &Matrix<'_>) -> String {
    let parts = [
        products(matrix),
        legend(matrix),
        cells(matrix),
        apart(matrix),
        lacking(matrix),
        failures(matrix),
        totals(matrix),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n")
}

/// `20.10.24, overlay2 on ext4, kernel 6.1`, as far as it is known.
pub(super) fn product_words(product: &Product) -> String {
    let mut words: Vec<String> = Vec::new();
    if !product.version.is_empty() {
        words.push(product.version.clone());
    }
    match (product.driver.as_str(), product.file_system.as_str()) {
        ("", "") => {}
        ("", file_system) => words.push(format!("on {file_system}")),
        (driver, "") => words.push(driver.to_owned()),
        (driver, file_system) => words.push(format!("{driver} on {file_system}")),
    }
    if !product.kernel.is_empty() {
        words.push(format!("kernel {}", product.kernel));
    }
    words.join(", ")
}

fn products(matrix: &Matrix<'_>) -> String {
    let mut grid = Grid::default();
    for (label, product) in matrix.labels.iter().zip(matrix.columns) {
        grid.row([(label.clone(), NAME), (product_words(product), NONE)]);
    }
    grid.lines("")
}

fn legend(matrix: &Matrix<'_>) -> String {
    let signs: Vec<String> = marks_of(matrix)
        .into_iter()
        .map(|mark| {
            let (sign, style) = sign(mark);
            format!("{} {}", paint(style, &sign.to_string()), mark.name())
        })
        .collect();
    format!("merged tree/persistence: {}\n", signs.join("  "))
}

fn cells(matrix: &Matrix<'_>) -> String {
    let mut grid = Grid::default();
    let heads = matrix.labels.iter().map(|label| (label.clone(), NAME));
    grid.row(std::iter::once((String::new(), NONE)).chain(heads));
    for row in &matrix.rows {
        let cells = row.cells.iter().map(|cell| {
            cell.map_or((String::new(), NONE), |cell| {
                (pair(cell.marks), pair_style(cell.marks))
            })
        });
        grid.row(std::iter::once((row.case.to_owned(), NONE)).chain(cells));
    }
    grid.lines("")
}

fn apart(matrix: &Matrix<'_>) -> String {
    let stories = stories(matrix);
    if stories.is_empty() {
        return String::new();
    }
    let mut text = format!("{}\n", paint(LEFT_OUT, "where engines part"));
    for Story { case, agree, apart } in stories {
        let _ = writeln!(text, "  {}\n    {agree}", paint(NAME, &case));
        for other in apart {
            let _ = writeln!(text, "    {}  {}", paint(NAME, &other.who), other.worth);
            let _ = writeln!(text, "      {}", other.parts);
            for difference in other.differences {
                let _ = writeln!(text, "      {difference}");
            }
        }
    }
    text
}

fn lacking(matrix: &Matrix<'_>) -> String {
    let reasons = unsupported(matrix);
    if reasons.is_empty() {
        return String::new();
    }
    let mut grid = Grid::default();
    for (engine, reason, cases) in reasons {
        grid.row([(engine, NAME), (count(cases, "case"), NONE), (reason, NONE)]);
    }
    format!("{}\n{}", paint(LEFT_OUT, "unsupported"), grid.lines("  "))
}

fn failures(matrix: &Matrix<'_>) -> String {
    let is_bad = |cell: &&Cell| cell.marks.tree.is_bad() || cell.marks.persistence.is_bad();
    let blocks: Vec<String> = matrix
        .cells()
        .filter(is_bad)
        .map(|cell| failure_block(matrix, cell))
        .collect();
    blocks.join("\n")
}

/// One cell that is not as it should be.
///
/// ```text
/// FAIL volumes/readonly[access=ro] on docker
///   merged tree
///   Nothing is written through a read-only mount
///
///   step 3 in first: write /data/x
///     expected  EROFS
///     actual    ok
///
///   again   layerspec run scenarios/volumes/readonly.yaml --engine docker
/// ```
pub(super) fn failure_block(matrix: &Matrix<'_>, cell: &Cell) -> String {
    let heading = match cell.marks.tree.max(cell.marks.persistence) {
        Mark::TimeOut => "TIME-OUT",
        Mark::Error => "ERROR",
        _ => "FAIL",
    };
    let mut text = format!(
        "{} {} on {}\n  {}\n",
        paint(BAD, heading),
        paint(NAME, &printable(&cell.case)),
        paint(NAME, &printable(matrix.label(cell.column))),
        printable(&cell.title)
    );
    if cell.failures.is_empty() {
        let _ = writeln!(text, "\n  {}", worth_words(cell));
    }
    for failure in &cell.failures {
        text.push('\n');
        for line in one_failure(failure, false).lines() {
            let _ = writeln!(text, "  {line}");
        }
    }
    let _ = writeln!(
        text,
        "\n  {}  {}",
        paint(FAINT, "again "),
        printable(&cell.again)
    );
    text
}

fn totals(matrix: &Matrix<'_>) -> String {
    let mut grid = Grid::default();
    let heads = matrix.labels.iter().map(|label| (label.clone(), NAME));
    let title = format!(
        "{}, merged tree/persistence",
        count(matrix.rows.len(), "case")
    );
    grid.row(std::iter::once((title, NONE)).chain(heads));
    let columns = 0..matrix.columns.len();
    let tallies: Vec<_> = columns.clone().map(|column| matrix.tally(column)).collect();
    for mark in marks_of(matrix) {
        let counts = tallies.iter().map(|tally| match tally.0.get(&mark) {
            Some(counts) => (
                format!("{}/{}", counts.tree, counts.persistence),
                sign(mark).1,
            ),
            None => ("0".to_owned(), FAINT),
        });
        grid.row(std::iter::once((mark.name().to_owned(), NONE)).chain(counts));
    }
    let times = columns.map(|column| {
        let cells = matrix.cells().filter(|cell| cell.column == column);
        let micros = cells.fold(0_u64, |sum, cell| sum.saturating_add(cell.duration_us));
        (seconds(Duration::from_micros(micros)), FAINT)
    });
    grid.row(std::iter::once(("time".to_owned(), NONE)).chain(times));
    grid.lines("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::style::plain;
    use crate::results::Results;
    use crate::results::testing::{marked, product, results};

    #[test]
    fn the_matrix_for_people() {
        let results = results();
        let text = plain(&matrix_pretty(&Matrix::new(&results)));
        assert_eq!(text, include_str!("matrix.txt"));
    }

    #[test]
    fn foreign_results_cannot_command_the_terminal() {
        let evil = "\u{1b}[2J\u{202e}\r\n";
        let mut results = results();
        results.columns = vec![product(evil, evil), product("podman", evil)];
        for cell in &mut results.cells {
            for text in [
                &mut cell.title,
                &mut cell.file,
                &mut cell.again,
                &mut cell.case,
            ] {
                text.push_str(evil);
            }
            cell.reason = Some(evil.to_owned());
            cell.bug = Some(evil.to_owned());
            if cell.column == 1 {
                cell.outcome = Some(format!(
                    "steps\n  1  {evil}\nmerged tree of {evil}\n  {evil}\nend"
                ));
            }
            for failure in &mut cell.failures {
                failure.headline.push_str(evil);
                failure.details.push(evil.to_owned());
                failure.expected = Some(evil.to_owned());
                failure.text_diff = Some(evil.to_owned());
                if let Some(at) = &mut failure.at {
                    at.path = evil.into();
                    at.line = usize::MAX;
                    at.column = usize::MAX;
                    at.lines = vec![(usize::MAX, evil.to_owned()), (0, evil.to_owned())];
                }
            }
        }
        let text = plain(&matrix_pretty(&Matrix::new(&results)));
        let harmful = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!text.contains(harmful), "{text:?}");
    }

    #[test]
    fn every_mark_has_its_place() {
        let mut results = results();
        let bugged = Cell {
            bug: Some("https://example.org/1".to_owned()),
            ..results.cells[1].clone()
        };
        results.cells[1] = marked(bugged, Mark::KnownBug, Mark::Pass);
        let late = Cell {
            outcome: None,
            reason: Some("more than the time limit of 1s".to_owned()),
            ..results.cells[2].clone()
        };
        results.cells[2] = marked(late, Mark::TimeOut, Mark::TimeOut);
        let text = plain(&matrix_pretty(&Matrix::new(&results)));
        for part in [
            "binds/a         ✔/✔     !/✔\n",
            "volumes/b[x=1]  T       ✘/✘\n",
            "known bug: a file is made with another mode (https://example.org/1)\n",
            "TIME-OUT volumes/b[x=1] on native\n",
            "  time-out: more than the time limit of 1s\n",
        ] {
            assert!(text.contains(part), "{part:?}: {text}");
        }
        assert_eq!(
            matrix_pretty(&Matrix::new(&Results::default()))
                .matches("0 cases")
                .count(),
            1
        );
    }
}
