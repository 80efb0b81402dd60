//! The line and column of one node, found by parsing again and raising an error right there: the
//! parser tells where its errors are.

use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::super::Span;

/// Where the node at `path` stands, or, with `key`, the key that leads to it. A node that an alias
/// repeats stands where its anchor is.
pub(crate) fn span_of(text: &str, path: &[usize], key: bool) -> Option<Span> {
    let document = serde_yaml::Deserializer::from_str(text).next()?;
    let error = Seek { path, key }.deserialize(document).err()?;
    let location = error.location()?;
    Some(Span {
        line: location.line(),
        column: location.column(),
    })
}

/// Follows a path of indexes and fails at its end.
struct Seek<'p> {
    path: &'p [usize],
    key: bool,
}

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.path.is_empty() {
            return Here.deserialize(deserializer);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list or a mapping")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Some((index, rest)) = self.path.split_first() else {
            return Ok(());
        };
        for _ in 0..*index {
            list.next_element::<IgnoredAny>()?;
        }
        list.next_element_seed(Seek {
            path: rest,
            key: self.key,
        })?;
        Err(A::Error::custom("no such item"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((index, rest)) = self.path.split_first() else {
            return Ok(());
        };
        for _ in 0..*index {
            map.next_entry::<IgnoredAny, IgnoredAny>()?;
        }
        if self.key && rest.is_empty() {
            map.next_key_seed(Here)?;
        } else if map.next_key::<IgnoredAny>()?.is_some() {
            map.next_value_seed(Seek {
                path: rest,
                key: self.key,
            })?;
        }
        Err(A::Error::custom("no such entry"))
    }
}

/// Fails at whatever it meets.
pub(super) struct Here;

impl<'de> DeserializeSeed<'de> for Here {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Here {
    // No visit method is given, so every one of them raises its error here.
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("nothing")
    }
}
