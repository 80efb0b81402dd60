//! A change of one record, and how a line of the log holds some of them.
//!
//! A line is a JSON object: `{"c5":{…},"i2":null}` sets the record of container 5 and drops that of image 2.
//! `{"next":12}` says that numbers below 12 have been given.

use std::io::Write as _;

use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Container, Filling, Image, Number, Volume};

/// A record set, or with `None` dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Image(Number, Option<Image>),
    Container(Number, Option<Container>),
    Volume(Number, Option<Volume>),
    Filling(Number, Option<Filling>),
    /// The lowest number that was not given yet.
    Next(Number),
}

impl Change {
    /// One line, with its end.
    pub(super) fn format(changes: &[Self]) -> Result<Vec<u8>, Errno> {
        let mut line = Vec::with_capacity(512);
        for change in changes {
            line.push(if line.is_empty() { b'{' } else { b',' });
            match change {
                Self::Image(number, record) => entry(&mut line, 'i', *number, record.as_ref()),
                Self::Container(number, record) => entry(&mut line, 'c', *number, record.as_ref()),
                Self::Volume(number, record) => entry(&mut line, 'v', *number, record.as_ref()),
                Self::Filling(number, record) => entry(&mut line, 'f', *number, record.as_ref()),
                Self::Next(number) => {
                    write!(line, r#""next":{number}"#).map_err(serde_json::Error::io)
                }
            }
            .map_err(|_| Errno::INVAL)?;
        }
        line.extend_from_slice(b"}\n");
        Ok(line)
    }

    /// Reads a line back; `None` where it is damaged.
    pub(super) fn parse(line: &[u8]) -> Option<Vec<Self>> {
        let entries: std::collections::BTreeMap<String, &RawValue> =
            serde_json::from_slice(line).ok()?;
        entries
            .into_iter()
            .map(|(name, value)| Self::of(&name, value))
            .collect()
    }

    fn of(name: &str, value: &RawValue) -> Option<Self> {
        if name == "next" {
            return read(value).map(Self::Next);
        }
        let letter = name.chars().next()?;
        let number = name.get(letter.len_utf8()..)?.parse().ok()?;
        // Only the one spelling: no leading zeros, no signs.
        if name != format!("{letter}{number}") {
            return None;
        }
        match letter {
            'i' => read(value).map(|record| Self::Image(number, record)),
            'c' => read(value).map(|record| Self::Container(number, record)),
            'v' => read(value).map(|record| Self::Volume(number, record)),
            'f' => read(value).map(|record| Self::Filling(number, record)),
            _ => None,
        }
    }
}

fn entry(
    line: &mut Vec<u8>,
    letter: char,
    number: Number,
    record: Option<&impl Serialize>,
) -> Result<(), serde_json::Error> {
    write!(line, r#""{letter}{number}":"#).map_err(serde_json::Error::io)?;
    serde_json::to_writer(line, &record)
}

fn read<'a, T: Deserialize<'a>>(value: &'a RawValue) -> Option<T> {
    serde_json::from_str(value.get()).ok()
}
