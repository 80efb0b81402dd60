//! Helpers of the tests that compare the union with kernel overlayfs.

pub mod compare;
pub mod kernel;
pub mod ours;
pub mod random;
pub mod script;
pub mod stage;
pub mod table;
