//! The daemon's half of a container engine: images, containers and volumes, kept on a disk.
//!
//! A [`Store`] owns one folder. What it holds is what lies there: directories with files in them, and
//! a log of small JSON records that say what they are (the layout is in [`mod@format`]). Opening a folder again
//! reads the records back and drops what no record names, so that a crash at any moment loses at most
//! the change that was being made.
//!
//! The store keeps records and directories and checks requests ([`spec`], [`names`], [`filter`],
//! [`driver`]); it never looks inside the directories that it hands out, and knows neither path
//! walks nor processes.

pub mod archive;
mod change;
mod disk;
pub mod driver;
mod fill;
pub mod filter;
pub mod format;
mod load;
mod log;
pub mod names;
mod record;
mod refusal;
mod remove;
pub mod spec;
mod table;

#[cfg(test)]
mod tests;

pub use record::{
    BindSource, Config, Container, Filling, Image, Layer, Mount, MountSource, Number, Owner,
    Propagation, State, TmpfsSource, Volume, VolumeSource,
};
pub use refusal::{Reason, Refusal};
pub use remove::{clear_opened, remove_opened, remove_tree};
pub use table::{Options, Store, layer_name};
