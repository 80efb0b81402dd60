//! Helpers of the tests that compare the union with kernel overlayfs.

mod apart;
pub(crate) mod compare;
pub(crate) mod index;
pub(crate) mod kernel;
pub(crate) mod mixed;
pub(crate) mod ours;
pub(crate) mod random;
pub(crate) mod script;
pub(crate) mod stage;
pub(crate) mod table;
