//! `layerspec`: executable specifications for container storage.
pub mod engine;
pub mod scenario;
pub mod sys;
pub mod union;
