//! Standard output and standard error, coloured or not.

use std::io::{self, IsTerminal as _, Stderr, Stdout};
use std::path::Path;

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

/// A path as people like to read it: relative when it lies below the working directory.
pub(super) fn short(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let below = here.as_ref().and_then(|here| path.strip_prefix(here).ok());
    below.unwrap_or(path).display().to_string()
}
