//! YAML text: blocks where they are long, brackets where they are short.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Longest line that is written in brackets.
const WIDTH: usize = 110;

/// What a file holds. Every scalar is text: the loader asks for no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Yaml {
    /// Text, quoted where it has to be.
    Text(String),
    /// A number or `true`, as it is.
    Plain(String),
    /// A list.
    List(Vec<Yaml>),
    /// A mapping, in this order.
    Map(Vec<(String, Yaml)>),
}

impl From<&str> for Yaml {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Yaml {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Yaml {
    fn from(flag: bool) -> Self {
        Self::Plain(flag.to_string())
    }
}

/// A number.
#[expect(
    clippy::needless_pass_by_value,
    reason = "numbers of every width, and references to them, as they come"
)]
pub(super) fn number(number: impl ToString) -> Yaml {
    Yaml::Plain(number.to_string())
}

/// A mapping that is made entry by entry.
#[derive(Debug, Default)]
pub(super) struct Map(Vec<(String, Yaml)>);

impl Map {
    /// One entry.
    pub(super) fn with(mut self, key: &str, value: impl Into<Yaml>) -> Self {
        self.0.push((key.to_owned(), value.into()));
        self
    }

    /// One entry, when there is a value.
    pub(super) fn with_if(self, key: &str, value: Option<impl Into<Yaml>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// `key: true`, when it is.
    pub(super) fn flag(self, key: &str, value: bool) -> Self {
        self.with_if(key, value.then_some(true))
    }

    /// A list, when there is something in it.
    pub(super) fn texts<'t>(self, key: &str, items: impl IntoIterator<Item = &'t str>) -> Self {
        let items = list(items);
        let is_there = items != Yaml::List(Vec::new());
        self.with_if(key, is_there.then_some(items))
    }

    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Map> for Yaml {
    fn from(map: Map) -> Self {
        Self::Map(map.0)
    }
}

/// A mapping of one entry.
pub(super) fn single(key: &str, value: impl Into<Yaml>) -> Yaml {
    Map::default().with(key, value).into()
}

/// A list of texts.
pub(super) fn list<'t>(items: impl IntoIterator<Item = &'t str>) -> Yaml {
    Yaml::List(items.into_iter().map(Yaml::from).collect())
}

/// `text` or `base64`, with its key.
pub(super) fn bytes_entry(bytes: &[u8]) -> (&'static str, Yaml) {
    match std::str::from_utf8(bytes) {
        Ok(text) => ("text", text.into()),
        Err(_) => ("base64", STANDARD.encode(bytes).into()),
    }
}

/// Text, or `{base64: …}`.
pub(super) fn bytes(bytes: &[u8]) -> Yaml {
    match bytes_entry(bytes) {
        ("text", text) => text,
        (key, coded) => single(key, coded),
    }
}

/// A document: a mapping in a block.
pub(super) fn document(map: Map) -> String {
    let mut text = String::new();
    block(&mut text, &map.into(), 0);
    text
}

fn block(text: &mut String, value: &Yaml, indent: usize) {
    match value {
        Yaml::Map(entries) => {
            for (key, value) in entries {
                push_indent(text, indent);
                text.push_str(&scalar(key));
                text.push(':');
                nested(text, value, indent, indent + 2);
            }
        }
        Yaml::List(items) => {
            for item in items {
                push_indent(text, indent);
                text.push('-');
                item_text(text, item, indent);
            }
        }
        Yaml::Text(_) | Yaml::Plain(_) => {}
    }
}

/// What stands after a key.
fn nested(text: &mut String, value: &Yaml, indent: usize, inner: usize) {
    let flow = flow(value);
    let is_open = matches!(value, Yaml::Text(_) | Yaml::Plain(_)) || is_empty(value);
    // The top level reads better as a block.
    if is_open || (indent > 0 && indent + flow.chars().count() < WIDTH) {
        text.push(' ');
        text.push_str(&flow);
        text.push('\n');
    } else {
        text.push('\n');
        block(text, value, inner);
    }
}

/// What stands after a dash.
fn item_text(text: &mut String, item: &Yaml, indent: usize) {
    if let Yaml::Map(entries) = item
        && !entries.is_empty()
    {
        let mut inner = String::new();
        block(&mut inner, item, indent + 2);
        text.push(' ');
        text.push_str(inner.get(indent + 2..).unwrap_or_default());
        return;
    }
    let flow = flow(item);
    if matches!(item, Yaml::Text(_) | Yaml::Plain(_)) || is_empty(item) {
        text.push(' ');
        text.push_str(&flow);
        text.push('\n');
    } else {
        text.push('\n');
        block(text, item, indent + 2);
    }
}

fn is_empty(value: &Yaml) -> bool {
    match value {
        Yaml::Text(_) | Yaml::Plain(_) => false,
        Yaml::List(items) => items.is_empty(),
        Yaml::Map(entries) => entries.is_empty(),
    }
}

fn push_indent(text: &mut String, indent: usize) {
    text.extend(std::iter::repeat_n(' ', indent));
}

/// In one line.
fn flow(value: &Yaml) -> String {
    match value {
        Yaml::Text(text) => scalar(text),
        Yaml::Plain(text) => text.clone(),
        Yaml::List(items) => {
            let items: Vec<String> = items.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        Yaml::Map(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", scalar(key), flow(value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// A scalar, plain where nobody can take it for anything else. `${` is escaped, as parameters are looked for everywhere.
fn scalar(text: &str) -> String {
    let escaped = text.replace("${", "$${");
    if is_plain(&escaped) {
        return escaped;
    }
    let mut quoted = String::with_capacity(escaped.len() + 2);
    quoted.push('"');
    for character in escaped.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            other if other.is_control() || is_special(other) => {
                // Writing to a string cannot fail.
                let _: std::fmt::Result = write!(quoted, "\\U{:08x}", u32::from(other));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// Line and paragraph separators, byte order marks and what is no character: YAML has them escaped.
fn is_special(character: char) -> bool {
    matches!(
        character,
        '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
    )
}

/// Words that YAML 1.1 or 1.2 takes for something else.
const WORDS: &[&str] = &["null", "true", "false", "yes", "no", "on", "off", "y", "n"];

fn is_plain(text: &str) -> bool {
    let first = text.chars().next();
    let starts_well = first.is_some_and(|c| c.is_ascii_alphabetic() || c == '/' || c == '.');
    let sound = |c: char| c.is_ascii_alphanumeric() || "/._-+@ ".contains(c);
    let number = text.starts_with('.') && !text.starts_with("./") && !text.starts_with("../");
    starts_well
        && !number
        && text.chars().all(sound)
        && !text.ends_with(' ')
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
}
