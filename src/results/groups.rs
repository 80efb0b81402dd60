//! Which columns agree on a case, and where the others part from them.

use super::{Cell, Row};
use crate::outcome::{Halves, Parting, Told, differences, halves_that_differ, parting};
use crate::verdict::Mark;

/// The columns that showed something for a case, by what they showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups<'a> {
    /// Columns with one outcome: those that show what is approved for all, or else the most.
    pub agree: Vec<usize>,
    /// All others.
    pub apart: Vec<Apart<'a>>,
}

/// Columns that agree with each other, but not with the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apart<'a> {
    /// The columns.
    pub columns: Vec<usize>,
    /// One of them.
    cell: &'a Cell,
    /// One of those that agree.
    reference: &'a Cell,
}

impl<'a> Groups<'a> {
    /// Groups the cells of a case.
    pub fn of(row: &Row<'a>) -> Self {
        let mut groups: Vec<(&'a str, Vec<&'a Cell>)> = Vec::new();
        for cell in row.cells.iter().flatten() {
            let Some(text) = cell.outcome.as_deref() else {
                continue;
            };
            match groups.iter_mut().find(|(other, _)| *other == text) {
                Some((_, cells)) => cells.push(cell),
                None => groups.push((text, vec![cell])),
            }
        }
        let rank = |(_, cells): &(&str, Vec<&Cell>)| {
            let approved = cells
                .iter()
                .any(|cell| cell.marks == Halves::both(Mark::Pass));
            (approved, cells.len())
        };
        // The first column breaks a tie: sorting is stable.
        groups.sort_by_key(|group| std::cmp::Reverse(rank(group)));
        let mut groups = groups.into_iter().map(|(_, cells)| cells);
        let columns = |cells: &[&Cell]| cells.iter().map(|cell| cell.column).collect();
        let agree = groups.next().unwrap_or_default();
        let apart = |cells: Vec<&'a Cell>| {
            Some(Apart {
                columns: columns(&cells),
                cell: cells.first().copied()?,
                reference: agree.first().copied()?,
            })
        };
        Self {
            apart: groups.filter_map(apart).collect(),
            agree: columns(&agree),
        }
    }

    /// In which halves not all columns agree.
    pub fn differ(&self) -> Halves<bool> {
        self.apart
            .iter()
            .map(Apart::differ)
            .fold(Halves::default(), std::ops::BitOr::bitor)
    }
}

impl Apart<'_> {
    /// In which halves they differ from the first.
    pub fn differ(&self) -> Halves<bool> {
        halves_that_differ(text(self.reference), text(self.cell))
    }

    /// The first step from which on they part; `None` when only the end differs.
    pub fn parting(&self) -> Option<Parting> {
        parting(told(self.reference), told(self.cell))
    }

    /// Everything that differs, one line a difference, from the first to these.
    pub fn differences(&self) -> Vec<String> {
        differences(text(self.reference), text(self.cell))
    }
}

fn told(cell: &Cell) -> Told<'_> {
    Told {
        text: text(cell),
        conditional: &cell.conditional,
    }
}

fn text(cell: &Cell) -> &str {
    cell.outcome.as_deref().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::testing::{cell, marked, shown};

    const ONE: &str = "steps\n  1  read /a  \"1\"\n  2  list /  []\nmerged tree of c (running)\n  /a  file  0644 0:0\npersistence\n  nothing was written\nend";

    fn grouped(cells: &[Cell]) -> (Vec<usize>, Vec<Vec<usize>>) {
        let row = Row {
            case: "a",
            cells: cells.iter().map(Some).collect(),
        };
        let groups = Groups::of(&row);
        let apart = groups
            .apart
            .iter()
            .map(|apart| apart.columns.clone())
            .collect();
        (groups.agree, apart)
    }

    #[test]
    fn the_most_agree_unless_something_is_approved() {
        let other = ONE.replace("0644", "0600");
        let third = ONE.replace("[]", "[x]");
        let seen = |column: usize, text: &str, mark: Mark| {
            marked(shown(cell("a", column), text), mark, mark)
        };
        let new = Mark::Unapproved;
        assert_eq!(
            grouped(&[seen(0, &other, new), seen(1, ONE, new), seen(2, ONE, new)]),
            (vec![1, 2], vec![vec![0]])
        );
        assert_eq!(
            grouped(&[
                seen(0, &other, Mark::Pass),
                seen(1, ONE, Mark::Fail),
                seen(2, ONE, Mark::Fail)
            ]),
            (vec![0], vec![vec![1, 2]])
        );
        assert_eq!(
            grouped(&[
                seen(0, ONE, new),
                seen(1, &other, new),
                seen(2, &third, new)
            ]),
            (vec![0], vec![vec![1], vec![2]])
        );
        assert_eq!(
            grouped(&[seen(0, ONE, new), seen(1, ONE, new)]),
            (vec![0, 1], vec![])
        );
        let broken = Cell {
            outcome: None,
            ..seen(0, ONE, Mark::Error)
        };
        assert_eq!(
            grouped(&[broken.clone(), seen(1, ONE, new)]),
            (vec![1], vec![])
        );
        assert_eq!(grouped(&[broken]), (vec![], vec![]));
    }

    #[test]
    fn where_they_part_is_told() {
        let mode = ONE.replace("0644", "0600");
        let step = ONE.replace("[]", "[x]").replace("nothing", "something");
        let cells = [ONE, ONE, &mode, &step]
            .iter()
            .enumerate()
            .map(|(column, text)| shown(cell("a", column), text))
            .collect::<Vec<_>>();
        let row = Row {
            case: "a",
            cells: cells.iter().map(Some).collect(),
        };
        let groups = Groups::of(&row);
        let told: Vec<_> = groups
            .apart
            .iter()
            .map(|apart| {
                (
                    apart.columns.clone(),
                    apart.parting().map(|at| at.step),
                    apart.differences(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                (
                    vec![2],
                    None,
                    vec!["merged tree of c: /a: mode 0644 → 0600".to_owned()]
                ),
                (
                    vec![3],
                    Some("2".to_owned()),
                    vec![
                        "step 2, list /: [] → [x]".to_owned(),
                        "persistence: : nothing was written → something was written".to_owned()
                    ]
                ),
            ]
        );
        assert_eq!(groups.differ(), Halves::both(true));
        assert_eq!(
            groups.apart[0].differ(),
            Halves {
                tree: true,
                persistence: false
            }
        );
    }
}
