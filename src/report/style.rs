//! Colours, and text that is safe on a terminal.
//!
//! Text is always made with its colours; a stream that should have none strips them
//! (`anstream::AutoStream`), and [`plain`] does so for a string.

use anstyle::{AnsiColor, Style};

/// What is as it should be.
pub const GOOD: Style = AnsiColor::Green.on_default().bold();
/// What is not.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// What was left out.
pub const LEFT_OUT: Style = AnsiColor::Yellow.on_default();
/// Line numbers, rulers, arrows.
pub const FRAME: Style = AnsiColor::Blue.on_default().bold();
/// Names.
pub const NAME: Style = Style::new().bold();
/// What matters less.
pub const FAINT: Style = Style::new().dimmed();
/// A line that should be there.
pub const REMOVED: Style = AnsiColor::Red.on_default();
/// A line that should not.
pub const ADDED: Style = AnsiColor::Green.on_default();

/// Text in a style.
pub fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Text without its colours.
pub fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// One line of foreign text, such that it cannot command the terminal: a tab becomes four blanks,
/// other control characters and those that turn the direction of writing are escaped.
pub fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' => safe.push_str("    "),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => {
                safe.extend(character.escape_unicode());
            }
            other if other.is_control() => safe.extend(other.escape_default()),
            other => safe.push(other),
        }
    }
    safe
}

/// Several lines of foreign text, each as [`printable`] has it.
pub fn printable_lines(text: &str) -> impl Iterator<Item = String> {
    text.lines().map(printable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_command_the_terminal() {
        for (text, safe) in [
            ("a\tb", "a    b"),
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("ü → x", "ü → x"),
            ("\r\u{7f}\u{9b}", "\\r\\u{7f}\\u{9b}"),
            ("\u{202e}txt", "\\u{202e}txt"),
        ] {
            assert_eq!(printable(text), safe);
        }
    }

    #[test]
    fn colours_come_off() {
        assert_eq!(plain(&paint(BAD, "x")), "x");
        assert_ne!(paint(BAD, "x"), "x");
    }
}
