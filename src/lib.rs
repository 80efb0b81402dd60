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
pub mod union;
pub mod verdict;
