//! Case by column, and what it is all worth.

use std::collections::BTreeMap;

use super::{Cell, Groups, Product, Results, labels};
use crate::outcome::Halves;
use crate::verdict::Mark;

/// Results as a matrix.
#[derive(Clone, Debug)]
pub struct Matrix<'a> {
    /// What each column is called.
    pub labels: Vec<String>,
    /// What each column is.
    pub columns: &'a [Product],
    /// The cases, sorted by id.
    pub rows: Vec<Row<'a>>,
}

/// One case on every engine.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// Its id.
    pub case: &'a str,
    /// One cell a column; `None` where it was not run.
    pub cells: Vec<Option<&'a Cell>>,
}

/// How often each mark was given in a column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally(pub BTreeMap<Mark, Halves<usize>>);

/// What a matrix is worth: the worst of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// There is no cell.
    Nothing,
    /// Every engine does what it has to do, is excused, or cannot show it; and where nothing is
    /// approved, all agree.
    Good,
    /// One does not, or they do not agree on something that is not approved.
    Bad,
    /// An engine failed.
    Broken,
}

impl<'a> Matrix<'a> {
    /// Arranges results.
    pub fn new(results: &'a Results) -> Self {
        let mut rows: BTreeMap<&str, Row<'a>> = BTreeMap::new();
        let width = results.columns.len();
        for cell in &results.cells {
            let row = rows.entry(&cell.case).or_insert_with(|| Row {
                case: &cell.case,
                cells: vec![None; width],
            });
            if let Some(place) = row.cells.get_mut(cell.column) {
                *place = Some(cell);
            }
        }
        Self {
            labels: labels(&results.columns),
            columns: &results.columns,
            rows: rows.into_values().collect(),
        }
    }

    /// The name of a column.
    pub fn label(&self, column: usize) -> &str {
        self.labels.get(column).map_or("", String::as_str)
    }

    /// Every cell, row by row.
    pub fn cells(&self) -> impl Iterator<Item = &'a Cell> {
        self.rows
            .iter()
            .flat_map(|row| row.cells.iter().flatten().copied())
    }

    /// The marks of a column.
    pub fn tally(&self, column: usize) -> Tally {
        let mut tally = Tally::default();
        for cell in self.cells().filter(|cell| cell.column == column) {
            tally.0.entry(cell.marks.tree).or_default().tree += 1;
            tally
                .0
                .entry(cell.marks.persistence)
                .or_default()
                .persistence += 1;
        }
        tally
    }

    /// What it is all worth.
    pub fn worth(&self) -> Worth {
        let any = |is: fn(Mark) -> bool| {
            self.cells()
                .any(|cell| is(cell.marks.tree) || is(cell.marks.persistence))
        };
        if self.rows.is_empty() {
            Worth::Nothing
        } else if any(|mark| matches!(mark, Mark::Error | Mark::TimeOut)) {
            Worth::Broken
        } else if any(Mark::is_bad) || self.rows.iter().any(|row| row.disagree().any()) {
            Worth::Bad
        } else {
            Worth::Good
        }
    }
}

impl Row<'_> {
    /// In which halves engines differ although nothing is approved that could tell who is right.
    pub fn disagree(&self) -> Halves<bool> {
        let unapproved = |half: fn(&Halves<Mark>) -> Mark| {
            let mut cells = self.cells.iter().flatten();
            cells.any(|cell| half(&cell.marks) == Mark::Unapproved)
        };
        let differ = Groups::of(self).differ();
        Halves {
            tree: differ.tree && unapproved(|marks| marks.tree),
            persistence: differ.persistence && unapproved(|marks| marks.persistence),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::testing::{cell, marked, product, results, shown};

    #[test]
    fn rows_are_sorted_and_holes_stay() {
        let results = Results {
            columns: vec![product("native", "1"), product("docker", "20")],
            cells: vec![cell("b", 0), cell("a", 1), cell("b", 1)],
            ..Results::default()
        };
        let matrix = Matrix::new(&results);
        let rows: Vec<_> = matrix
            .rows
            .iter()
            .map(|row| {
                (
                    row.case,
                    row.cells.iter().map(Option::is_some).collect::<Vec<_>>(),
                )
            })
            .collect();
        assert_eq!(rows, [("a", vec![false, true]), ("b", vec![true, true])]);
    }

    #[test]
    fn marks_are_counted_on_each_axis() {
        let results = results();
        let tally = Matrix::new(&results).tally(1);
        let counts: Vec<_> = tally
            .0
            .iter()
            .map(|(m, h)| (*m, h.tree, h.persistence))
            .collect();
        assert_eq!(
            counts,
            [
                (Mark::Pass, 0, 1),
                (Mark::Accepted, 1, 0),
                (Mark::Unsupported, 1, 1),
                (Mark::Fail, 1, 1)
            ]
        );
    }

    #[test]
    fn the_worst_counts() {
        let of = |cells: Vec<Cell>| {
            let results = Results {
                columns: vec![product("native", "1"), product("docker", "20")],
                cells,
                ..Results::default()
            };
            Matrix::new(&results).worth()
        };
        let good = || cell("a", 0);
        let with = |tree, persistence| marked(cell("a", 1), tree, persistence);
        assert_eq!(of(vec![]), Worth::Nothing);
        for (tree, persistence, worth) in [
            (Mark::Pass, Mark::Pass, Worth::Good),
            (Mark::Accepted, Mark::KnownBug, Worth::Good),
            (Mark::Unsupported, Mark::Unsupported, Worth::Good),
            (Mark::Pass, Mark::Fail, Worth::Bad),
            (Mark::Fail, Mark::Unjudged, Worth::Bad),
            (Mark::TimeOut, Mark::TimeOut, Worth::Broken),
            (Mark::Error, Mark::Error, Worth::Broken),
        ] {
            assert_eq!(
                of(vec![good(), with(tree, persistence)]),
                worth,
                "{tree:?} {persistence:?}"
            );
        }
    }

    #[test]
    fn what_nobody_approved_has_to_be_agreed_on() {
        let of = |text: &str, marks: (Mark, Mark)| {
            let unapproved =
                |column, text: &str| marked(shown(cell("a", column), text), marks.0, marks.1);
            let results = Results {
                columns: vec![product("native", "1"), product("docker", "20")],
                cells: vec![
                    unapproved(0, "steps\n  1  x  ok\npersistence\nend"),
                    unapproved(1, text),
                ],
                ..Results::default()
            };
            Matrix::new(&results).worth()
        };
        let unapproved = (Mark::Unapproved, Mark::Unapproved);
        assert_eq!(
            of("steps\n  1  x  ok\npersistence\nend", unapproved),
            Worth::Good
        );
        assert_eq!(
            of("steps\n  1  x  no\npersistence\nend", unapproved),
            Worth::Bad
        );
        assert_eq!(
            of("steps\n  1  x  ok\npersistence\n  lost\nend", unapproved),
            Worth::Bad
        );
        assert_eq!(
            of(
                "steps\n  1  x  no\npersistence\nend",
                (Mark::Pass, Mark::Pass)
            ),
            Worth::Good
        );
    }
}
