#![doc = include_str!("protocol.md")]
//!
//! # In this folder
//!
//! | file | what it holds |
//! |---|---|
//! | `protocol` | the messages as data |
//! | `adapter` | an adapter's process, and one request at a time |
//! | `provider` | finding an adapter and opening engines behind it |
//! | `schema` | the messages as a JSON Schema |
//! | `trial` | a conversation that tells what an adapter lacks |
//! | `serve` | the other end: an engine of ours as an adapter |

mod adapter;
mod protocol;
mod provider;
mod schema;
mod serve;
mod trial;

pub use adapter::read_replies;
pub use protocol::{Ask, Given, Hello, Reply, Request, VERSION};
pub use provider::{BadCommand, ProcessProvider};
pub use schema::schema;
pub use serve::serve;
pub use trial::{Point, Trial, try_adapter};
