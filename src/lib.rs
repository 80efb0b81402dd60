//! `layerspec`: executable specifications for container storage.
pub mod engine;
pub mod rootfs;
pub mod store;
pub mod sys;
pub mod union;
