//! A place in a scenario file: an arrow with file, line and column, the lines around it, a caret.

use std::fmt::Write as _;

use super::style::{BAD, FRAME, paint, printable};
use crate::verdict::Excerpt;

/// How much of a line is shown, in characters.
const WIDTH_MAX: usize = 120;

/// The excerpt as lines, each ended.
///
/// ```text
///   --> scenarios/volumes/readonly.yaml:14:5
///    |
/// 13 |   - in: first
/// 14 |     read: /data/rows
///    |     ^
/// ```
pub fn excerpt(excerpt: &Excerpt) -> String {
    let path = printable(&excerpt.path.display().to_string());
    let last = excerpt
        .lines
        .iter()
        .map(|(number, _)| *number)
        .max()
        .unwrap_or(excerpt.line);
    let width = last.to_string().len();
    let gutter = " ".repeat(width);
    let bar = paint(FRAME, "|");
    let mut text = format!(
        "{gutter}{} {path}:{}:{}\n",
        paint(FRAME, "-->"),
        excerpt.line,
        excerpt.column
    );
    if excerpt.lines.is_empty() {
        return text;
    }
    let _ = writeln!(text, "{gutter} {bar}");
    for (number, line) in &excerpt.lines {
        let (skipped, shown) = window(line.trim_end(), excerpt.column, *number == excerpt.line);
        let gap = if shown.is_empty() { "" } else { " " };
        let _ = writeln!(
            text,
            "{} {bar}{gap}{shown}",
            paint(FRAME, &format!("{number:width$}"))
        );
        if *number == excerpt.line {
            let before: String = line
                .chars()
                .take(excerpt.column.saturating_sub(1))
                .collect();
            let indent = " ".repeat(printable(&before).chars().count().saturating_sub(skipped));
            let _ = writeln!(text, "{gutter} {bar} {indent}{}", paint(BAD, "^"));
        }
    }
    text
}

/// A line as it is shown, and how many characters were left out before. Of a long line only a part
/// is shown; of the one at fault, that around the caret.
fn window(line: &str, column: usize, at_fault: bool) -> (usize, String) {
    let shown: Vec<char> = printable(line).chars().collect();
    if shown.len() <= WIDTH_MAX {
        return (0, shown.into_iter().collect());
    }
    let before: String = line.chars().take(column).collect();
    let caret = if at_fault {
        printable(&before).chars().count()
    } else {
        0
    };
    let start = if caret < WIDTH_MAX {
        0
    } else {
        caret - WIDTH_MAX / 2
    };
    let mut part: String = shown.iter().skip(start).take(WIDTH_MAX).collect();
    if start > 0 {
        part = part.chars().skip(1).collect();
        part.insert(0, '…');
    }
    if start + WIDTH_MAX < shown.len() {
        part.push('…');
    }
    (start, part)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::report::style::plain;

    fn place(column: usize, lines: &[(usize, &str)]) -> Excerpt {
        Excerpt {
            path: PathBuf::from("scenarios/a.yaml"),
            line: 10,
            column,
            lines: lines
                .iter()
                .map(|(number, line)| (*number, (*line).to_owned()))
                .collect(),
        }
    }

    #[test]
    fn the_caret_stands_below_its_column() {
        let lines = [(9, "- in: first"), (10, "\tread: /x  "), (11, "")];
        assert_eq!(
            plain(&excerpt(&place(2, &lines))),
            "  --> scenarios/a.yaml:10:2\n   |\n 9 | - in: first\n10 |     read: /x\n   |     ^\n11 |\n"
        );
    }

    #[test]
    fn without_lines_the_place_alone_is_told() {
        assert_eq!(
            plain(&excerpt(&place(1, &[]))),
            "  --> scenarios/a.yaml:10:1\n"
        );
    }

    #[test]
    fn of_a_long_line_the_part_around_the_caret_is_shown() {
        let long: String = (0..300).map(|n| if n == 250 { 'X' } else { '-' }).collect();
        let text = plain(&excerpt(&place(251, &[(9, &long), (10, &long)])));
        let lines: Vec<Vec<char>> = text.lines().map(|line| line.chars().collect()).collect();
        assert!(
            lines.iter().all(|line| line.len() <= 5 + WIDTH_MAX + 1),
            "{text}"
        );
        assert_eq!(
            lines[3].iter().position(|c| *c == 'X'),
            Some(lines[4].len() - 1),
            "{text}"
        );
        assert_eq!(lines[4].last(), Some(&'^'));
        assert!(
            lines[3].contains(&'…') && lines[2].last() == Some(&'…'),
            "{text}"
        );
    }

    #[test]
    fn a_file_cannot_command_the_terminal() {
        let text = plain(&excerpt(&place(3, &[(10, "a\u{1b}b")])));
        assert!(text.contains("10 | a\\u{1b}b\n   |        ^\n"), "{text}");
    }
}
