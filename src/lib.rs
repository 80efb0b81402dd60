//! `layerspec`: executable specifications for container storage.
pub mod case;
pub mod engine;
pub mod outcome;
pub mod run;
pub mod scenario;
pub mod snapshot;
pub mod verdict;
