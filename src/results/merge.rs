//! Several results as one, and what their columns are called.

use std::collections::BTreeSet;

use super::{Product, Results};

/// Several results side by side. The same product is one column when its results are of different
/// cases, parts of one run; else each file has its own.
pub fn merge(all: impl IntoIterator<Item = Results>) -> Results {
    let mut merged = Results::default();
    for results in all {
        if merged.layerspec.is_empty() {
            merged.layerspec.clone_from(&results.layerspec);
        }
        let columns = places(&mut merged, &results);
        for mut cell in results.cells {
            if let Some(column) = columns.get(cell.column) {
                cell.column = *column;
                merged.cells.push(cell);
            }
        }
    }
    merged
}

/// The column that each of `results` has in `merged`, where new ones are made for it.
fn places(merged: &mut Results, results: &Results) -> Vec<usize> {
    let mut taken = BTreeSet::new();
    let known = merged.columns.len();
    let mut places = Vec::new();
    for (index, product) in results.columns.iter().enumerate() {
        let fits = |column: &usize| {
            merged.columns.get(*column) == Some(product)
                && !taken.contains(column)
                && are_apart(merged, *column, results, index)
        };
        let place = (0..known).find(fits).unwrap_or_else(|| {
            merged.columns.push(product.clone());
            merged.columns.len() - 1
        });
        taken.insert(place);
        places.push(place);
    }
    places
}

/// Whether two columns have no case in common.
fn are_apart(one: &Results, column: usize, other: &Results, index: usize) -> bool {
    let cases = |results: &'_ Results, column: usize| -> BTreeSet<String> {
        let cells = results.cells.iter().filter(|cell| cell.column == column);
        cells.map(|cell| cell.case.clone()).collect()
    };
    cases(one, column).is_disjoint(&cases(other, index))
}

/// A short name for each column: the engine's, and where several have the same, the first thing
/// that tells them all apart, or else their number.
pub fn labels(columns: &[Product]) -> Vec<String> {
    let label = |(index, product): (usize, &Product)| {
        let same = |other: &&Product| other.engine == product.engine;
        let namesakes: Vec<&Product> = columns.iter().filter(same).collect();
        if namesakes.len() < 2 {
            return product.engine.clone();
        }
        let telling = [
            |product: &Product| product.version.clone(),
            |product: &Product| product.driver.clone(),
            |product: &Product| product.file_system.clone(),
            |product: &Product| product.kernel.clone(),
        ]
        .into_iter()
        .find(|field| {
            let values: BTreeSet<String> = namesakes.iter().copied().map(field).collect();
            values.len() == namesakes.len() && !values.contains("")
        });
        let tail = telling.map_or_else(
            || {
                let before = columns.iter().take(index + 1).filter(same).count();
                format!("({before})")
            },
            |field| field(product),
        );
        format!("{} {tail}", product.engine)
    };
    columns.iter().enumerate().map(label).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::testing::{cell, product, results};

    fn of(columns: &[Product], cells: &[(&str, usize)]) -> Results {
        Results {
            layerspec: "0.1.0".to_owned(),
            columns: columns.to_vec(),
            cells: cells
                .iter()
                .map(|(case, column)| cell(case, *column))
                .collect(),
        }
    }

    #[test]
    fn parts_of_one_run_are_one_column_and_two_runs_are_two() {
        let (native, docker) = (product("native", "1"), product("docker", "20"));
        let first = of(&[native.clone(), docker.clone()], &[("a", 0), ("a", 1)]);
        let second = of(&[docker.clone(), native.clone()], &[("b", 0), ("b", 1)]);
        let merged = merge([first.clone(), second]);
        assert_eq!(merged.columns, [native.clone(), docker.clone()]);
        let places: Vec<_> = merged
            .cells
            .iter()
            .map(|c| (c.case.as_str(), c.column))
            .collect();
        assert_eq!(places, [("a", 0), ("a", 1), ("b", 1), ("b", 0)]);

        let twice = merge([first.clone(), first]);
        assert_eq!(
            twice.columns,
            [native.clone(), docker.clone(), native, docker]
        );
        assert_eq!(
            labels(&twice.columns),
            ["native (1)", "docker (1)", "native (2)", "docker (2)"]
        );
    }

    #[test]
    fn one_file_stays_as_it_is() {
        assert_eq!(merge([results()]), results());
    }

    #[test]
    fn columns_are_called_by_what_tells_them_apart() {
        let on = |file_system: &str| Product {
            file_system: file_system.to_owned(),
            ..product("podman", "4")
        };
        for (columns, names) in [
            (
                vec![product("native", "1"), product("docker", "20")],
                vec!["native", "docker"],
            ),
            (
                vec![product("docker", "20"), product("docker", "24")],
                vec!["docker 20", "docker 24"],
            ),
            (
                vec![on("ext4"), on("xfs"), on("btrfs")],
                vec!["podman ext4", "podman xfs", "podman btrfs"],
            ),
            (vec![on("ext4"), on("")], vec!["podman (1)", "podman (2)"]),
        ] {
            assert_eq!(labels(&columns), names);
        }
    }
}
