//! A results file: JSON Lines, one object a line with one key that tells what it is.
//!
//! | line | key | fields |
//! |---|---|---|
//! | first | `header` | `format`: 1; `layerspec`: version; `columns`: each engine with `engine`, `version`, `kernel`, `driver`, `file_system`, `capabilities` |
//! | one a case and column | `cell` | `case`: its id; `column`: index from 0; `file`; `title`; `marks`: `tree` and `persistence`, each `pass`, `accepted`, `known-bug`, `unsupported`, `unapproved`, `unjudged`, `fail`, `time-out` or `error`; `reason`; `bug`; `failures`; `outcome`: the text that a snapshot holds; `conditional`: answers of the steps with a `when:`, by their numbers; `duration_us`; `again`: a shell command |
//! | last | `end` | `cells`: how many there are |
//!
//! What does not apply is absent. Reading is strict: a file that was cut short, changed by hand or
//! written by a version with another format is refused with the line at fault. Nothing in a file is
//! believed to be safe on a terminal.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{File, Permissions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Cell, Product, Results};

/// The format that this version writes and reads.
const FORMAT: u64 = 1;

/// Longest line, in bytes.
const LINE_MAX: usize = 64 << 20;

/// Longest file, in bytes.
const FILE_MAX: usize = 1 << 30;

/// Most columns.
const COLUMNS_MAX: usize = 1000;

/// A file that is no sound results file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {message}", path.display(), line.map_or(String::new(), |line| format!(":{line}")))]
pub struct Damaged {
    /// The file, as it was named.
    pub path: PathBuf,
    /// The line at fault, from 1.
    pub line: Option<usize>,
    /// What is wrong, as a sentence fragment.
    pub message: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum Written<'a> {
    Header {
        format: u64,
        layerspec: &'a str,
        columns: &'a [Product],
    },
    Cell(&'a Cell),
    End {
        cells: usize,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Header(Header),
    Cell(Box<Cell>),
    End(End),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    /// Looked at before the rest is.
    #[serde(rename = "format")]
    _format: u64,
    layerspec: String,
    columns: Vec<Product>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    cells: usize,
}

/// Writes results as lines.
///
/// # Errors
/// When they cannot be written, or a line would be longer than can be read again.
pub fn write_lines(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    line(
        &Written::Header {
            format: FORMAT,
            layerspec: &results.layerspec,
            columns: &results.columns,
        },
        out,
    )?;
    for cell in &results.cells {
        line(&Written::Cell(cell), out)?;
    }
    let cells = results.cells.len();
    line(&Written::End { cells }, out)
}

fn line(written: &Written<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut text = serde_json::to_string(written)?;
    if let (true, Written::Cell(cell)) = (text.len() >= LINE_MAX, written) {
        let length = text.len();
        let message = format!("what {} shows takes {length} bytes, too many", cell.case);
        return Err(io::Error::other(message));
    }
    text.push('\n');
    out.write_all(harmless(&text).as_bytes())
}

/// JSON without a character that a terminal obeys or that turns the direction of writing: such can
/// only stand in a string, where it is escaped.
pub fn harmless(json: &str) -> Cow<'_, str> {
    let harmful = |c: char| matches!(c, '\u{7f}'..='\u{9f}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !json.contains(harmful) {
        return Cow::Borrowed(json);
    }
    let mut safe = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if harmful(character) {
            // Writing to a string cannot fail.
            write!(safe, "\\u{:04x}", u32::from(character)).ok();
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

/// Writes a results file: whole or not at all.
///
/// # Errors
/// When it cannot be written. What was there before is then still there.
pub fn write(results: &Results, path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let file = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)?;
    let mut writer = BufWriter::new(file);
    write_lines(results, &mut writer)?;
    let file = writer
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    file.persist(path)?;
    Ok(())
}

/// Reads a results file.
///
/// # Errors
/// [`Damaged`], with the first line that is at fault.
pub fn read(path: &Path) -> Result<Results, Damaged> {
    let damaged = |line: Option<usize>, message: String| Damaged {
        path: path.to_path_buf(),
        line,
        message,
    };
    let file =
        File::open(path).map_err(|error| damaged(None, format!("cannot be read: {error}")))?;
    parse(BufReader::new(file)).map_err(|(line, message)| damaged(line, message))
}

type Fault = (Option<usize>, String);

fn parse(mut reader: impl BufRead) -> Result<Results, Fault> {
    let mut results = None;
    let mut ended = None;
    let mut seen = BTreeSet::new();
    let mut left = FILE_MAX;
    for number in 1.. {
        let fault = |message: String| (Some(number), message);
        let Some(bytes) = next_line(&mut reader, &mut left).map_err(fault)? else {
            break;
        };
        if ended.is_some() {
            return Err(fault("more follows the end".to_owned()));
        }
        match (&mut results, decode(&bytes, number).map_err(fault)?) {
            (None, Line::Header(header)) => results = Some(start(header).map_err(fault)?),
            (None, _) => return Err(fault("expected the header".to_owned())),
            (Some(_), Line::Header(_)) => return Err(fault("a second header".to_owned())),
            (Some(results), Line::Cell(cell)) => {
                if cell.column >= results.columns.len() {
                    return Err(fault(format!("there is no column {}", cell.column)));
                }
                if !seen.insert((cell.case.clone(), cell.column)) {
                    return Err(fault("this case and column came before".to_owned()));
                }
                results.cells.push(*cell);
            }
            (Some(_), Line::End(end)) => ended = Some((number, end.cells)),
        }
    }
    let results = results.ok_or((None, "is empty, and no results file".to_owned()))?;
    match ended {
        Some((_, count)) if count == results.cells.len() => Ok(results),
        Some((number, count)) => {
            let found = results.cells.len();
            Err((
                Some(number),
                format!("{count} cells were written, {found} are there"),
            ))
        }
        None => Err((None, "was cut short: its end is missing".to_owned())),
    }
}

fn start(header: Header) -> Result<Results, String> {
    if header.columns.len() > COLUMNS_MAX {
        return Err(format!("more than {COLUMNS_MAX} columns"));
    }
    Ok(Results {
        layerspec: header.layerspec,
        columns: header.columns,
        cells: Vec::new(),
    })
}

fn next_line(reader: &mut impl BufRead, left: &mut usize) -> Result<Option<Vec<u8>>, String> {
    let mut bytes = Vec::new();
    let limit = LINE_MAX.min(*left);
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let count = reader
        .by_ref()
        .take(most)
        .read_until(b'\n', &mut bytes)
        .map_err(|error| format!("cannot be read: {error}"))?;
    if count > limit {
        return Err("too long for a results file".to_owned());
    }
    *left -= count;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    Ok((count > 0).then_some(bytes))
}

fn decode(bytes: &[u8], number: usize) -> Result<Line, String> {
    if number == 1 {
        foreign(bytes)?;
    }
    serde_json::from_slice(bytes).map_err(|error| {
        // Its line is always the first here; ours is told by the caller.
        let text = error.to_string();
        let message = text.split(" at line ").next().unwrap_or(&text);
        match error.column() {
            0 => message.to_owned(),
            column => format!("{message} (column {column})"),
        }
    })
}

/// Tells other files, and formats of other versions, from a damaged one.
fn foreign(first: &[u8]) -> Result<(), String> {
    let value: serde_json::Value = serde_json::from_slice(first)
        .map_err(|_| "not a results file: its first line is no JSON object".to_owned())?;
    if value.get("event").is_some() {
        return Err(
            "not a results file but the report of a run; `compare --output` writes results"
                .to_owned(),
        );
    }
    let Some(header) = value.get("header") else {
        return Err("not a results file: it has no header".to_owned());
    };
    match header.get("format").and_then(serde_json::Value::as_u64) {
        Some(FORMAT) => Ok(()),
        Some(other) => Err(format!(
            "format {other}; this version of layerspec knows format {FORMAT}"
        )),
        None => Err("the header names no format".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::testing::results;

    fn written(results: &Results) -> String {
        let mut out = Vec::new();
        write_lines(results, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_written_is_read_again() {
        let results = results();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.jsonl");
        write(&results, &path).unwrap();
        assert_eq!(read(&path).unwrap(), results);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), written(&results));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn nothing_in_a_file_is_harmful() {
        let mut results = results();
        let evil = "\u{1b}\u{7f}\u{9b}2J\u{202e}é\u{2069}";
        for cell in &mut results.cells {
            cell.title.push_str(evil);
        }
        let text = written(&results);
        let end = "What is written is there\\u001b\\u007f\\u009b2J\\u202eé\\u2069\"";
        assert!(text.contains(end), "{text}");
        assert_eq!(parse(text.as_bytes()).unwrap(), results);
    }

    #[test]
    fn the_format_stays() {
        let expected = include_str!("results.jsonl");
        assert_eq!(written(&results()), expected);
    }

    #[test]
    fn every_byte_that_is_missing_is_missed() {
        let text = written(&results());
        for length in 0..text.len() - 1 {
            let mut cut = &text.as_bytes()[..length];
            assert!(parse(&mut cut).is_err(), "{length} bytes are enough");
        }
        // The very last one only ends a line that is complete.
        assert!(parse(&text.as_bytes()[..text.len() - 1]).is_ok());
    }

    fn refused(text: &str, line: Option<usize>, message: &str) {
        let Err((at, told)) = parse(text.as_bytes()) else {
            panic!("read: {text}");
        };
        assert_eq!(at, line, "{told}: {text}");
        assert!(told.contains(message), "{told}");
    }

    #[test]
    fn a_foreign_file_is_told_as_such() {
        let report = "{\"event\":\"run\"}\n";
        for (text, line, message) in [
            ("", None, "is empty, and no results file"),
            ("title: x\n", Some(1), "not a results file: its first line"),
            ("{}\n", Some(1), "not a results file: it has no header"),
            (report, Some(1), "not a results file but the report"),
        ] {
            refused(text, line, message);
        }
        let (line, _) = parse(&b"\xff\xfe\n"[..]).unwrap_err();
        assert_eq!(line, Some(1));
    }

    #[test]
    fn a_value_that_cannot_be_is_refused_with_its_line() {
        let good = written(&results());
        let format = "\"format\":1";
        for (from, to, line, message) in [
            (
                format,
                "\"format\":2",
                1,
                "format 2; this version of layerspec knows format 1",
            ),
            (
                format,
                "\"format\":1,\"extra\":1",
                1,
                "unknown field `extra`",
            ),
            ("\"column\":1", "\"column\":7", 3, "there is no column 7"),
            (
                "\"column\":1",
                "\"column\":-1",
                3,
                "invalid value: integer `-1`",
            ),
            ("\"pass\"", "\"passed\"", 2, "unknown variant `passed`"),
            (
                "\"end\":{\"cells\":",
                "\"end\":{\"cells\":1",
                8,
                "16 cells were written, 6 are there",
            ),
        ] {
            refused(&good.replacen(from, to, 1), Some(line), message);
        }
    }

    #[test]
    fn a_line_too_many_or_too_few_is_noticed() {
        let good = written(&results());
        let lines: Vec<&str> = good.lines().collect();
        let last = lines.len();
        for (index, line, message) in [
            (2, lines[1], "this case and column came before"),
            (1, lines[0], "a second header"),
            (1, "", "EOF while parsing a value"),
            (1, "{\"note\":{}}", "unknown variant `note`"),
            (last, lines[1], "more follows the end"),
        ] {
            let mut lines = lines.clone();
            lines.insert(index, line);
            refused(&lines.join("\n"), Some(index + 1), message);
        }
        refused(&lines[..last - 1].join("\n"), None, "was cut short");
        refused(&lines[1..].join("\n"), Some(1), "it has no header");
    }

    #[test]
    fn a_line_without_an_end_is_not_read_for_ever() {
        let endless = io::repeat(b'x');
        let mut left = 1000;
        let told = next_line(&mut BufReader::new(endless), &mut left);
        assert_eq!(told, Err("too long for a results file".to_owned()));
    }
}
