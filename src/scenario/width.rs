//! How wide text is on a terminal, as far as a caret has to stand under the right character.

use super::words::escape;

/// Widest excerpt of a source line, in columns.
const SHOWN_MAX: usize = 120;

/// A part of a source line, and the blanks that bring a caret under its character in this column
/// (counted from 1). Tabs stay tabs in both; characters that would act on a terminal are escaped.
pub(crate) fn excerpt(line: &str, column: usize) -> (String, String) {
    let target = column.saturating_sub(1);
    let start = window_start(line, target);
    let mut shown = String::new();
    let mut blanks = String::new();
    let mut used = 0;
    if start > 0 {
        shown.push('…');
        blanks.push(' ');
    }
    for (index, character) in line.chars().enumerate().skip(start) {
        let visible: String = visible(character);
        let columns: usize = visible.chars().map(columns).sum();
        if used + columns > SHOWN_MAX {
            shown.push('…');
            break;
        }
        used += columns;
        shown.push_str(&visible);
        if index < target {
            blanks.push_str(&if character == '\t' {
                "\t".to_owned()
            } else {
                " ".repeat(columns)
            });
        }
    }
    (shown, blanks)
}

fn visible(character: char) -> String {
    if character == '\t' {
        "\t".to_owned()
    } else {
        escape(character).collect()
    }
}

/// Where the excerpt starts, so that the caret is in its first two thirds.
fn window_start(line: &str, target: usize) -> usize {
    let widths: Vec<usize> = line
        .chars()
        .take(target + 1)
        .map(|c| visible(c).chars().map(columns).sum())
        .collect();
    let mut behind = 0;
    for (index, width) in widths.iter().enumerate().rev() {
        behind += width;
        if behind > SHOWN_MAX * 2 / 3 {
            return index + 1;
        }
    }
    0
}

/// Columns of one character: 0 for combining marks, 2 for wide ones (East Asian Width W and F, and
/// emoji), else 1. A tab counts as 1, since nothing is aligned by it.
fn columns(character: char) -> usize {
    match u32::from(character) {
        0x0300..=0x036f
        | 0x1ab0..=0x1aff
        | 0x1dc0..=0x1dff
        | 0x200b..=0x200d
        | 0x20d0..=0x20ff
        | 0xfe00..=0xfe0f
        | 0xfe20..=0xfe2f => 0,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0xa4cf
        | 0xa960..=0xa97f
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f680..=0x1f6ff
        | 0x1f900..=0x1f9ff
        | 0x1fa70..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn the_caret_stands_under_its_character() {
        let cases = [
            ("abc", 1, "abc", ""),
            ("abc", 3, "abc", "  "),
            ("abc", 4, "abc", "   "),
            ("\ta: b", 2, "\ta: b", "\t"),
            ("漢字: x", 5, "漢字: x", "      "),
            ("e\u{301}: x", 5, "e\u{301}: x", "   "),
            ("a\u{1b}b", 3, "a\\u{1b}b", "       "),
            ("", 1, "", ""),
        ];
        for (line, column, shown, blanks) in cases {
            assert_eq!(
                excerpt(line, column),
                (shown.to_owned(), blanks.to_owned()),
                "{line:?}"
            );
        }
    }

    #[test]
    fn a_long_line_is_cut_around_the_caret() {
        let line = "x".repeat(400);
        let (shown, blanks) = excerpt(&line, 300);
        assert!(shown.starts_with('…') && shown.ends_with('…'), "{shown}");
        assert!(blanks.len() < 90 && blanks.len() > 70, "{}", blanks.len());
    }
}
