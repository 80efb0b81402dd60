//! `layerspec`: executable specifications for container storage.
pub mod case;
pub mod engine;
pub mod outcome;
pub mod rootfs;
pub mod run;
pub mod scenario;
pub mod snapshot;
pub mod store;
pub mod sys;
#[cfg(test)]
mod testing;
pub mod union;
pub mod verdict;
