//! Scenarios as trials of `cargo test`.
