//! Sequences of operations, and what the engine answers. Rows are those of the Docker behaviour catalogue.

mod again;
mod copy;
mod lifecycle;
mod mounts;
mod parse;
mod script;
mod threads;
mod volumes;
