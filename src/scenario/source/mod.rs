//! YAML text into a tree of nodes, and places in it. Nothing outside this folder names `serde_yaml`,
//! which is archived upstream and may have to be replaced.
//!
//! A file is parsed twice: once to learn the shapes, and once more for the source text of numbers
//! and booleans, since `0644`, `0o644` and `644` must stay apart. Places are not kept: a [`super::At`]
//! is turned into a line and a column by parsing again up to that node, which only messages do.

mod node;
mod seek;
mod text;
mod yaml;

pub(crate) use node::{Node, Origin, Pair, Spot, Value};
pub(crate) use seek::span_of;
pub(crate) use text::{SIZE_MAX, Unreadable, decode, end_of};
pub(crate) use yaml::{Document, parse};

use super::{At, SourceFile, Span};

impl SourceFile {
    /// Where a node stands in the text. Parses the text again, up to that node. `None` when the
    /// text has no such node.
    pub fn span(&self, at: &At) -> Option<Span> {
        span_of(&self.text, &at.0, false)
    }
}
