//! What has changed from one run to another.

use std::collections::BTreeMap;

use super::{Cell, Matrix, Product};
use crate::outcome::{Halves, differences};
use crate::verdict::Mark;

/// Most lines that tell how an outcome changed.
const DETAILS_MAX: usize = 3;

/// What kind of change it is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// It was good, or not bad, and is not any more.
    Regression,
    /// The case is not there any more.
    Vanished,
    /// Neither better nor worse, but not the same.
    Changed,
    /// The case was not there before.
    New,
    /// It was bad and is good.
    Fixed,
}

/// One change, of all columns that changed in the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What kind.
    pub kind: ChangeKind,
    /// Id of the case.
    pub case: String,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The marks before.
    pub old: Option<Halves<Mark>>,
    /// The marks now.
    pub new: Option<Halves<Mark>>,
    /// The reason now, and how the outcome changed.
    pub details: Vec<String>,
}

/// Everything that has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The changes, the worst first, then by case.
    pub changes: Vec<Change>,
    /// Columns of both whose product is not the same: name, before and now.
    pub products: Vec<(String, Product, Product)>,
    /// Columns that are not there any more.
    pub vanished: Vec<String>,
    /// Columns that were not there before.
    pub new: Vec<String>,
    /// How many cells are the same.
    pub same: usize,
}

impl Changes {
    /// How many cells changed in this way.
    pub fn count(&self, kind: ChangeKind) -> usize {
        let of_kind = self.changes.iter().filter(|change| change.kind == kind);
        of_kind.map(|change| change.columns.len()).sum()
    }
}

/// What has changed from `old` to `new`. A column of the one is that of the other when it is the same
/// product, or else when it is the only one of its engine in both: a newer version, say. Cells of
/// columns without a counterpart are not told one by one.
pub fn changes(old: &Matrix<'_>, new: &Matrix<'_>) -> Changes {
    let pairs = pairs(old.columns, new.columns);
    let mut changes = Changes::default();
    for (from, to) in &pairs {
        if let (Some(before), Some(now)) = (old.columns.get(*from), new.columns.get(*to))
            && before != now
        {
            let name = new.label(*to).to_owned();
            changes.products.push((name, before.clone(), now.clone()));
        }
    }
    let without = |columns: usize, has: &dyn Fn(usize) -> bool| {
        (0..columns)
            .filter(|index| !has(*index))
            .collect::<Vec<_>>()
    };
    let lost = without(old.columns.len(), &|index| {
        pairs.iter().any(|pair| pair.0 == index)
    });
    let gained = without(new.columns.len(), &|index| {
        pairs.iter().any(|pair| pair.1 == index)
    });
    changes.vanished = lost
        .iter()
        .map(|column| old.label(*column).to_owned())
        .collect();
    changes.new = gained
        .iter()
        .map(|column| new.label(*column).to_owned())
        .collect();
    for (from, to) in pairs {
        compare(
            column(old, from),
            &column(new, to),
            new.label(to),
            &mut changes,
        );
    }
    changes
        .changes
        .sort_by(|a, b| (a.kind, &a.case).cmp(&(b.kind, &b.case)));
    changes
}

/// The cells of a column by their cases.
fn column<'a>(matrix: &Matrix<'a>, index: usize) -> BTreeMap<&'a str, &'a Cell> {
    let cells = matrix.cells().filter(|cell| cell.column == index);
    cells.map(|cell| (cell.case.as_str(), cell)).collect()
}

/// Which column of the one is which of the other, in the order of the other.
fn pairs(old: &[Product], new: &[Product]) -> Vec<(usize, usize)> {
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for (to, product) in new.iter().enumerate() {
        let free = |from: &usize| !pairs.iter().any(|pair| pair.0 == *from);
        let same = (0..old.len()).find(|from| old.get(*from) == Some(product) && free(from));
        pairs.extend(same.map(|from| (from, to)));
    }
    let only = |columns: &[Product], engine: &str| {
        let mut namesakes = columns
            .iter()
            .enumerate()
            .filter(|(_, it)| it.engine == engine);
        let first = namesakes.next().map(|(index, _)| index);
        first.filter(|_| namesakes.next().is_none())
    };
    for product in new {
        if let (Some(from), Some(to)) = (only(old, &product.engine), only(new, &product.engine))
            && !pairs.contains(&(from, to))
        {
            pairs.push((from, to));
        }
    }
    pairs.sort_by_key(|pair| pair.1);
    pairs
}

fn compare(
    old: BTreeMap<&str, &Cell>,
    new: &BTreeMap<&str, &Cell>,
    label: &str,
    changes: &mut Changes,
) {
    for (case, now) in new {
        match old.get(case) {
            Some(before) => match kind(before, now) {
                Some(kind) => add(changes, kind, (Some(before), Some(now)), label),
                None => changes.same += 1,
            },
            None => add(changes, ChangeKind::New, (None, Some(now)), label),
        }
    }
    for (case, before) in old {
        if !new.contains_key(case) {
            add(changes, ChangeKind::Vanished, (Some(before), None), label);
        }
    }
}

/// What kind of change it is from one cell to the other, if any. The worse half counts.
fn kind(before: &Cell, now: &Cell) -> Option<ChangeKind> {
    let half = |old: Mark, new: Mark| {
        if (old.is_good() && !new.is_good()) || (!old.is_bad() && new.is_bad()) {
            Some(ChangeKind::Regression)
        } else if old.is_bad() && new.is_good() {
            Some(ChangeKind::Fixed)
        } else {
            (old != new).then_some(ChangeKind::Changed)
        }
    };
    let (old, new) = (before.marks, now.marks);
    let halves = [
        half(old.tree, new.tree),
        half(old.persistence, new.persistence),
    ];
    let worst = halves.into_iter().flatten().min();
    let differs =
        before.outcome != now.outcome || before.reason != now.reason || before.bug != now.bug;
    worst.or(differs.then_some(ChangeKind::Changed))
}

fn add(
    changes: &mut Changes,
    kind: ChangeKind,
    (before, now): (Option<&Cell>, Option<&Cell>),
    label: &str,
) {
    let Some(cell) = now.or(before) else { return };
    let change = Change {
        kind,
        case: cell.case.clone(),
        columns: vec![label.to_owned()],
        old: before.map(|cell| cell.marks),
        new: now.map(|cell| cell.marks),
        details: details(before, now),
    };
    let alike = |other: &&mut Change| {
        other.kind == change.kind
            && other.case == change.case
            && (other.old, other.new) == (change.old, change.new)
            && other.details == change.details
    };
    match changes.changes.iter_mut().find(alike) {
        Some(other) => other.columns.extend(change.columns),
        None => changes.changes.push(change),
    }
}

fn details(before: Option<&Cell>, now: Option<&Cell>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let (Some(before), Some(now)) = (before, now) else {
        return lines;
    };
    if before.reason != now.reason {
        lines.extend(now.reason.clone());
    }
    if let (Some(old), Some(new)) = (&before.outcome, &now.outcome) {
        lines.extend(differences(old, new));
    }
    if lines.len() > DETAILS_MAX {
        let more = lines.len() - DETAILS_MAX;
        lines.truncate(DETAILS_MAX);
        lines.push(format!("… and {more} more"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Results;
    use crate::results::testing::{SHOWN, cell, marked, product, shown};

    fn results(columns: &[Product], cells: Vec<Cell>) -> Results {
        Results {
            layerspec: "0.1.0".to_owned(),
            columns: columns.to_vec(),
            cells,
        }
    }

    fn told(old: &Results, new: &Results) -> Changes {
        changes(&Matrix::new(old), &Matrix::new(new))
    }

    #[test]
    fn each_change_has_its_kind() {
        use ChangeKind::{Changed, Fixed, Regression};
        for (old, new, expected) in [
            (Mark::Pass, Mark::Pass, None),
            (Mark::Pass, Mark::Fail, Some(Regression)),
            (Mark::Accepted, Mark::Error, Some(Regression)),
            (Mark::Pass, Mark::Unsupported, Some(Regression)),
            (Mark::KnownBug, Mark::Unapproved, Some(Regression)),
            (Mark::Unsupported, Mark::TimeOut, Some(Regression)),
            (Mark::Unsupported, Mark::Pass, Some(Changed)),
            (Mark::Pass, Mark::Accepted, Some(Changed)),
            (Mark::KnownBug, Mark::Pass, Some(Changed)),
            (Mark::Fail, Mark::Error, Some(Changed)),
            (Mark::Fail, Mark::Unsupported, Some(Changed)),
            (Mark::Fail, Mark::Pass, Some(Fixed)),
            (Mark::Error, Mark::KnownBug, Some(Fixed)),
        ] {
            let from = marked(cell("a", 0), old, Mark::Pass);
            let to = marked(cell("a", 0), new, Mark::Pass);
            assert_eq!(kind(&from, &to), expected, "{old:?} → {new:?}");
        }
        let better_and_worse = (
            marked(cell("a", 0), Mark::Fail, Mark::Pass),
            marked(cell("a", 0), Mark::Pass, Mark::Fail),
        );
        assert_eq!(
            kind(&better_and_worse.0, &better_and_worse.1),
            Some(Regression)
        );
        let other = shown(cell("a", 0), "steps\nend");
        assert_eq!(kind(&cell("a", 0), &other), Some(Changed));
    }

    #[test]
    fn regressions_come_first_and_alike_columns_together() {
        let columns = [product("native", "1"), product("docker", "20")];
        let lost = SHOWN.replace("kept", "lost");
        let failed =
            |case: &str, column| marked(shown(cell(case, column), &lost), Mark::Pass, Mark::Fail);
        let old = results(
            &columns,
            vec![
                cell("a", 0),
                cell("a", 1),
                failed("b", 0),
                cell("b", 1),
                cell("gone", 0),
                cell("z", 0),
                cell("z", 1),
            ],
        );
        let new = results(
            &columns,
            vec![
                cell("a", 0),
                cell("a", 1),
                cell("b", 0),
                cell("b", 1),
                cell("new", 1),
                failed("z", 0),
                failed("z", 1),
            ],
        );
        let changes = told(&old, &new);
        let lines: Vec<_> = changes
            .changes
            .iter()
            .map(|it| (it.kind, it.case.as_str(), it.columns.join("+")))
            .collect();
        assert_eq!(
            lines,
            [
                (ChangeKind::Regression, "z", "native+docker".to_owned()),
                (ChangeKind::Vanished, "gone", "native".to_owned()),
                (ChangeKind::New, "new", "docker".to_owned()),
                (ChangeKind::Fixed, "b", "native".to_owned()),
            ]
        );
        assert_eq!(
            changes.changes[0].details,
            ["persistence: db:/x: kept → lost"]
        );
        assert_eq!(
            (changes.same, changes.count(ChangeKind::Regression)),
            (3, 2)
        );
    }

    #[test]
    fn columns_are_paired_by_product_then_by_engine() {
        let (native, podman) = (product("native", "1"), product("podman", "4"));
        let (old, new) = (product("docker", "20"), product("docker", "24"));
        let of = |columns: &[Product]| {
            let cells = (0..columns.len()).map(|column| cell("a", column)).collect();
            results(columns, cells)
        };
        let changes = told(
            &of(&[old.clone(), native.clone()]),
            &of(&[native.clone(), new.clone(), podman]),
        );
        assert_eq!(
            changes.products,
            [("docker".to_owned(), old.clone(), new.clone())]
        );
        assert_eq!(
            (changes.vanished, changes.new),
            (vec![], vec!["podman".to_owned()])
        );
        assert_eq!((changes.changes.len(), changes.same), (0, 2));

        let changes = told(&of(&[old.clone(), new.clone()]), &of(&[new]));
        assert_eq!(changes.vanished, ["docker 20"]);
        assert_eq!(changes.products, []);
    }
}
