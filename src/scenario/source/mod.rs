//! YAML text into a tree of nodes, and places in it.

use super::{At, SourceFile, Span};

impl SourceFile {
    /// Where a node stands in the text. Parses the text again, up to that node.
    pub fn span(&self, at: &At) -> Option<Span> {
        let _ = at;
        None
    }
}
