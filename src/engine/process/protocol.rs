//! The messages: one JSON object a line, as [`super`] describes them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::engine::{Answer, Capability, Operation, Refusal, Value, World};

/// Version of the protocol. Another version is another number; what is added in a way that an adapter may
/// ignore is not.
pub const VERSION: u32 = 1;

/// A line to the adapter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Request {
    /// Comes back with the reply.
    pub id: u64,
    /// What is asked.
    #[serde(flatten)]
    pub ask: Ask,
}

/// What is asked of an adapter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// The first request: who are you? The reply is `hello`, or `absent`.
    Hello {
        /// Version of the protocol.
        protocol: u32,
        /// Version of layerspec.
        layerspec: String,
    },
    /// A scenario begins, on a state where there is nothing. The reply is `begun`.
    Begin {
        /// An empty directory, by its absolute path, for everything that the adapter makes on disk.
        directory: PathBuf,
        /// Somebody wants to look at the directory afterwards: leave it as it is.
        #[serde(default)]
        keep: bool,
    },
    /// One thing to do. The reply is `done` or `refused`.
    Operation(Box<Operation>),
    /// A look at everything that is there, which changes nothing. The reply is `world`.
    Observe {},
    /// The scenario ends: remove everything that was made since `begin`. The reply is `ended`.
    End {},
}

/// A line from the adapter.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Reply {
    /// That of the request.
    pub id: u64,
    /// What came of it.
    #[serde(flatten)]
    pub given: Given,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Given {
    /// To `hello`: the adapter can be used here.
    Hello(Hello),
    /// To `hello`: it cannot.
    Absent {
        /// Why: `no such program: buildah`.
        reason: String,
        /// What would enable it: `install buildah`.
        remedy: String,
    },
    /// To `begin`.
    Begun {},
    /// To `operation`: done, with what it gave.
    Done(Value),
    /// To `operation`: refused, as the implementation under test refuses it.
    Refused(Refusal),
    /// To `observe`.
    World(Box<World>),
    /// To `end`.
    Ended {},
    /// To any request: the adapter does not know it, or something in it, and what. Nothing was changed.
    Unsupported(String),
    /// To any request: the adapter itself failed, or what it drives did, so that nothing can be said about its behaviour.
    Broken(String),
}

/// What an adapter says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hello {
    /// Version of the protocol that it speaks.
    pub protocol: u32,
    /// Name of the implementation under test.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Kernel release.
    #[serde(default)]
    pub kernel: String,
    /// Storage driver.
    #[serde(default)]
    pub driver: String,
    /// File system under it.
    #[serde(default)]
    pub file_system: String,
    /// What it can show. A scenario that needs something else is skipped.
    pub capabilities: BTreeSet<Capability>,
    /// Where to read about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
    /// Where to report what is wrong with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issues: Option<String>,
    /// The most that one request may take from now on, in seconds, instead of 30. The time limit of the whole
    /// scenario stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds_per_request: Option<u32>,
}

impl Given {
    /// The name by which it is written.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Hello(_) => "hello",
            Self::Absent { .. } => "absent",
            Self::Begun {} => "begun",
            Self::Done(_) => "done",
            Self::Refused(_) => "refused",
            Self::World(_) => "world",
            Self::Ended {} => "ended",
            Self::Unsupported(_) => "unsupported",
            Self::Broken(_) => "broken",
        }
    }
}

impl From<Answer> for Given {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Done(value) => Self::Done(value),
            Answer::Refused(refusal) => Self::Refused(refusal),
            Answer::Unsupported(why) => Self::Unsupported(why),
            Answer::Broken(why) => Self::Broken(why),
        }
    }
}

/// Flattened enums are read through a buffer, which costs time for a large world, and the place of an error.
#[derive(Deserialize)]
struct Fields {
    id: u64,
    hello: Option<Hello>,
    absent: Option<AbsentFields>,
    begun: Option<Nothing>,
    done: Option<Value>,
    refused: Option<Refusal>,
    world: Option<Box<World>>,
    ended: Option<Nothing>,
    unsupported: Option<String>,
    broken: Option<String>,
}

#[derive(Deserialize)]
struct AbsentFields {
    reason: String,
    remedy: String,
}

#[derive(Deserialize)]
struct Nothing {}

impl<'de> Deserialize<'de> for Reply {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let fields = Fields::deserialize(deserializer)?;
        let mut given = [
            fields.hello.map(Given::Hello),
            fields
                .absent
                .map(|AbsentFields { reason, remedy }| Given::Absent { reason, remedy }),
            fields.begun.map(|Nothing {}| Given::Begun {}),
            fields.done.map(Given::Done),
            fields.refused.map(Given::Refused),
            fields.world.map(Given::World),
            fields.ended.map(|Nothing {}| Given::Ended {}),
            fields.unsupported.map(Given::Unsupported),
            fields.broken.map(Given::Broken),
        ]
        .into_iter()
        .flatten();
        let id = fields.id;
        match (given.next(), given.next()) {
            (Some(given), None) => Ok(Self { id, given }),
            (None, _) => Err(D::Error::custom(
                "none of `hello`, `absent`, `begun`, `done`, `refused`, `world`, `ended`, `unsupported`, `broken`",
            )),
            (Some(one), Some(other)) => Err(D::Error::custom(format!(
                "both `{}` and `{}`",
                one.name(),
                other.name()
            ))),
        }
    }
}

impl Reply {
    /// Reads a line, without its newline.
    ///
    /// # Errors
    /// What is wrong with it, and where: `done.stat.mode: invalid type: string "0644", expected u32`.
    pub fn read(line: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(line).map_err(|_| "not UTF-8".to_owned())?;
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let reply: Self = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
            let path = error.path().to_string();
            let inner = error.into_inner();
            if path == "." {
                inner.to_string()
            } else {
                format!("{path}: {inner}")
            }
        })?;
        deserializer.end().map_err(|error| error.to_string())?;
        Ok(reply)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Kind;

    #[test]
    fn requests_are_one_word_with_what_belongs_to_it() {
        for (ask, line) in [
            (
                Ask::Hello {
                    protocol: 1,
                    layerspec: "0.1.0".to_owned(),
                },
                r#"{"id":7,"hello":{"protocol":1,"layerspec":"0.1.0"}}"#,
            ),
            (
                Ask::Begin {
                    directory: "/tmp/x".into(),
                    keep: false,
                },
                r#"{"id":7,"begin":{"directory":"/tmp/x","keep":false}}"#,
            ),
            (
                Ask::Operation(Box::new(Operation::Start("first".to_owned()))),
                r#"{"id":7,"operation":{"start":"first"}}"#,
            ),
            (
                Ask::Operation(Box::new(Operation::ContainerPrune)),
                r#"{"id":7,"operation":"container-prune"}"#,
            ),
            (Ask::Observe {}, r#"{"id":7,"observe":{}}"#),
            (Ask::End {}, r#"{"id":7,"end":{}}"#),
        ] {
            let request = Request { id: 7, ask };
            assert_eq!(serde_json::to_string(&request).unwrap(), line);
            let read: Request = serde_json::from_str(line).unwrap();
            assert_eq!(read, request);
        }
    }

    #[test]
    fn replies_are_read_as_they_are_written() {
        let replies = [
            Given::Hello(Hello {
                protocol: 1,
                name: "x".to_owned(),
                ..Hello::default()
            }),
            Given::Absent {
                reason: "x".to_owned(),
                remedy: "y".to_owned(),
            },
            Given::Begun {},
            Given::Done(Value::Nothing),
            Given::Refused(Refusal::kind(Kind::NoSuchImage, "x")),
            Given::World(Box::default()),
            Given::Ended {},
            Given::Unsupported("x".to_owned()),
            Given::Broken("x".to_owned()),
        ];
        for given in replies {
            let reply = Reply { id: 3, given };
            let line = serde_json::to_string(&reply).unwrap();
            assert!(
                line.starts_with(&format!(r#"{{"id":3,"{}":"#, reply.given.name())),
                "{line}"
            );
            assert_eq!(Reply::read(line.as_bytes()).as_ref(), Ok(&reply), "{line}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_reply_is_told_with_its_place() {
        for (line, message) in [
            ("{}", "missing field `id` at line 1 column 2"),
            ("", "EOF while parsing a value at line 1 column 0"),
            ("hello", "expected value at line 1 column 1"),
            (r#"{"id":1}"#, "none of `hello`, `absent`, `begun`, "),
            (
                r#"{"id":1,"ended":{},"begun":{}}"#,
                "both `begun` and `ended`",
            ),
            (
                r#"{"id":1,"done":{"number":"7"}}"#,
                "done.number: invalid type: string \"7\", expected u64",
            ),
            (
                r#"{"id":1,"hello":{"protocol":1,"name":"x","version":"1","capabilities":["links"]}}"#,
                "hello.capabilities[0]: unknown variant `links`",
            ),
            (
                r#"{"id":1,"begun":{}} {}"#,
                "trailing characters at line 1 column 21",
            ),
        ] {
            let said = Reply::read(line.as_bytes()).unwrap_err();
            assert!(said.starts_with(message), "{line}: {said}");
        }
        assert_eq!(Reply::read(b"\xff"), Err("not UTF-8".to_owned()));
    }
}
