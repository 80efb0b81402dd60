//! Standard output and standard error, coloured or not.

use std::io::{self, IsTerminal as _, Stderr, Stdout};

use anstream::{AutoStream, ColorChoice};

use super::args::Color;

/// Where a command writes. Text is written with its colours; the streams strip what nobody wants to
/// see: `NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE` and `TERM` are theirs to heed.
pub(super) struct Output {
    /// What was asked for.
    pub out: AutoStream<Stdout>,
    /// What went wrong.
    pub err: AutoStream<Stderr>,
    /// Somebody watches: both are terminals.
    pub terminal: bool,
}

impl Output {
    /// The streams of this process.
    pub(super) fn new(color: Color) -> Self {
        let choice = match color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::AlwaysAnsi,
            Color::Never => ColorChoice::Never,
        };
        Self {
            out: AutoStream::new(io::stdout(), choice),
            err: AutoStream::new(io::stderr(), choice),
            terminal: io::stdout().is_terminal() && io::stderr().is_terminal(),
        }
    }
}
