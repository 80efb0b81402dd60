//! `layerspec compare`: the command in projects of its own, and engines that are wrong on purpose.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod command;
mod faulty;
#[path = "../support/good.rs"]
mod good;
mod results;
#[path = "../support/mod.rs"]
mod support;
