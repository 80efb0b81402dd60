//! Bytes into text, before any YAML is read.

use super::super::Span;

/// Longest scenario file, in bytes. The parser's memory and time grow with it.
pub(crate) const SIZE_MAX: usize = 1 << 20;

/// Product of length and bracket depth from which the parser, whose time grows with both, is not
/// asked at all. No file below 8 KiB reaches it.
const BRACKET_WORK_MAX: usize = 1 << 26;

/// Why bytes are no scenario text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// What is wrong.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) help: Option<String>,
    /// Where.
    pub(crate) at: Option<Span>,
}

/// Takes bytes as scenario text.
pub(crate) fn decode(bytes: Vec<u8>) -> Result<String, Unreadable> {
    if bytes.len() > SIZE_MAX {
        return Err(Unreadable {
            message: "the file is longer than 1 MiB".to_owned(),
            help: Some("large content can stand beside the scenario: `{from: FILE}`".to_owned()),
            at: None,
        });
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(error.as_bytes().get(..valid).unwrap_or_default());
        Unreadable {
            message: "the file is not UTF-8".to_owned(),
            help: Some("bytes that are no text are written as `{base64: …}`".to_owned()),
            at: Some(end_of(&before)),
        }
    })?;
    if text.starts_with('\u{feff}') {
        return Err(Unreadable {
            message: "the file starts with a byte order mark".to_owned(),
            help: Some("save it as UTF-8 without one".to_owned()),
            at: Some(Span { line: 1, column: 1 }),
        });
    }
    if let Some(at) = too_many_brackets(&text) {
        return Err(Unreadable {
            message: "too many nested brackets".to_owned(),
            help: None,
            at: Some(at),
        });
    }
    Ok(text)
}

/// The place right after a text.
pub(crate) fn end_of(before: &str) -> Span {
    let line = before.matches('\n').count() + 1;
    let last = before.rsplit('\n').next().unwrap_or_default();
    Span {
        line,
        column: last.chars().count() + 1,
    }
}

/// Where open brackets, wherever they stand, become too many for the length of the text.
fn too_many_brackets(text: &str) -> Option<Span> {
    let depth_max = BRACKET_WORK_MAX / text.len().max(1);
    let mut depth = 0_usize;
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > depth_max {
            return Some(end_of(text.get(..index).unwrap_or_default()));
        }
    }
    None
}
