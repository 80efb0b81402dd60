//! YAML text into nodes, in two passes. The first lets the parser say what each node is, and takes
//! the text of strings. The parser resolves numbers and booleans, so that their source text is lost:
//! the second pass asks for a string at each of them, which gives the source text. A text whose numbers
//! and booleans can only be spelled in one way needs no second pass.

use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::super::Span;
use super::seek::Here;
use super::text::Unreadable;
use super::{Node, Origin, Pair, Value};

/// Deepest nesting of lists and mappings.
const DEPTH_MAX: usize = 64;

/// How many more nodes than bytes aliases may make of a text.
const ALIAS_NODES_MAX: usize = 10_000;

/// How many more bytes of scalars than bytes aliases may make of a text.
const ALIAS_BYTES_MAX: usize = 1 << 20;

/// Where none of these occurs, integers are written in decimal and booleans in small letters.
const OTHER_SPELLINGS: &[&str] = &[
    "0x", "0o", "0b", "+", "-0", "True", "TRUE", "False", "FALSE",
];

/// A parsed text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Document {
    /// The top of the tree; [`Value::Null`] when the text is empty.
    pub(crate) root: Node,
    /// Where each node hangs.
    pub(crate) origin: Origin,
}

/// Parses one YAML document.
pub(crate) fn parse(text: &str) -> Result<Document, Unreadable> {
    let mut builder = Builder::new(text);
    let mut documents = serde_yaml::Deserializer::from_str(text);
    let mut root = match documents.next() {
        Some(first) => Seed {
            builder: &mut builder,
            hang: (0, 0),
            depth: 0,
        }
        .deserialize(first)
        .map_err(|error| builder.explain(text, &error))?,
        None => Node {
            id: 0,
            value: Value::Null,
        },
    };
    if let Some(second) = documents.next() {
        let at = Here
            .deserialize(second)
            .err()
            .and_then(|error| span(&error));
        return Err(Unreadable {
            message: "a second document starts here".to_owned(),
            help: Some("one file holds one scenario".to_owned()),
            at,
        });
    }
    if builder.unread > 0 {
        let again = serde_yaml::Deserializer::from_str(text);
        SourceText(&mut root)
            .deserialize(again)
            .map_err(|error| builder.explain(text, &error))?;
    }
    Ok(Document {
        root,
        origin: builder.origin,
    })
}

fn span(error: &serde_yaml::Error) -> Option<Span> {
    error.location().map(|at| Span {
        line: at.line(),
        column: at.column(),
    })
}

/// What the first pass keeps.
struct Builder {
    origin: Origin,
    /// How many scalars wait for their source text.
    unread: usize,
    /// Integers and booleans have one spelling.
    is_plain: bool,
    nodes_left: usize,
    bytes_left: usize,
    /// Our own words for the error that is under way.
    reason: Option<(&'static str, Option<&'static str>)>,
}

impl Builder {
    fn new(text: &str) -> Self {
        let length = text.len();
        Self {
            origin: Origin::default(),
            unread: 0,
            is_plain: !OTHER_SPELLINGS.iter().any(|other| text.contains(other)),
            nodes_left: length + ALIAS_NODES_MAX,
            bytes_left: length + ALIAS_BYTES_MAX,
            reason: None,
        }
    }

    /// Gives a node its number. Fails when aliases repeat too much.
    fn number<E: serde::de::Error>(&mut self, hang: (u32, u32), bytes: usize) -> Result<u32, E> {
        let (Some(nodes), Some(bytes)) = (
            self.nodes_left.checked_sub(1),
            self.bytes_left.checked_sub(bytes),
        ) else {
            return Err(self.fail("aliases repeat too much", None));
        };
        self.nodes_left = nodes;
        self.bytes_left = bytes;
        let id = u32::try_from(self.origin.0.len()).map_err(E::custom)?;
        self.origin.0.push(hang);
        Ok(id)
    }

    fn fail<E: serde::de::Error>(
        &mut self,
        message: &'static str,
        help: Option<&'static str>,
    ) -> E {
        self.reason = Some((message, help));
        E::custom(message)
    }

    /// The parser's error in our words.
    fn explain(&self, text: &str, error: &serde_yaml::Error) -> Unreadable {
        let at = span(error);
        if let Some((message, help)) = self.reason {
            return Unreadable {
                message: message.to_owned(),
                help: help.map(str::to_owned),
                at,
            };
        }
        let words = error.to_string();
        if words.contains(PLAIN_KEY) {
            return Unreadable {
                message: "a key must be plain text".to_owned(),
                help: None,
                at,
            };
        }
        let mut parts = words.split(", ");
        let problem = without_place(parts.next().unwrap_or_default());
        let offender = at.and_then(|at| {
            text.lines()
                .nth(at.line.checked_sub(1)?)?
                .chars()
                .nth(at.column.checked_sub(1)?)
        });
        let (message, help) = match (problem, offender) {
            ("found character that cannot start any token", Some('\t')) => (
                "a tab cannot indent".to_owned(),
                Some("use spaces".to_owned()),
            ),
            ("found character that cannot start any token", Some(character)) => (
                format!(
                    "plain text cannot start with `{}`",
                    character.escape_debug()
                ),
                Some("put quotes around it".to_owned()),
            ),
            ("mapping values are not allowed in this context", _) => (
                "a `key:` cannot stand here".to_owned(),
                Some(
                    "the value before it has ended, or lacks its own colon, or the indent is wrong"
                        .to_owned(),
                ),
            ),
            ("repetition limit exceeded", _) => ("aliases repeat too much".to_owned(), None),
            ("unknown anchor", _) => ("no anchor before this alias has its name".to_owned(), None),
            (other, _) => {
                let context: Vec<&str> = parts.collect();
                (
                    other.to_owned(),
                    (!context.is_empty()).then(|| context.join(", ")),
                )
            }
        };
        Unreadable { message, help, at }
    }
}

/// Cuts `at line 3 column 5` and `at position 7` off the parser's message.
fn without_place(message: &str) -> &str {
    [" at line ", " at position "]
        .iter()
        .find_map(|marker| message.rfind(marker))
        .and_then(|end| message.get(..end))
        .unwrap_or(message)
}

/// Builds one node.
struct Seed<'b> {
    builder: &'b mut Builder,
    /// Parent and index in it.
    hang: (u32, u32),
    depth: usize,
}

impl Seed<'_> {
    /// A scalar whose source text the second pass brings.
    fn unread<E: serde::de::Error>(self) -> Result<Node, E> {
        self.builder.unread += 1;
        let id = self.builder.number(self.hang, 0)?;
        Ok(Node {
            id,
            value: Value::Scalar(UNREAD.to_owned()),
        })
    }

    /// An integer or a boolean with its usual spelling.
    fn plain<E: serde::de::Error>(self, spelling: &impl ToString) -> Result<Node, E> {
        if !self.builder.is_plain {
            return self.unread();
        }
        let spelling = spelling.to_string();
        Ok(Node {
            id: self.builder.number(self.hang, spelling.len())?,
            value: Value::Scalar(spelling),
        })
    }

    fn null<E: serde::de::Error>(self) -> Result<Node, E> {
        Ok(Node {
            id: self.builder.number(self.hang, 0)?,
            value: Value::Null,
        })
    }

    /// Checks the depth of a list or mapping.
    fn open<E: serde::de::Error>(&mut self) -> Result<u32, E> {
        if self.depth >= DEPTH_MAX {
            return Err(self.builder.fail("nested more than 64 levels deep", None));
        }
        self.builder.number(self.hang, 0)
    }
}

/// Marks a scalar that waits for its source text. No YAML scalar can hold this character as its
/// whole text without the second pass being asked for it too: such text is set again, to itself.
const UNREAD: &str = "\u{0}";

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Node;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("text, a list or a mapping")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Node, E> {
        let id = self.builder.number(self.hang, text.len())?;
        Ok(Node {
            id,
            value: Value::Scalar(text.to_owned()),
        })
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Node, E> {
        self.null()
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Node, E> {
        self.null()
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Node, E> {
        self.plain(&value)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Node, E> {
        self.plain(&value)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Node, E> {
        self.plain(&value)
    }

    fn visit_u128<E: serde::de::Error>(self, _: u128) -> Result<Node, E> {
        self.unread()
    }

    fn visit_i128<E: serde::de::Error>(self, _: i128) -> Result<Node, E> {
        self.unread()
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Node, E> {
        self.unread()
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Node, A::Error> {
        let id = self.open()?;
        let mut items = Vec::new();
        let mut index = 0;
        while let Some(item) = list.next_element_seed(Seed {
            builder: self.builder,
            hang: (id, index),
            depth: self.depth + 1,
        })? {
            items.push(item);
            index += 1;
        }
        Ok(Node {
            id,
            value: Value::List(items),
        })
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Node, A::Error> {
        let id = self.open()?;
        let mut pairs = Vec::new();
        let mut index = 0;
        loop {
            let Some(key) = map.next_key_seed(Key)? else {
                break;
            };
            let value = map.next_value_seed(Seed {
                builder: self.builder,
                hang: (id, index),
                depth: self.depth + 1,
            })?;
            pairs.push(Pair { key, value });
            index += 1;
        }
        Ok(Node {
            id,
            value: Value::Map(pairs),
        })
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<Node, A::Error> {
        let help = "text that starts with `!` needs quotes";
        Err(self.builder.fail("the language has no tags", Some(help)))
    }
}

/// The end of the parser's message about a key that is a list or a mapping.
const PLAIN_KEY: &str = "expected a plain key";

/// The source text of a scalar.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = String;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a plain key")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
}

/// The second pass: walks a tree of known shape and fills in the source text of its numbers and
/// booleans.
struct SourceText<'n>(&'n mut Node);

impl<'de> DeserializeSeed<'de> for SourceText<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match &mut self.0.value {
            Value::Scalar(text) if text == UNREAD => {
                *text = Key.deserialize(deserializer)?;
                Ok(())
            }
            Value::Null | Value::Scalar(_) => {
                deserializer.deserialize_ignored_any(IgnoredAny).map(|_| ())
            }
            Value::List(_) => deserializer.deserialize_seq(self),
            Value::Map(_) => deserializer.deserialize_map(self),
        }
    }
}

impl<'de> Visitor<'de> for SourceText<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("what the first pass saw")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Value::List(items) = &mut self.0.value else {
            return Err(changed());
        };
        for item in items {
            list.next_element_seed(SourceText(item))?
                .ok_or_else(changed)?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Value::Map(pairs) = &mut self.0.value else {
            return Err(changed());
        };
        for pair in pairs {
            map.next_key::<IgnoredAny>()?.ok_or_else(changed)?;
            map.next_value_seed(SourceText(&mut pair.value))?;
        }
        Ok(())
    }
}

/// The two passes disagree; one text cannot make them.
fn changed<E: serde::de::Error>() -> E {
    E::custom("the two readings of the file differ")
}
