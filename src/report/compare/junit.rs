//! The matrix as JUnit XML: one suite a column, two tests a cell, the merged tree and what persisted.

use std::io::{self, Write};
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::pretty::failure_block;
use super::story::{stories, worth_words};
use crate::outcome::Halves;
use crate::report::style::{plain, printable};
use crate::results::{Cell, Matrix};
use crate::verdict::Mark;

/// Writes the matrix. What is excused, cannot be shown or is not approved is skipped with its reason; what
/// is not approved fails where engines do not agree on it.
///
/// # Errors
/// When it cannot be written.
pub fn matrix_junit(matrix: &Matrix<'_>, mut out: impl Write) -> io::Result<()> {
    let mut report = Report::new("layerspec");
    let stories = stories(matrix);
    for (column, product) in matrix.columns.iter().enumerate() {
        let mut suite = TestSuite::new(printable(matrix.label(column)));
        for (name, value) in [
            ("version", &product.version),
            ("kernel", &product.kernel),
            ("driver", &product.driver),
            ("file system", &product.file_system),
        ] {
            suite.add_property((name, printable(value).as_str()));
        }
        let mut time = Duration::ZERO;
        for row in &matrix.rows {
            let Some(cell) = row.cells.get(column).copied().flatten() else {
                continue;
            };
            time = time.saturating_add(Duration::from_micros(cell.duration_us));
            let disagree = row.disagree();
            let agree = stories
                .iter()
                .find(|story| story.case == printable(row.case));
            let agree = agree.map_or("", |story| story.agree.as_str());
            suite.add_test_cases(tests(matrix, cell, disagree, agree));
        }
        suite.set_time(time);
        report.add_test_suite(suite);
    }
    report.serialize(&mut out).map_err(io::Error::other)?;
    out.flush()
}

fn tests(matrix: &Matrix<'_>, cell: &Cell, disagree: Halves<bool>, agree: &str) -> [TestCase; 2] {
    let time = Duration::from_micros(cell.duration_us);
    [
        ("merged tree", cell.marks.tree, disagree.tree, time),
        // The case ran once.
        (
            "persistence",
            cell.marks.persistence,
            disagree.persistence,
            Duration::ZERO,
        ),
    ]
    .map(|(half, mark, disagree, time)| {
        let mut test = TestCase::new(
            format!("{}: {half}", printable(&cell.case)),
            status(matrix, cell, mark, disagree.then_some(agree)),
        );
        let folder = cell.case.rsplit_once('/').map_or("", |(folder, _)| folder);
        let class = [matrix.label(cell.column), folder]
            .join(".")
            .replace('/', ".");
        test.set_classname(printable(class.trim_end_matches('.')));
        test.set_time(time);
        test.extra
            .insert("file".into(), printable(&cell.file).into());
        test
    })
}

fn status(matrix: &Matrix<'_>, cell: &Cell, mark: Mark, disagree: Option<&str>) -> TestCaseStatus {
    let skipped = |message: String| {
        let mut status = TestCaseStatus::skipped();
        status.set_message(message);
        status
    };
    let wrong = |kind: NonSuccessKind, what: &str| {
        let headlines: Vec<&str> = cell
            .failures
            .iter()
            .map(|it| it.headline.as_str())
            .collect();
        let message = match headlines.as_slice() {
            [] => worth_words(cell),
            headlines => printable(&headlines.join("; ")),
        };
        let mut status = TestCaseStatus::non_success(kind);
        status
            .set_message(message)
            .set_type(what)
            .set_description(plain(&failure_block(matrix, cell)));
        status
    };
    match mark {
        Mark::Pass => TestCaseStatus::success(),
        Mark::Unapproved if disagree.is_some() => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let agree = disagree.unwrap_or_default();
            status
                .set_message(format!("no approved outcome, and engines part: {agree}"))
                .set_type("disagreement");
            status
        }
        Mark::Accepted | Mark::KnownBug | Mark::Unsupported => skipped(worth_words(cell)),
        Mark::Unapproved | Mark::Unjudged => skipped(mark.name().to_owned()),
        Mark::Fail => wrong(NonSuccessKind::Failure, "expectation"),
        Mark::TimeOut => wrong(NonSuccessKind::Error, "time-out"),
        Mark::Error => wrong(NonSuccessKind::Error, "engine"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::testing::results;

    #[test]
    fn two_tests_a_cell() {
        let results = results();
        let mut out = Vec::new();
        matrix_junit(&Matrix::new(&results), &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), include_str!("matrix.xml"));
    }
}
