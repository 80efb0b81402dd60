//! Set-up trees: layers, the host directory, volumes. Everything is made exactly as given, and nobody's
//! permissions are asked.
//!
//! Paths are walked name by name in a plain union, which follows no symlink, so that a path of a
//! hostile image cannot lead out of the tree.

mod error;
mod inherit;
mod planter;

#[cfg(test)]
mod tests;

pub(super) use planter::{plant, plant_layer};
